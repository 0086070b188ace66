# operators.bats - the commands that ask the daemon, against one that answers from tests/e2e/answers. Needs no privilege.
# bats file_tags=asan

load lib.bash

setup() {
	enter_tmp
	mkdir -m 700 state
	cp -r "$BATS_TEST_DIRNAME/answers" answers
}

teardown() {
	[ -z "${DAEMON:-}" ] || stop_daemon
}

start_daemon() {
	"$BUILD/fakes/fake_daemon" state answers 3>&- &
	DAEMON=$!
	while [ ! -e answers/ready ]; do
		kill -0 "$DAEMON"
		sleep 0.02
	done
}

stop_daemon() {
	kill "$DAEMON" 2>/dev/null || true
	await_gone "$DAEMON"
	DAEMON=
}

# ask STATUS ARG...: vigil on the state directory; output in out and err.
ask() {
	local expected=$1 status=0
	shift
	timeout -k 5 60 "$VIGIL" --state-dir state "$@" 3>&- >out 2>err || status=$?
	cat out err
	[ "$status" -eq "$expected" ] || {
		echo "vigil $*: status $status, not $expected"
		return 1
	}
}

narrow() {
	awk 'length > 100 { print "longer than 100 columns: " $0; bad = 1 } END { exit bad }' out
}

@test "health is one word, one line for each reason and the status of the daemon" {
	start_daemon
	ask 1 health
	[ "$(head -1 out)" = DEGRADED ]
	grep -q '^  - cache is not watched' out
	narrow
	ask 1 health --json
	jq -e '.schema == "vigil.health/1" and .status == "degraded" and (.reasons | length) == 2' out
	[ ! -s err ]
}

@test "without a daemon health is critical and says how to start it" {
	ask 2 health
	[ "$(head -1 out)" = CRITICAL ]
	[ "$(wc -l <err)" -eq 1 ]
	grep -q 'no vigil daemon uses state; start it: vigil run --state-dir state$' err
	ask 2 health --json
	jq -e '.status == "critical" and .reasons == ["nobody watches: no vigil daemon runs on state"]' out
}

@test "without a daemon the others are unavailable, in one line" {
	for command in status incidents certificates summary events "certificate c-1" "incident show i-1"; do
		# shellcheck disable=SC2086 # words
		ask 69 $command
		[ ! -s out ]
		[ "$(wc -l <err)" -eq 1 ]
		grep -q 'no vigil daemon uses state; start it: ' err
	done
	ask 69 status --state-dir "$PWD/nowhere"
	grep -q 'no vigil daemon uses' err
}

@test "status shows the verdict first and databases in trouble before the others" {
	start_daemon
	ask 0 status
	[ "$(head -1 out)" = DEGRADED ]
	grep -qE '^  persistence +watched +3 +8.1 KiB, 2 commits +ok, .* ago +verified, .* ago' out
	[ "$(grep -n '^  cache ' out | cut -d: -f1)" -lt "$(grep -n '^  persistence ' out | cut -d: -f1)" ]
	grep -q 'there is no directory /srv' out
	narrow
	ask 0 status -v
	grep -q 'node (pid 1, uid 1000), locks wal-write' out
	ask 0 status --json
	jq -e '.schema == "vigil.status/1" and (.databases | length) == 2' out
}

@test "incidents are shown worst first, what is over last" {
	start_daemon
	ask 0 incidents
	[ "$(head -1 out)" = "2 firing, 1 resolved" ]
	[ "$(grep -oE '^  P[0-9]' out | tr -d '\n')" = "  P0  P1  P2" ]
	grep -q 'check ok; backup verified: persistence-20261121T031502Z' out
	narrow
	ask 0 incidents --json
	jq -e '.schema == "vigil.incidents/1" and (.incidents | length) == 3' out
}

@test "what is asked for reaches the daemon" {
	start_daemon
	ask 0 incidents --status firing --since 1h --db persistence
	jq -e '.status == "firing" and .database == "persistence" and (now - .since_ns / 1e9 | . > 3590 and . < 3660)' \
		answers/incidents.args
	ask 0 certificates
	jq -e '. == {}' answers/certificates.args
	ask 0 certificate c-7
	jq -e '. == {"id": "c-7"}' answers/certificate.args
}

