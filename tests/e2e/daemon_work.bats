#!/usr/bin/env bats
# bats file_tags=slow
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# What the daemon does by itself: checks and backups by schedule and policy, summaries, events; with the privileges it has kept.

load lib.bash
load daemon.bash

teardown() {
	daemon_teardown
	memory_gone
}

guard_app() {
	configure "$2" "database \"app\" { path = \"$PWD/app.db\" $1 }"
}

@test "checks and backups by schedule" {
	# The first time is spread over the interval by the name: this one comes within two seconds.
	configure "database \"db6\" { path = \"$PWD/app.db\" check { every = \"1s\" } backup { on = {\"schedule\"} every = \"1m\" } }"
	daemon_begin
	eventually '.databases[0] | .last_check.result == "ok" and .last_backup.verified' status
	[ "$(sql "select distinct reason from actions")" = schedule ]
	ask incidents
	assert_answer '.incidents == []'
}

@test "a check that takes longer than its interval is not begun again meanwhile" {
	local due

	guard_app 'check { every = "1s" }'
	daemon_begin
	catch_helper vigil-check
	ask status
	for _ in 1 2; do
		due=$(jq '.databases[0].next_check' a.json)
		eventually ".databases[0].next_check != $due" status
	done
	kill -CONT "$FROZEN"
	assert_answer '[.actions[] | .kind] == ["check"]'
	eventually '.databases[0].last_check.result == "ok"' status
}

@test "damage that a scheduled check finds: P0, critical, the raw files are kept, and a good check ends it" {
	local id

	guard_app 'check { every = "1s" }'
	daemon_begin
	eventually '.databases[0].last_check.result == "ok"' status
	cp app.db good.db
	dd if=/dev/urandom of=app.db bs=4096 seek=4 count=2 conv=notrunc 2>/dev/null
	eventually '.incidents | length == 1 and .[0].code == "integrity-failed"' incidents
	assert_answer '.incidents[0].severity == "P0"' '.incidents[0].integrity.result == "corrupt"'
	id=$(jq -r '.incidents[0].id' a.json)
	ask health
	[ "$status" -eq 2 ]
	eventually 'all(.actions[]; .kind == "check")' status # they go on
	[ "$(find S -path '*evidence*' -name '*.db*' | wc -l)" -ge 1 ]
	cp good.db app.db
	eventually '.incidents[] | select(.id == "'"$id"'") | .status == "resolved" and .resolved_by == "check"' incidents
	ask health
	[ "$status" -eq 0 ]
}

@test "within min-interval the second death gets a check and no backup, and says why" {
	guard_app '' 'limits { crash-loop = "0s" }'
	daemon_begin
	killed "$DRIVER" -t t1 app.db "${SPILL[@]}" @kill9
	eventually '.incidents[0].backup.verified' incidents
	"$DRIVER" -t t2 app.db "insert into t(b) values('back')"
	eventually '.incidents[0].status == "resolved"' incidents
	killed "$DRIVER" -t t3 app.db "${SPILL[@]}" @kill9
	eventually '.incidents | length == 2 and .[0].integrity.result == "ok"' incidents
	assert_answer '.incidents[0].backup == null' '.incidents[0].backup_skipped | test("min-interval")'
	[ "$(find S/backups/app -name '*.db' | wc -l)" -eq 1 ]
}

@test "a check that was begun before the last death does not pay what that death is owed" {
	local since

	sqlite3 app.db "insert into t(b) values(zeroblob(30000000))"
	guard_app ''
	daemon_begin
	"$VIGIL" --state-dir S check app # a recent one: the next death but one is only owed a check
	unclean_death 3>&- &
	catch_helper vigil-backup
	wait $!
	unclean_death
	eventually '.incidents[0] | .deaths.count == 2 and (.due | any(.action == "check" and .since > "2"))' incidents
	since=$(jq -r '.incidents[0] | .due[] | select(.action == "check").since' a.json)
	kill -CONT "$FROZEN"
	eventually '.incidents[0] | .backup.verified and .integrity.result == "ok"' incidents
	assert_answer '.incidents[0] | .integrity.at < .last_death_at and (.due == [{action: "check", database: "app", since: "'"$since"'"}])'
	since=$(jq -r '.incidents[0].integrity.at' a.json)
	# Nor is it told as younger than it is.
	ask status
	assert_answer '.databases[0].last_check == {result: "ok", at: "'"$since"'"}'
}

