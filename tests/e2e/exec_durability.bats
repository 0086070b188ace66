#!/usr/bin/env bats
# What the disk has and what it has not: scenarios 52-54, 57 and 58, with real write-back errors and real power cuts.

load lib.bash
load ../faults/loopdisk.bash

setup_file() {
	local why

	need_watch
	if why=$(loopdisk_missing "$BATS_FILE_TMPDIR/probe"); then
		skip_suite "no disk to pull here: $why"
	fi
}

setup() {
	enter_tmp
	DISK=$BATS_TEST_TMPDIR/disk/disk
}

teardown() {
	loopdisk_down "$BATS_TEST_TMPDIR/disk"
}

disk() {
	loopdisk_up "$BATS_TEST_TMPDIR/disk" "$@"
}

# The ledger of a plain file, as the last certificate of its writer has it.
plain_certificate() {
	certificate "$1" truth
}

@test "54 fsync_eio_retry_ok: a sync that succeeds after one that failed proves nothing" {
	disk 24m 64m
	loopdisk_exhaust "$BATS_TEST_TMPDIR/disk" 1024
	watch --db "$DISK/plain" -- "$FILEWRITER" -t truth "$DISK/plain" create write=30000000 fsync fsync fsync
	# The disk must have failed and then lied, or this shows nothing.
	[ "$(jq -s '[.[] | select(.step == "fsync")][0].result < 0' truth)" = true ]
	[ "$(jq -s '[.[] | select(.step == "fsync")][-1].result' truth)" -eq 0 ]
	plain_certificate "$DISK/plain"
	assert_certificate '.tainted == true' '.reasons | has_all(["storage-tainted"])' 'risk("main") == 30000000' \
		'.verdict != "clean"'
	database "$DISK/plain"
	assert_database '[.findings[].code] | has_all(["sync-error"])' \
		'[.findings[] | select(.code == "sync-error")][0].severity == "P1"' \
		'[.io[] | select(.op == "sync" and .file == "main")][0].errors >= 1'
}

@test "54 fsync_eio_retry_ok: an SQLite transaction that hits the failing disk" {
	disk 24m 64m
	mk "$DISK/app.db" wal
	loopdisk_exhaust "$BATS_TEST_TMPDIR/disk" 512
	watch --db "$DISK/app.db" -- "$DRIVER" -t truth "$DISK/app.db" "pragma synchronous=full" \
		"?insert into t(b) values(zeroblob(12000000))" "?insert into t(b) values('x')" @exit 0
	[ "$(jq -s '[.[] | select(.step | startswith("insert"))][0].rc != 0' truth)" = true ]
	certificate "$DISK/app.db" truth
	assert_certificate '.tainted == true' '.reasons | has_all(["storage-tainted"])' 'risk("wal") > 0'
	database "$DISK/app.db"
	assert_database '[.findings[].code] | has_all(["sync-error"])'
}

@test "57 sync_file_range_only: sync_file_range makes nothing durable" {
	disk
	watch --db "$DISK/plain" -- "$FILEWRITER" -t truth "$DISK/plain" create write=100000 sync-range
	plain_certificate "$DISK/plain"
	assert_certificate 'risk("main") == 100000' '.tainted == false'
}

@test "58 o_dsync_writer: O_DSYNC and RWF_DSYNC need no fsync" {
	disk
	watch --db "$DISK/plain" -- "$FILEWRITER" -t truth "$DISK/plain" open-dsync write=100000 close open write-dsync=5000
	plain_certificate "$DISK/plain"
	assert_certificate 'risk("main") == 0' '.tainted == false'
}

@test "a write that syncs itself syncs what it wrote, and nothing that was written before" {
	disk
	watch --db "$DISK/a" --db "$DISK/b" --db "$DISK/c" -- sh -c '
		"$0" -t a.truth "$1/a" create write=70000 write-dsync=5000
		"$0" -t b.truth "$1/b" create write=70000 open-dsync write=5000 write=5000
		"$0" -t c.truth "$1/c" create write=70000 write-dsync=5000 fsync write-dsync=5000' "$FILEWRITER" "$DISK"
	certificate "$DISK/a" a.truth
	assert_certificate 'risk("main") == 70000'
	certificate "$DISK/b" b.truth
	assert_certificate 'risk("main") == 70000'
	certificate "$DISK/c" c.truth
	assert_certificate 'risk("main") == 0'
}