@test "certificates lists what is not clean, one is shown whole" {
	start_daemon
	ask 0 certificates
	grep -q '^  unclean persistence .* c-0123456789abcdef$' out
	grep -q 'and 2 processes ended clean' out
	narrow
	ask 0 certificates -v
	[ "$(grep -c '^  clean ' out)" -eq 2 ]
	ask 0 certificate c-0123456789abcdef
	[ "$(head -1 out)" = "UNCLEAN  persistence" ]
	grep -q 'killed by *bash (pid 2, uid 0); child of systemd 1' out
	grep -q 'incident *i-0123456789abcdef' out
	narrow
}

@test "an incident is shown with its deaths, its data and what to do" {
	start_daemon
	ask 0 incident show i-0123456789abcdef
	grep -q '^P1  FIRING  unclean-death  i-0123456789abcdef$' out
	grep -q '^  killed by *bash (pid 2, uid 0)' out
	grep -q '^  backup *verified: ' out
	grep -q '^  ends when *the next opener who may write has recovered the database' out
	grep -q '^  what to do *Start the program again' out
	narrow
	jq -e '. == {"id": "i-0123456789abcdef"}' answers/incident.args
	jq -e '. == {"id": "c-1"}' answers/certificate.args
	ask 0 incident show i-0123456789abcdef --json
	jq -e '.schema == "vigil.incidents/1" and (.incidents | length) == 1 and (.certificate_details | length) == 1
		and (.finding_details | length) == 1' out
}

@test "an incident report is Markdown with what is known in the order of time" {
	start_daemon
	ask 0 incident report i-0123456789abcdef
	[ "$(head -1 out)" = "# Incident Report: unclean-death on persistence" ]
	grep -q '^| 2026-11-21T11:15:03Z | Backup persistence-.*, verified |$' out
	sed -n '/^## Timeline/,/^## /p' out | grep -oE '^\| 20[0-9TZ:-]+' >moments.txt
	[ "$(wc -l <moments.txt)" -eq 4 ]
	sort -c moments.txt
	grep -qF 'in a write \| transaction' out
}

@test "an incident is acknowledged and resolved by the daemon" {
	start_daemon
	ask 0 incident ack i-0123456789abcdef
	[ "$(cat out)" = "i-0123456789abcdef is acknowledged" ]
	jq -e '. == {"id": "i-0123456789abcdef"}' answers/incident-ack.args
	ask 0 incident resolve i-0123456789abcdef --json
	jq -e '.incidents[0].status == "resolved"' out
	ask 64 incident resolve
	ask 64 incident delete i-0123456789abcdef
	stop_daemon
	ask 69 incident ack i-0123456789abcdef
	grep -q 'no vigil daemon uses' err
}

@test "events are shown page by page, then as they come" {
	start_daemon
	ask 0 events --since 10m
	[ "$(grep -c '^2026-' out)" -eq 3 ]
	grep -q '^2026-11-21T11:15:02Z  death     persistence      unclean: node (pid 100)' out
	grep -q '^2026-11-21T11:15:03Z  action    persistence      backup done in 79 ms$' out
	grep -q '^ *backup=persistence-20261121T111503Z$' out
	narrow
	# The page that it asked for after the first: behind the last number.
	jq -e '.after == 3 and (now - .since_ns / 1e9 | . > 590 and . < 660)' answers/events.args
	ask 0 events --json
	jq -se 'length == 3 and all(.[]; has("at") and has("type"))' out
	ask 0 events --follow --json
	jq -se 'length == 5 and .[4].type == "incident"' out
	jq -e '.follow == true and .after == 3' answers/events.args
	echo '{"exit": 0, "document": {"schema": "vigil.events/1", "events": [], "seq": 0}}' >answers/events.json
	ask 0 events
	[ "$(cat out)" = "No event in that time; --since asks for more." ]
	ask 0 events --json
	[ ! -s out ]
}

