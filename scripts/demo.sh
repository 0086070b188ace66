#!/usr/bin/env bash
# demo.sh - shows what Vigil is for: a program is killed inside a transaction, and Vigil says by whom, what that cost and
# where the proven backup lies.
#
# Usage: demo.sh [--keep]     --keep leaves the database and its backup where they are
# Installs what is missing on Debian 12 (scripts/setup.sh) and builds Vigil into build/demo. Run it as root: watching needs
# eBPF. Where eBPF is not allowed, a recording of the same scene is replayed instead (share/demo.vigil, made on the kernel of
# Debian 12 with vigil exec --record). With VIGIL_BUILD=DIR it uses that build and makes none.
# Exit 0: shown, live or as a replay; else the status of what failed.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
vigil=${VIGIL_BUILD:-$root/build/demo}/vigil
recording=$root/share/demo.vigil

keep=no
if [ $# -gt 1 ]; then
	echo "demo.sh: it takes one argument at most, not $*; see demo.sh --help" >&2
	exit 64
fi
case ${1:-} in
"") ;;
--keep) keep=yes ;;
--help)
	sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
	exit
	;;
*)
	echo "demo.sh: unknown argument $1; see demo.sh --help" >&2
	exit 64
	;;
esac

say() {
	printf '\n\033[1m== %s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
}

prepare() {
	local log=$root/build/demo.log

	mkdir -p build
	if [ "$(id -u)" -eq 0 ]; then
		scripts/setup.sh build demo mounts
	else
		scripts/setup.sh build demo
	fi
	[ -z "${VIGIL_BUILD:-}" ] || return 0
	[ -x "$vigil" ] || echo "demo.sh: building Vigil into build/demo: a minute or two on two processors, the first time only"
	if ! { cmake -S . -B build/demo -G Ninja -DVIGIL_TESTS=OFF && ninja -C build/demo; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		echo "demo.sh: the build failed; the whole log is build/demo.log" >&2
		exit 1
	fi
}

# The victim is the sqlite3 shell, in the middle of booking. It tells its pid once the transaction is open and has reached
# the WAL, and then waits for the next line of its input, which never comes.
write_scene() {
	cat >booking.sql <<-'END'
		PRAGMA synchronous = FULL;
		INSERT INTO bookings(guest) VALUES ('paid before it happened');
		PRAGMA cache_size = 5;
		BEGIN IMMEDIATE;
		UPDATE bookings SET guest = guest || ' (moved to another room)';
		.shell echo $PPID >booking.pid.new; mv booking.pid.new booking.pid
	END
	# The murderer is somebody's tidy script. Its name is what the report must come up with.
	cat >nightly-cleanup <<-'END'
		#!/bin/bash
		for ((i = 0; i < 3000; i++)); do
		    [ ! -e booking.pid ] || break
		    sleep 0.01
		done
		kill -9 "$(cat booking.pid)"
	END
	chmod +x nightly-cleanup
	sqlite3 hotel.db "PRAGMA journal_mode = WAL" "CREATE TABLE bookings(id INTEGER PRIMARY KEY, guest TEXT)" \
		"INSERT INTO bookings(guest) SELECT 'guest ' || value || hex(randomblob(40)) FROM generate_series(1, 2000)" >/dev/null
}

play() {
	local status=0

	say "sqlite3 books rooms under watch; a script named nightly-cleanup kills it inside a transaction"
	echo "\$ vigil exec --db hotel.db --backup-dir backups -- sqlite3 hotel.db"
	mkfifo lines
	exec 9<>lines
	cat booking.sql >&9
	./nightly-cleanup 9>&- &
	"$vigil" exec --verdict-exit --db hotel.db --backup-dir backups -- sqlite3 hotel.db <lines >/dev/null 9>&- || status=$?
	exec 9>&-
	case $status in
	69 | 77) kill $! 2>/dev/null || true ;;
	esac
	wait $! 2>/dev/null || true
	return $status
}

# The promise, checked: the backup opens by itself and holds what was committed, and nothing of what was not.
look_at_backup() {
	local backup
	backup=$(find backups -maxdepth 1 -name '*.db' -print -quit)
	if [ -z "$backup" ]; then
		echo "demo.sh: there is no backup" >&2
		return 1
	fi
	say "the backup, opened by itself"
	sqlite3 "$backup" "SELECT count(*) || ' bookings, ' || sum(guest = 'paid before it happened') || ' of them paid just before, ' ||
		sum(guest LIKE '%another room)') || ' half moved' FROM bookings" "SELECT 'integrity_check: ' || integrity_check FROM pragma_integrity_check"
}

prepare
scene=$(mktemp -d)
trap '[ "$keep" = yes ] || rm -rf "$scene"' EXIT
cd "$scene"
write_scene

status=0 made="database and backup"
play || status=$?
case $status in
2)
	look_at_backup
	;;
69 | 77)
	say "eBPF is not allowed here: this is a replay of the same scene, recorded elsewhere"
	status=0 made="the database"
	"$vigil" replay "$recording" || status=$?
	# 1 and 2 say what the replay found.
	[ "$status" -le 2 ] || exit "$status"
	;;
*)
	echo "demo.sh: expected the verdict unclean (2), got status $status" >&2
	exit 1
	;;
esac
say "that was it"
if [ "$keep" = yes ]; then
	echo "kept in $scene: $made"
else
	echo "removed again: $made; --keep leaves that there"
fi
echo "the program is $vigil; what else it can do: $vigil --help"
