# check.bats - `vigil check`: the verdict, and that nothing is touched.
# bats file_tags=asan

load backup.bash

setup() {
	enter_tmp
}

teardown() {
	[ -z "${WRITER:-}" ] || stop "$WRITER"
}

@test "a sound database is ok, in text and as a document" {
	make_db app.db wal 100
	state app.db >before
	run_vigil 0 check app.db
	[ "$(head -c 3 out)" = "ok " ]
	run_vigil 0 check app.db --check full --json
	jq -e --arg p "$PWD/app.db" '.schema == "vigil.check/1" and .path == $p and .result == "ok"
		and .method == "integrity_check" and .on == "snapshot" and .errors == [] and (.ms | type) == "number"' out
	state app.db | cmp - before
	nothing_left
}

@test "a corrupt one is named first, with its pages" {
	make_db app.db delete 300
	dd if=/dev/urandom of=app.db bs=4096 seek=3 count=20 conv=notrunc status=none
	state app.db >before
	run_vigil 2 check app.db
	[ "$(head -c 7 out)" = "CORRUPT" ]
	grep -q "page " out
	awk 'length > 200 { exit 1 }' out
	run_vigil 2 check app.db --json
	jq -e '.result == "corrupt" and (.errors | length) > 0 and (.errors | length) <= 101 and ([.errors[].page] | any)' out
	state app.db | cmp - before
	nothing_left
}

@test "a missing index entry is found by the full check" {
	sqlite3 app.db "create table t(v); create index i on t(v); insert into t values(1),(2),(3);
		pragma writable_schema=1; update sqlite_schema set sql='create index i on t(v) where v<>2' where name='i'" >/dev/null
	sqlite3 app.db "pragma writable_schema=1; delete from t where v=2;
		update sqlite_schema set sql='create index i on t(v)' where name='i'" >/dev/null
	run_vigil 0 check app.db
	run_vigil 2 check app.db --check full
}

@test "what a kill left is judged after recovery and stays as evidence" {
	for mode in wal delete; do
		make_db $mode.db $mode 300
		killed "$DRIVER" -t truth $mode.db "pragma cache_size=5" "begin; update a set v=zeroblob(400)" @kill9
		state $mode.db >before
		run_vigil 0 check $mode.db
		state $mode.db | cmp - before
	done
	nothing_left
}

@test "a database in constant use is checked without disturbing its writer" {
	make_db app.db wal 1000
	writer app.db
	run_vigil 0 check app.db
	stop_writer
}

@test "what cannot be checked is not called corrupt" {
	mkdir dir
	mkfifo fifo
	echo "not a database, only text that is longer than a header of one hundred bytes, which SQLite would need to have there" >text.db
	for file in dir fifo text.db missing.db; do
		run_vigil 69 check $file
		[ ! -s out ]
		[ "$(wc -l <err)" -eq 1 ]
		grep -q $file err
	done
	run_vigil 69 check missing.db --json
	jq -e '.result == "failed" and (.reason | length) > 0' out
	: >empty.db
	run_vigil 0 check empty.db
}

@test "a time limit ends it" {
	make_db app.db delete 20000
	run_vigil 69 check app.db --time-limit 1ms --json
	jq -e '.result == "timeout"' out
	nothing_left
}

@test "an interrupt leaves nothing behind" {
	make_db app.db delete 40000
	for delay in 0.01 0.03 0.06; do
		"$VIGIL" check app.db >out 2>err 3>&- &
		pid=$!
		sleep $delay
		kill -INT $pid 2>/dev/null || true
		status=0
		await_end $pid || status=$?
		[ $status -eq 0 ] || [ $status -eq 130 ] || fail "status $status"
		nothing_left
	done
}

@test "usage mistakes are told" {
	run_vigil 64 check
	run_vigil 64 check a b
	run_vigil 64 check a --check none
	run_vigil 64 backup
	run_vigil 64 backup prune
	run_vigil 64 backup create --db x
	run_vigil 64 backup create --backup-dir x
	run_vigil 64 backup create --db x --backup-dir b --byte-budget 3X
	run_vigil 64 backup restore --backup-dir x --to y
	run_vigil 64 backup restore id --backup-dir x
	run_vigil 64 backup verify --backup-dir x --all id
}
