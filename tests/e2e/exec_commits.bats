#!/usr/bin/env bats
# commits_at_risk of rollback journals: never less than the commits that a power cut would undo, and no more for a rollback
# that can be told from a commit. With synchronous=OFF no directory is ever synced, so that all of them are at risk.

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

# The change counter of the file: one more after each commit that wrote, and after nothing else.
# (https://sqlite.org/fileformat2.html, 1.3.7)
counter() {
	od -An -tu4 --endian=big -j24 -N4 "$1" | tr -d ' '
}

# commits STEP...: a driver with a small cache on a database without index; COUNTED commits at risk of REAL.
commits() {
	local before
	rm -f app.db* truth
	mk app.db delete
	sqlite3 app.db "drop index tb; create table u(a integer primary key, b text)"
	before=$(counter app.db)
	watch --db app.db -- "$DRIVER" -t truth app.db "pragma synchronous=off" "pragma cache_size=5" "$@"
	assert_quiet
	certificate app.db truth
	REAL=$(($(counter app.db) - before))
	COUNTED=$(jq .commits_at_risk c.json)
	echo "$COUNTED at risk, $REAL made by: $*"
}

SAME_SIZE="update t set b=hex(randomblob(50))"
GROWING="insert into u(b) select b from t"
ONE="insert into u(b) values('x')"

@test "a rollback that had spilled into the file is no commit" {
	commits begin "$SAME_SIZE" rollback
	((REAL == 0 && COUNTED == 0))
	commits begin "$GROWING" rollback
	((REAL == 0 && COUNTED == 0))
	commits begin "$SAME_SIZE" rollback begin "$GROWING" rollback begin "$SAME_SIZE" commit begin "$SAME_SIZE" rollback
	((REAL == 1 && COUNTED == 1))
}

@test "a rollback that restores page 1 in the middle of others is no commit" {
	# Page 1 is journaled when the first page is taken from the list of free pages that the index has left.
	commits begin "$SAME_SIZE" "insert into u(b) select b from t limit 200" "$SAME_SIZE" rollback
	((REAL == 0 && COUNTED == 0))
}

@test "every commit counts, however it was written" {
	commits "$ONE" "$ONE"
	((REAL == 2 && COUNTED == 2))
	commits begin "$SAME_SIZE" commit begin "$GROWING" "$SAME_SIZE" commit
	((REAL == 2 && COUNTED == 2))
	commits begin "$SAME_SIZE" "savepoint s" "$GROWING" "$SAME_SIZE" "rollback to s" "$ONE" commit "$ONE"
	((REAL == 2 && COUNTED == 2))
	commits "$GROWING" "delete from u" vacuum "$ONE"
	((REAL == 4 && COUNTED == 4))
	commits "pragma auto_vacuum=full" vacuum "$GROWING" "delete from u"
	((REAL >= 3 && COUNTED == REAL))
}

@test "a commit that makes a mapped file longer first is a commit" {
	commits "pragma mmap_size=100000000" "pragma cache_size=2000" "$GROWING" "$GROWING"
	((REAL == 2 && COUNTED == 2))
}
