#!/usr/bin/env bats
# The same deaths in every journal mode and locking mode: what is held, what is left, what the next open does.

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

# die_in MODE STEP...: a new database of 400 rows, a driver that is in MODE and ends with the steps; its certificate.
die_in() {
	local mode=$1
	shift
	rm -rf app.db* truth r.json backups
	mk app.db delete
	watch --db app.db --backup-dir backups -- "$DRIVER" -t truth app.db "pragma journal_mode=$mode" "$@"
	assert_trusted
	certificate app.db truth
	database app.db
}

@test "TRUNCATE and PERSIST: a death in a half-written database leaves a hot journal" {
	local mode
	for mode in truncate persist; do
		die_in $mode "insert into t(b) values('x')" "${SPILL[@]}" @kill9
		assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])' \
			'.left_behind.hot_journal == true' '.locks | has_all(["reserved", "exclusive"])'
		assert_database ".journal_mode == \"$mode\"" '[.findings[].code] == ["unclean-death"]' '.backup.verified == true'
		[ "$(rows "$(jq -r .backup.path d.json)")" -eq 401 ]
	done
}

@test "TRUNCATE and PERSIST: what is left between transactions is no hot journal" {
	local mode
	for mode in truncate persist; do
		die_in $mode "insert into t(b) values('x')" @kill9
		[ -e app.db-journal ]
		assert_certificate '.verdict == "abrupt"' '.reasons | has_all(["connection-left-open"])' \
			'.reasons | has_none(["hot-journal", "write-transaction-open"])' '.left_behind.hot_journal == false'
		assert_database ".journal_mode == \"$mode\"" '[.findings[].code] == ["abrupt-death"]'
		die_in $mode "insert into t(b) values('x')" "update t set b='y'"
		assert_certificate '.verdict == "clean"' '.reasons == []'
		assert_no_findings
	done
}

@test "MEMORY and OFF: a death in the middle of a write is P0, because nothing can undo it" {
	local mode
	for mode in memory off; do
		die_in $mode "${HALF[@]}" @kill9
		[ ! -e app.db-journal ]
		assert_certificate '.verdict == "unclean"' '.reasons | has_all(["no-journal"])' '.reasons | has_none(["hot-journal"])' \
			'.left_behind.hot_journal == false' '.prediction | test("no committed transaction is lost") | not'
		assert_database '.journal_mode == "memory-or-off"' \
			'[.findings[] | select(.code == "no-journal") | .severity] == ["P0"]' \
			'.backup | .class == "evidence" and .verified == false and .last_good == null'
	done
	# What is half done is no backup, however sound.
	"$VIGIL" backup list --backup-dir backups | grep -q '^EVIDENCE '
	run "$VIGIL" backup restore --backup-dir backups "$(jq -r .id <<<"$(jq .databases[0].backup r.json)")" --to restored.db
	[ "$status" -ne 0 ]
	[[ $output == *"half of a transaction is in it"*"--force"* ]]
	# Later commits undo nothing either.
	rm -rf app.db* truth* r.json
	mk app.db delete
	watch --db app.db -- sh -c '"$0" -t truth app.db "pragma journal_mode=off" "$@" @kill9; "$0" -t truth2 app.db "insert into t(b) values(1)"' \
		"$DRIVER" "${HALF[@]}"
	certificate app.db truth
	assert_certificate '.reasons | has_all(["no-journal"]) and has_none(["recovered"])' '.recovered == false'
}

@test "MEMORY and OFF: any other end is as in the other modes" {
	local mode
	for mode in memory off; do
		die_in $mode "insert into t(b) values('x')"
		assert_certificate '.verdict == "clean"' '.reasons == []'
		assert_database '.integrity.result == "ok"' '[.findings[] | select(.severity != "P3")] == []'
		die_in $mode "insert into t(b) values('x')" @kill9
		assert_certificate '.verdict == "abrupt"' '.reasons | has_none(["no-journal"])'
		assert_database '[.findings[] | select(.severity == "P0" or .severity == "P1")] == []'
	done
}

@test "EXCLUSIVE locking: locks that stay between transactions are no transaction" {
	die_in delete "pragma locking_mode=exclusive" "insert into t(b) values('x')" "insert into t(b) values('y')" @kill9
	assert_certificate '.verdict == "abrupt"' '.reasons | has_none(["write-transaction-open", "hot-journal", "no-journal"])' \
		'.locks | has_all(["exclusive"])' '.left_behind.hot_journal == false'
	die_in delete "pragma locking_mode=exclusive" "insert into t(b) values('x')" "${SPILL[@]}" @kill9
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])' \
		'.left_behind.hot_journal == true'
	[ "$(rows "$(jq -r .backup.path d.json)")" -eq 401 ]
	die_in delete "pragma locking_mode=exclusive" "insert into t(b) values('x')"
	assert_certificate '.verdict == "clean"' '.reasons == []'
}

