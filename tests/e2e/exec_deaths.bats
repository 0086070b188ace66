#!/usr/bin/env bats
# bats file_tags=asan
# How a process ended and what it held: scenarios 1-9 of the reference's acceptance suite.

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

@test "1 clean_wal_last_close: a close that checkpoints and removes the WAL is clean" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db "insert into t(b) values('x')" "update t set b='y' where a<50"
	[ "$status" -eq 0 ]
	assert_quiet
	certificate app.db truth
	assert_certificate '.verdict == "clean"' '.reasons == []' '.locks == []' '.transaction == "none"' \
		'.ended_by == "exit"' '.exit.code == 0' '.exit.signal == null' '.exit.cause == "exit"' '.exit.sender == null' \
		'risk("main") == 0' '.commits_at_risk == 0' '.tainted == false' \
		'.left_behind == {"wal_bytes": 0, "hot_journal": false}'
	database app.db
	assert_database '.engine == "sqlite"' '.journal_mode == "wal"' '.page_size == 4096' '.backup == null'
}

@test "2 clean_delete: after 100 commits only the last unlink of the journal is not yet durable" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db @repeat 100 "insert into t(b) values('x')" @end
	assert_quiet
	certificate app.db truth
	assert_certificate '.verdict == "clean"' '.reasons == []' '.locks == []' 'risk("main") == 0' 'risk("journal") == 0' \
		'.commits_at_risk == 1' '.left_behind.hot_journal == false'
	database app.db
	assert_database '.journal_mode == "delete"'
}

@test "2 clean_delete: synchronous=EXTRA leaves nothing at risk" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "pragma synchronous=extra" @repeat 5 "insert into t(b) values('x')" @end
	assert_quiet
	certificate app.db truth
	assert_certificate '.verdict == "clean"' '.commits_at_risk == 0' '([.at_risk[].bytes] | add // 0) == 0'
}

@test "3 exit0_without_close: exit code 0 is not clean, and nothing to alarm about when nothing is owed" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db "pragma synchronous=full" "insert into t(b) values('x')" @exit 0
	[ "$status" -eq 0 ]
	assert_trusted
	assert_no_findings
	certificate app.db truth
	assert_certificate '.verdict == "abrupt"' '.reasons == ["connection-left-open"]' '.transaction == "none"' \
		'.exit.code == 0' '.exit.cause == "exit"' '.locks | has_none(["wal-write", "wal-checkpoint", "reserved"])' \
		'risk("wal") == 0' '.commits_at_risk == 0' ".left_behind.wal_bytes == $(truth truth wal)" \
		'.prediction | test("recovers 1 committed transaction")'
}

@test "3 exit0_without_close: a commit that synchronous=NORMAL left in the page cache is told" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db "pragma synchronous=normal" "insert into t(b) values('x')" @exit 0
	assert_trusted
	certificate app.db truth
	# The header of the WAL is synced, the frames are not.
	assert_certificate '.verdict == "abrupt"' '.reasons | has_all(["connection-left-open", "bytes-at-risk"])' \
		'.commits_at_risk == 1' "risk(\"wal\") == $(truth truth wal) - 32"
}

@test "4 clean_not_last: who closes while another process goes on is clean" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t stays app.db "insert into t(b) values('x')" @fork @exec "$DRIVER" -t leaves app.db \
		"insert into t(b) values('y')" @end @wait-children "insert into t(b) values('z')"
	assert_quiet
	certificate app.db leaves
	# What it left behind is what stands there when it is looked at: the other one may have closed, too, by then.
	assert_certificate '.verdict == "clean"' '.reasons == ["others-still-open"]' '.locks == []' '.left_behind.hot_journal == false'
	certificate app.db stays
	assert_certificate '.verdict == "clean"' '.reasons == []' '.left_behind.wal_bytes == 0'
}

@test "5 kill9_idle_reader: killed with an idle connection is abrupt, and the sender is named" {
	mk app.db wal
	watch_begin --db app.db -- "$DRIVER" -t truth app.db "select count(*) from t" @ready ready @pause
	await ready
	local me=$BASHPID
	kill -9 "$(pid_of truth)"
	watch_end
	[ "$status" -eq 137 ]
	assert_trusted
	assert_findings abrupt-death
	assert_report '.command.exit_code == null' '.command.signal == "SIGKILL"' \
		'[.databases[].findings[].severity] == ["P2"]'
	certificate app.db truth
	assert_certificate '.verdict == "abrupt"' '.reasons == ["connection-left-open"]' '.transaction == "none"' \
		'.exit.code == null' '.exit.signal == "SIGKILL"' '.exit.cause == "process"' '.exit.oom == false' \
		".exit.sender.pid == $me" ".exit.sender.comm == \"$(cat "/proc/$me/comm")\"" '.exit.sender.uid == 0' \
		".exit.sender.ancestors[0].pid == $(ps -o ppid= -p "$me" | tr -d ' ')"
}

