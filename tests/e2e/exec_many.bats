#!/usr/bin/env bats
# Many databases, more than there is room for, databases of one name, and inode numbers that come back: whose file was it?

load lib.bash

setup_file() {
	need_watch
	python3 -c 'import sqlite3' || skip_suite "no python3 with sqlite3 here"
}

setup() {
	enter_tmp
	cat >begin.py <<-'END'
		import os, sqlite3
		def connect(path, *steps):
		    db = sqlite3.connect(path, isolation_level=None)
		    for step in steps:
		        db.execute(step)
		    return db
		def write(db):
		    db.execute("begin immediate")
		    db.execute("insert into t values(1)")
		def die():
		    os.kill(os.getpid(), 9)
	END
}

teardown() {
	[ -z "${STRAY:-}" ] || kill -9 "$STRAY" 2>/dev/null || true
}

# python PROGRAM: behind what begin.py defines, watched.
python() {
	watch "${@:2}" -- python3 -c "$(cat begin.py)"$'\n'"$1"
}

@test "a journal removed in one directory is not taken for its namesake in another" {
	python 'os.mkdir("a"); os.mkdir("b")
a = connect("a/app.db", "create table t(x)", "insert into t values(1)")
b = connect("b/app.db", "pragma journal_mode=wal", "create table t(x)")
write(b)
die()'
	database b/app.db
	assert_database '.certificates | length == 1' '.certificates[0].reasons == ["write-transaction-open"]'
}

@test "a database whose file has the inode number of a deleted journal is one database" {
	python 'db = connect("app.db", "create table t(x)", "attach \"other.db\" as other", "create table other.u(x)")
for i in range(3):
    db.execute("begin"); db.execute("insert into t values(1)"); db.execute("insert into u values(1)"); db.execute("commit")
db.close()'
	assert_report '[.databases[].certificates | length] == [1, 1]' \
		'[.databases[].certificates[].verdict] | unique == ["clean"]'
}

@test "a WAL that two threads open first at one moment is one file" {
	mk app.db wal
	watch --db app.db -- "$TOGETHER" -n 5000 app.db-wal
	[ "$status" -eq 0 ]
	database app.db
	assert_database '[.io[] | select(.op == "write") | [.file, .count]] == [["wal", 10000]]' '.findings == []'
}

@test "a process that has closed ten databases is told of when it dies in the eleventh" {
	python 'for i in range(10):
    connect("app%d.db" % i, "create table t(x)").close()
db = connect("last.db", "create table t(x)")
write(db)
die()' --verdict-exit
	[ "$status" -eq 2 ]
	database last.db
	assert_database '.certificates[0].verdict == "unclean"' '.certificates[0].reasons[0] == "write-transaction-open"'
	assert_report '.trust.level == "full"'
}

@test "of a process that has twelve databases open at once eight are judged, and the others unknown" {
	python 'dbs = [connect("app%d.db" % i, "create table t(x)") for i in range(12)]
for db in dbs: db.close()' --verdict-exit
	[ "$status" -eq 2 ]
	assert_report '.trust.reasons == ["databases-not-kept"]' \
		'[.databases[] | select(.verdict == "clean" and .doubt == null and (.certificates | length) == 1)] | length == 8' \
		'[.databases[] | select(.verdict == "unknown" and .doubt == "databases-not-kept")] | length == 4'
}

@test "a process that once had too many databases open and dies in a later one is unclean there" {
	python 'dbs = [connect("app%d.db" % i, "create table t(x)") for i in range(12)]
for db in dbs: db.close()
db = connect("last.db", "create table t(x)")
write(db)
die()'
	database last.db
	assert_database '.verdict == "unclean"' '.certificates[0].reasons[0] == "write-transaction-open"'
}

@test "six hundred databases of one command are all judged, live and in a replay" {
	python 'for i in range(600):
    connect("app%d.db" % i, "pragma synchronous=off", "create table t(x)").close()
db = connect("app599.db")
write(db)
die()' --check none --record run.vigil
	assert_report '.trust.level == "full"' '.databases | length == 600'
	database app599.db
	assert_database '.certificates | length == 1' '.certificates[0].verdict == "unclean"'
	"$VIGIL" replay --json run.vigil >replayed.json
	diff <(jq '[.databases[] | {path, verdict, certificates}]' r.json) \
		<(jq '[.databases[] | {path, verdict, certificates}]' replayed.json)
}

@test "where there are more databases than are watched, those that are watched are judged" {
	python 'for i in range(1030):
    connect("app%d.db" % i, "pragma synchronous=off", "create table t(x)").close()
db = connect("app0.db")
write(db)
die()' --check none --verdict-exit
	[ "$status" -eq 2 ]
	assert_report '.verdict == "unclean"' '.trust.reasons == ["databases-not-watched"]' '.databases | length == 1022' \
		'[.databases[].doubt] | all(. == null)'
	database app0.db
	assert_database '.certificates | length == 1' '.certificates[0].reasons[0] == "write-transaction-open"'
}

