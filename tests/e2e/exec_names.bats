#!/usr/bin/env bats
# One file, several names: a hard link, a mount of the single file, a new name. SQLite calls journal and WAL after the name that
# was opened, so what the next open does depends on the name it uses.

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

teardown() {
	[ -z "${STRAY:-}" ] || kill -9 "$STRAY" 2>/dev/null || true
}

linked() {
	rm -rf app.db* alias.db* elsewhere truth* later ready go
	mk app.db "$1"
	mkdir elsewhere
	ln app.db "${2:-alias.db}"
}

# What stands beside the file by the name that was opened, and by that only.
in_txn() {
	assert_certificate '.verdict == "unclean"' '.prediction | test("an open by another name of the file goes without it$")'
	case $1 in
	delete)
		assert_certificate '.reasons | has_all(["write-transaction-open", "hot-journal"])' \
			'.locks | has_all(["reserved", "exclusive"])' '.left_behind.hot_journal == true' \
			'.prediction | test("rolls back the hot journal")'
		;;
	wal)
		assert_certificate '.reasons | has_all(["write-transaction-open"])' '.locks | has_all(["wal-write"])' \
			'.commits_at_risk >= 1' '.left_behind.wal_bytes > 0' '.prediction | test("recovers 1 committed transaction")'
		;;
	esac
}

@test "a transaction by a hard link has its journal or WAL under that name" {
	local mode option alias

	for mode in delete wal; do
		for option in "--db app.db" ""; do
			for alias in alias.db elsewhere/app.db; do
				linked "$mode" "$alias"
				# shellcheck disable=SC2086 # an option and its argument, or nothing
				watch $option -- bash -c "$(printf '%q ' "$DRIVER" app.db "insert into t(b) values('x')")
					$(printf '%q ' "$DRIVER" -t truth "$alias" "pragma synchronous=normal" "insert into t(b) values('x')" "${SPILL[@]}" @kill9) || [ \$? = 137 ] || exit 1
					$(printf '%q ' "$DRIVER" -t later app.db "select 1 from t")"
				[ "$status" -eq 0 ]
				assert_trusted
				database "$alias"
				assert_database '[.findings[].code] == ["unclean-death"]' '.integrity.result == "ok"'
				certificate "$alias" truth
				in_txn "$mode"
				# Who opened the other name found nothing of it.
				certificate app.db later
				assert_certificate '.verdict == "clean"' '.prediction | test("^unknown.*by another name")'
			done
		done
	done
}

@test "commits by both names, one after the other, are clean" {
	local mode

	for mode in delete truncate wal; do
		linked "$mode"
		watch --db app.db -- sh -c 'for i in 1 2 3; do for db in app.db alias.db; do
			"$0" -t /dev/null $db "pragma journal_mode='$mode'" "insert into t(b) values(1)"; done; done' "$DRIVER"
		assert_quiet
		assert_report '[.databases[].path | split("/")[-1]] == ["app.db", "alias.db"]' \
			'[.databases[].certificates | length] == [3, 3]' "[.databases[].journal_mode] == [\"$mode\", \"$mode\"]"
	done
}

@test "each name has its own locks on its own WAL, also at the same time" {
	linked wal
	watch --db app.db -- sh -c '
		"$0" -t one app.db "begin immediate" "insert into t(b) values(1)" @ready ready @wait go @kill9 &
		until [ -e ready ]; do sleep 0.01; done
		"$0" -t two alias.db "begin immediate" "insert into t(b) values(2)" @kill9
		touch go; wait' "$DRIVER"
	assert_trusted
	certificate app.db one
	assert_certificate '.verdict == "unclean"' '.locks | has_all(["wal-write"])'
	certificate alias.db two
	assert_certificate '.verdict == "unclean"' '.locks | has_all(["wal-write"])'
}

@test "a file that is mounted alone has its companions beside the mount" {
	unshare --mount true 2>/dev/null || skip "no mount namespace can be made here"
	for option in "--db app.db" ""; do
		linked delete
		touch elsewhere/data
		# shellcheck disable=SC2086
		watch $option -- unshare --mount --propagation private bash -c 'mount --bind app.db elsewhere/data
			"$@" || [ $? = 137 ]' bash "$DRIVER" -t truth elsewhere/data "${SPILL[@]}" @kill9
		[ "$status" -eq 0 ]
		assert_trusted
		[ -e elsewhere/data-journal ]
		jq '[.databases[] | select(.path | endswith("elsewhere/data")) | .certificates[]][0]' r.json >c.json
		assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])' \
			'.locks | has_all(["exclusive"])'
	done
}

