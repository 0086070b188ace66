#!/usr/bin/env bats
# bats file_tags=slow
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# The daemon is killed, and its watch goes on in the kernel until the next one takes it over.

load lib.bash
load daemon.bash

setup_file() {
	need_watch
	[ -z "${SUITE_SKIPPED:-}" ] || return 0
	"$VIGIL" doctor --json >"$BATS_FILE_TMPDIR/doctor.json" || true
	jq -e .survives_restart "$BATS_FILE_TMPDIR/doctor.json" >/dev/null ||
		skip_suite "no watch survives here: $(jq -r .survives_restart_why "$BATS_FILE_TMPDIR/doctor.json")"
}

account() {
	ask status
	jq -c '.databases[0] | {users, in_transaction, bytes_at_risk, commits_at_risk}' a.json
}

@test "killed; a writer dies inside its transaction; the next daemon has the certificate, the killer and no gap" {
	daemon_begin
	ask status
	assert_answer '.watch | .survives_restart and .why == null and (.taken_over | not) and .attribution == "off"'
	writer_begin app.db
	account
	assert_answer '.databases[0] | .users == 1 and .in_transaction and .bytes_at_risk > 0'
	daemon_kill
	[ -d "$(daemon_pins)" ]
	writer_kill

	daemon_begin
	grep -q 'taken over from an earlier run' daemon.err
	eventually '.incidents[0].backup.verified == true' incidents
	assert_answer '.incidents | length == 1' '.incidents[0].code == "unclean-death" and .incidents[0].severity == "P1"' \
		'.incidents[0].trust.level == "full"' '.incidents[0].certificates | length == 1'
	ask certificates
	assert_answer '.certificates | length == 1' ".certificates[0].process.pid == $(pid_of truth)" \
		".certificates[0].exit.sender.pid == $$" '.certificates[0].locks | index("wal-write")' \
		'.certificates[0].process.comm == "driver" and .certificates[0].process.argv == null' '.certificates[0].verdict == "unclean"'
	ask status
	assert_answer '.watch.taken_over' '.trust.level == "full"' '[.databases[].users] == [0]'
}

@test "ledgers, users and transactions are the same before and after; commits go on" {
	local before

	daemon_begin
	writer_begin app.db
	before=$(account)
	daemon_kill
	daemon_begin
	[ "$(account)" = "$before" ]
	assert_answer '.databases[0].processes[0].comm == "driver"' '.databases[0].processes[0].locks | index("wal-write")'
	# It was seen from its first use on, by whichever daemon.
	writer_kill
	eventually '.certificates | length == 1' certificates
	assert_answer '.certificates[0].trust.level == "full"' '.certificates[0].verdict == "unclean"' \
		'.certificates[0].process.argv | length > 3'
	"$DRIVER" -t truth2 app.db "insert into t(b) values('back')"
	eventually '.incidents[0].resolved_by == "recovery"' incidents
	assert_answer '[.incidents[].code] == ["unclean-death"]'
}

@test "killed right after it stored a death, it is not told again" {
	daemon_begin
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.incidents[0].backup.verified == true' incidents
	daemon_kill
	daemon_begin
	"$DRIVER" -t truth2 app.db "select 1"
	eventually '.certificates | length == 2' certificates
	[ "$(sql "select count(*) from events where type='death'")" = 2 ]
	[ "$(sql 'select count(*) from findings')" = 1 ]
	[ "$(sql "select count(*) from alerts")" = 1 ]
	[ "$(sql "select count(*) from actions where kind='backup'")" = 1 ]
}

# lock_when_it_watches: somebody has the store for himself from the moment on that the next daemon says so, for a second.
lock_when_it_watches() {
	timeout "$PATIENCE" python3 - 3>&- <<-'END' &
		import sqlite3, time
		store = sqlite3.connect("S/vigil.db", isolation_level=None, timeout=20)
		store.execute("select count(*) from runs").fetchone()
		open("armed", "w").close()
		while True:
		    with open("daemon.err") as err:
		        if "state in" in err.read():
		            break
		store.execute("begin exclusive")
		open("locked", "w").close()
		time.sleep(1)
	END
	WRITER=$!
	await armed
}

@test "nor if the store cannot be asked at first; questions are answered meanwhile" {
	daemon_begin
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.certificates | length == 1' certificates
	daemon_kill
	: >daemon.err
	lock_when_it_watches
	daemon_begin
	await locked
	ask status
	wait "$WRITER"
	WRITER=
	"$DRIVER" -t truth2 app.db "select 1"
	eventually '.certificates | length == 2' certificates
	[ "$(sql "select count(*) from events where type='death'")" = 2 ]
	[ "$(sql "select count(*) from findings where code = 'unclean-death'")" = 1 ]
}