@test "ten writers that one process kills are one incident" {
	local i pids=()

	for i in {0..9}; do
		cp app.db "many$i.db"
	done
	configure "database \"many\" { glob = \"$PWD/many*.db\" }"
	daemon_begin
	for i in {0..9}; do
		"$DRIVER" -t "t$i" "many$i.db" "${SPILL[@]}" @ready "ready$i" @pause 3>&- &
		pids+=($!)
	done
	for i in {0..9}; do
		await "ready$i"
	done
	kill -KILL "${pids[@]}"
	wait "${pids[@]}" || true
	eventually '.incidents | length == 1 and (.[0].certificates | length == 10) and (.[0].backups | length == 10)' incidents
	assert_answer '.incidents[0].databases | length == 10'
}

@test "an incident of two databases goes on as one after a restart, and ends when both are recovered" {
	local i pids=()

	cp app.db other.db
	configure "database \"app\" { path = \"$PWD/app.db\" }" "database \"other\" { path = \"$PWD/other.db\" }"
	daemon_begin
	for i in app other; do
		"$DRIVER" -t "t-$i" "$i.db" "${SPILL[@]}" @ready "ready-$i" @pause 3>&- &
		pids+=($!)
	done
	await ready-app
	await ready-other
	kill -KILL "${pids[@]}"
	wait "${pids[@]}" || true
	eventually '.incidents | length == 1 and (.[0].backups | length == 2) and .[0].status == "firing"' incidents
	# The one that the incident is called after comes back first, and there is more to come.
	i=$(jq -r '.incidents[0].database' a.json)
	daemon_end
	daemon_begin
	"$DRIVER" -t back "$i.db" "insert into t(b) values('back')"
	[ "$i" = app ] && i=other || i=app
	eventually "[.incidents[] | select(.code == \"unclean-death\") | .awaits_recovery] == [[\"$i\"]]" incidents
	# That this one is back is known after another restart.
	daemon_kill
	daemon_begin
	ask incidents
	assert_answer '[.incidents[] | select(.code == "unclean-death") | .status] == ["firing"]' \
		'.incidents | all(.code != "transaction-cut-short" and .recognised_by == null)'
	"$DRIVER" -t back "$i.db" "insert into t(b) values('back')"
	eventually '[.incidents[] | select(.code == "unclean-death") | .resolved_by] == ["recovery"]' incidents
	[ "$(sql "select json_array_length(doc, '$.databases') from alerts where name='unclean-death'")" = 2 ]
}

@test "summaries count what was done, now and in the minute that is over" {
	guard_app ''
	daemon_begin
	"$DRIVER" -t t1 app.db "pragma synchronous=full" @repeat 50 "insert into t(b) values('x')" @end
	ask summary
	assert_answer '.schema == "vigil.summary/1"' \
		'[.rows[] | select(.db == "app" and .file == "wal" and .op == "sync")] | length == 1 and .[0].count >= 50 and .[0].p99_us > 0' \
		'[.rows[] | select(.file == "wal" and .op == "write")][0].bytes > 50 * 4096'
	ask summary --by process,op
	assert_answer '[.rows[] | select(.process == "driver" and .op == "sync")] | length == 1 and .[0].count >= 50'
}

@test "syncs of a directory are those of the database that they were made for" {
	mk a.db delete
	mk b.db delete
	configure "$(printf "database \"%s\" { path = \"$PWD/%s.db\" }\n" app app a a b b)"
	daemon_begin
	"$DRIVER" -t ta a.db "pragma synchronous=extra" @repeat 3 "insert into t(b) values('x')" @end
	"$DRIVER" -t tb b.db "pragma synchronous=extra" "insert into t(b) values('x')"
	"$DRIVER" -t tw app.db @repeat 9 "insert into t(b) values('x')" @end
	# One process with both; a commit syncs the directory for the journal that begins and for the one that is removed.
	"$DRIVER" -t both a.db "pragma synchronous=extra" "attach 'b.db' as b" "pragma b.synchronous=extra" \
		"insert into b.t(b) values('y')" "insert into t(b) values('y')"
	ask summary
	assert_answer '[.rows[] | select(.file == "directory") | {db, n: .count}] | sort_by(.db) == [{db: "a", n: 8}, {db: "app", n: 1}, {db: "b", n: 4}]'
}

@test "who follows the events sees a death when it happens" {
	guard_app ''
	daemon_begin
	timeout 600 "$VIGIL" --state-dir S --json events --follow >followed 3>&- &
	local follower=$!
	eventually '.databases[0].state == "watched"' status
	sleep 0.3
	killed "$DRIVER" -t t1 app.db "${SPILL[@]}" @kill9
	until_true grep -q '"backup"' followed
	kill "$follower"
	await_gone "$follower"
	jq -se '[.[] | select(.type == "death")] | length == 1 and .[0].verdict == "unclean" and .[0].database == "app"' followed
	jq -se '[.[] | select(.type == "incident" and .what == "opened")] | length == 1' followed
	jq -se '[.[] | select(.type == "action" and .action == "backup" and .outcome == "done")] | length == 1' followed
}

