#!/usr/bin/env bats
# bats file_tags=slow
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# The daemon over its life: reloads, restarts, crashes of the host, databases that come, go and move.

load lib.bash
load daemon.bash

# Reads the configuration again and waits until it says so.
reload() {
	local n

	n=$(grep -c 'vigil.conf: ' daemon.err || true)
	kill -HUP "$DAEMON"
	until_true has_said_more_than "$n" && return
	cat daemon.err
	return 1
}

has_said_more_than() {
	[ "$(grep -c 'vigil.conf: ' daemon.err)" -gt "$1" ]
}

# Waits until the file that outlives the daemon says so of a database.
state_knows() {
	until_true jq -e ".databases | any($1)" S/state.json >/dev/null && return
	cat S/state.json
	return 1
}

@test "a reload adds and lets go, and who stays keeps its account" {
	mk other.db wal
	mk third.db wal
	configure "database \"app\" { path = \"$PWD/app.db\" }" "database \"third\" { path = \"$PWD/third.db\" }"
	daemon_begin
	writer_begin app.db
	configure "database \"renamed\" { path = \"$PWD/app.db\" }" "database \"other\" { path = \"$PWD/other.db\" }"
	reload
	ask status
	assert_answer '[.databases[] | .name] | sort == ["other", "renamed"]' '.databases | all(.state == "watched")' \
		'.databases[] | select(.name == "renamed") | .users == 1 and .in_transaction'
	writer_kill
	eventually '.incidents | length == 1' incidents
	# It began before the reload, and nothing of it is missing.
	assert_answer '.incidents[0].database == "renamed"' '.incidents[0].trust.level == "full"'
	"$DRIVER" -t truth2 other.db "insert into t(b) values('x')"
	"$DRIVER" -t truth3 third.db "insert into t(b) values('x')"
	eventually '[.certificates[].database] | sort == ["other", "renamed"]' certificates
	daemon_end
	[ "$status" -eq 0 ]
}

@test "a configuration that is broken changes nothing and says so" {
	daemon_begin
	echo 'database "x" {' >>vigil.conf
	reload
	grep -q 'vigil.conf: the configuration of before stays in force' daemon.err
	grep -qE 'vigil.conf:[0-9]+: ' daemon.err
	eventually '.reasons | any(test("a restart would fail: .*vigil.conf:[0-9]+: "))' health
	[ "$status" -eq 1 ]
	eventually '.type == "reload" and .outcome == "failed" and (.reason | test("vigil.conf:[0-9]+: "))' events
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.incidents | length == 1' incidents
}

@test "a database whose directory is not there yet is waited for" {
	configure "database \"late\" { path = \"$PWD/later/app.db\" }"
	daemon_begin
	ask health
	[ "$status" -eq 1 ]
	assert_answer '.reasons[0] | test("late is not watched: its directory does not exist")'
	mkdir later
	eventually '.status == "healthy"' health
	mk later/app.db wal
	killed "$DRIVER" -t truth later/app.db "${SPILL[@]}" @kill9
	eventually '.incidents | length == 1 and .[0].code == "unclean-death"' incidents
}

@test "deleted and made anew under the same name: the new one is guarded" {
	daemon_begin
	rm app.db
	mk app.db wal
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.incidents[0].backup.verified == true' incidents
	assert_answer '.incidents[0].trust.level == "full"'
}

@test "moved with its directory, and another in its place: that one is guarded" {
	mkdir a b
	mk a/app.db wal
	mk b/app.db wal
	configure "database \"app\" { path = \"$PWD/a/app.db\" }"
	daemon_begin
	mv a gone
	mv b a
	says 'it is watched anew'
	grep -q 'leads elsewhere now' daemon.err
	killed "$DRIVER" -t truth a/app.db "${SPILL[@]}" @kill9
	eventually '.incidents[0].backup.verified == true' incidents
}

@test "a restart is a gap that is told, and an open incident goes on" {
	daemon_begin
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.incidents[0].backup.verified == true' incidents
	daemon_end
	daemon_begin
	eventually '[.incidents[].code] | sort == ["observer-gap", "unclean-death"]' incidents
	assert_answer '.incidents[] | select(.code == "observer-gap") | .severity == "P3" and .status == "resolved"' \
		'.incidents[] | select(.code == "unclean-death") | .status == "firing" and .backup.verified and .ends_by == ["recovery"]'
	ask health
	[ "$status" -eq 1 ]
	# What was checked is still known; what had not reached the disk is not said to be there.
	ask status
	assert_answer '.databases[0] | .last_check.result == "ok" and .bytes_at_risk == null and .commits_at_risk == null'
	"$DRIVER" -t truth2 app.db "insert into t(b) values('back')"
	eventually '.incidents[] | select(.code == "unclean-death") | .resolved_by == "recovery"' incidents
	eventually '.databases[0].bytes_at_risk == 0' status
}

