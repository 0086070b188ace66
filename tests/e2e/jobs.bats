#!/usr/bin/env bats
# bats file_tags=slow
# shellcheck disable=SC2030,SC2031,SC2153 # bats runs each test in a process of its own; ORCHESTRATOR is set by jobs.bash
# Jobs of real orchestrators, in Python and Node.js: each verdict is provoked and must be told within 5 s, with its culprit;
# who is slow or busy stays quiet. One daemon follows an orchestrator for each test.

load lib.bash
load daemon.bash
load jobs.bash

setup_file() {
	need_watch
	[ -z "${SUITE_SKIPPED:-}" ] || return 0
	export PLACE=$BATS_FILE_TMPDIR
	cd "$PLACE" || return
	follow quick orchestrator.py "$QUERY" 'stuck-after = "2s"'
	follow block orchestrator.py "$QUERY"
	follow node orchestrator.mjs "$QUERY"
	follow files orchestrator.mjs "files = '$PWD/files/jobs/*.json'"
	follow nopid orchestrator.py "query = \"SELECT id, status, updated_at FROM jobs WHERE status = 'running'\""
	follow writes orchestrator.py "query = \"SELECT id, status, updated_at FROM jobs WHERE status = 'running'\""
	follow loop orchestrator.py "$QUERY"
	follow left left-behind "$QUERY"
	follow atwork orchestrator.py "$QUERY"
	# Nobody waits for a time to pass here.
	sed -i '/^database "atwork"/,$s/no-progress = "2s" blocked-after = "1s"/no-progress = "10m"/' vigil.conf
	daemon_begin
	export DAEMON
}

teardown_file() {
	cd "$PLACE" || return
	daemon_teardown
}

# work_in NAME: that database and orchestrator are this test's.
work_in() {
	export BATCH=$1
	cd "$PLACE/$1" || return
	ln -s ../S ../daemon.err .
}

setup() {
	[ -z "${SUITE_SKIPPED:-}" ] || skip "$SUITE_SKIPPED"
}

teardown() {
	orchestrators_end
}

@test "Python: who spins, stalls or is overdue is told within 5 s, and who works or is slow is not" {
	work_in quick
	orchestrate python work slow spin stall overdue recv poll anew
	eventually "$(job job_spin '.verdict == "job-spinning" and .severity == "P1"')" jobs
	assert_answer "$(job job_spin ".process.pid == $(pid_of_job job_spin) and .evidence.tie == \"pid\"")"
	eventually "$(job job_stall '.verdict == "job-stalled" and .severity == "P1"')" jobs
	assert_answer "$(job job_stall '.evidence.sample.sleeps.for == "timer"')"
	# What it waits for may be on its way.
	eventually "$(job job_recv '.verdict == "job-stalled" and .severity == "P2"')" jobs
	assert_answer "$(job job_recv '.evidence.reason == "waits-for-message" and (.evidence.sample.sleeps.peer | startswith("127.0.0.1:"))
		and (.detail | contains("it waits for a message on a socket from 127.0.0.1:"))')"
	eventually "$(job job_poll '.verdict == "job-stalled" and .severity == "P2" and .evidence.sample.sleeps.for == "timer"')" jobs
	eventually "$(job job_anew '.verdict == "job-stalled" and .severity == "P2"
		and (.evidence.sample | .sleeps.for == "timer" and .sleeps.connections == 0 and .connect_ms != null)')" jobs
	assert_answer "$(job job_stall '.evidence.sample.connect_ms == null')"
	eventually "$(job job_overdue '.verdict == "job-overdue" and .severity == "P2"')" jobs
	# A rate needs a second reading.
	eventually "$(job job_overdue '.evidence.progress.left_s > 0 and .evidence.progress.per_minute > 0')" jobs
	healthy job_work job_slow
	eventually '[.incidents[] | select(.status == "firing" and .database == "quick") | .code] | sort
		== ["job-overdue", "job-spinning", "job-stalled"]' incidents
}