@test "EXCLUSIVE locking and WAL: there is no -shm, and the WAL tells" {
	die_in delete "pragma locking_mode=exclusive" "pragma journal_mode=wal" "pragma synchronous=full" "insert into t(b) values('x')" @kill9
	[ ! -e app.db-shm ]
	assert_certificate '.verdict == "abrupt"' '.reasons | has_none(["write-transaction-open", "no-journal"])' \
		'.left_behind.wal_bytes > 0'
	assert_database '.journal_mode == "wal"'
}

# A ROLLBACK leaves the frames that were spilled, and makes no call that could be seen: docs/ARCHITECTURE.md, "Where a transaction ends".
@test "EXCLUSIVE locking and WAL: frames without a commit may be of a transaction or rolled back" {
	local steps=("pragma locking_mode=exclusive" "pragma journal_mode=wal" "insert into t(b) values('x')") how name
	dies() {
		mk "$1.db" delete
		printf '%q ' "$DRIVER" -t "$1" "$1.db" "${@:2}" >>deaths
		printf '|| true\n' >>deaths
	}
	for how in first later; do
		[ $how = first ] ||
			steps=("pragma journal_mode=wal" "insert into t(b) values('x')" "pragma locking_mode=exclusive" "insert into t(b) values('y')")
		dies "open-$how" "${steps[@]}" "${SPILL[@]}" @kill9
		dies "back-$how" "${steps[@]}" "${SPILL[@]}" rollback @kill9
		dies "leaves-$how" "${steps[@]}" "${SPILL[@]}" @exit 0
		dies "committed-$how" "${steps[@]}" "${SPILL[@]}" commit @kill9
		dies "next-$how" "${steps[@]}" "${SPILL[@]}" rollback "insert into t(b) values('z')" @kill9
		dies "part-$how" "${steps[@]}" "${SPILL[@]}" "savepoint s" "update t set b=hex(randomblob(60))" "rollback to s" commit @kill9
		dies "checkpointed-$how" "${steps[@]}" "${SPILL[@]}" rollback @checkpoint passive @kill9
		dies "closed-$how" "${steps[@]}" "${SPILL[@]}" rollback @close @kill9
		dies "empty-$how" "${steps[@]}" @checkpoint truncate "${SPILL[@]}" rollback @close @exit 0
	done
	dies normal "${steps[@]}" "${SPILL[@]}" rollback "pragma locking_mode=normal" "select count(*) from t" @kill9
	dies delete "${steps[@]}" "${SPILL[@]}" rollback "pragma journal_mode=delete" "begin immediate" "insert into t(b) values('z')" @kill9
	watch -- bash deaths
	assert_trusted
	for how in first later; do
		for name in open back leaves; do
			echo "$name-$how:"
			certificate $name-$how.db $name-$how
			assert_certificate '.verdict == "unknown"' '.reasons[0] == "rollback-unseen"' '.transaction == "unknown"' \
				'.reasons | has_none(["write-transaction-open", "no-journal"])' '.prediction | test("no committed transaction is lost")'
		done
		for name in committed next part checkpointed; do
			echo "$name-$how:"
			certificate $name-$how.db $name-$how
			assert_certificate '.verdict == "abrupt"' '.reasons | has_all(["connection-left-open"])' '.transaction == "none"' \
				'.reasons | has_none(["rollback-unseen", "write-transaction-open", "checkpoint-interrupted"])'
		done
		for name in closed empty; do
			certificate $name-$how.db $name-$how
			assert_certificate '.verdict == "clean"' '.reasons == []'
		done
	done
	certificate normal.db normal
	assert_certificate '.verdict == "abrupt"' '.transaction == "none"'
	certificate delete.db delete
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open"])'
}

@test "EXCLUSIVE locking: a mode that was left, and a checkpoint that is complete" {
	local db
	for db in back checkpoint; do
		mk $db.db delete
	done
	export DRIVER
	# shellcheck disable=SC2016 # for the shell that is watched
	watch -- bash -c '
		# NORMAL locking again: an unwritten transaction is one
		"$DRIVER" -t back back.db "pragma locking_mode=exclusive" "insert into t(b) values(1)" "insert into t(b) values(2)" \
			"pragma locking_mode=normal" "select count(*) from t" "begin immediate" @kill9
		# a checkpoint that is complete is none that was interrupted
		"$DRIVER" -t checkpoint checkpoint.db "pragma locking_mode=exclusive" "pragma journal_mode=wal" \
			"insert into t(b) values(1)" @checkpoint passive @kill9
		exit 0' 2>/dev/null
	assert_trusted
	certificate back.db back
	assert_certificate '.verdict == "unclean"' '.reasons == ["write-transaction-open"]'
	certificate checkpoint.db checkpoint
	assert_certificate '.verdict == "abrupt"' '.reasons | has_none(["checkpoint-interrupted"])'
}