@test "redact-argv: no argument of any process is kept, nowhere" {
	guard_app '' 'redact-argv = true'
	daemon_begin
	killed "$DRIVER" -t t1 app.db "${SPILL[@]}" "select 'S3CRET-in-argv'" @kill9
	eventually '.incidents[0].backup.verified and .incidents[0].evidence != null' incidents
	daemon_end
	[ "$(grep -rla 'S3CRET-in-argv' S | wc -l)" -eq 0 ]
}

@test "what is no longer needed cannot be done any more; what is, can" {
	local caps owner

	guard_app ''
	daemon_begin
	caps=$(awk '/^CapEff/ { print $2 }' "/proc/$DAEMON/status")
	# No CAP_SYS_ADMIN (21) where Landlock is there, no CAP_NET_ADMIN (12), no CAP_SYS_MODULE (16).
	((0x$caps & 1 << 12)) && false
	((0x$caps & 1 << 16)) && false
	[ "$(awk '/^CapBnd/ { print $2 }' "/proc/$DAEMON/status")" = "$caps" ]
	# A database of somebody else, put under watch afterwards.
	chmod 711 . "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" 2>/dev/null || true
	mkdir -m 700 theirs
	mk theirs/app.db wal
	chown -R 65534:65534 theirs
	guard_app '' "database \"theirs\" { path = \"$PWD/theirs/app.db\" }"
	kill -HUP "$DAEMON"
	eventually '.databases | length == 2 and all(.state == "watched")' status
	killed "$DRIVER" -t t1 theirs/app.db "${SPILL[@]}" @kill9
	eventually '.incidents[0].database == "theirs" and .incidents[0].backup.verified' incidents
	owner=$(stat -c %u "$(jq -r '.incidents[0].backup.path' a.json)")
	[ "$owner" = 65534 ]
}

# resolved SIGN: the death is over, by the recovery of that sign.
resolved() {
	printf '[.incidents[] | select(.code | test("death"))] | length == 1 and (.[0] | .status == "resolved" and .resolved_by == "recovery" and .resolution.sign == "%s")' "$1"
}

@test "a death that left nothing ends when somebody opens the database, finds nothing to recover, and reads" {
	sqlite3 app.db "pragma journal_mode=delete" >/dev/null
	guard_app ''
	daemon_begin
	# Nothing of the transaction has reached a file.
	killed "$DRIVER" -t truth app.db "begin immediate" "insert into t(b) values('x')" @kill9
	eventually '[.incidents[] | select(.code == "unclean-death" and .backup.verified)] | length == 1' incidents
	# A copy of the file is no use of the database.
	cat app.db >/dev/null
	[ "$(rows app.db)" = 400 ]
	eventually "$(resolved opened-without-recovery)" incidents
	assert_answer '[.incidents[] | select(.code == "unclean-death")][0].resolution | .process.comm == "sqlite3" and .journal_rollbacks == 0 and .rollback_commits == 0'
}

@test "who stays and only reads ends it, too; what was there before does not" {
	guard_app ''
	daemon_begin
	"$DRIVER" -t before app.db "select count(*) from t" @ready reading @wait go 3>&- &
	local old=$! new
	await reading
	killed "$DRIVER" -t truth app.db "begin immediate" "insert into t(b) values('x')" @kill9
	eventually '[.incidents[] | select(.code == "unclean-death" and .backup.verified)] | length == 1' incidents
	"$DRIVER" -t after app.db "select count(*) from t" @ready reading-too @wait go 3>&- &
	new=$!
	await reading-too
	eventually "$(resolved opened-without-recovery)" incidents
	[ "$(jq '[.incidents[] | select(.code == "unclean-death")][0].resolution.process.pid' a.json)" = "$(pid_of after)" ]
	touch go
	await_end "$old"
	await_end "$new"
}

# as_nobody FILE: a read of it by somebody who may write neither it nor its companions.
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups sqlite3 "$1" "select count(*) from t"
}

