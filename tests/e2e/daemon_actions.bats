#!/usr/bin/env bats
# bats file_tags=asan
# What the daemon does about what it sees: checks, backups and their limits, retention, evidence; and helpers that fail.

load lib.bash
load daemon.bash
load ../faults/loopdisk.bash

setup() {
	enter_tmp
}

teardown() {
	daemon_teardown
	loopdisk_down "$BATS_TEST_TMPDIR/disk"
}

# guard SETTINGS...: app.db in WAL mode under guard, with these lines in its section.
guard() {
	[ -e app.db ] || mk app.db wal
	# Each death by itself.
	configure 'limits { crash-loop = "0s" }' "database \"app\" { path = \"$PWD/app.db\"" "$@" "}"
}

# One more death inside a transaction, and the recovery by the next opener.
die_and_recover() {
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
}

# copies N: so many verified copies stand in S/backups/app, each with its manifest.
copies() {
	[ "$(find S/backups/app -name '*.db' | wc -l)" -eq "$1" ] && [ "$(find S/backups/app -name '*.json' | wc -l)" -eq "$1" ]
}

# counts QUERY N: the store gives this number for it, or more.
counts() {
	[ "$(sql "select count(*) from $1")" -ge "$2" ]
}

some_file() {
	[ -n "$(find "$@" 2>/dev/null)" ]
}

actions_are() {
	[ "$(sql "select group_concat(kind || ' ' || coalesce(outcome, 'open'), ', ') from (select * from actions order by id)")" = "$1" ]
}

@test "old copies go, and the last one from before an open incident stays" {
	guard 'backup { keep = 1 min-interval = "0s" max-per-hour = 100 }'
	mkdir -p S/backups && chmod 700 S
	# An ordinary copy from before.
	timeout 60 "$VIGIL" backup create --db app.db --backup-dir S/backups/app --reason schedule
	before=$(find S/backups/app -name '*.db')
	daemon_begin
	die_and_recover
	until_true actions_are "backup done"
	copies 2
	# Nobody has opened it since: the incident is open.
	timeout "$PATIENCE" "$VIGIL" --state-dir S backup create app
	until_true actions_are "backup done, backup done, prune done"
	copies 2
	[ -e "$before" ]
	[ "$(sql "select count(*) from backups where removed_ns is not null")" = 1 ]

	# When all incidents are over nothing pins it any longer.
	"$DRIVER" -t truth2 app.db "insert into t(b) values('back')"
	eventually '[.incidents[] | select(.status != "resolved")] == []' incidents
	die_and_recover
	until_true actions_are "backup done, backup done, prune done, backup done, prune done"
	[ ! -e "$before" ]
	copies 2
	timeout 60 "$VIGIL" backup verify --backup-dir S/backups/app
}

@test "a backup too soon is left out, says why, and the check is made all the same" {
	guard 'backup { min-interval = "1h" }'
	daemon_begin
	die_and_recover
	until_true actions_are "backup done"
	sleep 2.1 # the window of one cause
	die_and_recover
	until_true actions_are "backup done, check done"
	eventually '.incidents | length == 2' incidents
	assert_answer '[.incidents[] | select(.backup_skipped | strings | contains("min-interval"))] | length == 1' \
		'[.incidents[] | select(.integrity.result == "ok")] | length == 2'
}

@test "a database found corrupt is P0, its files are kept, and no copy of it counts" {
	guard 'check { every = "1s" }'
	sqlite3 app.db 'pragma wal_checkpoint(truncate)' >/dev/null
	dd if=/dev/urandom of=app.db bs=4096 seek=3 count=2 conv=notrunc status=none
	daemon_begin
	eventually '[.incidents[] | select(.code == "integrity-failed" and .severity == "P0")] | length == 1' incidents
	eventually '.status == "critical"' health
	[ "$status" -eq 2 ]
	until_true some_file S/backups/app/evidence S/evidence -name '*.db'
	[ -z "$(find S/backups/app -maxdepth 1 -name '*.db')" ]
}

