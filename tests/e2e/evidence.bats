#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # bats runs each test in a process of its own; `begin` sets variables by name
# What the kernel tells of a process that does not get on, and what that makes of its job: real processes, each in that state. What holds
# them off from outside (signals, cgroups, disks) is in jobs_held.bats.
# `witness` (tests/fakes/) watches two databases for all tests of this file, because to detach takes seconds.

load lib.bash

WITNESS=$BUILD/fakes/witness

setup_file() {
	need_watch
	[ -z "${SUITE_SKIPPED:-}" ] || return 0
	export PLACE=$BATS_FILE_TMPDIR
	cd "$PLACE" || return
	mk a.db wal
	mk b.db delete
	mkfifo orders
	# It holds both ends open: to open one would wait for the other.
	"$WITNESS" a.db b.db <>orders >witness.log 2>&1 3>&- &
	export WITNESS_PID=$!
	until_true witness_watches_or_has_ended && [ -e witness.ready ] && return
	cat witness.log
	return 1
}

witness_watches_or_has_ended() {
	[ -e witness.ready ] || ! kill -0 "$WITNESS_PID"
}

teardown_file() {
	[ -n "${WITNESS_PID:-}" ] || return 0
	kill "$WITNESS_PID"
}

setup() {
	enter_tmp
}

teardown() {
	begun_end
}

order() {
	rm -f answer
	echo "$* $PWD/answer" 1<>"$PLACE/orders"
	await answer
}

# judge PID EXPR...: what is said of a job of that process that has not changed for a minute.
judge() {
	order judge "$1"
	assert_json answer "${@:2}"
}

# judge_until PID EXPR: the same, until it is so.
judge_until() {
	until_true judged_so "$@" || assert_json answer "$2"
}

judged_so() {
	order judge "$1" && jq -e "$2" answer >/dev/null
}

@test "a writer waits for the WAL write lock, and its holder is named with what it holds and for how long" {
	begin holder "$PLACE/a.db" "begin immediate" "update t set b='x' where a=1" @ready holder.ready @pause
	await holder.ready
	begin waiter "$PLACE/a.db" "pragma busy_timeout=60000" @ready waiter.ready "begin immediate"
	await waiter.ready
	judge_until "$waiter" '.verdict == "job-blocked"'
	assert_json answer '.severity == "P1"' '.trust == "full"' '.evidence.reason == "lock"' '.evidence.waits_for.lock == "wal-write"' \
		'.evidence.waits_for.database == "a.db"' ".evidence.waits_for.holder.pid == $holder" \
		'.evidence.waits_for.holder.comm == "driver"' '.evidence.waits_for.holder.locks | index("wal-write")' \
		'.evidence.waits_for.holder.holding_ms >= .evidence.waits_for.waiting_ms' '.evidence.waits_for.tries > 1' \
		'.evidence.waits_for.holders == 1' '.evidence.waits_for.asleep == false'
	judge "$holder" '.verdict == "job-stalled"' # it holds the lock and does nothing
}

@test "a writer waits for RESERVED, and one for all readers of a rollback database" {
	begin holder "$PLACE/b.db" "begin immediate" @ready holder.ready @pause
	await holder.ready
	begin waiter "$PLACE/b.db" "pragma busy_timeout=60000" @ready waiter.ready "begin immediate"
	await waiter.ready
	judge_until "$waiter" '.verdict == "job-blocked"'
	assert_json answer '.evidence.waits_for.lock == "reserved"' ".evidence.waits_for.holder.pid == $holder"
	kill -KILL "$holder" "$waiter"
	begin reader "$PLACE/b.db" "begin" "select count(*) from t" @ready reader.ready @pause
	await reader.ready
	begin writer "$PLACE/b.db" "pragma busy_timeout=60000" @ready writer.ready "update t set b='y' where a=1"
	await writer.ready
	judge_until "$writer" '.verdict == "job-blocked" and .evidence.waits_for.lock == "exclusive"'
	assert_json answer ".evidence.waits_for.holder.pid == $reader" '.evidence.waits_for.holder.locks == ["shared"]'
}

@test "who has given up waits no longer, and neither does who got the lock" {
	begin holder "$PLACE/a.db" "begin immediate" @ready holder.ready @wait go "rollback" @pause
	await holder.ready
	begin quitter "$PLACE/a.db" "pragma busy_timeout=100" "?begin immediate" @ready quit @pause
	await quit
	begin patient "$PLACE/a.db" "pragma busy_timeout=60000" @ready patient.ready "begin immediate" @ready got @pause
	await patient.ready
	judge_until "$patient" '.verdict == "job-blocked"'
	touch go
	await got
	judge "$patient" '.verdict == "job-stalled"' '.evidence | has("waits_for") | not'
	judge_until "$quitter" '.evidence | has("waits_for") | not'
	assert_json answer '.verdict == "job-stalled"'
}

