#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# Reading jobs: a query that cannot be asked or never ends, 10,000 jobs, and jobs that are older than the daemon.

load lib.bash
load daemon.bash
load jobs.bash

setup() {
	enter_tmp
	export BATCH="batch"
}

teardown() {
	orchestrators_end
	cd "$BATS_TEST_TMPDIR" || return
	daemon_teardown
}

@test "10,000 jobs come and go without a word; 1,000 that one death orphans are one incident" {
	follow batch orchestrator.py "$QUERY" 'stuck-after = "1h"'
	sed -i 's/no-progress = "2s"/no-progress = "10m"/' vigil.conf # who has told of his thousand jobs sleeps
	daemon_begin
	ln -s "$PWD/S" batch/
	ln -s "$PWD/daemon.err" batch/
	cd batch
	orchestrate python many
	eventually '.counts.healthy == 1000' jobs
	ask incidents
	assert_answer '.incidents == []'
	kill -KILL "${ORCHESTRATORS[-1]}"
	eventually '.counts["job-orphaned"] == 1000' jobs
	assert_answer '.jobs | length == 1000'
	eventually '[.incidents[] | select(.code == "job-orphaned")] | length == 1' incidents
	ask incident show "$(jq -r '.incidents[] | select(.code == "job-orphaned") | .id' a.json)"
	assert_answer '.finding_details | length == 1' '.finding_details[0].evidence.count == 1000' \
		'.finding_details[0].evidence.jobs | length == 16'
}

@test "a query that cannot be asked is one finding, and over when it can" {
	follow batch orchestrator.py "query = 'SELECT * FROM tasks'"
	sqlite3 batch/app.db 'pragma journal_mode=wal; create table jobs(id)' >/dev/null
	daemon_begin
	eventually 'any(.incidents[]; .code == "jobs-unreadable" and .severity == "P2"
		and (.summary | contains("no such table: tasks")))' incidents
	ask jobs
	assert_answer '.jobs == []' '.orchestrators[0].reading.failed == true'
	"$VIGIL" --state-dir S jobs | grep -q 'the jobs are not known: the query fails: no such table: tasks'
	sqlite3 batch/app.db "create table tasks(id, status); insert into tasks values(1, 'done')"
	eventually '.incidents | length == 1 and .[0].status == "resolved"' incidents

	# One that never ends costs its deadline, and nobody else anything.
	rm vigil.conf
	follow batch orchestrator.py "query = 'WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
		SELECT max(id) AS id FROM n' deadline = \"1s\""
	kill -HUP "$DAEMON"
	eventually 'any(.incidents[]; .code == "jobs-unreadable" and .status == "firing"
		and (.summary | contains("deadline")))' incidents
	daemon_end
	[ "$status" -eq 0 ]
}

@test "who was at work before the daemon came is followed; who had died is missed, and who dies now has a certificate" {
	local gone

	follow batch orchestrator.py "$QUERY"
	sed -i "s,match-cmdline = .* database,pid-file = '$PWD/batch/pid' match-uid = 0 database," vigil.conf
	ln -s "$PWD/S" batch/
	ln -s "$PWD/daemon.err" batch/
	cd batch
	orchestrate python work stall gone exec
	echo "$ORCHESTRATOR" >pid
	gone=$(pid_of_job job_gone)
	kill -KILL "$gone"
	cd "$BATS_TEST_TMPDIR"
	daemon_begin
	cd batch

	eventually "$(job job_stall '.verdict == "job-stalled"')" jobs
	eventually "$(job job_gone ".verdict == \"job-orphaned\" and .trust.reasons == [\"death-not-seen\"] and .process.pid == $gone")" jobs
	assert_answer "$(batch '.restarts == 0')"
	eventually "$(job job_exec ".verdict == \"job-stalled\" and .process.comm == \"sleep\" and .process.pid == $(pid_of_job job_exec)")" jobs
	healthy job_work
	kill -KILL "$(pid_of_job job_exec)" # whatever program it is by now
	eventually "$(job job_exec '.verdict == "job-orphaned"')" jobs
	kill -KILL "$(pid_of_job job_stall)"
	eventually "$(job job_stall '.verdict == "job-orphaned" and .trust.level == "full" and .evidence.certificate != null')" jobs
	eventually '[.incidents[] | select(.code == "job-orphaned")] | length == 1' incidents

	# The next run knows from the store who it was, and nobody is told for the first time.
	daemon_kill
	cd "$BATS_TEST_TMPDIR"
	daemon_begin
	cd batch
	eventually "$(job job_stall '.verdict == "job-orphaned" and .process.comm == "python3" and .evidence.certificate != null
		and (.detail | startswith("its process python3 (pid "))')" jobs
	says 'P1 job-orphaned: .*, as before this start)$'
	ask incidents
	assert_answer '[.incidents[] | select(.code == "job-orphaned")] | length == 1 and .[0].status == "firing"'
	[ "$(grep -c 'P1 job-orphaned.*(incident i-[0-9a-f]*)$' daemon.err)" -eq 0 ]
}

@test "while nobody writes nothing is read, and time goes on: overdue is told; the next row is read at once" {
	local read

	follow batch orchestrator.py "$QUERY" 'stuck-after = "6s"'
	sed -i 's/no-progress = "2s" blocked-after = "1s"/no-progress = "1h" blocked-after = "1h"/' vigil.conf
	daemon_begin
	ln -s "$PWD/S" batch/
	ln -s "$PWD/daemon.err" batch/
	cd batch
	orchestrate python stall
	sqlite3 -cmd '.timeout 10000' app.db "update jobs set created_at = datetime('now')"
	eventually "$(batch '.reading.confirmed_at != null and .reading.jobs == 1')" jobs
	read=$(jq -r '.orchestrators[0].reading.read_at' a.json)
	eventually "$(job job_stall ".verdict == \"job-overdue\" and .since > \"$read\"")" jobs
	assert_answer "$(batch ".reading.read_at == \"$read\"")"

	sqlite3 -cmd '.timeout 10000' app.db "insert into jobs values('job_new', 'running', null, datetime('now'), 0, 10, $ORCHESTRATOR)"
	eventually "$(job job_new '.verdict == "healthy"')" jobs
	eventually "$(batch '.reading.confirmed_at != null')" jobs
	kill -KILL "$(pid_of_job job_stall)"
	eventually "$(job job_stall '.verdict == "job-orphaned"')" jobs
	sqlite3 -cmd '.timeout 10000' app.db "delete from jobs where id = 'job_new'"
	eventually "$(batch '.reading.jobs == 1')" jobs
}
