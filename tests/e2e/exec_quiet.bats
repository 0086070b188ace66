#!/usr/bin/env bats
# What looks wrong and is not: scenarios 25, 29, 39, 48-51, 61 and 68. Every alarm here is a false one.

load lib.bash
load ../faults/loopdisk.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

teardown() {
	loopdisk_down "$BATS_TEST_TMPDIR/disk"
}

@test "25 commit_unlink_storm: 10,000 journals under reused inode numbers, and nothing to say" {
	local dir=.
	# A disk in memory where there is one: 10,000 commits sync 30,000 times.
	if ! loopdisk_missing "$BATS_TEST_TMPDIR/probe"; then
		loopdisk_up "$BATS_TEST_TMPDIR/disk"
		dir=$BATS_TEST_TMPDIR/disk/disk
	fi
	mk "$dir/app.db" delete
	watch --db "$dir/app.db" -- "$DRIVER" -t truth "$dir/app.db" "pragma synchronous=normal" \
		@repeat 10000 "update t set b='x' where a=7" @end
	assert_quiet
	certificate "$dir/app.db" truth
	assert_certificate '.verdict == "clean"' '.commits_at_risk == 1' 'risk("main") == 0' 'risk("journal") == 0'
	[ "$(truth truth commits)" -eq 10000 ]
}

@test "29 posix_close_child: a forked child may close what it inherited" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "begin immediate" "insert into t(b) values('x')" @fork @close-fds 3 @exit 0 \
		@end @wait-children commit
	assert_quiet
	certificate app.db truth
	assert_certificate '.verdict == "clean"'
	# Descriptors merely inherited make no participant.
	database app.db
	assert_database '.certificates | length == 1'
}

@test "39 prefork_server_ok: children that open their own connection" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t server app.db @fork "insert into t(b) values('1')" @close @end \
		@fork "insert into t(b) values('2')" @close @end @fork "insert into t(b) values('3')" @close @end @wait-children
	assert_quiet
	database app.db
	assert_database '.certificates | length == 3' '[.certificates[] | select(.verdict != "clean")] == []'
	[ "$(rows app.db)" -eq 403 ]
}

@test "48 spill_interleave: pages written while later journal records are not yet synced" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "pragma synchronous=full" "${SPILL[@]}" "update t set b='x' where a>200" commit \
		"begin" "update t set b=hex(randomblob(50))" rollback
	assert_quiet
}

@test "49 freelist_reuse: pages from the free list are never journaled" {
	mk app.db delete
	"$DRIVER" -t /dev/null app.db "delete from t where a>100"
	watch --db app.db -- "$DRIVER" -t truth app.db "pragma cache_size=5" begin \
		"insert into t(b) select hex(randomblob(50)) from t, (select 1 union select 2 union select 3)" commit
	assert_quiet
}

@test "50 vacuum_shrink_after_commit: the file shrinks after its journal has gone" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "delete from t where a>50" vacuum "pragma auto_vacuum=full" vacuum \
		"delete from t where a>20"
	assert_quiet
}

@test "51 wal_rollback_header_rewrite: a WAL that holds no commit is begun again without the reset lock" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db "${SPILL[@]}" rollback "insert into t(b) values('x')" "${SPILL[@]}" rollback \
		"insert into t(b) values('y')"
	assert_quiet
}

@test "61 backup_api_reader, VACUUM INTO: copies under a lock, beside a writer, are safe" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db begin "insert into t(b) values('x')" @fork @exec sqlite3 app.db \
		".backup copy1.db" "vacuum into 'copy2.db'" @end @wait-children commit
	assert_quiet
	[ "$(rows copy1.db)" -eq 400 ]
	[ "$(rows copy2.db)" -eq 400 ]
}

@test "61 backup_api_reader, VACUUM INTO: nor when Vigil finds the copies itself" {
	mk app.db delete
	watch -- sqlite3 app.db "insert into t(b) values('x')" ".backup copy1.db" "vacuum into 'copy2.db'"
	assert_quiet
	database app.db
	database copy1.db
	database copy2.db
}

@test "61 cp idle: a copy of a database that nobody writes" {
	mk app.db delete
	watch --db app.db -- cp app.db copy.db
	assert_quiet
}

@test "who reads the bytes of a database has no connection, however he ends" {
	mk app.db delete
	watch --db app.db -- sh -c '
		cat app.db | head -c 1 >/dev/null
		grep -q nothing-like-it app.db
		timeout 0.2 tail -f app.db >/dev/null
		exec 7<app.db
		kill -KILL $$'
	[ "$status" -eq 137 ]
	assert_no_findings
	database app.db
	assert_database '.certificates | length >= 2 and all(.verdict == "clean")'
}

@test "68 ro_reader_leaves_wal0: an empty WAL is nothing left behind" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db @open ro "select count(*) from t"
	assert_quiet
	certificate app.db truth
	assert_certificate '.verdict == "clean"' '.left_behind.wal_bytes == 0' '.prediction | test("nothing to recover")'
}

@test "checkpoints of every mode, changes of the journal mode and exclusive locking" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db "update t set b='1'" @checkpoint passive "update t set b='2'" @checkpoint full \
		"update t set b='3'" @checkpoint restart "update t set b='4'" @checkpoint truncate "pragma journal_mode=delete" \
		"update t set b='5'" "pragma journal_mode=truncate" "update t set b='6'" "pragma journal_mode=persist" \
		"update t set b='7'" "pragma journal_mode=delete" "pragma locking_mode=exclusive" "update t set b='8'" \
		"pragma journal_mode=wal" "update t set b='9'" "pragma locking_mode=normal" "select 1 from t" "pragma journal_mode=wal"
	assert_quiet
	certificate app.db truth
	assert_certificate '.verdict == "clean"' '.locks == []'
}

@test "two databases in one transaction, and schema changes" {
	mk app.db delete
	mk other.db delete
	watch --db app.db --db other.db -- "$DRIVER" -t truth app.db "attach 'other.db' as o" begin \
		"update t set b='x'" "update o.t set b='x'" commit "alter table t add column c" "create index tc on t(c)" "drop index tb" \
		"reindex" "analyze"
	assert_quiet
	certificate app.db truth
	certificate other.db truth
	assert_certificate '.verdict == "clean"'
}

@test "several writers who wait for each other" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t server app.db \
		@fork @repeat 50 "insert into t(b) values('1')" @end @close @end \
		@fork @repeat 50 "insert into t(b) values('2')" @end @close @end \
		@fork @repeat 50 "select count(*) from t" @end @close @end @wait-children
	assert_quiet
	database app.db
	assert_database '[.certificates[].verdict] == ["clean", "clean", "clean"]'
	[ "$(rows app.db)" -eq 500 ]
}