@test "5 kill9_idle_reader: a read transaction is told from an idle connection" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "begin" "select count(*) from t" @kill9
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "abrupt"' '.reasons == ["read-transaction-open"]' '.locks == ["shared"]' \
		'.transaction == "read"'
}

@test "a pool of connections is known to be closed, or not, however many descriptors it has" {
	local attach=() i
	for i in 1 2 3 4 5 6 7 8; do
		attach+=("attach 'app.db' as a$i" "select count(*) from a$i.t")
	done
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t closes app.db "${attach[@]}"
	assert_quiet
	certificate app.db closes
	assert_certificate '.verdict == "clean"' '.trust.level == "full"'
	watch --db app.db -- "$DRIVER" -t leaves app.db "${attach[@]}" @exit 0
	certificate app.db leaves
	assert_certificate '.verdict == "abrupt"' '.reasons == ["connection-left-open"]' '.trust.level == "full"'
}

@test "6 kill9_reserved_cold: a transaction that never reached the database leaves a cold journal" {
	mk app.db delete
	watch_begin --db app.db -- "$DRIVER" -t truth app.db "begin immediate" "insert into t(b) values('x')" @ready ready @pause
	await ready
	kill -9 "$(pid_of truth)"
	watch_end
	assert_trusted
	assert_findings unclean-death
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open"])' \
		'.reasons | has_none(["hot-journal", "no-journal"])' '.transaction == "write"' \
		'.locks | has_all(["shared", "reserved"])' '.locks | has_none(["pending", "exclusive"])' \
		'.left_behind.hot_journal == false' 'risk("main") == 0'
	database app.db
	assert_database '.integrity.result == "ok"' '.findings[0].severity == "P1"'
	[ -e app.db-journal ]
}

@test "7 kill9_spill_hot: a half-written database with its journal is unclean and will be rolled back" {
	mk app.db delete
	watch_begin --db app.db --backup-dir backups -- "$DRIVER" -t truth app.db "${SPILL[@]}" @ready ready @pause
	await ready
	kill -9 "$(pid_of truth)"
	watch_end
	assert_trusted
	assert_findings unclean-death
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])' \
		'.reasons | has_none(["no-journal"])' '.transaction == "write"' \
		'.locks | has_all(["reserved", "pending", "exclusive"])' '.left_behind.hot_journal == true' \
		'.prediction | test("rolls back the hot journal")' '.last_operations[-1].op != null'
	database app.db
	assert_database '.integrity.result == "ok"' '.backup.verified == true'
	[ -s app.db-journal ]
	[ "$(rows "$(jq -r .backup.path d.json)")" -eq 400 ]
}

@test "7 kill9_spill_hot: the next opener recovers, and that is reported" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t second app.db @close @fork @exec "$DRIVER" -t first app.db "${SPILL[@]}" @kill9 @end \
		@wait-children "select count(*) from t"
	assert_trusted
	certificate app.db first
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["hot-journal"])' '.recovered == true'
	certificate app.db second
	assert_certificate '.verdict == "clean"' '.left_behind.hot_journal == false'
	[ ! -e app.db-journal ]
}

@test "8 kill9_wal_uncommitted: uncommitted frames are at risk, committed ones are not" {
	mk app.db wal
	watch_begin --db app.db --backup-dir backups -- "$DRIVER" -t truth app.db "pragma synchronous=full" \
		"insert into t(b) values('committed')" "${SPILL[@]}" @ready ready @pause
	await ready
	kill -9 "$(pid_of truth)"
	watch_end
	assert_trusted
	assert_findings unclean-death
	local committed
	committed=$(jq -s '[.[] | select(.step | startswith("insert"))][0].wal' truth)
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open"])' \
		'.reasons | has_none(["hot-journal", "checkpoint-interrupted"])' '.transaction == "write"' \
		'.locks | has_all(["wal-write"])' "risk(\"wal\") >= $(truth truth wal) - $committed" '.commits_at_risk == 0' \
		".left_behind.wal_bytes == $(truth truth wal)" '.prediction | test("recovers 1 committed transaction")' \
		'.prediction | test("no committed transaction is lost")' ".exit.sender.pid == $BASHPID"
	database app.db
	assert_database '.integrity.result == "ok"' '.backup.verified == true'
	[ "$(sqlite3 "$(jq -r .backup.path d.json)" "select count(*) from t where b='committed'")" -eq 1 ]
}

@test "9 kill9_in_checkpoint: killed between two page writes of a checkpoint" {
	mk app.db wal
	watch_begin --db app.db --backup-dir backups -- "$DRIVER" -t truth app.db "update t set b=hex(randomblob(50))" \
		@hold write 3 held @checkpoint passive
	await held
	kill -9 "$(pid_of truth)"
	watch_end
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["checkpoint-interrupted"])' \
		'.reasons | has_none(["no-journal", "write-transaction-open"])' '.locks | has_all(["wal-checkpoint", "wal-read-0"])' \
		'.transaction != "write"' 'risk("main") == 8192' '.left_behind.wal_bytes > 0'
	assert_findings unclean-death
	database app.db
	assert_database '.integrity.result == "ok"' '.backup.verified == true'
}