@test "killed again and again, and deaths between: each has its certificate" {
	local i

	daemon_begin
	for i in 1 2 3; do
		daemon_kill
		killed "$DRIVER" -t "truth$i" app.db "${SPILL[@]}" @kill9
		daemon_begin
		daemon_kill
		killed "$DRIVER" -t "again$i" app.db "${SPILL[@]}" @kill9
		daemon_begin
	done
	eventually '.certificates | length == 6' certificates
	assert_answer '[.certificates[].verdict] | unique == ["unclean"]' '[.certificates[].process.pid] | unique | length == 6'
	ask incidents
	assert_answer '[.incidents[].code] | index("observer-gap") == null'
}

@test "killed at any moment while one writer after the other dies: every death has one certificate" {
	local round

	daemon_begin
	while [ ! -e enough ]; do
		rm -f truth
		killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
		pid_of truth >>dead
	done 2>/dev/null &
	WRITER=$!
	for ((round = 0; round < ${VIGIL_KILL_ROUNDS:-8}; round++)); do
		sleep "$(printf '0.%03d' $((RANDOM % 300)))"
		daemon_kill
		if ((round % 2)); then # while it begins
			"$VIGIL" run -c vigil.conf --state-dir S 3>&- 2>daemon.err &
			DAEMON=$!
			sleep "$(printf '0.%03d' $((RANDOM % 300)))"
			daemon_kill
		fi
		daemon_begin
	done
	touch enough
	await_end "$WRITER"
	WRITER=
	eventually ".certificates | length >= $(wc -l <dead)" certificates
	jq '.certificates[].process.pid' a.json | sort >told
	sort dead >expected
	wc -l expected
	diff expected told
	assert_answer '[.certificates[].verdict] | unique == ["unclean"]'
	[ "$(sql "select count(*) from findings where code = 'observer-gap'")" = 0 ]
	[ "$(sql "select count(*) from events where type = 'death'")" = "$(wc -l <dead)" ]
}

@test "a database that the configuration no longer names leaves the watch, a new one comes" {
	mk other.db wal
	daemon_begin
	daemon_kill
	configure "database \"other\" { path = \"$PWD/other.db\" }"
	daemon_begin
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	killed "$DRIVER" -t truth2 other.db "${SPILL[@]}" @kill9
	eventually '.certificates | length == 1' certificates
	assert_answer '.certificates[0].database == "other"'
	# And both again: the id of the first has been given back.
	daemon_kill
	configure "database \"app\" { path = \"$PWD/app.db\" }" "database \"other\" { path = \"$PWD/other.db\" }"
	daemon_begin
	killed "$DRIVER" -t truth3 app.db "${SPILL[@]}" @kill9
	eventually '.certificates | length == 2' certificates
	assert_answer '[.certificates[].database] | sort == ["app", "other"]'
}

@test "what another build has left is removed, and that nobody watched is told" {
	local set

	daemon_begin
	await S/state.json
	daemon_kill
	set=$(ls "$(daemon_pins)")
	mv "$(daemon_pins)/$set" "$(daemon_pins)/0123456789abcdef-${set#*-}"
	daemon_begin
	grep -q 'is removed: another build' daemon.err
	eventually '.incidents[0].code == "observer-gap"' incidents
	[ "$(ls "$(daemon_pins)")" = "$set" ]
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.certificates | length == 1' certificates
	assert_answer '.certificates[0].trust.level == "full"'
}

@test "pins that somebody has damaged are not used" {
	local set

	daemon_begin
	daemon_kill
	set=$(daemon_pins)/$(ls "$(daemon_pins)")
	rm "$set/link_sched_process_exit"
	daemon_begin
	grep -q 'is removed: a part of it is missing' daemon.err
	daemon_kill
	set=$(daemon_pins)/$(ls "$(daemon_pins)")
	# One map in the place of another.
	rm "$set/map_parts"
	bpftool map pin pinned "$set/map_marks" "$set/map_parts"
	mkdir "$(daemon_pins)/unfinished"
	daemon_begin
	grep -q 'is removed: it is not what this build pins' daemon.err
	daemon_kill
	set=$(daemon_pins)/$(ls "$(daemon_pins)")
	# A link whose program works on other maps: of the right shape, and empty.
	rm "$set/map_marks"
	bpftool map create "$set/map_marks" type hash key 4 value 4 entries 32768 name marks
	daemon_begin
	grep -q 'is removed: it is not what this build pins' daemon.err
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.certificates | length == 1' certificates
}

