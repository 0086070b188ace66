#!/usr/bin/env bats
# bats file_tags=slow
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# Latency spikes: operations that take longer, for real, are one incident with the right database, operation and factor,
# which ends by itself; what goes on as usual is none.

load lib.bash
load daemon.bash
load ../faults/loopdisk.bash
load ../faults/slowdisk.bash
load ../faults/group.bash

setup() {
	enter_tmp
	WRITERS=()
	BACKGROUND=()
}

teardown() {
	local pid

	! mountpoint -q other/disk || [ -z "$GROUP" ] || group_writes other/disk 0
	for pid in "${WRITERS[@]}" "${BACKGROUND[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
	daemon_teardown
	group_gone
	slow_disk_gone
	loopdisk_down "$BATS_TEST_TMPDIR/disk"
	loopdisk_down "$BATS_TEST_TMPDIR/other"
	memory_gone
}

# Short turns, so that a test takes seconds.
LATENCY='latency { window = 6s hold = 5s warm-up = 3s min-samples = 3
	floor-lock = 50ms floor-commit = 100ms floor-sync = 100ms }' # others may take the processors and the disk for a while

# writer DB: commits each few milliseconds until the test ends.
writer() {
	"$DRIVER" -t "truth-${1//\//_}" "$1" "pragma busy_timeout=10000" "pragma synchronous=full" \
		@repeat 100000 "insert into t(b) values('x')" @sleep 5 @end 3>&- &
	WRITERS+=($!)
}

# What is judged of the commits of $1 is usual: enough is known.
learned() {
	eventually ".rows[] | select(.db == \"$1\" and .op == \"commit\") | .state == \"usual\"" summary --latency
}

# Alone: what other suites do to the disk is a spike of the third database, and rightly told.
# bats test_tags=alone
@test "a disk that stands still and a holder of the write lock: one spike each, with database, operation and factor, that ends" {
	local why holder

	if why=$(loopdisk_missing "$BATS_TEST_TMPDIR/probe"); then
		skip "no disk to freeze here: $why"
	fi
	loopdisk_up "$BATS_TEST_TMPDIR/disk"
	in_memory
	mk held.db wal
	mk quiet.db wal
	cp quiet.db "$BATS_TEST_TMPDIR/disk/disk/frozen.db"
	configure "${LATENCY/latency {/latency { attribution = true}" "database \"held\" { path = \"$PWD/held.db\" }" "database \"quiet\" { path = \"$PWD/quiet.db\" }" \
		"database \"frozen\" { path = \"$BATS_TEST_TMPDIR/disk/disk/frozen.db\" }"
	daemon_begin
	writer quiet.db
	writer held.db
	writer "$BATS_TEST_TMPDIR/disk/disk/frozen.db"
	learned quiet
	learned held
	learned frozen
	ask incidents
	assert_answer '.incidents == []'

	"$DRIVER" -t holder held.db "pragma busy_timeout=10000" @repeat 10 "begin immediate" "insert into t(b) values('y')" \
		@sleep 300 "commit" @sleep 120 @end 3>&- &
	WRITERS+=($!)
	holder=$!
	for _ in {1..8}; do
		fsfreeze -f "$BATS_TEST_TMPDIR/disk/disk"
		sleep 0.4
		fsfreeze -u "$BATS_TEST_TMPDIR/disk/disk"
		sleep 0.1
	done
	eventually '[.incidents[] | select(.code == "latency-spike") | .database] | sort == ["frozen", "held"]' incidents
	ask summary --latency
	assert_answer '[.spikes[].db] | sort == ["frozen", "held"]'
	eventually '[.incidents[] | select(.code == "latency-spike" and .status == "resolved")] | length == 2' incidents
	assert_answer 'all(.incidents[]; .severity == "P2" and .resolved_by == "over")' \
		'all(.incidents[].latency; .ended == "calm" and .from < .to and .factor >= 5 and .programs == ["driver"])' \
		'[.incidents[] | select(.database == "held") | .latency.operations[] | select(.op == "commit")][0]
			| .max_us >= 300000 and .max_us < 60000000 and .slow >= 5 and .usual.p95_us * 5 <= .max_us' \
		'[.incidents[] | select(.database == "held") | .latency.operations[] | select(.op == "lock")][0]
			| .file == "shm" and .max_us >= 100000 and .slow >= 5' \
		'[.incidents[] | select(.database == "frozen") | .latency.operations[] | select(.op == "commit")][0]
			| .max_us >= 400000 and .slow >= 5'
	# Where the time went: the holder's own commit is one of them, and what it does meanwhile is its application's.
	assert_answer 'all(.incidents[].latency.attribution[]; ([.shares[].percent * 10 | round] | add) == 1000)' \
		'.incidents[] | select(.database == "held") | .latency | .attribution_why_not == null and
			(.attribution[] | select(.op == "commit").shares[:2] | map(.cause) | sort) == ["application", "lock-wait"]' \
		".incidents[] | select(.database == \"held\") | .latency.neighbours.lock_holders[0].pid == $holder" \
		".incidents[] | select(.database == \"held\") | .summary | test(\"lock-wait, held by driver .pid ${holder}[,)].*while others waited\")" \
		'.incidents[] | select(.database == "frozen") | .latency.attribution[] | select(.op == "commit").shares[0].cause == "kernel-lock"'
	ask health
	[ "$status" -eq 0 ]
	ask incidents
	run "$VIGIL" --state-dir S incident show "$(jq -r '.incidents[0].id' a.json)"
	[[ $status -eq 0 && $output == *"latency"*"usually within"*"time went to"* ]]
}