@test "a reader that cannot write proves nothing: the incident goes on, and says so, until somebody recovers" {
	in_memory
	chmod 711 . # nobody must get there
	mk app.db wal
	chmod 644 app.db
	guard_app ''
	daemon_begin
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	chmod 644 app.db-wal app.db-shm
	eventually '[.incidents[] | select(.code == "unclean-death" and .backup.verified)] | length == 1' incidents
	# It reads with an index of its own, beside a log that nobody has recovered; so does who asks for that, and may write the main file.
	[ "$(as_nobody app.db)" = 400 ]
	[ "$(sqlite3 "file:$PWD/app.db?readonly_shm=1" "select count(*) from t")" = 400 ]
	eventually '.incidents[0].read_only_since.process.comm == "sqlite3"' incidents
	eventually '[.certificates[] | select(.process.comm == "sqlite3" and .verdict == "clean")] | length == 2' certificates
	ask incidents
	assert_answer '.incidents[0] | .status == "firing" and .awaits_recovery == ["app"] and .resolution == null and (.ends_by | index("recovery") != null)'
	"$VIGIL" --state-dir S incidents | tr -s '\n ' ' ' | grep -F "opened since by a reader that could recover nothing"
	[ "$(rows app.db)" = 400 ]
	eventually "$(resolved wal-recovered)" incidents
	assert_answer '.incidents[0] | .awaits_recovery == [] and .ends_by == []'
}

@test "who had it open, takes the lock that is free now, and is the last to close leaves nothing to recover" {
	guard_app ''
	daemon_begin
	writer_begin app.db
	"$DRIVER" -t waits app.db "select count(*) from t" @ready reading @wait go "begin immediate" rollback 3>&- &
	local waits=$!
	await reading
	writer_kill
	eventually '[.incidents[] | select(.code == "unclean-death" and .backup.verified)] | length == 1' incidents
	assert_answer '.incidents[0].status == "firing"'
	touch go
	wait "$waits"
	[ ! -e app.db-wal ]
	eventually "$(resolved closed-with-nothing-left)" incidents
	[ "$(jq '.incidents[0].resolution.process.pid' a.json)" = "$(pid_of waits)" ]
}

@test "a hot journal that a reader cannot roll back is not over" {
	sqlite3 app.db "pragma journal_mode=delete" >/dev/null
	guard_app ''
	daemon_begin
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '[.incidents[] | select(.code == "unclean-death" and .backup.verified)] | length == 1' incidents
	# It opens the file, takes no locks, and looks at no journal.
	sqlite3 "file:$PWD/app.db?immutable=1" "select count(*) from t" >/dev/null
	eventually '[.certificates[] | select(.process.comm == "sqlite3" and .verdict == "clean")] | length == 1' certificates
	ask incidents
	assert_answer '.incidents[0].status == "firing"'
	[ "$(rows app.db)" = 400 ]
	eventually "$(resolved journal-rolled-back)" incidents
}

# died_at_last DIRECTORY PID: the newest recording of the incident has the death of that process.
died_at_last() {
	"$VIGIL" replay --json "$1/recording-last.vigil" | jq -e ".databases[0].certificates[].process.pid == $2"
}

@test "a program that dies again and again is one incident that counts, and spends one backup" {
	local i

	guard_app 'backup { min-interval = "0s"  max-per-hour = 100 }'
	daemon_begin
	killed "$DRIVER" -t t0 app.db "${SPILL[@]}" @kill9
	eventually '.incidents[0].backup.verified' incidents
	# It is started again, recovers, and the incident is over; and so on.
	for i in 1 2 3; do
		"$DRIVER" -t "back$i" app.db "insert into t(b) values('back')"
		killed "$DRIVER" -t "t$i" app.db "${SPILL[@]}" @kill9
		eventually ".incidents | length == 1 and .[0].deaths.count == $((i + 1)) and .[0].status == \"firing\"" incidents
	done
	assert_answer '.incidents[0].summary | test("^died 4 times in .*; at last: driver")' \
		'.incidents[0].certificates | length == 4' '.incidents[0].backups | length == 1' \
		'.incidents[0].ends_by | index("quiet") != null'
	[ "$(sql "select count(*) from events where type='incident' and json_extract(doc, '$.what')='opened'")" = 1 ]
	[ "$(find S/backups/app -name '*.db' | wc -l)" -eq 1 ]
	# How it began can still be replayed, and how it ended at last.
	i=$(jq -r '.incidents[0].evidence' a.json)
	"$VIGIL" replay --json "$i/recording.vigil" | jq -e ".databases[0].certificates[].process.pid == $(pid_of t0)"
	until_true died_at_last "$i" "$(pid_of t3)"
	# Another program is another incident, beyond the window of one cause.
	sleep 2.1
	cp "$DRIVER" other
	killed ./other -t t9 app.db "${SPILL[@]}" @kill9
	eventually '.incidents | length == 2 and .[0].deaths.count == 1' incidents
	# The count goes on after a restart of the daemon.
	daemon_end
	daemon_begin
	killed "$DRIVER" -t t10 app.db "${SPILL[@]}" @kill9
	eventually '[.incidents[] | select(.deaths.count == 5)] | length == 1' incidents
}
