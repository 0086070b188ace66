# daemon.bash - what the suites of `vigil run` share; sourced after lib.bash.
#
#   configure 'database "app" { path = "…" }'    writes vigil.conf
#   daemon_begin [OPTION...]                     starts it and waits until it watches
#   ask incidents                                its answer to a command, as JSON in a.json, the exit status in $status
#   daemon_end                                   SIGTERM; its exit status in $status
#   unclean_death                                a writer of app.db dies inside a transaction
#   says TEXT                                    waits until the daemon has written that line
#   hold_store, let_store_go                     somebody else has the store locked meanwhile
#   daemon_kill                                  SIGKILL: its watch stays in the kernel for the next one; daemon_unpin ends it
#
# A suite gets these unless it defines its own after it has loaded this file: it is skipped where nobody can watch; each test begins in
# a directory of its own with app.db, in WAL mode and guarded as "app" (daemon_setup); no daemon stays.
#
# Each daemon is ended by its own pid and waited for, by the test or by daemon_teardown.

# shellcheck disable=SC2034 # what is set here is used by the suites

# shellcheck source=tests/e2e/pins.bash
. "${BASH_SOURCE[0]%/*}/pins.bash"

setup_file() {
	need_watch
}

# A directory of the test's own, with app.db guarded; with these lines in its section.
daemon_setup() {
	enter_tmp
	mk app.db wal
	configure "database \"app\" { path = \"$PWD/app.db\" $* }"
}

setup() {
	daemon_setup ''
}

teardown() {
	daemon_teardown
}

configure() {
	printf '%s\n' "$@" >vigil.conf
}

daemon_watches() {
	grep -q '^vigil: watching .*; state in ' daemon.err
}

daemon_watches_or_has_ended() {
	daemon_watches || ! kill -0 "$DAEMON" 2>/dev/null
}

# Waits until the daemon says that it watches.
daemon_begin() {
	: >daemon.err
	readlink -m S >>"${VIGIL_TEST_RUN:-$BATS_RUN_TMPDIR}/state-dirs" # what it leaves is looked for at the end
	env -u NOTIFY_SOCKET "$VIGIL" run -c vigil.conf --state-dir S "$@" 3>&- 2>daemon.err &
	DAEMON=$!
	until_true daemon_watches_or_has_ended && daemon_watches && return
	cat daemon.err
	return 1
}

daemon_end() {
	status=0
	kill -TERM "$DAEMON"
	await_end "$DAEMON" || status=$?
	DAEMON=
	cat daemon.err
}

daemon_kill() {
	kill -KILL "$DAEMON"
	wait "$DAEMON" || true
	DAEMON=
}

# A writer on $1 that waits inside a transaction until it is killed; its pid in WRITER, its truth in the file truth.
writer_begin() {
	rm -f in-transaction
	"$DRIVER" -t truth "$1" "${SPILL[@]}" @ready in-transaction @pause 3>&- &
	WRITER=$!
	await in-transaction
}

writer_kill() {
	kill -KILL "$WRITER"
	wait "$WRITER" || true
	WRITER=
}

# Dies inside a write transaction that has spilled, by its own hand.
unclean_death() {
	killed "$DRIVER" -t /dev/null app.db "${SPILL[@]}" @kill9 2>/dev/null
}

# Until let_store_go somebody else holds the store, as in a shell: nothing can be stored, no intent, so that nothing begins.
# $1: how, "immediate" unless said otherwise.
hold_store() {
	rm -f locked
	"$DRIVER" -t locker S/vigil.db "begin ${1:-immediate}" @ready locked @pause 3>&- &
	LOCKER=$!
	await locked
}

let_store_go() {
	[ -n "${LOCKER:-}" ] || return 0
	kill "$LOCKER" 2>/dev/null || true
	wait "$LOCKER" || true
	LOCKER=
}

# Waits until the daemon has said so on standard error.
says() {
	until_true grep -q "$1" daemon.err && return
	cat daemon.err
	return 1
}