@test "what no journal can undo keeps the raw files beside the recording" {
	mk app.db delete
	guard
	daemon_begin
	killed "$DRIVER" -t truth app.db "pragma journal_mode=off" "${HALF[@]}" @kill9
	eventually '[.incidents[] | select(.code == "no-journal" and .evidence)] | length == 1' incidents
	dir=$(jq -r '.incidents[] | select(.code == "no-journal") | .evidence' a.json)
	until_true test -s "$dir/files/app.db"
	test -s "$dir/recording.vigil"
	[ "$(stat -c %a "$dir")" = 700 ]
	[ "$(stat -c %a "$dir/files/app.db")" = 600 ]
	cmp app.db "$dir/files/app.db"
	until_true counts "actions where kind = 'evidence' and outcome = 'done'" 1
	# A good check proves nothing here, and each event tells its own finding.
	until_true counts "events where json_extract(doc, '$.finding.code') = 'silent-loss-suspected'" 1
	"$VIGIL" --state-dir S events >told
	[ "$(grep -c 'P0 no-journal finding: ' told)" -eq 1 ]
	[ "$(grep -c 'P1 silent-loss-suspected finding: the check' told)" -eq 1 ]
	grep -q 'evidence done in .*: .* kept by ' told
	# The copy made meanwhile is none to go back to.
	until_true counts "actions where kind = 'backup' and outcome = 'done'" 1
	"$VIGIL" backup list --backup-dir S/backups/app --json >list.json
	jq -e '.backups | length >= 1 and all(.class == "evidence" and .verified == false and (.problem | startswith("half of a transaction")))' list.json
	ask incidents
	assert_answer '[.incidents[] | select(.code == "backup-failed")] == []'
}

@test "a helper that is killed costs its action and is a finding; the next one works" {
	guard 'backup { min-interval = "0s" max-per-hour = 100 }' 'check { every = "1s" }'
	daemon_begin
	catch_helper vigil-check
	kill -KILL "$FROZEN"
	eventually '[.incidents[] | select(.code == "worker-failed" and .severity == "P2")] | length == 1' incidents
	assert_answer '.incidents[] | select(.code == "worker-failed") | .summary | contains("SIGKILL")'
	[ "$(sql "select count(*) from actions where outcome = 'failed'")" -ge 1 ]
	before=$(sql "select count(*) from checks where result = 'ok'")
	until_true counts "checks where result = 'ok'" $((before + 1))
	daemon_end
	[ "$status" -eq 0 ]
}

@test "a database whose header is overwritten while it is used is corrupt, and not just something else" {
	guard
	daemon_begin
	"$DRIVER" -t truth app.db "insert into t(b) values('seen')" "begin immediate" "insert into t(b) values('x')" @ready ready @pause 3>&- &
	worker=$!
	until_true test -e ready
	dd if=/dev/urandom of=app.db bs=100 count=1 conv=notrunc status=none
	kill -KILL "$worker"
	wait "$worker" || true
	eventually '[.incidents[] | select(.code == "integrity-failed" and .severity == "P0")] | length == 1' incidents
	until_true some_file S/backups/app/evidence -name '*.db'
	[ -z "$(find S/backups/app -maxdepth 1 -name '*.db')" ]
}

@test "a disk that fails is one incident, with the raw files and the kernel's words" {
	why=$(loopdisk_missing "$BATS_TEST_TMPDIR/probe") && skip "$why"
	loopdisk_up "$BATS_TEST_TMPDIR/disk" 24m 64m
	mk disk/disk/app.db wal
	configure "database \"app\" { path = \"$PWD/disk/disk/app.db\" }"
	daemon_begin
	loopdisk_exhaust "$BATS_TEST_TMPDIR/disk" 512
	"$DRIVER" -t truth disk/disk/app.db "pragma synchronous=full" "?insert into t(b) values(zeroblob(12000000))" @exit 0
	[ "$(jq -s '[.[] | select(.step | startswith("insert"))][0].rc != 0' truth)" = true ]
	local failing='[.incidents[] | select(.code | test("^(sync|writeback|media|filesystem)"))]'
	eventually "$failing | length == 1 and .[0].evidence" incidents
	until_true counts "actions where kind = 'evidence' and outcome = 'done'" 1
	ask incidents
	dir=$(jq -r "${failing}[0].evidence" a.json)
	test -s "$dir/files/app.db"
	if dd if=/dev/kmsg of=/dev/null bs=8192 count=1 iflag=nonblock 2>/dev/null; then
		grep -q "loop" "$dir/kernel.log"
	fi
}
