#!/usr/bin/env bash
# Makes the recordings of this directory: real runs of the sqlite3 shell under `vigil exec`, at paths that say nothing of the
# machine (a private mount namespace). Usage, as root: record.sh VIGIL DIRECTORY [NAME...]
#
# A recording that is committed is frozen: make new names, never the old ones again. test_recordings.c prints the .expected.
set -euo pipefail
vigil=$(realpath "$1")
out=$(realpath "$2")
shift 2
if [ -z "${VIGIL_RECORD_INSIDE:-}" ]; then
	scratch=$(mktemp -d /var/tmp/vigil-record.XXXXXX)
	trap 'rm -rf "$scratch"' EXIT
	cp "$vigil" "$scratch/vigil"
	mkfifo "$scratch/done"
	# A child of init: the ancestors of a killer stand in a recording, too.
	VIGIL_RECORD_INSIDE=$scratch setsid --fork unshare --mount --propagation private "$0" "$vigil" "$out" "$@"
	read -r <"$scratch/done"
	exit
fi
trap 'echo ended >"$VIGIL_RECORD_INSIDE/done"' EXIT
mount --bind "$VIGIL_RECORD_INSIDE" /srv

# The shell kills the sqlite3 that runs it.
readonly kill_it='.shell kill -9 $PPID'
readonly fill='with recursive n(i) as (select 1 union all select i+1 from n where i<3000)
insert into t select hex(randomblob(100)) from n;'
# An application that was there before and works as it should.
readonly prepare='create table t(x); insert into t values(1);'
declare -A script=(
	[clean-wal]="pragma journal_mode=wal; $prepare"
	[clean-delete]="$prepare"
	[killed-idle-wal]="pragma journal_mode=wal; $prepare"$'\n'"$kill_it"
	[killed-wal-transaction]="pragma journal_mode=wal; $prepare pragma cache_size=5; begin; $fill"$'\n'"$kill_it"
	[killed-hot-journal]="$prepare pragma cache_size=5; begin; $fill"$'\n'"$kill_it"
	[killed-without-journal]="pragma journal_mode=memory; $prepare pragma cache_size=5; begin; $fill"$'\n'"$kill_it"
)

# scrub FILE TEXT NEW: TEXT becomes NEW and NULs, so that nothing moves. What names this machine is no part of the run.
scrub() {
	local new=$3
	while [ "$(printf %b "$new" | wc -c)" -lt ${#2} ]; do new+='\x00'; done
	LC_ALL=C sed -i "s|${2//./\\.}|$new|g" "$1"
}

[ $# -gt 0 ] || set -- "${!script[@]}"
cd /srv
for name; do
	rm -rf app
	mkdir app
	env -i PATH=/usr/bin:/bin /srv/vigil -q exec --check none --db /srv/app/app.db --out /dev/null \
		--record "/srv/$name.vigil" -- sqlite3 /srv/app/app.db <<<"${script[$name]}" >/srv/log 2>&1 || true
	scrub "/srv/$name.vigil" "$(uname -r)" "$(uname -r | grep -o '^[0-9.]*')"
	scrub "/srv/$name.vigil" "$(cat "/proc/$PPID/comm")" init
	cp "/srv/$name.vigil" "$out/$name.vigil"
	chmod 0644 "$out/$name.vigil"
done