@test "Python: a job that waits for a lock is told with who holds it, and its death at once" {
	work_in block
	orchestrate python stall block hold
	eventually "$(job job_block '.verdict == "job-blocked"')" jobs
	assert_answer "$(job job_block ".severity == \"P1\" and .process.pid == $(pid_of_job job_block)
		and .evidence.waits_for.lock == \"wal-write\" and .evidence.waits_for.holder.comm == \"python3\"")"
	eventually "$(incident job-blocked '.status == "firing"')" incidents

	kill -KILL "$(pid_of_job job_stall)"
	eventually "$(job job_stall '.verdict == "job-orphaned"')" jobs
	assert_answer "$(job job_stall ".process.pid == $(pid_of_job job_stall) and .evidence.certificate != null
		and .trust.level == \"full\"")"
	eventually "$(incident job-orphaned '.severity == "P1"')" incidents
	"$VIGIL" --state-dir S jobs job_stall | grep -q 'has ended (certificate c-'
}

@test "a worker that is killed in the midst of its work orphans its job at once, however young it was" {
	local worker

	work_in atwork
	orchestrate python work
	eventually "$(job job_work '.verdict == "healthy"')" jobs
	worker=$(pid_of_job job_work)
	kill -KILL "$worker"
	eventually "$(job job_work ".verdict == \"job-orphaned\" and .process.pid == $worker")" jobs
	assert_answer "$(job job_work '.trust.level == "full" and .evidence.certificate != null')"
	orchestrate python overdue
	worker=$(pid_of_job job_overdue)
	eventually "$(job job_overdue '.verdict == "healthy"')" jobs
	eventually "$(batch '.processes == 3')" jobs # both orchestrators, and the worker
	kill -KILL "$worker"
	eventually "$(job job_overdue ".verdict == \"job-orphaned\" and .process.pid == $worker")" jobs
}

@test "Node.js: each worker's job is its own; a death is told at once, and is over when the row says so" {
	work_in node
	orchestrate node work slow spin stall
	eventually "$(job job_spin '.verdict == "job-spinning"')" jobs
	eventually "$(job job_stall '.verdict == "job-stalled"')" jobs
	assert_answer "$(job job_spin ".process.pid == $(pid_of_job job_spin)")" "$(batch '.processes >= 5')"
	healthy job_work job_slow

	kill -KILL "$(pid_of_job job_stall)"
	eventually "$(job job_stall '.verdict == "job-orphaned"')" jobs
	eventually "$(incident job-orphaned '.status == "firing"')" incidents
	assert_answer "$(incident job-stalled '.status == "resolved"')"
	ask health
	[ "$status" -ge 1 ]
	sqlite3 -cmd '.timeout 10000' app.db "update jobs set status = 'partial' where id = 'job_stall'"
	eventually "$(incident job-orphaned '.status == "resolved" and .resolved_by == "jobs"')" incidents
	healthy job_work job_slow
}

@test "Node.js: state files are jobs, too; all that one death orphans are one incident" {
	work_in files
	orchestrate node work stall ask
	eventually "$(jobs_that true) == 3" jobs
	eventually "$(job job_stall '.verdict == "job-stalled"')" jobs
	eventually "$(job job_ask '.verdict == "job-stalled"')" jobs
	assert_answer "$(batch '.reading.method == "files"')" "$(job job_stall '.severity == "P1" and .evidence.sample.sleeps.for == "events"')" \
		"$(job job_ask '.severity == "P2" and .evidence.reason == "waits-for-message"')"
	healthy job_work

	kill -KILL "${ORCHESTRATORS[-1]}" # its workers end with it
	eventually "$(jobs_that '.verdict == "job-orphaned"') == 3" jobs
	eventually '[.incidents[] | select(.code == "job-orphaned" and .database == "files")] | length == 1' incidents

	# Half a file is told, and over when it is gone.
	printf '{"jobId": "half' >jobs/half.json
	eventually "$(incident jobs-unreadable '.summary | contains("half.json")')" incidents
	rm jobs/half.json
	eventually "$(incident jobs-unreadable '.status == "resolved"')" incidents
}

