#!/usr/bin/env bats
# bats file_tags=slow
# A file of a database is removed, emptied, renamed or replaced by somebody who does not hold the locks under which SQLite does
# that, or SQLite removes it and an inherited connection goes on. No check can see it: what is gone leaves no trace.

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

# wal, spilled: the first steps of a user.
WAL=("pragma journal_mode=wal" "insert into t(b) values('kept')")
INSERT="insert into t(b) values('x')"

# while_used ACT STEP... [-- STEP...]: a driver does the steps; ACT happens where `--` stands; then it does the rest.
while_used() {
	local act=$1 before=()
	shift
	while (($#)) && [ "$1" != -- ]; do
		before+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	watch -- bash -c "$(printf '%q ' "$DRIVER" -t truth app.db "${before[@]}" @ready ready @wait go "$@") &
		until [ -e ready ]; do sleep 0.01; done
		$act
		touch go
		wait \$! || true"
	assert_trusted
	certificate app.db truth
	database app.db
}

# after_death ACT STEP...: the steps end with a death; then ACT happens.
after_death() {
	local act=$1
	shift
	watch -- bash -c "$(printf '%q ' "$DRIVER" -t truth app.db "$@") || true
		$act"
	assert_trusted
	certificate app.db truth
	database app.db
}

# taken CODE COMM REASON: it is P0 and names who did it, whose data it was is unclean, and a green check proves nothing.
taken() {
	assert_database '.verdict == "unclean"' \
		"[.findings[] | select(.code == \"$1\")] | length == 1 and .[0].severity == \"P0\" and .[0].process.comm == \"$2\""
	assert_certificate '.verdict == "unclean"' ".reasons | has_all([\"$3\"])" '.recovered == false' \
		'.prediction | test("no committed transaction is lost|nothing to recover") | not'
	assert_database 'if .integrity.result == "ok" then [.findings[].code] | has_all(["silent-loss-suspected"]) else true end'
}

# --- WAL --------------------------------------------------------------------------------------------------------------

@test "a WAL that is removed under a connection" {
	mk app.db wal
	while_used "rm app.db-wal" "${WAL[@]}" -- @kill9
	taken wal-removed rm wal-taken
}

@test "a WAL that is emptied under a connection, by truncation at its open" {
	mk app.db wal
	while_used ": >app.db-wal" "${WAL[@]}" -- "$INSERT" @kill9
	taken wal-removed bash wal-taken
}

@test "a WAL that is emptied under a connection, by ftruncate" {
	mk app.db wal
	while_used "truncate -s 0 app.db-wal" "${WAL[@]}" -- @kill9
	taken wal-removed truncate wal-taken
}

@test "a WAL that is moved away under a connection which then closes" {
	mk app.db wal
	while_used "mv app.db-wal elsewhere" "${WAL[@]}" -- "$INSERT"
	taken wal-removed mv wal-taken
}

@test "a WAL that its owner left behind, with commits in it" {
	mk app.db wal
	after_death "rm app.db-wal" "${WAL[@]}" @kill9
	taken wal-removed rm wal-taken
}

@test "an inherited connection goes on when the others have closed" {
	mk app.db wal
	watch -- "$DRIVER" -t truth app.db "${WAL[@]}" @fork @wait closed "$INSERT" "$INSERT" @exit 0 @end \
		@close @ready closed @wait-children
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "clean"'
	certificate app.db truth 1
	database app.db
	taken used-across-fork driver commits-unreachable
}

@test "a WAL that was moved away and back, and is removed in use later" {
	mk app.db wal
	watch -- bash -c "$(printf '%q ' "$DRIVER" -t first app.db "$INSERT" @kill9) || [ \$? = 137 ] || exit 1
		mv app.db-wal elsewhere && mv elsewhere app.db-wal
		$(printf '%q ' "$DRIVER" -t truth app.db "$INSERT" @ready ready @wait go @kill9) &
		until [ -e ready ]; do sleep 0.01; done
		rm app.db-wal
		touch go
		wait \$! || [ \$? = 137 ]"
	[ "$status" -eq 0 ]
	assert_trusted
	certificate app.db truth
	database app.db
	assert_database '[.findings[] | select(.code == "wal-removed" and .process.comm == "rm")] | length == 1'
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["wal-taken"])'
}

# --- journal ----------------------------------------------------------------------------------------------------------

@test "the journal of an open transaction is removed, emptied or moved, and its owner dies" {
	local act

	for act in "rm app.db-journal" ": >app.db-journal" "truncate -s 0 app.db-journal" "mv app.db-journal elsewhere"; do
		rm -f app.db* ready go truth elsewhere
		mk app.db delete
		while_used "$act" "${SPILL[@]}" -- @kill9
		case $act in
		:*) taken journal-removed bash journal-taken ;;
		*) taken journal-removed "${act%% *}" journal-taken ;;
		esac
		assert_database '[.findings[].code] | has_none(["abrupt-death"])'
	done
}

@test "the hot journal of a dead process is removed, emptied or moved: that is no recovery" {
	local act

	for act in "rm app.db-journal" ": >app.db-journal" "truncate -s 0 app.db-journal" "mv app.db-journal elsewhere"; do
		rm -f app.db* truth elsewhere
		mk app.db delete
		after_death "$act" "${SPILL[@]}" @kill9
		case $act in
		:*) taken journal-removed bash journal-taken ;;
		*) taken journal-removed "${act%% *}" journal-taken ;;
		esac
		assert_certificate '.reasons | has_none(["recovered"])'
	done
}