@test "what a WAL or a journal held before the watch is brought in by no transaction" {
	mk app.db wal
	killed "$DRIVER" -t before app.db "update t set b=hex(randomblob(50))" @kill9
	mk hot.db delete
	killed "$DRIVER" -t before hot.db "${SPILL[@]}" @kill9
	watch_begin -- "$DRIVER" -t truth app.db "select count(*) from t" @fork @exec "$DRIVER" -t rolling hot.db \
		@hold write 3 rolls "select count(*) from t" @end @hold write 3 held @close
	await held
	await rolls
	kill -9 "$(pid_of truth)" "$(pid_of rolling)"
	watch_end
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["checkpoint-interrupted"])' \
		'.reasons | has_none(["no-journal", "write-transaction-open"])' '.prediction | test("recovers 1 committed")'
	certificate hot.db rolling
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["hot-journal"])' '.commits_at_risk == 0' \
		'.reasons | has_none(["no-journal", "write-transaction-open"])' '.prediction | test("rolls back")'
}

# without_locks [OPTION...]: programs that use SQLite without POSIX locks, each for some milliseconds.
without_locks() {
	local vfs
	rm -f unix-none* unix-dotfile* nolock.db* dies leaves closes
	for vfs in unix-none unix-dotfile; do
		mk $vfs.db delete
	done
	export DRIVER
	# shellcheck disable=SC2016 # for the shell that is watched
	watch "$@" -- bash -c '
		for vfs in unix-none unix-dotfile; do
			"$DRIVER" -t $vfs "file:$vfs.db?vfs=$vfs" @open uri "insert into t(b) values(1)" "insert into t(b) values(2)"
		done
		"$DRIVER" -t dies "file:unix-none.db?vfs=unix-none" @open uri "insert into t(b) values(3)" "begin" "pragma cache_size=5" \
			"update t set b=hex(randomblob(50))" @kill9
		"$DRIVER" -t leaves "file:nolock.db?nolock=1" @open uri "create table t(b)" "insert into t(b) values(1)" @exit 0
		"$DRIVER" -t closes "file:nolock.db?nolock=1" @open uri "insert into t(b) values(2)" @close @exit 0
		exit 0' 2>/dev/null
	assert_trusted
	certificate nolock.db closes
	assert_certificate '.verdict == "clean"' '.connection_open == false'
	certificate unix-none.db dies
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])' \
		'.connection_open == true' '.prediction | test("rolls back the hot journal")'
}

@test "SQLite without POSIX locks: a closed database is clean, a transaction is not" {
	local vfs
	without_locks --db unix-none.db --db unix-dotfile.db --db nolock.db
	certificate nolock.db leaves
	assert_certificate '.verdict == "abrupt"' '.reasons == ["connection-left-open"]' .connection_open
	for vfs in unix-none unix-dotfile; do
		certificate $vfs.db $vfs
		assert_certificate '.verdict == "clean"' '.reasons == []' '.commits_at_risk == 1'
	done
}

# The watch begins with the journal, and the main file is open already: Vigil finds it while the program runs, or was too slow for that,
# and says so. What was written to it until then is in no account (README, Limits).
@test "SQLite without POSIX locks and without --db: no database is missed, none is taken for worse than it is" {
	local vfs slow='(.verdict == "unknown" and .reasons == ["descriptors-unknown"])'
	without_locks
	certificate nolock.db leaves
	assert_certificate "$slow or (.verdict == \"abrupt\" and .reasons == [\"connection-left-open\"] and .connection_open)"
	for vfs in unix-none unix-dotfile; do
		certificate $vfs.db $vfs
		assert_certificate "$slow or (.verdict == \"clean\" and .reasons == [])" '.commits_at_risk <= 1'
	done
}

@test "WAL: who dies while another goes on loses its transaction and nobody else's" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t lives app.db "insert into t(b) values('1')" \
		@fork @exec "$DRIVER" -t dies app.db "${SPILL[@]}" @kill9 @end @wait-children "insert into t(b) values('2')"
	assert_trusted
	assert_findings unclean-death
	certificate app.db dies
	assert_certificate '.verdict == "unclean"' '.locks | has_all(["wal-write"])'
	certificate app.db lives
	assert_certificate '.verdict == "clean"' '.reasons == []' '.left_behind.wal_bytes == 0'
	[ "$(rows app.db)" -eq 402 ]
}

