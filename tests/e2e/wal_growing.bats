#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # bats runs each test in a process of its own; `begin` sets variables by name
# A write-ahead log that does not begin anew: who keeps it from that, and when it is over. What is merely long stays quiet.

load lib.bash
load daemon.bash

setup() {
	enter_tmp
	mk app.db wal
}

teardown() {
	touch hurry stop go
	begun_end
	daemon_teardown
}

# guard BYTES: what a log may have, and half a second for that to be proved.
guard() {
	configure "database \"app\" { path = \"$PWD/app.db\" check { method = \"none\" } backup { on = {} }
		wal { warn-bytes = \"256K\" warn-after = \"$1\" max-bytes = \"$2\" } }"
	daemon_begin
}

# write_on MS FILE: some 16 KiB of log with each, and so long a pause, until somebody makes the file.
write_on() {
	(
		while [ ! -e "$2" ]; do
			"$DRIVER" -t w.truth app.db "pragma wal_autocheckpoint=20" @repeat 20 \
				"update t set b=hex(randomblob(50)) where a=1" @sleep "$1" @end || exit
		done
	) 3>&- 2>>driver.err &
	BEGUN+=("$!")
}

@test "a long reader pins the log: P2, then P1 at the cap, with its pid; over when the log begins anew" {
	guard 1s 4M
	begin reader app.db "begin" "select count(*) from t" @ready r.ready @wait go
	await r.ready
	write_on 40 hurry
	eventually '[.incidents[] | select(.code == "wal-growing")] | length == 1' incidents
	touch hurry
	write_on 5 stop
	eventually '.incidents[0].severity == "P1"' incidents
	sql "select doc from findings order by at_ns limit 1" >first.json
	sql "select doc from findings order by at_ns desc limit 1" >f.json
	assert_json first.json '.severity == "P2"' '.evidence.cause == "reader"'
	assert_json f.json '.code == "wal-growing"' '.evidence.cause == "reader"' "[.evidence.readers[].pid] | index($reader)" \
		'.evidence.read_mark != null' '.evidence.refused.read_marks | add > 0' '.evidence.wal_bytes >= 4194304' '.severity == "P1"' \
		".detail | contains(\"(pid $reader) holds read mark\")" '.evidence.readers[0].comm == "driver"'
	[ "$(sql "select count(*) from alerts")" -eq 1 ]
	touch go
	eventually '.incidents[0] | .status == "resolved" and .resolved_by == "over"' incidents
}

@test "nobody checkpoints: told as that, and over when somebody does" {
	guard 1s 1G
	begin writer app.db "pragma wal_autocheckpoint=0" @repeat 30 "update t set b=hex(randomblob(50)) where a < 100" @end \
		@until go "update t set b=hex(randomblob(50)) where a < 100" @sleep 50 @end \
		"pragma wal_checkpoint(truncate)" "update t set b='x' where a=1" @ready copied @wait stop
	eventually '[.incidents[] | select(.code == "wal-growing")] | length == 1' incidents
	assert_answer '.incidents[0].severity == "P2"' '.incidents[0].summary | contains("nobody has begun a checkpoint")'
	touch go
	await copied
	eventually '.incidents[0].status == "resolved"' incidents
}

# More pages than those after which SQLite makes a checkpoint.
@test "one large transaction, and a writer whose log begins anew, are quiet" {
	guard 1s 1M
	begin big app.db "begin" "update t set b=hex(randomblob(4000))" "commit" @ready big.ready @sleep 2500 \
		"update t set b='x' where a=1" @ready big.done
	await big.ready
	[ "$(stat -c %s app.db-wal)" -gt $((1 << 20)) ]
	await big.done
	write_on 5 stop
	eventually '.databases[0].processes | length > 0' status
	sleep 3 # a writer at work for three times the time after which a log is told of
	touch stop
	ask incidents
	assert_answer 'all(.incidents[]; .code != "wal-growing")'
}