@test "killed itself, and its watch with it, the daemon says for how long nobody watched" {
	daemon_begin
	writer_begin app.db
	state_knows '.in_transaction'
	daemon_kill
	daemon_unpin
	daemon_begin
	eventually '.incidents[0].code == "observer-gap"' incidents
	assert_answer '.incidents[0].summary | test("ended without an orderly end")'
	[ "$(sql "select json_extract(doc, '$.evidence.databases_in_use') from findings")" = 1 ]
	writer_kill
	eventually '.incidents[0].code == "unclean-death"' incidents
	assert_answer '.incidents[0].trust.reasons | index("seen-late") != null'
}

# The only incident of a code, by an expression on it.
incident() {
	printf '[.incidents[] | select(.code == "%s")] | length == 1 and (.[0] | %s)' "$1" "$2"
}

last_check_is() {
	[ "$(sql "select reason from checks order by at_ns desc limit 1")" = "$1" ]
}

# The check after a gap has been made by this run, of no incident.
gap_checked() {
	eventually '.databases[0].last_check.result == "ok"' status
	until_true last_check_is observer-gap
}

@test "a writer killed while nobody watched: its transaction is told as cut short, as far as files tell" {
	daemon_begin
	writer_begin app.db
	state_knows '.in_transaction'
	daemon_kill
	daemon_unpin
	writer_kill
	daemon_begin
	eventually "$(incident transaction-cut-short '.severity == "P1" and .backup.verified and .integrity.result == "ok"')" incidents
	assert_answer '.incidents[] | select(.code == "transaction-cut-short") | .trust == {level: "partial", reasons: ["observer-gap"]}' \
		'.incidents[] | select(.code == "transaction-cut-short") | .summary | test("while nobody watched.*next open discards")' \
		'.incidents[] | select(.code == "transaction-cut-short") | .certificates == []'
	[ "$(sql "select json_extract(doc, '$.evidence.writer_gone') and (json_extract(doc, '$.evidence.wal_tail_frames') > 0 or json_extract(doc, '$.evidence.wal_torn'))
		from findings where code='transaction-cut-short'")" = 1 ]
	# The next start finds the same files, and an incident that tells of them.
	daemon_kill
	daemon_unpin
	daemon_begin
	eventually '[.incidents[].code] | sort == ["observer-gap", "observer-gap", "transaction-cut-short"]' incidents
	"$DRIVER" -t truth2 app.db "insert into t(b) values('back')"
	eventually "$(incident transaction-cut-short '.resolved_by == "recovery"')" incidents
}

@test "a hot journal from while nobody watched is told, with a reader still there" {
	rm app.db*
	mk app.db delete
	daemon_begin
	"$DRIVER" -t reader app.db "select count(*) from t" @ready reading @pause 3>&- &
	READER=$!
	await reading
	writer_begin app.db
	state_knows '.in_transaction'
	daemon_end
	writer_kill
	daemon_begin
	eventually "$(incident transaction-cut-short '.backup.verified and (.summary | test("hot journal"))')" incidents
	kill -KILL "$READER"
	wait "$READER" || true
}

@test "after a gap in which all went well, or somebody is still at work, nothing is told but the gap" {
	local writer

	daemon_begin
	writer_begin app.db
	state_knows '.in_transaction'
	daemon_kill
	daemon_unpin
	daemon_begin
	gap_checked
	ask incidents
	assert_answer '[.incidents[].code] == ["observer-gap"]'
	writer_kill
	eventually "$(incident unclean-death '.backup.verified')" incidents
	# Known already: not told a second time.
	daemon_kill
	daemon_unpin
	daemon_begin
	eventually '[.incidents[].code] | sort == ["observer-gap", "observer-gap", "unclean-death"]' incidents
	# Recovered, and closed in good order while nobody watched.
	"$DRIVER" -t truth2 app.db "insert into t(b) values('back')" @ready open @wait go 3>&- &
	writer=$!
	await open
	eventually "$(incident unclean-death '.status == "resolved"')" incidents
	state_knows '.users == 1'
	daemon_kill
	daemon_unpin
	touch go
	await_end "$writer"
	daemon_begin
	gap_checked
	ask incidents
	assert_answer '[.incidents[].code] | index("transaction-cut-short") == null'
}

