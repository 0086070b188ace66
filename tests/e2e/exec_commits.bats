#!/usr/bin/env bats
# commits_at_risk of rollback journals: never less than the commits that a power cut would undo, and no more for a rollback
# that can be told from a commit. With synchronous=OFF nothing is ever synced, so that all of them are at risk.

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
	commits_with delete off "$@"
}

# commits_with MODE SYNCHRONOUS STEP...
commits_with() {
	local before mode=$1 synchronous=$2
	shift 2
	rm -f app.db* truth
	mk app.db delete
	sqlite3 app.db "drop index tb; create table u(a integer primary key, b text)"
	before=$(counter app.db)
	watch --db app.db -- "$DRIVER" -t truth app.db "pragma journal_mode=$mode" "pragma synchronous=$synchronous" \
		"pragma cache_size=5" "$@"
	assert_trusted
	assert_report '[.databases[].certificates[].verdict] | all(. == "clean" or . == "abrupt")'
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

@test "rollbacks and commits that both write page 1, one behind the other, are told apart" {
	local back=(begin "$SAME_SIZE" "insert into u(b) select b from t limit 200" "$SAME_SIZE" rollback)
	commits "$ONE" "${back[@]}" "$ONE" "${back[@]}" "${back[@]}" "$ONE"
	((REAL == 3 && COUNTED == 3))
	commits_with memory off "$ONE" "${back[@]}" "$ONE"
	((REAL == 2 && COUNTED == 2))
}

@test "a rollback is no commit either behind somebody who has written page 1 without SQLite" {
	mk app.db delete
	sqlite3 app.db "drop index tb; create table u(a integer primary key, b text)"
	watch --db app.db -- sh -c '
		"$0" -t one app.db "pragma synchronous=off" "$1"
		printf "\1\1\1\1" | dd of=app.db bs=1 seek=24 conv=notrunc status=none
		exec "$0" -t two app.db "pragma synchronous=off" "pragma cache_size=5" begin "$2" \
			"insert into u(b) select b from t limit 200" "$2" rollback' "$DRIVER" "$ONE" "$SAME_SIZE"
	assert_trusted
	[ "$(counter app.db)" -eq $((0x01010101)) ]
	certificate app.db two
	jq -e '.commits_at_risk == 1' c.json
}

# Of SQLite's own journal the name is compared by eight characters at a time, in whatever way the path is written.
@test "the end of a journal is seen whatever the length of its name" {
	local name options=() length
	for length in 1 2 7 8 9 15 16 17 100 240; do
		name=$(printf "%0${length}d" 0)
		mk "$name" delete
		options+=(--db "$name")
	done
	mkdir sub
	watch "${options[@]}" -- sh -c 'for name in 0*; do
		"$0" -t "truth-$name" "$PWD/sub/..//./$name" "pragma synchronous=off" "insert into t(b) values(1)" "insert into t(b) values(2)" || exit
	done' "$DRIVER"
	assert_trusted
	[ "$status" -eq 0 ]
	assert_report '.databases | length == 10' '[.databases[].certificates[].commits_at_risk] | all(. == 2)' \
		'[.databases[].certificates[].verdict] | all(. == "clean")'
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

# The end of a journal is the commit. TRUNCATE syncs it with FULL and EXTRA, PERSIST with NORMAL too; DELETE leaves it to the
# directory, which EXTRA syncs. Each commit's first sync makes the end before it durable. (pager.c: pager_end_transaction)
@test "what ends the journal is durable or it is not, in every mode" {
	local mode synchronous expect

	while read -r mode synchronous expect; do
		commits_with "$mode" "$synchronous" "$ONE" "$ONE" "$ONE"
		echo "$mode $synchronous: expected $expect"
		((REAL == 3 && COUNTED == expect))
	done <<-EOF
		delete off 3
		delete full 1
		delete extra 0
		truncate off 3
		truncate normal 1
		truncate full 0
		persist off 3
		persist normal 0
		memory off 3
		memory full 0
	EOF
}

# Its later commits leave the change counter as it is, so that REAL does not count them.
@test "locking_mode EXCLUSIVE keeps its journal and ends it like PERSIST or TRUNCATE" {
	commits_with delete normal "pragma locking_mode=exclusive" "$ONE" "$ONE" @exit 0
	((COUNTED == 0))
	commits_with truncate normal "pragma locking_mode=exclusive" "$ONE" "$ONE" @exit 0
	((COUNTED == 1))
	commits_with delete off "pragma locking_mode=exclusive" "$ONE" "$ONE" @exit 0
	((COUNTED == 2))
}

@test "a journal that is removed later owes its end to the directory" {
	commits_with truncate normal "$ONE" "pragma journal_mode=delete"
	((REAL == 1 && COUNTED == 1))
	commits_with truncate normal "$ONE" "pragma journal_mode=delete" "pragma synchronous=extra" "$ONE"
	((REAL == 2 && COUNTED == 0))
}

@test "another database's sync of the directory makes no main file durable" {
	mk app.db delete
	mk other.db delete
	watch --db app.db --db other.db -- sh -c '"$0" -t truth app.db "pragma synchronous=off" "insert into t(b) values(1)" @ready ready @wait go @exit 0 &
		until [ -e ready ]; do sleep 0.01; done
		"$0" -t other other.db "pragma synchronous=extra" "insert into t(b) values(1)"
		touch go; wait' "$DRIVER"
	assert_trusted
	certificate app.db truth
	assert_certificate '.commits_at_risk == 1'
	certificate other.db other
	assert_certificate '.commits_at_risk == 0'
}

@test "a stranger that makes and removes files of the journal's name elsewhere takes no commit away" {
	command -v python3 || skip "no python3 here"
	mkdir elsewhere
	mk app.db delete
	before=$(counter app.db)
	cat >stranger.py <<-'EOF'
		import os
		while not os.path.exists("stop"):
		    for _ in range(100):
		        fd = os.open("elsewhere/app.db-journal", os.O_CREAT | os.O_RDWR)
		        os.write(fd, b"x")
		        os.close(fd)
		        os.unlink("elsewhere/app.db-journal")
	EOF
	watch --db app.db -- sh -c 'python3 stranger.py & "$0" -t truth app.db "pragma synchronous=off" @repeat 1500 "insert into t(b) values(1)" @end @exit 0
		touch stop; wait' "$DRIVER"
	assert_trusted
	assert_no_findings
	certificate app.db truth
	assert_certificate ".commits_at_risk == $(($(counter app.db) - before))" '.commits_at_risk == 1500'
}

# committed: how many commits were timed.
committed() {
	jq '[.databases[].io[] | select(.op == "commit") | .count] | add // 0' r.json
}

@test "timed are transactions that have committed: neither one that was rolled back nor one that changed nothing" {
	commits begin "$SAME_SIZE" rollback "begin immediate" commit
	[ "$(committed)" -eq 0 ]
	commits "$ONE" begin "$SAME_SIZE" rollback "$ONE"
	[ "$(committed)" -eq 2 ]
	commits_with memory off "$ONE" begin "$SAME_SIZE" rollback
	[ "$(committed)" -eq 1 ]
	commits_with wal full "$ONE" begin "$SAME_SIZE" rollback "begin immediate" commit "$ONE"
	[ "$(committed)" -eq 3 ] # the change of the mode is one
}