@test "two files change places, whichever is named first" {
	local exchange names

	command -v python3 >/dev/null || skip "no python3 here"
	exchange='import ctypes, sys; sys.exit(ctypes.CDLL(None).renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2) != 0)'
	for names in "app.db other.db" "other.db app.db"; do
		rm -f app.db* other.db* ready go truth
		mk other.db wal
		mk app.db wal
		while_used "python3 -c '$exchange' $names" "$INSERT" -- "$INSERT" @kill9
		taken database-moved-in-use python3 database-taken
	done
}

@test "a transaction whose journal was removed and that ended all the same harmed nobody" {
	mk app.db delete
	while_used "rm app.db-journal" "${SPILL[@]}" -- commit
	assert_certificate '.verdict == "clean"'
	assert_no_findings
	[ "$(sqlite3 app.db 'pragma integrity_check')" = ok ]
}

# --- main file --------------------------------------------------------------------------------------------------------

@test "the main file is emptied under an idle connection" {
	local mode act

	for mode in delete wal; do
		for act in ": >app.db" "truncate -s 0 app.db"; do
			rm -f app.db* ready go truth
			mk app.db "$mode"
			while_used "$act" "$INSERT" -- @exit 0
			assert_database '[.findings[].code] | has_all(["database-emptied"])'
			assert_certificate '.verdict == "unclean"' '.reasons | has_all(["database-taken"])'
		done
	done
}

@test "the main file is removed, renamed or replaced under a connection" {
	local mode act

	for mode in delete wal; do
		for act in "rm app.db" "mv app.db moved.db" "mv other.db app.db"; do
			rm -f app.db* other.db ready go truth
			mk app.db "$mode"
			mk other.db delete
			while_used "$act" "$INSERT" -- @exit 0
			taken database-moved-in-use "${act%% *}" database-taken
		done
	done
}

@test "a database is moved without the journal that has to undo a transaction" {
	mk app.db delete
	after_death "mv app.db moved.db" "${SPILL[@]}" @kill9
	taken database-moved-in-use mv database-taken
}

@test "a file of the same name that is moved somewhere else is not the one that was moved before" {
	mk app.db wal
	mkdir other
	cp app.db other/app.db
	while_used "mv app.db away.db; mv other/app.db other/new.db; mv away.db app.db" "${WAL[@]}" -- "$INSERT" @kill9
	database app.db
	assert_database '[.findings[] | select(.code == "database-moved-in-use")] | length == 1'
}

# --- what must stay quiet ---------------------------------------------------------------------------------------------

# quiet STEP...: all of it by the driver, and nothing is said.
quiet() {
	watch -- "$DRIVER" -t truth app.db "$@"
	assert_quiet
}

@test "SQLite's own ends of journals are no takings" {
	local mode

	for mode in delete truncate persist; do
		rm -f app.db* truth
		mk app.db "$mode"
		quiet "pragma journal_mode=$mode" "$INSERT" "${SPILL[@]}" commit "${SPILL[@]}" rollback "$INSERT"
	done
}

@test "SQLite's own ends of a WAL are no takings" {
	mk app.db wal
	quiet "pragma journal_size_limit=0" "$INSERT" "@checkpoint" "truncate" "$INSERT" "pragma journal_mode=delete" "$INSERT" \
		"pragma journal_mode=wal" "$INSERT" vacuum "$INSERT" @close "$INSERT"
}

@test "a journal of journal_mode PERSIST that is cold may go" {
	mk app.db delete
	watch -- bash -c "$(printf '%q ' "$DRIVER" app.db "pragma journal_mode=persist" "$INSERT")
		rm app.db-journal
		$(printf '%q ' "$DRIVER" app.db "$INSERT")"
	assert_quiet
}

@test "a recovery by the next opener is no taking" {
	mk app.db delete
	after_death "sqlite3 app.db 'select count(*) from t'" "${SPILL[@]}" @kill9
	assert_findings unclean-death
	assert_certificate '.recovered == true'
}

@test "a whole database that nobody has open may be removed, in any order, and made again" {
	local order

	for order in "rm app.db app.db-wal app.db-shm" "rm app.db-wal app.db-shm app.db" "rm app.db-shm app.db app.db-wal"; do
		rm -f app.db* truth
		mk app.db wal
		after_death "$order; sqlite3 app.db 'create table t(a)'; rm -f app.db*" "$INSERT" @kill9
		assert_findings abrupt-death
	done
}

@test "a closed database may be emptied, replaced, moved and copied over" {
	mk app.db delete
	mk other.db delete
	watch -- bash -c "$(printf '%q ' "$DRIVER" app.db "$INSERT")
		cp other.db new.db && mv new.db app.db
		$(printf '%q ' "$DRIVER" app.db "$INSERT")
		mv app.db aside.db && mv aside.db app.db
		$(printf '%q ' "$DRIVER" app.db "$INSERT")
		: >app.db
		sqlite3 app.db 'create table t(a integer primary key, b)'"
	assert_report '[.databases[].findings[] | select(.severity == "P0" or .severity == "P1")] == []'
}

@test "a closed database may be moved with what its last user left beside it" {
	mk app.db wal
	after_death "mv app.db b.db; mv app.db-wal b.db-wal; rm app.db-shm; sqlite3 b.db \"$INSERT\"" "$INSERT" @kill9
	assert_findings abrupt-death
}

@test "a program may remove its own database, even with the connection open" {
	python3 -c 'import sqlite3' || skip "no python3 with sqlite3 here"
	watch -- python3 -c '
import os, shutil, sqlite3, tempfile
for mode in "wal", "delete":
    d = tempfile.mkdtemp(dir=".")
    c = sqlite3.connect(d + "/app.db", isolation_level=None)
    c.execute("pragma journal_mode=" + mode)
    c.execute("create table t(a)")
    shutil.rmtree(d)
    c.close()
'
	assert_report '[.databases[].findings[]] == []'
}
