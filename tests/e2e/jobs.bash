# jobs.bash - what the suites about jobs share; sourced after daemon.bash.
#
#   follow NAME MATCH SOURCE [MORE]    a database NAME/app.db, and an orchestrator of that name that works on it, for vigil.conf
#   orchestrate python work spin       starts one, and waits until its workers are at work; its pid in $ORCHESTRATOR
#   healthy ID...                      these jobs are
#   job ID EXPR                        a jq expression on that job of the orchestrator $BATCH, within vigil jobs
#
# An orchestrator is found by its path, so that those of other tests are none of it.

# shellcheck disable=SC2034 # what is set here is used by the suites

ORCHESTRATORS=()
QUERY="query = 'SELECT * FROM jobs'"

follow() {
	mkdir -p "$1"
	cat >>vigil.conf <<-END
		database "$1" { path = "$PWD/$1/app.db" check { method = none } backup { on = {} } }
		orchestrator "$1" { match-cmdline = "$2 $PWD/$1/app.db" database = "$1"
			jobs { $3 every = "1s" no-progress = "2s" blocked-after = "1s" ${4:-} } }
	END
}

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

orchestrators_end() {
	local pid

	for pid in "${ORCHESTRATORS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
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

job() {
	echo "any(.jobs[]; .orchestrator == \"$BATCH\" and .id == \"$1\" and ($2))"
}

# healthy ID...: these are, or are again: where others keep the disk busy, one commit may take longer than no-progress.
healthy() {
	local id

	for id in "$@"; do
		eventually "$(job "$id" '.verdict == "healthy"')" jobs
	done
}

# Of the orchestrator $BATCH, within vigil jobs.
batch() {
	echo "any(.orchestrators[]; .name == \"$BATCH\" and ($1))"
}

# Within vigil incidents: one of that code and database.
incident() {
	echo "any(.incidents[]; .code == \"$1\" and .database == \"$BATCH\" and ($2))"
}

# How many jobs of $BATCH fulfil that, as a jq expression.
jobs_that() {
	echo "([.jobs[] | select(.orchestrator == \"$BATCH\" and ($1))] | length)"
}