@test "a daemon that dies before it has written what is in use leaves a gap that is told" {
	daemon_begin
	daemon_kill
	daemon_unpin
	rm -f S/state.json
	daemon_begin
	eventually '[.incidents[].code] == ["observer-gap"]' incidents
	assert_answer '.incidents[0].summary | test("before it had written down what was in use")'
	gap_checked
	daemon_end
	# An orderly end, and then one that never watched: no gap but that of the stop.
	[ "$(sql "select count(*) from runs where ended_ns is null")" = 1 ]
}

@test "killed before it could make the backup, the next run makes it" {
	daemon_begin
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.incidents[0].backup.verified' incidents
	daemon_kill
	# As if it had been killed a moment earlier.
	sql "delete from backups; delete from checks; update actions set outcome=null, outcome_ns=null;
		update alerts set doc=json_remove(doc, '$.backup', '$.integrity')"
	rm -r S/backups/app
	daemon_begin
	eventually '.incidents[] | select(.code == "unclean-death") | .backup.verified and .integrity.result == "ok"' incidents
	[ "$(sql "select group_concat(outcome) from (select outcome from actions where incident is not null order by id)")" = interrupted,done ]
}

@test "a backup that was finished while the daemon was killed is the incident's, and is made once" {
	local copy

	daemon_begin
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.incidents[0].backup.verified' incidents
	copy=$(jq -r '.incidents[0].backup.id' a.json)
	[ "$(jq -r .incident "S/backups/app/$copy.json")" = "$(jq -r '.incidents[0].id' a.json)" ]
	daemon_kill
	# As it was while its helper worked.
	sql "delete from backups; delete from checks; update actions set outcome=null, outcome_ns=null;
		update alerts set doc=json_set(json_remove(doc, '$.backup', '$.integrity'), '$.ends_by', json_array('recovery', 'actions'),
			'$.due', json('[{\"action\":\"backup\",\"database\":\"app\",\"since\":\"$(jq -r '.incidents[0].started_at' a.json)\"},
				{\"action\":\"check\",\"database\":\"app\",\"since\":\"$(jq -r '.incidents[0].started_at' a.json)\"}]'))"
	daemon_begin
	eventually ".incidents[] | select(.code == \"unclean-death\") | .backup.verified and .backup.id == \"$copy\" and .integrity.result == \"ok\"" incidents
	assert_answer '.incidents[] | select(.code == "unclean-death") | .due == [] and .ends_by == ["recovery"]'
	[ "$(sql "select group_concat(kind || ' ' || outcome) from actions where incident is not null")" = "backup done" ]
	[ "$(find S/backups/app -name '*.db' | wc -l)" -eq 1 ]
}

@test "a host that went down while a database was in use: an incident with what was at risk" {
	daemon_begin
	writer_begin app.db
	state_knows '.in_transaction and .bytes_at_risk > 0'
	daemon_kill
	daemon_unpin
	writer_kill
	# What the next boot would find.
	jq '.boot_id = "11111111-2222-3333-4444-555555555555"' S/state.json >state.new
	cp state.new S/state.json
	daemon_begin
	eventually '.incidents[0].code == "host-crash" and .incidents[0].backup.verified' incidents
	assert_answer '.incidents[0].severity == "P1"' '.incidents[0].summary | test("inside a write transaction")'
	[ "$(sql "select json_extract(doc, '$.evidence.bytes_at_risk') > 0 from findings where code='host-crash'")" = 1 ]
}

@test "a host that went down after an orderly end: nothing is told" {
	daemon_begin
	daemon_end
	jq '.boot_id = "11111111-2222-3333-4444-555555555555"' S/state.json >state.new
	cp state.new S/state.json
	daemon_begin
	ask incidents
	assert_answer '.incidents == []'
}

@test "what the last run left cannot be read: that is told, too" {
	daemon_begin
	daemon_end
	echo '{"state":1' >S/state.json
	daemon_begin
	eventually '.incidents[0].code == "observer-gap"' incidents
	grep -q 'state.json: it is damaged' daemon.err
}