@test "a rolled-back transaction leaves nothing to tell" {
	local mode
	for mode in delete truncate persist wal; do
		die_in $mode "${SPILL[@]}" rollback "begin" "savepoint s" "update t set b='x'" "rollback to s" "release s" commit @exit 0
		assert_certificate '.verdict == "abrupt"' '.transaction == "none"' '.reasons | has_none(["write-transaction-open"])' \
			'.left_behind.hot_journal == false'
		assert_no_findings
	done
}

@test "two databases of one transaction die together" {
	mk app.db delete
	mk other.db delete
	watch -- "$DRIVER" -t truth app.db "attach 'other.db' as o" "pragma o.cache_size=5" "${SPILL[@]}" \
		"update o.t set b=hex(randomblob(50))" @kill9
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])'
	certificate other.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])'
	assert_report '[.databases[].findings[].code] == ["unclean-death", "unclean-death"]'
}

@test "64 threads that leave at once are one death" {
	local threads=() i
	for ((i = 0; i < 63; i++)); do
		threads+=(@thread @wait go @exit 5 @end)
	done
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db "begin immediate" "${threads[@]}" @ready go @pause
	[ "$status" -eq 5 ]
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.exit.code == 5' '.exit.sender == null'
	database app.db
	assert_database '.certificates | length == 1' '.findings | length == 1'
}

@test "a transaction that could neither commit nor roll back leaves a hot journal, however its program ends" {
	mk app.db delete
	# It may not grow. What SQLite does with an I/O error in the middle of a transaction is to let go of it.
	watch --db app.db -- bash -c "trap '' XFSZ
		ulimit -f $(($(stat -c %s app.db) / 1024))
		! $(printf '%q ' sqlite3 app.db "${SPILL[0]}" begin "update t set b=b||hex(randomblob(150))" commit)"
	[ "$status" -eq 0 ]
	assert_trusted
	database app.db
	jq '.databases[0].certificates[] | select(.process.comm == "sqlite3")' r.json >c.json
	assert_database '.verdict == "unclean"' '[.findings[].code] | has_all(["unclean-death"])' '.integrity.result == "ok"'
	assert_certificate '.reasons | has_all(["rollback-failed", "hot-journal"]) and has_none(["recovered"])' '.left_behind.hot_journal == true' \
		'.prediction | test("rolls back the hot journal")'

	# One that rolled back well.
	rm -f app.db*
	mk app.db delete
	watch --db app.db -- bash -c "$(printf '%q ' sqlite3 app.db "${SPILL[@]}" rollback)"
	database app.db
	assert_database '.verdict == "clean"' '.findings == []'
}

@test "WAL: commits behind a frame that SQLite wrote broken are lost, and no copy without them is a backup" {
	local lost locking
	for locking in normal exclusive; do # the second has no -shm that would count them
		rm -rf app.db* truth backups next
		watch --db app.db --backup-dir backups -- "$DRIVER" -t truth app.db "pragma locking_mode=$locking" "pragma journal_mode=wal" \
			begin "create table m(v)" "insert into m values(0)" "create table t(a integer primary key, b)" \
			"with recursive n(i) as (select 1 union all select i+1 from n where i<40) insert into t select i, randomblob(200) from n" \
			commit "pragma cache_size=3" begin "update m set v=1" "savepoint a" "update t set b=randomblob(200)" "savepoint b" \
			"update t set b=randomblob(200)" "rollback to b" "delete from t where a%2" "rollback to a" "release a" \
			"update t set b=1 where a=1" commit @kill9
		assert_trusted
		certificate app.db truth
		database app.db
		mkdir next
		cp app.db app.db-wal next
		lost=false
		[ "$(sqlite3 next/app.db "select v from m")" = 1 ] || lost=true
		if $lost; then # SQLite 3.40.1 does
			assert_certificate '.verdict == "unclean"' '.reasons | has_all(["commits-unreadable"])' '.recovered == false' \
				'.prediction | test("commits are lost")'
			assert_database '[.findings[].code] | has_all(["wal-unreadable", "silent-loss-suspected"])' \
				'.backup | .class == "evidence" and .verified == false'
		else
			assert_certificate '.verdict == "abrupt"' '.prediction | test("no committed transaction is lost")'
			assert_database '[.findings[].code] == ["abrupt-death"]' '.backup.verified == true'
		fi
	done
}