@test "who sleeps in the kernel for a lock waits, and no longer once a signal has woken him" {
	begin holder "$PLACE/a.db" "begin immediate" @ready holder.ready @pause
	await holder.ready
	# Byte 120 of the -shm is the write lock of the log.
	python3 - "$PLACE/a.db-shm" 3>&- <<-'END' &
		import fcntl, os, signal, sys
		class Woken(Exception):
		    pass
		def wake(*_):
		    raise Woken
		signal.signal(signal.SIGUSR1, wake)
		with open(sys.argv[1], "r+b", buffering=0) as f:
		    open("sleeper.ready", "w").close()
		    try:
		        fcntl.lockf(f, fcntl.LOCK_EX, 1, 120)
		    except Woken:
		        open("woken", "w").close()
		    signal.pause()
	END
	BEGUN+=("$!")
	sleeper=$!
	await sleeper.ready
	judge_until "$sleeper" '.verdict == "job-blocked"'
	assert_json answer '.evidence.waits_for.asleep == true' '.evidence.waits_for.lock == "wal-write"' \
		".evidence.waits_for.holder.pid == $holder"
	kill -USR1 "$sleeper"
	await woken
	judge "$sleeper" '.verdict == "job-stalled"' '.evidence | has("waits_for") | not'
	order waiters
	assert_json answer '.waiters == []'
}

@test "a checkpoint waits for the reader whose mark it wants" {
	begin reader "$PLACE/a.db" "begin" "select count(*) from t" @ready reader.ready @pause
	await reader.ready
	begin ckpt "$PLACE/a.db" "pragma busy_timeout=60000" "update t set b='z' where a=2" @ready ckpt.ready "@checkpoint" restart
	await ckpt.ready
	judge_until "$ckpt" '.verdict == "job-blocked"'
	assert_json answer '.evidence.waits_for.lock | startswith("wal-read-")' ".evidence.waits_for.holder.pid == $reader"
}

@test "two that wait for each other are a deadlock, three behind one a convoy" {
	begin one "$PLACE/a.db" "pragma busy_timeout=60000" "begin immediate" "attach '$PLACE/b.db' as b" @ready one.ready @wait go \
		"update b.t set b='1' where a=1"
	begin two "$PLACE/b.db" "pragma busy_timeout=60000" "begin immediate" "attach '$PLACE/a.db' as a" @ready two.ready @wait go \
		"update a.t set b='2' where a=1"
	await one.ready
	await two.ready
	touch go
	judge_until "$one" '.verdict == "job-blocked" and (.evidence | has("knot"))'
	assert_json answer '.evidence.knot.kind == "deadlock"' '.evidence.knot.processes == 2' \
		"[.evidence.knot.members[].process.pid] | sort == ([$one, $two] | sort)" '.detail | contains("a deadlock of 2")'
	kill -KILL "$one" "$two"
	begin holder "$PLACE/a.db" "begin immediate" @ready holder.ready @pause
	await holder.ready
	for i in 1 2 3; do
		begin "w$i" "$PLACE/a.db" "pragma busy_timeout=60000" @ready "w$i.ready" "begin immediate"
		await "w$i.ready"
	done
	# shellcheck disable=SC2154 # begin sets it
	judge_until "$w1" '.verdict == "job-blocked" and (.evidence | has("knot"))'
	assert_json answer '.evidence.knot.kind == "convoy"' '.evidence.knot.processes == 3' \
		".evidence.waits_for.holder.pid == $holder"
	order waiters
	assert_json answer '.waiters | length == 3' ".knots == [{kind: \"convoy\", holder: $holder, members: .waiters}]"
}

@test "one that spins, one that sleeps, one that writes a file, one that commits" {
	bash -c 'while :; do :; done' 3>&- &
	BEGUN+=("$!")
	spinner=$!
	sleep 300 3>&- &
	BEGUN+=("$!")
	sleeper=$!
	# At a pace: the disk is that of other tests, too.
	python3 -c '
import time
with open("out", "wb", buffering=0) as f:
    while True:
        f.seek(0)
        f.write(bytes(65536))
        time.sleep(0.01)' 3>&- &
	BEGUN+=("$!")
	busy=$!
	begin writer "$PLACE/a.db" @repeat 100000 "update t set b=hex(randomblob(50)) where a=1" @sleep 20 @end
	judge "$spinner" '.verdict == "job-spinning"' '.evidence.sample.cpu_ms > 0' '.evidence.sample.missing | index("account")'
	judge "$sleeper" '.verdict == "job-stalled"' '.evidence.sample.state == "S"'
	judge "$busy" '.verdict == "healthy"' '.evidence.reason == "process-works"'
	judge_until "$writer" '.verdict == "healthy"'
	assert_json answer '.evidence.reason == "database-written"' '.evidence.sample.commits > 0' '.evidence.sample.db_writes > 0'
}

@test "a process that has ended, and a number that nobody has" {
	sleep 300 3>&- &
	gone=$!
	rm -f answer
	touch answer.hold
	echo "judge $gone $PWD/answer" 1<>"$PLACE/orders"
	await answer.begun # it looks once, and again a second later, or when it may
	kill -KILL "$gone"
	wait "$gone" || true
	rm answer.hold
	await answer
	assert_json answer '.verdict == "job-orphaned"' '.evidence.reason == "process-ended"' '.trust == "partial"'
	order judge "$gone"
	assert_json answer '.error != null'
}
