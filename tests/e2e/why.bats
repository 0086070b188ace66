#!/usr/bin/env bats
# vigil exec --why: each cause is injected for real, and has to have the largest share. Shares add up to the whole, and little
# stays unexplained, also on a busy machine.

load lib.bash
load ../faults/loopdisk.bash
load ../faults/slowdisk.bash
load ../faults/group.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
	BACKGROUND=()
}

teardown() {
	local pid
	[ ! -p go ] || : <>go # whoever still waits for it goes on
	for pid in "${BACKGROUND[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	slow_disk_gone
	group_gone
	memory_gone
}

# transactions N MODE [SYNCHRONOUS]: SQL of N commits of one row each. Where something else than the disk is to have the largest
# share they are made in memory, and nothing is synced.
transactions() {
	echo ".timeout 20000"
	echo "pragma synchronous=${3:-full}; pragma journal_mode=$2; create table if not exists t(x);"
	yes "insert into t values(randomblob(500));" | head -n "$1"
}

# why DB CMD...: runs it under watch.
why() {
	local db=$1
	shift
	watch --why --check none --db "$db" -- "$@"
	jq -c '.databases[0].attribution[]' r.json
}

# assert_whole OP: its shares are the whole, and explained.
assert_whole() {
	jq -e --arg op "$1" '.databases[0].attribution | map(select(.op == $op))[0] |
		([.shares[].percent * 10 | round] | add) == 1000 and
		((.shares | map(.us) | add) - .total_us | fabs) < 20 and
		([.shares[] | select(.cause == "unexplained").percent] | add // 0) < 15 and
		(.lost.stacks // 0) == 0 and
		.count > 0' r.json >/dev/null
}

# assert_share OP CAUSE
assert_share() {
	assert_whole "$1"
	jq -e --arg op "$1" --arg cause "$2" '.databases[0].attribution | map(select(.op == $op))[0].shares[0].cause == $cause' r.json >/dev/null
}

@test "without --why there is no attribution, and with it on tmpfs commits take the processor" {
	{
		transactions 300 wal
		echo "begin immediate; insert into t values(1); rollback;"
	} >in.sql
	watch --check none --db app.db -- sh -c "sqlite3 app.db <in.sql"
	jq -e '.databases[0].attribution == null' r.json
	why app.db sh -c "sqlite3 app.db <in.sql"
	# What is timed elsewhere is the same time, and that of commits alone.
	jq -e '.databases[0] | (.io | map(select(.op == "commit").count) | add) as $n |
		$n == 300 and (.attribution[] | select(.op == "commit").count) == $n' r.json
}

# Somebody has the write lock.
is_locked() {
	! sqlite3 app.db "begin immediate; rollback" 2>/dev/null
}

@test "a connection that holds the lock" {
	in_memory
	sqlite3 app.db "pragma journal_mode=wal; create table t(x)" >/dev/null
	mkfifo go
	# Whoever asks whether it is locked may have the lock at that moment.
	(echo ".timeout 20000" && echo "begin immediate; insert into t values(1);" && cat go && echo "commit;") 3>&- | sqlite3 app.db 3>&- &
	local holder=$!
	until_true is_locked
	transactions 5 wal off >in.sql
	why app.db sh -c "(sleep 1; echo >go) & sqlite3 app.db <in.sql; wait"
	await_end "$holder"
	assert_share commit lock-wait
}

@test "a reader that a rollback commit has to wait for" {
	in_memory
	sqlite3 app.db "create table t(x); insert into t values(1),(2)"
	mkfifo go
	(echo "begin; select count(*) from t;" && cat go && echo "commit;") 3>&- | sqlite3 app.db 3>&- >out &
	local reader=$!
	until_true test -s out
	transactions 3 delete off >in.sql
	why app.db sh -c "(sleep 1; echo >go) & sqlite3 app.db <in.sql; wait"
	await_end "$reader"
	assert_share commit lock-wait
	jq -e ".databases[0].neighbours.lock_holders | length == 1 and (.[0] | .pid == $reader and .comm == \"sqlite3\" and .waited_us > 300000)" r.json
}

@test "others on the same processor" {
	local cpu i
	in_memory
	cpu=$(taskset -cp $$ | sed 's/.*[ ,-]//')
	for i in 1 2 3; do
		in_background taskset -c "$cpu" sh -c 'while :; do :; done'
	done
	transactions 3000 wal off >in.sql
	why app.db taskset -c "$cpu" sh -c "sqlite3 app.db <in.sql"
	assert_share commit run-queue
}

@test "a cgroup that has used up its processor time" {
	need_group cpu
	in_memory
	if [[ $KNOB == *.max ]]; then echo "5000 100000" >"$KNOB"; else echo 5000 >"$KNOB"; fi
	transactions 3000 wal off >in.sql
	why app.db sh -c "echo \$\$ >$GROUP/cgroup.procs; sqlite3 app.db <in.sql"
	assert_share commit cpu-limit
}

@test "a program that sleeps inside of its transaction" {
	in_memory
	why app.db sh -c '(echo "pragma synchronous=off; create table t(x); begin immediate; insert into t values(1);"; sleep 1; echo "commit;") | sqlite3 app.db'
	assert_share commit application
}

@test "a transaction that goes on when the thread that began it is gone" {
	in_memory
	why app.db python3 -c '
import sqlite3, threading, time
db = sqlite3.connect("app.db", isolation_level=None, check_same_thread=False)
db.execute("pragma journal_mode=wal")
db.execute("pragma synchronous=normal")
db.execute("create table t(x)")
def begin():
    db.execute("begin immediate")
    time.sleep(0.1)
for end in ["commit", "commit", "rollback"]:
    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    db.execute("insert into t values(1)")
    db.execute(end)'
	# With those that made the log and the table; the rollback is none. What the first threads did is told.
	jq -e '.databases[0] | (.io | map(select(.op == "commit").count) | add) as $n |
		.attribution[] | select(.op == "commit") | .count == $n and $n == 4 and
		([.shares[] | select(.cause == "application").us] | add) >= 200000' r.json
}

@test "a cgroup with an I/O limit" {
	need_disk
	need_group io
	group_writes disk 30
	transactions 30 wal >in.sql
	why disk/app.db sh -c "echo \$\$ >$GROUP/cgroup.procs; sqlite3 disk/app.db <in.sql"
	assert_share commit io-limit
	assert_share sync io-limit
	jq -e '.databases[0].attribution[] | select(.op == "sync").shares[0].estimated' r.json
}

@test "a slow device" {
	slow_disk 0.05 0.02
	transactions 100 wal >in.sql
	why disk/inner/app.db sh -c "sqlite3 disk/inner/app.db <in.sql"
	assert_share commit device-service
	assert_share sync device-service
}

# The journal lies on a slow device of its own: what the device of the file system does for our own changes takes next to nothing.
@test "programs that sync on the same journal" {
	local i
	slow_journal 0.02 0.01
	group_unit "vigil-others-$$.service"
	for i in {1..4}; do
		in_background group_enter "$UNIT" python3 -c "
import os
n = 0
while True:
    f = os.open('disk/inner/other$i.%d' % (n % 50), os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.write(f, b'x' * 4096)
    os.fsync(f)
    os.close(f)
    n += 1"
	done
	transactions 60 wal >in.sql
	why disk/inner/app.db sh -c "sqlite3 disk/inner/app.db <in.sql"
	assert_share commit journal
	assert_share sync journal
	[ -z "$UNIT" ] || jq -e --arg unit "${UNIT##*/}" '[.databases[0].neighbours.users[] | select(.pid and (.uses_database | not))] |
		length > 0 and all(.syncs > 0 and .cgroup == "/" + $unit and .supervisor == "systemd " + $unit)' r.json
}

@test "too many dirty pages" {
	local bdi
	need_disk 512m 400m
	bdi=/sys/class/bdi/$(cat "/sys/class/block/$(basename "$(findmnt -no SOURCE disk)")/dev")
	[ -e "$bdi/strict_limit" ] && [ -e "$bdi/max_bytes" ] || skip "this kernel has no limits of dirty pages for one device"
	echo 1 >"$bdi/strict_limit"
	echo 131072 >"$bdi/max_bytes"
	{
		echo "create table t(x); begin immediate;"
		yes "insert into t values(zeroblob(30000));" | head -n 1000
		echo "commit;"
	} >in.sql
	why disk/app.db sh -c "sqlite3 disk/app.db <in.sql"
	assert_share commit write-back
}
