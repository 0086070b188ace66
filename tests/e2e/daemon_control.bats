#!/usr/bin/env bats
# The control socket of a daemon at work: bad clients cost nobody else anything, and the operators' words reach the store.

load lib.bash
load daemon.bash

teardown() {
	[ -z "${FLOOD:-}" ] || kill "$FLOOD" 2>/dev/null || true
	daemon_teardown
}

# resident: KiB of the daemon.
resident() {
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$DAEMON/status"
}

@test "a flood of bad clients keeps no incident and no answer away, and takes no memory" {
	daemon_begin
	ask status
	local before
	before=$(resident)
	"$BUILD/fakes/control_flood" S >flood 3>&- &
	FLOOD=$!
	await flood
	for i in 1 2 3; do
		killed "$DRIVER" -t "truth$i" app.db "${SPILL[@]}" @kill9
		eventually "[.certificates[] | select(.verdict == \"unclean\")] | length == $i" certificates
	done
	ask health
	[ "$status" -eq 1 ]
	kill "$FLOOD"
	wait "$FLOOD" || true
	FLOOD=
	echo "resident: $before KiB before, $(resident) KiB after"
	[ "$(resident)" -lt $((before + 16384)) ]
	eventually '.incidents | length >= 1 and all(.[]; .backup.verified == true)' incidents
	daemon_end
	[ "$status" -eq 0 ]
	[ "$(sql "select count(*) from certificates where verdict = 'unclean' and incident is not null")" -eq 3 ]
}

# Where half requests kept their places for the 2 s that a request has, each of these would take two of them.
@test "half requests on every place keep no operator out" {
	daemon_begin
	"$BUILD/fakes/control_flood" S half >flood 3>&- &
	FLOOD=$!
	await flood
	# shellcheck disable=SC2016
	timeout 40 bash -c 'for i in {1..20}; do "$0" --state-dir S status >status.out || exit; done' "$VIGIL"
	grep -q app status.out
	kill "$FLOOD"
	wait "$FLOOD" || true
	FLOOD=
	ask status
	[ "$status" -eq 0 ]
	daemon_end
	[ "$status" -eq 0 ]
}

@test "status lists what is in trouble first, then by name, for people and for scripts" {
	mk zebra.db wal
	mk bee.db wal
	configure "database \"zebra\" { path = \"$PWD/zebra.db\" }" "database \"bee\" { path = \"$PWD/bee.db\" }" \
		"database \"wait\" { path = \"$PWD/none/wait.db\" }" "database \"app\" { path = \"$PWD/app.db\" }"
	daemon_begin
	ask status
	assert_answer '[.databases[].name] == ["wait", "app", "bee", "zebra"]'
	killed "$DRIVER" -t truth zebra.db "${SPILL[@]}" @kill9
	eventually '.incidents | any(.database == "zebra" and .code == "unclean-death")' incidents
	ask status
	assert_answer '[.databases[].name] == ["wait", "zebra", "app", "bee"]'
	"$VIGIL" --state-dir S status >status.out
	[ "$(grep -oE '^  (wait|zebra|app|bee)\b' status.out | xargs)" = "wait zebra app bee" ]
	daemon_end
	[ "$status" -eq 0 ]
}

# died N: the program has died N times, in one incident.
died() {
	eventually ".incidents | length == 1 and .[0].deaths.count == $1" incidents
}

@test "what was acknowledged stays so when nothing worse joins it, fires again when it does, and after a restart" {
	local id
	daemon_begin
	for i in 1 2; do
		killed "$DRIVER" -t truth app.db "select 1 from t" @kill9
		died "$i"
	done
	id=$(jq -r '.incidents[0].id' a.json)
	ask incident ack "$id"
	assert_answer '.incidents[0] | .severity == "P2" and .status == "acknowledged" and .acknowledged_by == "operator"'
	killed "$DRIVER" -t truth app.db "select 1 from t" @kill9
	died 3
	assert_answer '.incidents[0] | .status == "acknowledged" and .reopened == null'
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	died 4
	assert_answer '.incidents[0] | .status == "firing" and .severity == "P1" and .acknowledged_at == null' \
		'.incidents[0].reopened | .acknowledged_by == "operator" and .acknowledged_severity == "P2"'
	[ "$(sql "select json_extract(doc, '$.detail') like 'was acknowledged by operator at P2; now P1: %' from events
		where json_extract(doc, '$.what') = 'reopened'")" = 1 ]
	daemon_kill
	daemon_begin
	ask incidents
	assert_answer ".incidents[0] | .id == \"$id\" and .status == \"firing\" and .reopened.acknowledged_severity == \"P2\""
	"$VIGIL" --state-dir S incidents >text
	grep -q 'fired again at .*: it had been acknowledged by operator at' text
}

@test "what an operator says of an incident is stored, told to who follows, and twice is no error" {
	daemon_begin
	timeout 600 "$VIGIL" --state-dir S events --follow --json >followed.ndjson 3>&- &
	local follower=$! id
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.incidents | length == 1' incidents
	id=$(jq -r '.incidents[0].id' a.json)
	ask incident show "$id"
	assert_answer '.incidents | length == 1' '.finding_details[0].code == "unclean-death"' \
		'.certificate_details[0].verdict == "unclean"'
	ask incident ack "$id"
	[ "$status" -eq 0 ]
	assert_answer '.incidents[0].status == "acknowledged"' '.incidents[0].acknowledged_at != null'
	[ "$(sql "select status from alerts")" = acknowledged ]
	ask incident ack "$id"
	[ "$status" -eq 0 ]
	ask incident resolve "$id"
	assert_answer '.incidents[0].status == "resolved"' '.incidents[0].resolved_by == "operator"'
	[ "$(sql "select status from alerts")" = resolved ]
	ask incident resolve "$id"
	[ "$status" -eq 0 ]
	# What is over cannot be looked after any more.
	ask incident ack "$id"
	[ "$status" -eq 69 ]
	assert_answer '.incidents[0].status == "resolved"'
	grep -q "^vigil: $id is resolved already" ask.err
	"$VIGIL" --state-dir S incident report "$id" | grep -q '^# Incident Report: unclean-death on app$'
	ask summary
	assert_answer '.rows | any(.db == "app" and .op == "write" and .count > 0)'
	status=0
	"$VIGIL" --state-dir S incident ack i-0000000000000000 2>err || status=$?
	cat err
	[ "$status" -eq 69 ]
	[ "$(wc -l <err)" -eq 1 ]
	daemon_end
	# The daemon's end ends the stream, and that is said.
	status=0
	await_end "$follower" || status=$?
	[ "$status" -eq 69 ]
	jq -se '[.[] | select(.type == "incident") | .what] == ["opened", "acknowledged", "resolved"]
		and any(.[]; .type == "death" and .verdict == "unclean")' followed.ndjson
}
