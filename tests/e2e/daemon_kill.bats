#!/usr/bin/env bats
# bats file_tags=slow
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# kill -9 of the monitor and of its helpers, at random moments: nothing hangs, no incident that was shown is lost.

load lib.bash
load daemon.bash

ROUNDS=${VIGIL_KILL_ROUNDS:-20}

setup() {
	daemon_setup 'backup { min-interval = "1s"  max-per-hour = 1000 }'
}

random_ms() {
	sleep "$(printf '0.%03d' $((RANDOM % $1)))"
}

# Every id that an answer has shown so far, one per line.
remember() {
	! timeout "$PATIENCE" "$VIGIL" --state-dir S --json incidents >a.json 2>/dev/null ||
		jq -r '.incidents[].id' a.json >>shown
}

@test "the monitor is killed again and again: the store stays sound, and what was shown is there" {
	local round

	touch shown
	for ((round = 0; round < ROUNDS; round++)); do
		if ((round % 4 == 3)); then # while it begins
			"$VIGIL" run -c vigil.conf --state-dir S 3>&- 2>daemon.err &
			DAEMON=$!
			random_ms 900
		else
			daemon_begin
			unclean_death
			random_ms 200
			remember
			unclean_death
			random_ms 60
		fi
		daemon_kill
		[ ! -e S/vigil.db ] || [ "$(sqlite3 -cmd '.timeout 60000' S/vigil.db 'pragma integrity_check')" = ok ]
	done
	daemon_begin
	[ "$(grep -c 'damaged' daemon.err)" -eq 0 ]
	[ -s shown ]
	sort -u shown >all
	while read -r id; do
		[ "$(sql "select count(*) from alerts where id='$id'")" = 1 ]
	done <all
	# Every intent has an outcome, or is told to have been interrupted.
	[ "$(sql "select count(*) from actions where outcome is null and intent_ns < (select max(started_ns) from runs)")" = 0 ]
	# Every backup that was announced is one.
	timeout 120 "$VIGIL" backup verify --backup-dir S/backups/app
	daemon_end
	[ "$status" -eq 0 ]
}

@test "helpers are killed again and again: each costs one action, and the monitor says so" {
	local round killed=1 writers=0

	daemon_begin
	# One look is killed for certain.
	until_true freeze_helper_of unclean_death -- vigil-look
	kill -KILL "$FROZEN"
	for ((round = 0; round < ROUNDS; round++)); do
		unclean_death
		random_ms 10
		# What writes the store is killed, too: its rows are written by the next one.
		! freeze_helper vigil-store || { kill -KILL "$FROZEN" && writers=$((writers + 1)); }
		! freeze_helper vigil-look vigil-backup vigil-check vigil-evidence || { kill -KILL "$FROZEN" && killed=$((killed + 1)); }
	done
	echo "$killed helpers were killed, and $writers that write the store"
	eventually '.actions == [] and .store.set_aside == 0 and .store.queued == 0' status
	[ "$(jq -r .pid a.json)" = "$DAEMON" ]
	eventually '[.incidents[].code] | index("unclean-death")' incidents
	[ "$(grep -c 'P2 worker-failed: .*it died of SIGKILL' daemon.err)" -eq "$killed" ]
	[ "$(sql "select count(*) from findings where code='worker-failed'")" -eq "$killed" ]
	[ "$(sql "select count(*) from actions where outcome is null")" = 0 ]
	daemon_end
	[ "$status" -eq 0 ]
}

# backups_failed N: the outcome of so many tries of the backup is stored.
backups_failed() {
	[ "$(sql "select count(*) from actions where kind='backup' and outcome='failed'")" -ge "$1" ]
}

# Kills the helpers of the backup until N of its tries have failed. The store is asked only when one was killed: it takes too long to
# miss the next.
kill_backups() {
	local end=$((${EPOCHREALTIME/./} + PATIENCE * 1000000))

	while ! backups_failed "$1"; do
		((${EPOCHREALTIME/./} < end)) || return 1
		for _ in {1..200}; do
			freeze_helper vigil-backup || continue
			kill -KILL "$FROZEN"
			break
		done
	done
}

# Large enough that its copy takes a while, and not so large that a slow disk takes minutes for it.
grow() {
	sqlite3 app.db "insert into t(b) select zeroblob(1000000) from t limit 8"
}

@test "a backup whose helper is killed is tried again, and the incident gets it with its check" {
	grow
	daemon_begin
	unclean_death
	kill_backups 2
	eventually '[.incidents[] | select(.code == "unclean-death" and .backup.verified and .integrity.result == "ok")] | length == 1' incidents
	assert_answer '.incidents[] | select(.code == "unclean-death") | .due == [] and .ends_by == ["recovery"] and .status == "firing"' \
		'[.incidents[] | select(.code == "unclean-death").findings] | flatten | length == 3'
	[ "$(sql "select group_concat(outcome) from (select outcome from actions where kind='backup' order by id)")" = failed,failed,done ]
	[ "$(sql "select json_extract(doc, '\$.try') from actions where kind='backup' and outcome='done'")" = 3 ]
}

@test "killed each time, it is said, the check is made without it, and the debt stays" {
	grow
	daemon_begin
	unclean_death
	kill_backups 3
	eventually '.incidents[] | select(.code == "unclean-death") | .integrity.result == "ok" and .due == [{action: "backup", database: "app", since: .due[0].since}]' incidents
	assert_answer '.incidents[] | select(.code == "unclean-death") | .backup == null and (.backup_skipped | test("SIGKILL"))'
	[ "$(sql "select count(*) from findings where code='backup-failed'")" = 1 ]
	# The writer is back: the recovery is seen, and the incident still waits for what it is owed.
	"$DRIVER" -t /dev/null app.db "insert into t(b) values('back')"
	eventually '.incidents[] | select(.code == "unclean-death") | .resolution.by == "recovery"' incidents
	assert_answer '.incidents[] | select(.code == "unclean-death") | .status == "firing" and (.ends_by | sort) == ["actions", "backup"]'
	# The next run, whose helpers have not failed yet, pays it.
	daemon_kill
	daemon_begin
	eventually '.incidents[] | select(.code == "unclean-death") | .backup.verified and .status == "resolved"' incidents
}

# Twenty thousand with 200 rounds.
@test "thousands of processes come and go: nothing is lost, and memory does not grow with them" {
	local before after

	daemon_begin
	"$DRIVER" -t /dev/null app.db "insert into t(b) values('x')"
	eventually '.certificates | length == 1' certificates
	before=$(ps -o rss= -p "$DAEMON")
	"$DRIVER" -t /dev/null app.db @repeat "$ROUNDS" @repeat 100 @fork "select count(*) from t" @end @end @wait-children @end
	ask status
	assert_answer '.trust.level == "full"'
	after=$(ps -o rss= -p "$DAEMON")
	echo "resident: $before KiB before, $after KiB after"
	((after < before + 16384))
	ask health
	[ "$status" -eq 0 ]
}