@test "one --db too many is refused in one line before the command is started" {
	local dbs=()

	for ((i = 0; i < 1023; i++)); do
		dbs+=(--db "app$i.db")
	done
	run timeout 60 "$VIGIL" exec "${dbs[@]}" -- touch started
	[ "$status" -eq 69 ]
	[ "$output" = "vigil: exec: --db app1022.db: cannot be watched: that is one too many; leave it to a second vigil" ]
	[ ! -e started ]
}

@test "a database that is deleted and made again under its name is one database" {
	python 'for i in range(1100):
    connect("app.db", "pragma synchronous=off", "create table t(x)").close()
    os.unlink("app.db")
db = connect("app.db", "create table t(x)")
write(db)
die()'
	assert_report '.trust.level == "full"' '.databases | length == 1'
	database app.db
	assert_database '.certificates | length == 1' '.certificates[0].verdict == "unclean"'
}

@test "a recording that does not fit on its disk is told of" {
	mkdir small
	mount -t tmpfs -o size=4k tmpfs small
	head -c 4096 /dev/zero >small/fill
	watch --record small/run.vigil -- true
	umount small
	[ "$status" -eq 0 ]
	grep -F "the recording small/run.vigil is not complete: No space left on device" vigil.err
}

@test "record tells what is in the file, and nothing of a report that it does not make" {
	sqlite3 app.db "create table t(x)"
	mkdir small
	mount -t tmpfs -o size=8k tmpfs small
	head -c 8192 /dev/zero >small/fill
	for room in 0 4096; do
		truncate -s $((8192 - room)) small/fill
		status=0
		"$VIGIL" record -o small/run.vigil --db app.db --for 50ms 3>&- 2>vigil.err || status=$?
		cat vigil.err
		[ "$status" -eq 69 ]
		[ "$(stat -c %s small/run.vigil)" -eq "$room" ]
		grep "the recording small/run.vigil is not complete: No space left on device$" vigil.err
		if [ "$room" -eq 0 ]; then
			grep "small/run.vigil: nothing could be written (No space left on device); make room and record again$" vigil.err
		else
			grep "small/run.vigil: 4096 bytes, what came later is missing (No space left on device); make room" vigil.err
		fi
	done
	umount small
}

@test "no room for a backup is told, and keeps no command from starting" {
	mkdir small
	mount -t tmpfs -o nr_inodes=1 tmpfs small
	watch --backup-dir small/b -- touch started
	umount small
	[ "$status" -eq 0 ]
	[ -e started ]
	grep -F "exec: --backup-dir small/b: there is no room for a backup now: No space left on device" vigil.err
}

# kept_syncs VIGIL PID: the threads of the process of whose syncs that Vigil keeps an entry in the kernel.
kept_syncs() {
	local ids map

	ids=$(sed -n 's/^map_id:[[:space:]]*//p' /proc/"$1"/fdinfo/* | sort -u | jq -s .)
	map=$(bpftool map list -j | jq --argjson ids "$ids" '.[] | select(.name == "syncs" and (.id | IN($ids[]))).id')
	bpftool map dump id "$map" -j | jq -r --argjson pid "$2" '.[].key | [map(ltrimstr("0x"))[] | explode |
		reduce .[] as $c (0; . * 16 + (if $c > 96 then $c - 87 else $c - 48 end))] |
		select(.[4] + 256 * (.[5] + 256 * .[6]) == $pid) | .[0] + 256 * (.[1] + 256 * .[2])'
}

# syncfs(2) pays the debts of everybody on this file system.
# bats test_tags=alone
@test "whoever syncs takes no room from others: only threads that live and use a database keep an entry" {
	command -v bpftool || skip "no bpftool here"
	watch_begin --db app.db -- python3 -c '
import ctypes, os, sqlite3, threading, time

def touch(name, text=""):
    open(name + "~", "w").write(text)
    os.rename(name + "~", name)

def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.01)

def commit():
    db = sqlite3.connect("app.db", isolation_level=None)
    db.execute("create table t(x)")
    touch("committed", "%d %d\n" % (os.getpid(), threading.get_native_id()))
    wait_for("go")
    os.execvp("sh", ["sh", "-c", "touch replaced; until [ -e end ]; do sleep 0.02; done"])

threading.Thread(target=commit).start()
wait_for("committed")
ctypes.CDLL(None).syncfs(os.open(".", os.O_RDONLY))
touch("synced")
time.sleep(100)'
	await synced
	watcher=$(pgrep -P "$WATCH_PID")
	read -r STRAY tid <committed
	[ "$(kept_syncs "$watcher" "$STRAY")" -eq "$tid" ]
	touch go
	await replaced
	[ -z "$(kept_syncs "$watcher" "$STRAY")" ]
	touch end
	watch_end
	STRAY=
	assert_trusted
}
