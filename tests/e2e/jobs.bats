#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# Jobs of real orchestrators, in Python and Node.js: each verdict is provoked and must be told within 5 s, with its culprit;
# who is slow or busy stays quiet.

load lib.bash
load daemon.bash

setup_file() {
	need_watch
}

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

# follow MATCH SOURCE [MORE]: guards app.db, and follows the jobs of who matches.
follow() {
	configure "database \"app\" { path = \"$PWD/app.db\" check { method = none } backup { on = {} } }" \
		"orchestrator \"batch\" { match-cmdline = \"$1\" database = \"app\"" \
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
