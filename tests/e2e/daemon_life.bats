#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# The daemon over its life: reloads, restarts, crashes of the host, databases that come, go and move.

load lib.bash
load daemon.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
	mk app.db wal
	configure "database \"app\" { path = \"$PWD/app.db\" }"
}

teardown() {
	daemon_teardown
}

# Reads the configuration again and waits until it says so.
reload() {
	local n

	n=$(grep -c 'vigil.conf: ' daemon.err || true)
	kill -HUP "$DAEMON"
	for _ in {1..500}; do
		[ "$(grep -c 'vigil.conf: ' daemon.err)" -le "$n" ] || return 0
		sleep 0.02
	done
	cat daemon.err
	return 1
}

# Waits until the file that outlives the daemon says so of a database.
state_knows() {
	local i

	for ((i = 0; i < 500; i++)); do
		! jq -e ".databases | any($1)" S/state.json >/dev/null || return 0
		sleep 0.02
	done
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
	eventually 5 '.incidents | length == 1' incidents
	# It began before the reload, and nothing of it is missing.
	assert_answer '.incidents[0].database == "renamed"' '.incidents[0].trust.level == "full"'
	"$DRIVER" -t truth2 other.db "insert into t(b) values('x')"
	"$DRIVER" -t truth3 third.db "insert into t(b) values('x')"
	eventually 5 '[.certificates[].database] | sort == ["other", "renamed"]' certificates
	daemon_end
	[ "$status" -eq 0 ]
}

@test "a configuration that is broken changes nothing and says so" {
	daemon_begin
	echo 'database "x" {' >>vigil.conf
	reload
	grep -q 'vigil.conf: the configuration of before stays in force' daemon.err
	grep -qE 'vigil.conf:[0-9]+: ' daemon.err
	"$DRIVER" -t truth app.db "${SPILL[@]}" @kill9 || true
	eventually 5 '.incidents | length == 1' incidents
}

@test "a database whose directory is not there yet is waited for" {
	configure "database \"late\" { path = \"$PWD/later/app.db\" }"
	daemon_begin
	ask health
	[ "$status" -eq 1 ]
	assert_answer '.reasons[0] | test("late is not watched: its directory does not exist")'
	mkdir later
	eventually 15 '.status == "healthy"' health
	mk later/app.db wal
	"$DRIVER" -t truth later/app.db "${SPILL[@]}" @kill9 || true
	eventually 5 '.incidents | length == 1 and .[0].code == "unclean-death"' incidents
}

@test "deleted and made anew under the same name: the new one is guarded" {
	daemon_begin
	rm app.db
	mk app.db wal
	"$DRIVER" -t truth app.db "${SPILL[@]}" @kill9 || true
	eventually 5 '.incidents[0].backup.verified == true' incidents
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
	for _ in {1..750}; do
		! grep -q 'it is watched anew' daemon.err || break
		sleep 0.02
	done
	grep -q 'leads elsewhere now' daemon.err
	"$DRIVER" -t truth a/app.db "${SPILL[@]}" @kill9 || true
	eventually 5 '.incidents[0].backup.verified == true' incidents
}

@test "a restart is a gap that is told, and an open incident goes on" {
	daemon_begin
	"$DRIVER" -t truth app.db "${SPILL[@]}" @kill9 || true
	eventually 5 '.incidents[0].backup.verified == true' incidents
	daemon_end
	daemon_begin
	eventually 5 '[.incidents[].code] | sort == ["observer-gap", "unclean-death"]' incidents
	assert_answer '.incidents[] | select(.code == "observer-gap") | .severity == "P3" and .status == "resolved"' \
		'.incidents[] | select(.code == "unclean-death") | .status == "firing" and .backup.verified and .ends_by == ["recovery"]'
	ask health
	[ "$status" -eq 1 ]
	"$DRIVER" -t truth2 app.db "insert into t(b) values('back')"
	eventually 5 '.incidents[] | select(.code == "unclean-death") | .resolved_by == "recovery"' incidents
}

@test "killed itself, and its watch with it, the daemon says for how long nobody watched" {
	daemon_begin
	writer_begin app.db
	state_knows '.in_transaction'
	daemon_kill
	daemon_unpin
	daemon_begin
	eventually 5 '.incidents[0].code == "observer-gap"' incidents
	assert_answer '.incidents[0].summary | test("ended without an orderly end")'
	[ "$(sql "select json_extract(doc, '$.evidence.databases_in_use') from findings")" = 1 ]
	writer_kill
	eventually 5 '.incidents[0].code == "unclean-death"' incidents
	assert_answer '.incidents[0].trust.reasons | index("seen-late") != null'
}

@test "killed before it could make the backup, the next run makes it" {
	daemon_begin
	"$DRIVER" -t truth app.db "${SPILL[@]}" @kill9 || true
	eventually 5 '.incidents[0].backup.verified' incidents
	daemon_kill
	# As if it had been killed a moment earlier.
	sqlite3 S/vigil.db "delete from backups; delete from checks; update actions set outcome=null, outcome_ns=null;
		update alerts set doc=json_remove(doc, '$.backup', '$.integrity')"
	rm -r S/backups/app
	daemon_begin
	eventually 5 '.incidents[] | select(.code == "unclean-death") | .backup.verified and .integrity.result == "ok"' incidents
	[ "$(sql "select group_concat(outcome) from (select outcome from actions order by id)")" = interrupted,done ]
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
	eventually 5 '.incidents[0].code == "host-crash" and .incidents[0].backup.verified' incidents
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
	eventually 5 '.incidents[0].code == "observer-gap"' incidents
	grep -q 'state.json: it is damaged' daemon.err
}