@test "what was learned outlives the daemon; a constant load, a backup and one large transaction are no spike" {
	in_memory
	mk app.db wal
	configure "$LATENCY" "database \"app\" { path = \"$PWD/app.db\" check { every = \"2s\" } }"
	daemon_begin
	writer app.db
	learned app
	daemon_end
	[ "$(sql "select count(*) > 0 from baselines where database='app' and op='commit'")" -eq 1 ]
	daemon_begin
	# Nothing is learned anew before: of that it would say that it learns.
	eventually '.rows[] | select(.op == "commit") | .state | IN("usual", "learning")' summary --latency
	assert_answer '.rows[] | select(.op == "commit") | .state == "usual" and .usual.samples >= 20'
	"$DRIVER" -t large app.db "pragma busy_timeout=10000" "begin immediate" \
		"insert into t(b) select zeroblob(2000) from (with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) select i from n)" \
		"commit"
	eventually '.databases[0].last_check.result == "ok"' status
	ask incidents
	assert_answer 'all(.incidents[]; .code == "observer-gap")'
}

@test "who had to wait for a lock is timed from the first refusal on, in exec, too" {
	in_memory
	mk app.db wal
	watch --db app.db -- bash -c '"$0" -t h app.db "pragma busy_timeout=10000" "begin immediate" "insert into t(b) values(1)" \
		@ready held @wait asks @sleep 1000 commit &
		"$0" -t w app.db "pragma busy_timeout=10000" @wait held @ready asks "insert into t(b) values(2)"; wait' "$DRIVER"
	assert_report '[.databases[0].io[] | select(.file == "shm" and .op == "lock")][0]
		| .errors > 2 and .max_us > 200000 and .max_us < 20000000 and .p50_us > 200000'
	# A commit counts from its lock on: the wait before it is no part of it.
	assert_report '[.databases[0].io[] | select(.file == "wal" and .op == "commit")][0] | .count >= 2 and .p50_us < 200000 and .max_us > 350000'
}

@test "what is not judged says so; a configuration that is read again begins and ends it" {
	mk app.db wal
	configure "$LATENCY" "database \"app\" { path = \"$PWD/app.db\" latency { enabled = false } }"
	daemon_begin
	writer app.db
	ask summary --latency
	assert_answer '.rows == [] and .not_judged == ["app"]'
	configure "$LATENCY" "database \"app\" { path = \"$PWD/app.db\" }"
	kill -HUP "$DAEMON"
	eventually '.not_judged == [] and any(.rows[]; .op == "commit" and .count > 0)' summary --latency
	run "$VIGIL" --state-dir S summary --latency
	[[ $status -eq 0 && $output == *"app"*"wal"*"commit"* ]]
	run "$VIGIL" --state-dir S summary --latency --why
	[[ $status -eq 0 && $output == *"time went to"*"not measured: attribution is off"* ]]
	run "$VIGIL" --state-dir S summary --why
	[ "$status" -eq 64 ]
	run "$VIGIL" --state-dir S summary --latency --since 5m
	[[ $status -eq 64 && $output == *"--latency is about now"* ]]
	daemon_end
	run "$VIGIL" --state-dir S summary --latency
	[ "$status" -eq 69 ]
}

