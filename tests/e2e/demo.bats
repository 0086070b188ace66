#!/usr/bin/env bats
# scripts/demo.sh: what a newcomer runs first.

load lib.bash

setup_file() {
	[ "$(id -u)" -eq 0 ] || skip_suite "needs root"
}

demo() {
	VIGIL_BUILD=$BUILD "$@" "$ROOT/scripts/demo.sh" >out 2>&1 3>&- </dev/null || {
		cat out
		return 1
	}
}

setup() {
	enter_tmp
}

@test "the demo names the killer, checks and backs up, twice in a row" {
	need_watch
	local run
	for run in once "once more"; do
		echo "$run"
		demo
		grep -q 'killed by *nightly-cleanup' out
		grep -q 'integrity *ok' out
		grep -q 'backup *verified' out
		grep -qx '2001 bookings, 1 of them paid just before, 0 half moved' out
		grep -q '^removed again: database and backup;' out
	done
}

@test "the demo replays its recording where eBPF is not allowed, and says so" {
	demo setpriv --bounding-set=-sys_admin,-bpf,-perfmon
	grep -q 'eBPF is not allowed here' out
	grep -q 'killed by *nightly-cleanup' out
	grep -q '^removed again: the database;' out
}

@test "the demo takes one argument at most" {
	local status=0
	"$ROOT/scripts/demo.sh" --keep extra >out 2>&1 || status=$?
	[ "$status" -eq 64 ]
	grep -qF -- 'not --keep extra' out
}