@test "without a pid in the row the orchestrator's processes stand for it, with less trust" {
	work_in nopid
	orchestrate python work
	eventually "$(job job_work '.verdict == "healthy"')" jobs
	eventually "$(batch '.processes == 2')" jobs
	kill -KILL "${ORCHESTRATORS[-1]}"
	eventually "$(job job_work '.verdict == "job-orphaned"')" jobs
	assert_answer "$(job job_work '.trust.level == "partial"')"

	# Somebody in its place is a restart; the job stays orphaned.
	orchestrate python stall
	eventually "$(batch '.restarts == 1 and .crash_loop == null')" jobs
	assert_answer "$(job job_work '.verdict == "job-orphaned"')"
}

@test "an orchestrator that ends again and again is a crash loop" {
	work_in loop
	for _ in 1 2 3 4; do
		orchestrate python
		eventually "$(batch '.processes == 1')" jobs
		kill -KILL "${ORCHESTRATORS[-1]}"
		eventually "$(batch '.processes == 0')" jobs
	done
	eventually "$(batch '.crash_loop.restarts == 3')" jobs
	"$VIGIL" --state-dir S jobs | grep -q 'CRASH LOOP: 3 restarts within 5 min'
}

# left_behind DATABASE: an orchestrator that forks a worker at SIGUSR1, and tells its number.
left_behind() {
	mkfifo idle
	# shellcheck disable=SC2016 # that is for the other shell
	exec bash -c 'exec 9<>idle
		idle() { while :; do read -r -t 60 <&9; done; }
		trap "idle & echo \$! >worker.new; mv worker.new worker" USR1
		idle' left-behind "$@"
}

@test "a worker that outlives the orchestrator and was not met before replaces nobody" {
	local worker

	work_in left
	left_behind "$PWD/app.db" 3>&- &
	ORCHESTRATORS=("$!")
	eventually "$(batch '.processes == 1 and .restarts == 0')" jobs
	kill -STOP "$DAEMON"
	kill -USR1 "${ORCHESTRATORS[0]}"
	await worker
	worker=$(<worker)
	ORCHESTRATORS+=("$worker")
	kill -KILL "${ORCHESTRATORS[0]}"
	await_gone "${ORCHESTRATORS[0]}"
	kill -CONT "$DAEMON"
	eventually "$(batch ".processes == 1 and .restarts == 0")" jobs
	kill -KILL "$worker"
	eventually "$(batch '.processes == 0')" jobs

	# The next one replaces the orchestrator, and the worker's end asked for none.
	rm idle
	left_behind "$PWD/app.db" 3>&- &
	ORCHESTRATORS+=("$!")
	eventually "$(batch '.processes == 1')" jobs
	assert_answer "$(batch '.restarts == 1')"
}

@test "without a pid a worker's death orphans its job if nobody else has written since, and no other's" {
	local victim

	work_in writes
	# Rows carry whole seconds: who makes the tables must not write in the same one as the workers do.
	sqlite3 app.db 'pragma journal_mode=wal; create table results(x); create table jobs(id text primary key,
		status text, created_at text, updated_at text, progress int, total int, pid int)' >/dev/null
	orchestrate python stall
	victim=$(pid_of_job job_stall)
	eventually "$(batch '.processes == 2 and .reading.jobs == 1')" jobs
	kill -KILL "$victim" # the orchestrator itself lives
	eventually "$(job job_stall ".verdict == \"job-orphaned\" and .process.pid == $victim")" jobs
	assert_answer "$(job job_stall '.trust.reasons == ["tied-by-writes"] and .evidence.certificate != null')" \
		"$(batch '.processes == 1')"
}