@test "what was written after the last sync is at risk, to the byte" {
	disk
	watch --db "$DISK/a" --db "$DISK/b" --db "$DISK/c" -- sh -c '
		"$0" -t a.truth "$1/a" create write=70000 fsync write=30000
		"$0" -t b.truth "$1/b" create write=70000 syncfs
		"$0" -t c.truth "$1/c" create write=70000 fdatasync write=30000 truncate=5000' "$FILEWRITER" "$DISK"
	certificate "$DISK/a" a.truth
	assert_certificate 'risk("main") == 30000'
	certificate "$DISK/b" b.truth
	assert_certificate 'risk("main") == 0'
	# What a truncation has taken away cannot be lost.
	certificate "$DISK/c" c.truth
	assert_certificate 'risk("main") <= 5000'
}

# Runs the driver's steps, cuts the power where it waits, and lets it leave without a close. $CUT: where the disk went on.
# BEFORE_CUT: a command that is run before.
BEFORE_CUT=(true)
cut_in() {
	watch_begin --db "$DISK/app.db" -- "$DRIVER" -t truth "$DISK/app.db" "$@" @ready ready @wait go @exit 0
	await ready
	"${BEFORE_CUT[@]}"
	loopdisk_cut "$BATS_TEST_TMPDIR/disk"
	touch go
	watch_end
	assert_trusted
	certificate "$DISK/app.db" truth
	CUT=$BATS_TEST_TMPDIR/disk/after/app.db
}

@test "53 wal_normal_powerloss: the commits that were said to be at risk are the commits that are lost" {
	disk
	mk "$DISK/app.db" wal
	sync -f "$DISK"
	cut_in "pragma synchronous=normal" @repeat 7 "insert into t(b) values('x')" @end
	assert_certificate '.commits_at_risk == 7' 'risk("wal") > 0'
	[ "$(rows "$CUT")" -eq 400 ]
	[ "$(sqlite3 "$CUT" "pragma integrity_check")" = ok ]
}

@test "53 wal_full_powerloss: nothing at risk, nothing lost" {
	disk
	mk "$DISK/app.db" wal
	sync -f "$DISK"
	cut_in "pragma synchronous=full" @repeat 7 "insert into t(b) values('x')" @end
	assert_certificate '.commits_at_risk == 0' 'risk("wal") == 0'
	[ "$(rows "$CUT")" -eq 407 ]
	[ "$(sqlite3 "$CUT" "pragma integrity_check")" = ok ]
}

# new_cut_in STEP...: the same on a new disk.
new_cut_in() {
	loopdisk_down "$BATS_TEST_TMPDIR/disk"
	rm -f ready go truth
	disk
	mk "$DISK/app.db" wal
	sync -f "$DISK"
	cut_in "$@"
}

@test "synced commits are at risk when their log has gone and the main file is not synced" {
	local full=("pragma synchronous=full" @repeat 7 "insert into t(b) values('x')" @end) end

	# What becomes of names and lengths does not wait for the data of other files.
	BEFORE_CUT=(sync "$BATS_TEST_TMPDIR/disk/disk")
	for end in @close "pragma wal_checkpoint(truncate)"; do
		new_cut_in "${full[@]}" "pragma synchronous=off" "$end"
		assert_certificate '.commits_at_risk == 7' 'risk("main") > 0'
		[ ! -s "$CUT-wal" ]
		[ "$(rows "$CUT")" -eq 400 ]
	done
	# Commits in a log that begins anew on such a main file cannot be worth more than that; its next sync covers all.
	new_cut_in "${full[@]}" "pragma synchronous=off" "pragma wal_checkpoint(truncate)" "${full[@]}"
	assert_certificate '.commits_at_risk == 14' 'risk("wal") == 0'
	new_cut_in "${full[@]}" "pragma synchronous=off" "pragma wal_checkpoint(truncate)" "${full[@]}" "pragma wal_checkpoint"
	assert_certificate '.commits_at_risk == 0' 'risk("main") == 0'
	[ "$(rows "$CUT")" -eq 414 ]
}

