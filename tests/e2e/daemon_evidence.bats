#!/usr/bin/env bats
# How long evidence stays: for ever, and then that there is no more room is told; or, with evidence-keep, as long as its room is not
# needed.

load lib.bash
load daemon.bash

setup() {
	enter_tmp
	local i
	for i in 1 2 3; do mk "app$i.db" delete; done
}

limits() {
	local i databases=()
	for i in 1 2 3; do databases+=("database \"app$i\" { path = \"$PWD/app$i.db\" }"); done
	configure "limits { $* }" "${databases[@]}"
}

# Bytes of all evidence.
evidence_bytes() {
	find S/evidence -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'
}

# half_done N: an incident of the Nth database, with raw files; its id in $INCIDENT.
half_done() {
	killed "$DRIVER" -t "truth.$1" "app$1.db" "pragma journal_mode=off" "${SPILL[@]}" @kill9
	eventually '[.incidents[] | select(.status == "firing" and .evidence)] | length == 1' incidents
	INCIDENT=$(jq -r '.incidents[] | select(.status == "firing") | .id' a.json)
	until_true test -s "S/evidence/$INCIDENT/files/app$1.db"
	eventually '.actions == []' status
}

resolve() {
	ask incident resolve "$1"
	[ "$status" -eq 0 ]
}

reload() {
	timeout "$PATIENCE" "$VIGIL" --state-dir S reload
	eventually '.actions == []' status
}

@test "by default evidence stays, and health says when it takes nearly all of its room" {
	local id=i-0123456789abcdef
	limits 'evidence-bytes = 1M'
	daemon_begin
	ask health
	assert_answer '.status == "healthy"'
	# A look that began before: what comes now is none of it, and is wanted all the same.
	until_true freeze_helper_of kill -HUP "$DAEMON" -- vigil-evidence-
	mkdir "S/evidence/$id"
	head -c 1000000 /dev/zero >"S/evidence/$id/recording.vigil"
	touch -d '2020-01-01' "S/evidence/$id"
	reload
	kill -CONT "$FROZEN"
	eventually '.status == "degraded" and (.reasons | any(test("^evidence takes 977 KiB of evidence-bytes, 1 MiB: ")))' health
	ask status
	assert_answer '.evidence == {"bytes": 1000000, "limit": 1048576, "full": true}'
	# More room, and it is over.
	limits 'evidence-bytes = 2M'
	reload
	eventually '.status == "healthy"' health
	[ -s "S/evidence/$id/recording.vigil" ]
	[ "$(sql "select count(*) from actions")" -eq 0 ]
	daemon_end
	[ "$status" -eq 0 ]
}

@test "with evidence-keep the oldest of what is resolved goes, no more than is needed, and that is recorded" {
	local first second open bytes before
	limits 'evidence-bytes = 100M'
	daemon_begin
	half_done 1
	first=$INCIDENT
	resolve "$first"
	half_done 2
	second=$INCIDENT
	resolve "$second"
	half_done 3
	open=$INCIDENT
	bytes=$(evidence_bytes)
	# Room for one of them is wanted, and a year has not passed.
	limits "evidence-bytes = $bytes" 'evidence-keep = "365d"'
	reload
	[ -d "S/evidence/$first" ] && [ -d "S/evidence/$second" ] && [ -d "S/evidence/$open" ]
	eventually '.reasons | any(test("^evidence takes "))' health
	limits "evidence-bytes = $bytes" 'evidence-keep = "1ms"'
	before=$(sql "select count(*) from actions")
	# The store cannot be asked when it is measured: that is no reason to wait for an hour.
	hold_store exclusive
	reload
	let_store_go
	until_true test ! -d "S/evidence/$first"
	eventually '.actions == []' status
	[ -d "S/evidence/$second" ] && [ -d "S/evidence/$open" ]
	says "evidence of $first, .* was removed: evidence-keep is over and its room is needed"
	eventually ".incidents[] | select(.id == \"$first\") | .evidence == null and .evidence_removed_at != null" incidents
	ask incident show "$second"
	assert_answer '.incidents[0].evidence != null'
	[ "$(sql "select count(*) from actions where kind = 'evidence-room' and reason = 'retention' and outcome = 'done'")" -eq 1 ]
	[ "$(sql "select json_extract(doc, '$.removed[0].id') from actions where kind = 'evidence-room'")" = "$first" ]
	[ "$(sql "select count(*) from actions")" -eq $((before + 1)) ]
	ask events
	jq -se 'any(.[]; .type == "action" and .action == "evidence-room" and .outcome == "done")' a.json
	# Nothing fits any more, and yet: what is open stays, and so does the newest when it is resolved.
	limits 'evidence-bytes = 1K' 'evidence-keep = "1ms"'
	reload
	until_true test ! -d "S/evidence/$second"
	[ -d "S/evidence/$open" ]
	resolve "$open"
	reload
	reload
	[ -d "S/evidence/$open" ]
	eventually '.reasons | any(test("^evidence takes "))' health
	daemon_end
	[ "$status" -eq 0 ]
}

@test "what is not Vigil's, or of an incident that nobody knows and that is not old, stays" {
	limits 'evidence-bytes = 100M' 'evidence-keep = "1ms"'
	daemon_begin
	half_done 1
	mkdir -p S/evidence/mine S/evidence/i-00000000000000aa S/evidence/i-00000000000000bb
	for i in mine i-00000000000000aa i-00000000000000bb; do head -c 5000 /dev/zero >"S/evidence/$i/file"; done
	ln -s "$PWD" S/evidence/i-00000000000000cc
	touch -d '2020-01-01' S/evidence/i-00000000000000aa
	limits 'evidence-bytes = 1K' 'evidence-keep = "1ms"'
	reload
	until_true test ! -d S/evidence/i-00000000000000aa
	eventually '.actions == []' status
	[ -s S/evidence/mine/file ]
	[ -s S/evidence/i-00000000000000bb/file ]
	[ -L S/evidence/i-00000000000000cc ]
	[ -s app1.db ]
	[ -d "S/evidence/$INCIDENT" ]
	daemon_end
	[ "$status" -eq 0 ]
}