@test "a checkpoint that is put off because another is at work is no wait for a lock" {
	# Byte 121 of the -shm is the checkpoint lock.
	cat >other.py <<-'END'
		import fcntl, os, time
		def await_file(name):
		    while not os.path.exists(name):
		        time.sleep(0.005)
		await_file("opened")
		with open("app.db-shm", "r+b", buffering=0) as f:
		    fcntl.lockf(f, fcntl.LOCK_EX, 1, 121)
		    open("taken", "w").close()
		    await_file("put-off")
		    fcntl.lockf(f, fcntl.LOCK_UN, 1, 121)
		    open("free", "w").close()
		    await_file("done")
	END
	mk app.db wal
	watch --db app.db -- bash -c 'python3 other.py & "$0" -t truth app.db "pragma wal_autocheckpoint=1" "select count(*) from t" \
		@ready opened @wait taken @repeat 20 "update t set b=1 where a=1" @sleep 5 @end @ready put-off @wait free \
		"update t set b=2 where a=1" @ready done; wait' "$DRIVER"
	assert_report '.databases[0].io[] | select(.file == "shm" and .op == "lock") | .errors >= 20 and .max_us == null'
}

# neighbour FILE: a service that writes there and syncs, again and again, without a change of the file's size.
neighbour() {
	group_unit "vigil-neighbour-of-the-database-$$.service"
	in_background group_enter "$UNIT" python3 -c "
import os
f = os.open('$1', os.O_CREAT | os.O_WRONLY)
os.write(f, b'x' * 65536)
os.fsync(f)
while True:
    os.pwrite(f, b'y' * 65536, 0)
    os.fdatasync(f)"
}

@test "a slow device and a neighbour that writes and syncs, a limit of a cgroup: the cause and the neighbour by name, also after a take-over" {
	local n

	slow_disk_up
	loopdisk_up "$BATS_TEST_TMPDIR/other"
	mk app.db wal
	cp app.db disk/inner/app.db
	cp app.db other/disk/limited.db
	configure "${LATENCY/latency {/latency { attribution = true}" "database \"app\" { path = \"$PWD/disk/inner/app.db\" }" \
		"database \"limited\" { path = \"$PWD/other/disk/limited.db\" }"
	daemon_begin
	writer disk/inner/app.db
	writer other/disk/limited.db
	group_io && echo "${WRITERS[-1]}" >"$GROUP/cgroup.procs"
	learned app
	learned limited
	ask incidents
	assert_answer '.incidents == []'
	neighbour disk/inner/other
	n=${BACKGROUND[-1]}
	slow_disk_stalls 0.2 0.02
	[ -z "$GROUP" ] || group_writes other/disk 4
	eventually 'any(.incidents[]; .code == "latency-spike" and .database == "app")' incidents
	assert_answer '.incidents[] | select(.database == "app").latency.attribution[] | select(.op == "sync") |
			.shares[0].cause == "device-service" and ([.shares[].percent * 10 | round] | add) == 1000 and .lost == null' \
		".incidents[] | select(.database == \"app\").latency.neighbours | (.device | startswith(\"loop\")) and
			([.users[] | select(.pid != null and (.uses_database | not))] | .[0].pid == $n and .[0].write_bytes > 0 and .[0].syncs > 0)" \
		".incidents[] | select(.database == \"app\").summary | test(\"beside it on loop[0-9]+: python3 .pid ${n}[,)].* wrote\")"
	[ -z "$UNIT" ] || assert_answer ".incidents[] | select(.database == \"app\") | (.summary | test(\"python3 .pid $n, systemd ${UNIT##*/}. wrote .* syncs?\")) and
		any(.latency.neighbours.users[]; .pid == $n and .cgroup == \"/${UNIT##*/}\" and .supervisor == \"systemd ${UNIT##*/}\")"
	if [ -n "$GROUP" ]; then
		eventually 'any(.incidents[]; .code == "latency-spike" and .database == "limited")' incidents
		assert_answer '.incidents[] | select(.database == "limited").latency.attribution[] | select(.op == "sync") |
			.shares[0] | .cause == "io-limit" and .estimated'
	fi
	run "$VIGIL" --state-dir S summary --latency --why
	[[ $status -eq 0 && $output == *"time went to"*"device-service"*"beside it on"*"python3 (pid $n"* ]]
	daemon_kill
	daemon_begin
	ask status
	assert_answer '.watch.taken_over' '.watch.attribution == "on"' '.watch.attribution_why_not == null'
	eventually '.why[0].attribution | length == 2' summary --latency --why
}