@test "a summary has a column for each thing that was asked for" {
	start_daemon
	ask 0 summary --by db,op --since 30m
	grep -qE '^  DATABASE +OP +COUNT +BYTES +ERRORS +P50 +P95 +P99 +MAX$' out
	grep -qE '^  persistence +sync +64 +- +2 +110 us +140 us +200 us +900 us$' out
	grep -qE '^  persistence +write +640 +2.5 MiB +- +- +- +- +-$' out
	grep -qE '^  persistence +lock +474 +- +- +- +- +- +-$' out
	grep -qE '^  persistence +lock-busy +34 +- +- +- +- +- +-$' out
	grep -qE '^  persistence +lock-wait +1 +- +- +2.5 s +2.5 s +2.5 s +2.5 s$' out
	narrow
	jq -e '.by == ["db", "op"]' answers/summary.args
	ask 0 summary
	jq -e '.by == ["db", "file", "op"]' answers/summary.args
	ask 64 summary --by db,colour
	grep -q 'colour is none of db, file, process, op' err
}

@test "on a terminal of 80 columns no line is longer" {
	python3 -c 'import pty' || skip "no python3 here"
	start_daemon
	for command in status incidents summary "summary --latency" events; do
		# shellcheck disable=SC2086 # words
		timeout -k 5 60 python3 "$BATS_TEST_DIRNAME/on_terminal.py" 80x24 came -- "$VIGIL" --state-dir state $command 3>&- >end.json
		sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g; s/\r//g' came >out
		cat out
		grep -q persistence out
		awk 'length > 80 { print "longer than 80 columns: " $0; bad = 1 } END { exit bad }' out
	done
}

@test "an error of the daemon is told, with its status" {
	start_daemon
	echo '{"exit": 69, "error": "there is no certificate c-9"}' >answers/certificate.json
	ask 69 certificate c-9
	[ ! -s out ]
	grep -qx 'vigil: certificate: there is no certificate c-9' err
	printf '%s' '{"exit": 69, "error": "a \u001b[31m red one\n"}' >answers/certificate.json
	ask 69 certificate c-9
	grep -qF 'a ?[31m red one?' err
}

@test "a document that nobody knows is not shown as text" {
	start_daemon
	echo '{"exit": 0, "document": {"schema": "vigil.status/9"}}' >answers/status.json
	ask 70 status
	grep -q 'does not know' err
	ask 0 status --json
	jq -e '.schema == "vigil.status/9"' out
}

@test "documents with nothing in them, and with the wrong things, are shown without harm" {
	start_daemon
	for command in status health incidents certificates summary; do
		jq -nc --arg s "vigil.$command/1" '{exit: 0, document: {schema: $s}}' >answers/$command.json
		ask 0 "$command"
		jq -nc --arg s "vigil.$command/1" --arg k "$command" \
			'{exit: 0, document: {schema: $s, databases: [1, {name: 7}], health: [], trust: "x", store: 1, actions: [null],
			incidents: (if $k == "status" then 3 else [1, {status: 1}, {status: "resolved"}] end), reasons: [1],
			certificates: [1, {process: 3, exit: "x"}], rows: [1, {db: 1}]}}' >answers/$command.json
		ask 0 "$command" -v
	done
	jq -nc '{exit: 0, document: {events: [1, {}, {type: 1, process: [7], a: [1, null], b: true, c: {}}], seq: "x"}}' >answers/events.json
	ask 0 events
}

@test "another user may not ask" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	command -v setpriv >/dev/null || skip "needs setpriv"
	start_daemon
	chmod 755 . state
	chmod 666 state/control
	cd /
	status=0
	setpriv --reuid 65534 --regid 65534 --clear-groups "$VIGIL" --state-dir "$BATS_TEST_TMPDIR/state" status \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
	cat "$BATS_TEST_TMPDIR/err"
	[ "$status" -eq 77 ]
	cd "$BATS_TEST_TMPDIR"
	chmod 600 state/control
	status=0
	cp "$VIGIL" vigil
	setpriv --reuid 65534 --regid 65534 --clear-groups ./vigil --state-dir state status >out 2>err || status=$?
	cat err
	[ "$status" -eq 77 ]
}