@test "synced commits are at risk in the log of a database that was made without a sync" {
	disk
	cut_in "pragma synchronous=off" "create table t(a integer primary key, b)" "pragma journal_mode=wal" "pragma synchronous=full" \
		@repeat 6 "insert into t(b) values('x')" @end
	assert_certificate '.commits_at_risk >= 7' 'risk("wal") == 0' 'risk("main") > 0'
	[ ! -s "$CUT" ]
}

@test "a write to the log that syncs itself makes no commit durable that was not synced before" {
	disk
	mk "$DISK/app.db" wal
	sync -f "$DISK"
	watch_begin --db "$DISK/app.db" -- sh -c '
		"$0" -t truth "$2" "pragma synchronous=normal" @repeat 6 "insert into t(b) values(1)" @end @ready ready @wait go @exit 0 &
		until [ -e ready ]; do sleep 0.01; done
		"$1" -t synced.truth "$2-wal" open write-dsync=32
		touch synced; wait' "$DRIVER" "$FILEWRITER" "$DISK/app.db"
	await synced
	loopdisk_cut "$BATS_TEST_TMPDIR/disk"
	touch go
	watch_end
	jq -se '.[-1].result == 32' synced.truth
	certificate "$DISK/app.db" truth
	assert_certificate '.commits_at_risk == 6'
	[ "$(rows "$BATS_TEST_TMPDIR/disk/after/app.db")" -eq 400 ]
}

@test "52 delete_full_powerloss: the journal comes back and takes the last commit with it" {
	disk
	mk "$DISK/app.db" delete
	sync -f "$DISK"
	cut_in "pragma synchronous=full" @repeat 3 "insert into t(b) values('x')" @end
	assert_certificate '.commits_at_risk == 1'
	[ -e "$CUT-journal" ]
	[ "$(rows "$CUT")" -eq 402 ]
}

@test "52 delete_extra_powerloss: the directory is synced, too" {
	disk
	mk "$DISK/app.db" delete
	sync -f "$DISK"
	cut_in "pragma synchronous=extra" @repeat 3 "insert into t(b) values('x')" @end
	assert_certificate '.commits_at_risk == 0'
	[ "$(rows "$CUT")" -eq 403 ]
}

@test "a truncated journal that is not synced comes back, a synced one does not" {
	local synchronous

	for synchronous in normal full; do
		loopdisk_down "$BATS_TEST_TMPDIR/disk"
		rm -f ready go truth
		disk
		mk "$DISK/app.db" truncate
		sync -f "$DISK"
		cut_in "pragma journal_mode=truncate" "pragma synchronous=$synchronous" @repeat 3 "insert into t(b) values('x')" @end
		case $synchronous in
		normal)
			assert_certificate '.commits_at_risk == 1'
			[ "$(rows "$CUT")" -eq 402 ]
			;;
		full)
			assert_certificate '.commits_at_risk == 0'
			[ "$(rows "$CUT")" -eq 403 ]
			;;
		esac
	done
}

@test "a sync of the whole file system covers what transactions owe, however they ended" {
	local mode

	disk
	for mode in delete truncate persist memory; do
		rm -f "$DISK"/app.db* ready go truth
		mk "$DISK/app.db" delete
		watch --db "$DISK/app.db" -- sh -c '
			"$0" -t truth "$1" "pragma journal_mode=$2" "pragma synchronous=off" "insert into t(b) values(1)" "insert into t(b) values(2)" \
				@ready ready @wait go "insert into t(b) values(3)" &
			until [ -e ready ]; do sleep 0.01; done
			sync -f "$1"
			touch go; wait' "$DRIVER" "$DISK/app.db" "$mode"
		certificate "$DISK/app.db" truth
		assert_certificate '.commits_at_risk == 1'
	done
}