@test "an orderly end leaves nothing in the kernel, nor does one after a kill" {
	daemon_begin
	daemon_kill
	daemon_begin
	daemon_end
	[ "$status" -eq 0 ]
	[ ! -e "$(daemon_pins)" ]
	daemon_begin
	[ "$(grep -c 'taken over' daemon.err)" -eq 0 ]
	eventually '.incidents[0].code == "observer-gap"' incidents
	ask status
	assert_answer '.watch.taken_over == false'
}

@test "asked to leave its watch to the next run it ends orderly, and nothing is missed" {
	daemon_begin
	kill -USR1 "$DAEMON"
	status=0
	await_end "$DAEMON" || status=$?
	DAEMON=
	cat daemon.err
	[ "$status" -eq 0 ]
	[ -d "$(daemon_pins)" ]
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	daemon_begin
	eventually '.certificates | length == 1' certificates
	assert_answer '.certificates[0].verdict == "unclean" and .certificates[0].trust.level == "full"'
	ask incidents
	assert_answer '[.incidents[].code] == ["unclean-death"]'
}

# left_behind OPTION...: what doctor tells of the pins of this test, in the file left. Other daemons may be on this host.
left_behind() {
	"$VIGIL" doctor --json "$@" >doctor.json || [ $? -eq 1 ]
	jq --arg pins "$(daemon_pins)" '[.left_behind[] | select(.pins == $pins)]' doctor.json >left
}

@test "what a killed run has left can be removed, that of a living one cannot" {
	daemon_begin
	status=0
	"$VIGIL" run --forget -c vigil.conf --state-dir S 2>err || status=$?
	[ "$status" -eq 69 ]
	[ -d "$(daemon_pins)" ]
	# Of one that lives nothing is left behind.
	left_behind --state-dir S
	[ "$(jq length left)" -eq 0 ]
	daemon_kill
	left_behind --state-dir S
	[ "$(jq -r '.[].state_dir' left)" = "$(realpath S)" ]
	jq -e --arg state "$(realpath S)" '.[0].end_with == "vigil run --forget --state-dir " + $state' left
	# Who is not told where the state is can say where the pins are.
	left_behind
	jq -e --arg pins "$(daemon_pins)" '.[0].state_dir == null and (.[0].end_with | endswith("rm -r " + $pins))' left
	"$VIGIL" doctor --state-dir S >out || [ $? -eq 1 ]
	grep -q '^  left     a daemon that is gone' out
	"$VIGIL" health --json --state-dir S >out || [ $? -eq 2 ]
	jq -e '.status == "critical" and (.reasons | length) == 1 and (.reasons[0] | contains("goes on, and the next start takes it over"))' out
	# Nor is a benchmark deceived by it.
	bash -c ". '$BATS_TEST_DIRNAME/../bench/numbers.bash'; say() { echo \"\$*\"; }; left_watches" >out
	grep -qF "or rm -r $(daemon_pins)" out
	"$VIGIL" run --forget --state-dir S >out 2>err
	[ ! -s err ]
	grep -qx "ended: the watch that an earlier run with the state in $(realpath S) has left in the kernel" out
	[ ! -e "$(daemon_pins)" ]
	"$VIGIL" run --forget --state-dir S --json >out 2>err
	jq -e '.schema == "vigil.forget/1" and .ended == false' out
	"$VIGIL" run --forget --state-dir S >out 2>err
	[ ! -s err ]
	grep -q '^nothing to end: ' out
	left_behind --state-dir S
	[ "$(jq length left)" -eq 0 ]
}

@test "a start that fails leaves what was there for the one that succeeds" {
	daemon_begin
	daemon_kill
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	rm -f S/control
	mkdir S/control
	status=0
	timeout 60 "$VIGIL" run -c vigil.conf --state-dir S 3>&- 2>err || status=$?
	cat err
	[ "$status" -eq 69 ]
	rmdir S/control
	daemon_begin
	eventually '.incidents[0].code == "unclean-death"' incidents
	ask certificates
	assert_answer '.certificates | length == 1'
}

@test "of another daemon's watch nothing is taken and nothing removed" {
	daemon_begin
	status=0
	timeout 60 "$VIGIL" run -c vigil.conf --state-dir S 3>&- 2>err || status=$?
	[ "$status" -eq 69 ]
	[ -d "$(daemon_pins)" ]
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.certificates | length == 1' certificates
}
