#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# Jobs of real orchestrators, in Python and Node.js: each verdict is provoked and must be told within 5 s, with its culprit;
# who is slow or busy stays quiet.

load lib.bash
load daemon.bash

setup() {
	enter_tmp
	ORCHESTRATORS=()
}

teardown() {
	local pid

	for pid in "${ORCHESTRATORS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	daemon_teardown
}

QUERY="query = 'SELECT * FROM jobs'"

# follow MATCH SOURCE [MORE]: guards app.db, and follows the jobs of who matches and works on it, not those of another test.
follow() {
	configure "database \"app\" { path = \"$PWD/app.db\" check { method = none } backup { on = {} } }" \
		"orchestrator \"batch\" { match-cmdline = \"$1 $PWD/app.db\" database = \"app\"" \
		"  jobs { $2 every = \"1s\" no-progress = \"2s\" blocked-after = \"1s\" ${3:-} } }"
}

# orchestrate PROGRAM MODE...: starts it, and waits until all of its workers are at work; its pid in $ORCHESTRATOR.
orchestrate() {
	local program=$1 mode
	shift

	"$program" "$PWD/app.db" "$PWD/jobs" "$@" 3>&- &
	ORCHESTRATOR=$!
	ORCHESTRATORS+=("$ORCHESTRATOR")
	for mode in "$@"; do
		await "jobs/$mode.ready"
	done
}

python() {
	exec python3 "$ROOT/tests/workloads/orchestrator.py" "$@"
}

node() {
	exec "$(type -P node)" "$ROOT/tests/workloads/orchestrator.mjs" "$@"
}

# pid_of_job ID: as its row has it.
pid_of_job() {
	sqlite3 -cmd '.timeout 10000' app.db "select pid from jobs where id = '$1'"
}

# job ID EXPR: a jq expression on that job, within vigil jobs.
job() {
	echo "any(.jobs[]; .id == \"$1\" and ($2))"
}

@test "Python: who spins, stalls or is overdue is told within 5 s, and who works or is slow is not" {
	follow orchestrator.py "$QUERY" 'stuck-after = "2s"'
	daemon_begin
	orchestrate python work slow spin stall overdue
	eventually 10 "$(job job_spin '.verdict == "job-spinning" and .severity == "P1"')" jobs
	assert_answer "$(job job_spin ".process.pid == $(pid_of_job job_spin) and .evidence.tie == \"pid\"")"
	eventually 5 "$(job job_stall '.verdict == "job-stalled" and .severity == "P1"')" jobs
	eventually 5 "$(job job_overdue '.verdict == "job-overdue" and .severity == "P2"')" jobs
	assert_answer "$(job job_overdue '.evidence.progress.left_s > 0')" \
		"$(job job_work '.verdict == "healthy"')" "$(job job_slow '.verdict == "healthy"')"
	eventually 5 '[.incidents[] | select(.status == "firing") | .code] | sort == ["job-overdue", "job-spinning", "job-stalled"]' \
		incidents
}

@test "Python: a job that waits for a lock is told with who holds it, and its death at once" {
	follow orchestrator.py "$QUERY"
	daemon_begin
	orchestrate python stall block hold
	eventually 10 "$(job job_block '.verdict == "job-blocked"')" jobs
	assert_answer "$(job job_block ".severity == \"P1\" and .process.pid == $(pid_of_job job_block)
		and .evidence.waits_for.lock == \"wal-write\" and .evidence.waits_for.holder.comm == \"python3\"")"
	eventually 5 'any(.incidents[]; .code == "job-blocked" and .database == "app" and .status == "firing")' incidents

	kill -KILL "$(pid_of_job job_stall)"
	eventually 5 "$(job job_stall '.verdict == "job-orphaned"')" jobs
	assert_answer "$(job job_stall ".process.pid == $(pid_of_job job_stall) and .evidence.certificate != null
		and .trust.level == \"full\"")"
	eventually 5 'any(.incidents[]; .code == "job-orphaned" and .severity == "P1")' incidents
	"$VIGIL" --state-dir S jobs job_stall | grep -q 'has ended (certificate c-'
}

@test "Node.js: each worker's job is its own; a death is told at once, and is over when the row says so" {
	follow orchestrator.mjs "$QUERY"
	daemon_begin
	orchestrate node work slow spin stall
	eventually 10 "$(job job_spin '.verdict == "job-spinning"')" jobs
	eventually 5 "$(job job_stall '.verdict == "job-stalled"')" jobs
	assert_answer "$(job job_spin ".process.pid == $(pid_of_job job_spin)")" \
		"$(job job_work '.verdict == "healthy"')" "$(job job_slow '.verdict == "healthy"')" \
		'.orchestrators[0].processes >= 5'

	kill -KILL "$(pid_of_job job_stall)"
	eventually 5 "$(job job_stall '.verdict == "job-orphaned"')" jobs
	eventually 5 'any(.incidents[]; .code == "job-orphaned" and .status == "firing")' incidents
	assert_answer 'any(.incidents[]; .code == "job-stalled" and .status == "resolved")'
	ask health
	[ "$status" -eq 1 ]
	sqlite3 -cmd '.timeout 10000' app.db "update jobs set status = 'partial' where id = 'job_stall'"
	eventually 5 'any(.incidents[]; .code == "job-orphaned" and .status == "resolved" and .resolved_by == "jobs")' incidents
	ask jobs
	assert_answer "$(job job_work '.verdict == "healthy"')" "$(job job_slow '.verdict == "healthy"')"
}