@test "a new name after a rename" {
	linked delete
	rm alias.db
	watch --db app.db -- sh -c '"$0" -t one app.db "insert into t(b) values(1)"; mv app.db new.db
		"$0" -t truth new.db "pragma cache_size=5" begin "update t set b=hex(randomblob(50))" @kill9' "$DRIVER"
	[ "$status" -eq 137 ]
	assert_trusted
	certificate new.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])'
}

@test "a stranger's rename of a file of that name elsewhere moves nothing" {
	linked wal
	echo >elsewhere/app.db
	watch --db app.db -- sh -c '
		"$0" -t one app.db "insert into t(b) values(1)" @ready ready @wait go &
		until [ -e ready ]; do sleep 0.01; done
		"$0" -t two alias.db "insert into t(b) values(2)"
		mv elsewhere/app.db elsewhere/other.db
		touch go; wait' "$DRIVER"
	assert_report '[.databases[].findings[]] == []' '[.databases[].certificates[].verdict] | all(. == "clean")'
}

@test "readers that copy make no database of each link" {
	linked wal
	for i in 1 2 3 4 5; do ln app.db "elsewhere/$i"; done
	watch --db app.db -- sh -c '"$0" -t truth app.db "insert into t(b) values(1)"; cat elsewhere/* >/dev/null; tar cf x.tar elsewhere' "$DRIVER"
	assert_quiet
	assert_report '.databases | length == 1'
}

@test "attach: who had opened another name before is judged by that name" {
	local mode

	for mode in delete wal; do
		linked "$mode"
		"$DRIVER" -t truth alias.db "insert into t(b) values('x')" "${SPILL[@]}" @ready ready @wait go @kill9 3>&- &
		STRAY=$!
		await ready
		rm -f vigil.err
		timeout --foreground -k 5 60 "$VIGIL" attach --db app.db --out r.json 2>vigil.err 3>&- &
		WATCH_PID=$!
		until grep -q watching vigil.err 2>/dev/null; do
			kill -0 "$WATCH_PID"
			sleep 0.01
		done
		touch go
		wait "$STRAY" || true
		STRAY=
		kill -INT "$WATCH_PID"
		watch_end
		certificate alias.db truth
		assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open"])' \
			'.trust.reasons | has_all(["seen-late"])'
	done
}

@test "a link to a database that does not exist yet" {
	local option

	for option in "--db link.db" ""; do
		rm -rf real link.db truth
		mkdir real
		ln -s real/app.db link.db
		# shellcheck disable=SC2086 # an option and its argument, or nothing
		watch $option -- "$DRIVER" -t truth link.db "pragma journal_mode=wal" "create table t(a integer primary key, b)" \
			"begin immediate" "insert into t(b) values('x')" @kill9
		assert_trusted
		assert_report '.databases | length == 1 and (.[0].path | endswith("/real/app.db"))'
		certificate real/app.db truth
		assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open"])'
	done
}

# What nobody has open the kernel drops from memory, and reads it to another place when somebody comes.
@test "a database whose inodes were dropped from memory meanwhile is the same" {
	mk app.db delete
	watch --db app.db -- bash -c "$(printf '%q ' "$DRIVER" -t first app.db "insert into t(b) values('x')")
		sync app.db
		echo 3 >/proc/sys/vm/drop_caches
		$(printf '%q ' "$DRIVER" -t truth app.db "insert into t(b) values('x')" @kill9) || [ \$? = 137 ]"
	[ "$status" -eq 0 ]
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "abrupt"' '.reasons == ["connection-left-open"]'
	certificate app.db first
	assert_certificate '.verdict == "clean"'
}

# SQLite removes the -shm with its last user, and the next one that is made gets its inode: address and number.
@test "who closes one database and dies in another has no locks on the first" {
	local option

	for option in "" "--db a.db --db b.db" "--db a.db"; do
		rm -f a.db* b.db* truth
		mk a.db wal
		mk b.db wal
		# shellcheck disable=SC2086 # options and their arguments, or nothing
		watch $option -- "$DRIVER" -t truth :memory: "attach 'a.db' as a" "insert into a.t(b) values('x')" "detach a" \
			"attach 'b.db' as b" "begin immediate" "insert into b.t(b) values('x')" @kill9
		assert_trusted
		database a.db
		assert_database '.verdict == "clean"' '.findings == []' 'all(.certificates[]; .locks == [] and .connection_open == false)'
	done
}