# freeze_helper NAME...: stops a child of the daemon that has one of these names, its pid in FROZEN: in the middle of its work, so that a kill
# is what it dies of. Fails where there is none now. Nothing is forked: some are at work for milliseconds only.
freeze_helper() {
	local pid name state children

	read -r -a children <"/proc/$DAEMON/task/$DAEMON/children" || true # a line without an end
	for pid in "${children[@]}"; do
		read -r _ name state _ 2>/dev/null <"/proc/$pid/stat" || continue
		[[ " $* " == *" ${name//[()]/} "* ]] || continue
		kill -STOP "$pid" 2>/dev/null || continue
		while read -r _ _ state _ 2>/dev/null <"/proc/$pid/stat" && [[ $state != [TZX] ]]; do :; done
		[ "$state" = T ] || continue
		FROZEN=$pid
		return 0
	done
	return 1
}

# freeze_helper_of COMMAND... -- NAME...: the same of a helper that the command has the daemon begin. It may have ended before it is seen:
# to be tried again. A try takes a second at most, so that there are many.
freeze_helper_of() {
	local command=() n

	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	"${command[@]}" &
	for ((n = 0; n < 300; n++)); do
		! freeze_helper "$@" || break
	done
	wait $!
	((n < 300))
}

# catch_helper NAME...: the same, and waits for it.
catch_helper() {
	local end=$((${EPOCHREALTIME/./} + PATIENCE * 1000000))

	until freeze_helper "$@"; do
		((${EPOCHREALTIME/./} < end)) || return 1
	done
}

# Where a daemon that was killed has left its watch for the next one.
daemon_pins() {
	pins_of "$(readlink -m S)"
}

# As after a boot: it is gone. Other suites' daemons come and go meanwhile: theirs may be in the directory, or may have removed it.
daemon_unpin() {
	rm -rf "$(daemon_pins)"
	rmdir --ignore-fail-on-non-empty /sys/fs/bpf/vigil 2>rmdir.err || grep -q 'No such file or directory' rmdir.err
}

# For teardown: whatever the test did, no daemon stays, nothing of one, and no writer. A daemon that ends in good order waits
# until each of its probes is detached; what a killed one has pinned the kernel lets go of by itself.
daemon_teardown() {
	let_store_go
	[ -z "${WRITER:-}" ] || writer_kill
	if [ -n "${DAEMON:-}" ]; then
		kill -KILL "$DAEMON" 2>/dev/null || true
		wait "$DAEMON" || true
		cat daemon.err
	fi
	[ -n "${SUITE_SKIPPED:-}" ] || daemon_unpin
}

# ask COMMAND...: the JSON answer is in a.json, the exit status in $status. Who is told that the store is busy asks again: its disk may be
# slow.
ask() {
	local end=$((${EPOCHREALTIME/./} + PATIENCE * 1000000))

	while :; do
		status=0
		timeout "$PATIENCE" "$VIGIL" --state-dir S --json "$@" >a.json 2>ask.err || status=$?
		[ ! -s a.json ] || return 0
		grep -qE 'try again$|the store does not answer' ask.err || break
		((${EPOCHREALTIME/./} < end)) || break
	done
	cat ask.err
	return 1
}

assert_answer() {
	assert_json a.json "$@"
}

# eventually EXPR COMMAND...: the answer comes to fulfil the jq expression.
eventually() {
	local end=$((${EPOCHREALTIME/./} + PATIENCE * 1000000)) expr=$1
	shift

	while :; do
		ask "$@"
		! jq -e "$expr" a.json >/dev/null 2>jq.err || return 0
		((${EPOCHREALTIME/./} < end)) || break
		sleep 0.02
	done
	echo "not so within $PATIENCE s: $expr"
	cat jq.err
	jq -c '.orchestrators[]?' a.json || true # what is kept of a long output is its beginning
	cat a.json daemon.err
	return 1
}

# What stands in the store.
sql() {
	sqlite3 -cmd '.timeout 60000' S/vigil.db "$1"
}