@test "Node.js: state files are jobs, too; all that one death orphans are one incident" {
	follow orchestrator.mjs "files = '$PWD/jobs/*.json'"
	daemon_begin
	orchestrate node work stall
	eventually 10 '.jobs | length == 2' jobs
	eventually 10 "$(job job_stall '.verdict == "job-stalled"')" jobs
	assert_answer "$(job job_work '.verdict == "healthy"')" '.orchestrators[0].reading.method == "files"'

	kill -KILL "$ORCHESTRATOR" # its workers end with it
	eventually 5 '[.jobs[] | select(.verdict == "job-orphaned")] | length == 2' jobs
	eventually 5 '[.incidents[] | select(.code == "job-orphaned")] | length == 1' incidents

	# Half a file is told, and over when it is gone.
	printf '{"jobId": "half' >jobs/half.json
	eventually 5 'any(.incidents[]; .code == "jobs-unreadable" and (.summary | contains("half.json")))' incidents
	rm jobs/half.json
	eventually 5 'any(.incidents[]; .code == "jobs-unreadable" and .status == "resolved")' incidents
}

@test "without a pid in the row the orchestrator's processes stand for it, with less trust" {
	follow orchestrator.py "query = \"SELECT id, status, updated_at FROM jobs WHERE status = 'running'\""
	daemon_begin
	orchestrate python work
	eventually 10 "$(job job_work '.verdict == "healthy"')" jobs
	kill -KILL "$ORCHESTRATOR"
	eventually 5 "$(job job_work '.verdict == "job-orphaned"')" jobs
	assert_answer "$(job job_work '.trust.level == "partial"')"

	# Somebody in its place is a restart; the job stays orphaned.
	orchestrate python stall
	eventually 5 '.orchestrators[0].restarts == 1 and .orchestrators[0].crash_loop == null' jobs
	assert_answer "$(job job_work '.verdict == "job-orphaned"')"
}

@test "an orchestrator that ends again and again is a crash loop" {
	follow orchestrator.py "$QUERY"
	daemon_begin
	for _ in 1 2 3 4; do
		orchestrate python
		eventually 10 '.orchestrators[0].processes == 1' jobs
		kill -KILL "$ORCHESTRATOR"
		eventually 10 '.orchestrators[0].processes == 0' jobs
	done
	eventually 5 '.orchestrators[0].crash_loop.restarts == 3' jobs
	"$VIGIL" --state-dir S jobs | grep -q 'CRASH LOOP: 3 restarts within 5 min'
}

@test "10,000 jobs come and go without a word; 1,000 that one death orphans are one incident" {
	follow orchestrator.py "$QUERY" 'stuck-after = "1h"'
	daemon_begin
	orchestrate python many
	eventually 10 '.counts.healthy == 1000' jobs
	ask incidents
	assert_answer '.incidents == []'
	kill -KILL "$ORCHESTRATOR"
	eventually 5 '.counts["job-orphaned"] == 1000' jobs
	assert_answer '.jobs | length == 1000'
	eventually 5 '[.incidents[] | select(.code == "job-orphaned")] | length == 1' incidents
	ask incident show "$(jq -r '.incidents[] | select(.code == "job-orphaned") | .id' a.json)"
	assert_answer '.finding_details | length == 1' '.finding_details[0].evidence.count == 1000' \
		'.finding_details[0].evidence.jobs | length == 16'
}

@test "a query that cannot be asked is one finding, and over when it can" {
	follow orchestrator.py "query = 'SELECT * FROM tasks'"
	sqlite3 app.db 'pragma journal_mode=wal; create table jobs(id)' >/dev/null
	daemon_begin
	eventually 10 'any(.incidents[]; .code == "jobs-unreadable" and .severity == "P2"
		and (.summary | contains("no such table: tasks")))' incidents
	ask jobs
	assert_answer '.jobs == []' '.orchestrators[0].reading.failed == true'
	"$VIGIL" --state-dir S jobs | grep -q 'the jobs are not known: the query fails: no such table: tasks'
	sqlite3 app.db "create table tasks(id, status); insert into tasks values(1, 'done')"
	eventually 5 '.incidents | length == 1 and .[0].status == "resolved"' incidents

	# One that never ends costs its deadline, and nobody else anything.
	follow orchestrator.py "query = 'WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
		SELECT max(id) AS id FROM n' deadline = \"1s\""
	kill -HUP "$DAEMON"
	eventually 15 'any(.incidents[]; .code == "jobs-unreadable" and .status == "firing"
		and (.summary | contains("deadline")))' incidents
	daemon_end
	[ "$status" -eq 0 ]
}

@test "without a pid a worker's death orphans its job if nobody else has written since, and no other's" {
	local victim

	follow orchestrator.py "query = \"SELECT id, status, updated_at FROM jobs WHERE status = 'running'\""
	# Rows carry whole seconds: who makes the tables must not write in the same one as the workers do.
	sqlite3 app.db 'pragma journal_mode=wal; create table results(x); create table jobs(id text primary key,
		status text, created_at text, updated_at text, progress int, total int, pid int)' >/dev/null
	daemon_begin
	orchestrate python stall
	victim=$(pid_of_job job_stall)
	eventually 10 '.orchestrators[0].processes == 2 and (.jobs | length == 1)' jobs
	kill -KILL "$victim" # the orchestrator itself lives
	eventually 8 "$(job job_stall ".verdict == \"job-orphaned\" and .process.pid == $victim")" jobs
	assert_answer "$(job job_stall '.trust.reasons == ["tied-by-writes"] and .evidence.certificate != null')" \
		'.orchestrators[0].processes == 1'
}
