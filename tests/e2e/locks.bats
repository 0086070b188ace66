#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # bats runs each test in a process of its own; `begin` sets variables by name
# Processes that are tied up in each other's locks, with no jobs anywhere: told when it lasts, over when it is; and contention, which
# is neither. One daemon for all.

load lib.bash
load daemon.bash

setup() {
	enter_tmp
}

teardown() {
	begun_end
	daemon_teardown
}

# threads HOW: somebody who commits to HOW.db waits for a reader, a process with threads whose writer waits for him.
threads() {
	begin "$1" "$1.db" "pragma busy_timeout=60000" "begin immediate" "update t set b='1' where a=1" @ready "$1.wrote" \
		@wait "$1.reading" "commit" @ready "$1.done" @pause
	await "$1.wrote"
	python3 "$ROOT/tests/workloads/threads.py" "$1" "$1.db" 3>&- 2>>driver.err &
	BEGUN+=("$!")
	await "$1.reading"
}

# database NAME DEADLOCK CONVOY [SUSPECT]: so long each must last.
database() {
	echo "database \"$1\" { path = \"$PWD/$1.db\" check { method = none } backup { on = {} }
		locks { deadlock-after = \"$2\" convoy-after = \"$3\" suspect-after = \"${4:-2m}\" } }"
}

# deadlocks_are LINES: these are found, with their severities. What they are called as incidents is the first of their findings.
deadlocks_are() {
	[ "$(sql "select database || ' ' || severity from findings where code = 'lock-deadlock' order by database")" = "$1" ]
}

@test "two that upgrade and never give up are a deadlock, three behind one a convoy; contention, and a reader who ends, are neither" {
	mk app.db delete
	mk reads.db delete
	mk tied.db delete
	mk events.db delete
	mk steps.db delete
	# A row for each page, and more than are read while it is looked at.
	sqlite3 steps.db "delete from t; with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
		insert into t(b) select zeroblob(3000) from n"
	mk log.db wal
	mk busy.db wal
	configure "$(database reads 1s 0)" "$(database tied 1s 0)" "$(database events 1s 0 2s)" "$(database steps 1s 0 2s)" "$(database app 1s 0)" "$(database log 1s 1s)" "$(database busy 1s 20s)"
	# The job of one of those in the deadlock: as its state file says.
	cat >>vigil.conf <<-END
		orchestrator "batch" { match-cmdline = "one.truth app.db" database = "app"
			jobs { files = '$PWD/jobs/*.json' every = "1s" blocked-after = "1s" } }
	END
	mkdir jobs
	daemon_begin

	# Another thread of the process that seems to be waited for has the lock: one gives it back some time, one never, and of one it is not known.
	threads reads
	threads steps
	threads tied
	mkfifo events.pipe
	threads events
	# Writers that wait for each other all the time, and each in its turn gets on; their checkpoints want the mark of one reader.
	begin reader busy.db "begin" "select count(*) from t" @ready reader.ready @pause
	await reader.ready
	for i in 1 2 3 4; do
		begin "busy$i" busy.db "pragma busy_timeout=60000" "pragma wal_autocheckpoint=1" @repeat 100000 "begin immediate" \
			"update t set b=hex(randomblob(50)) where a=$i" @sleep 5 "commit" @end
	done
	# `one` waits for the reader `two` to end, who tries to write as long as `one` is there.
	begin one app.db "pragma busy_timeout=60000" "begin" "select count(*) from t" @ready one.ready @wait two.ready \
		"update t set b='1' where a=1" @ready one.wrote "commit" @ready one.done @pause
	begin two app.db "begin" "select count(*) from t" @ready two.ready @wait one.wrote \
		@repeat 100000 "?update t set b='2' where a=1" @sleep 20 @end
	await one.ready
	printf '{"id": "job", "status": "running", "pid": %d}' "$one" >jobs/job.json
	begin holder log.db "begin immediate" @ready holder.ready @wait go "commit" @pause
	await holder.ready
	for i in 1 2 3; do
		begin "w$i" log.db "pragma busy_timeout=60000" "begin immediate" "rollback"
	done

	eventually 'any(.incidents[]; .code == "lock-convoy")' incidents
	assert_answer '.incidents[] | select(.code == "lock-convoy") | .severity == "P2" and .database == "log"'
	eventually 'any(.databases[]; .db == "log" and .waiters >= 3 and .waits[0].waits_for.waiting_ms >= 1000 and (.waits[0].waits_for.holder.pid | type) == "number")' top
	sql "select doc from findings where code = 'lock-convoy'" >f.json
	assert_json f.json ".detail | contains(\"held by driver (pid $holder) with wal-write\")" '.detail | test(" .as of [0-9:]{8}Z.$")' '.evidence.processes == 3' \
		"[.evidence.members[].process.pid] | sort == ([$w1, $w2, $w3] | sort)"

	until_true deadlocks_are $'app P1\nevents P2\ntied P1'
	sql "select doc from findings where code = 'lock-deadlock' and database = 'events'" >f.json
	assert_json f.json '.trust == {level: "partial", reasons: ["other-thread-may-let-go"]}' '.evidence.suspected' \
		'.evidence.may_let_go | .comm == "python3" and .waits == "events"' '.detail | startswith("perhaps a deadlock of 2 processes")'
	sql "select doc from findings where code = 'lock-deadlock' and database = 'app'" >f.json
	assert_json f.json '.evidence.kind == "deadlock" and (.evidence.suspected | not)' "[.evidence.members[].process.pid] | sort == ([$one, $two] | sort)" \
		"[.evidence.members[].waits_for.holder.pid] | sort == ([$one, $two] | sort)" '.detail | contains("wants reserved of app")' \
		'.detail | contains("wants exclusive of app")'

	# What keeps the job from going on is the deadlock: one cause, one incident.
	eventually 'any(.jobs[]; .verdict == "job-blocked" and .evidence.knot.kind == "deadlock")' jobs
	eventually '[.incidents[] | select(.database == "app")] | length == 1 and (.[0].findings | length == 2)' incidents
	[ "$(sql "select group_concat(code) from (select code from findings where database = 'app' order by code)")" = job-blocked,lock-deadlock ]
	"$VIGIL" --state-dir S incident show "$(jq -r '.incidents[] | select(.database == "app") | .id' a.json)" | tr -s ' \n' ' ' >shown
	grep -q "kill -TERM $one\`" shown
	grep -q "kill -TERM $two\`" shown

	for i in reads steps; do
		[ ! -e "$i.done" ]
		touch "$i.stop"
		await "$i.done"
		await "$i.got"
	done
	[ ! -e tied.got ]
	# What could let go does.
	[ ! -e events.got ]
	echo now >events.pipe
	await events.got
	kill -KILL "$two" "$tied"
	touch go
	await one.done
	eventually '[.incidents[] | select(.status == "resolved") | .database] | sort == ["app", "events", "log", "tied"]' incidents
	assert_answer '[.incidents[] | select(.database == "busy" or .database == "reads" or .database == "steps")] == []'
}
