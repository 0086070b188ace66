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
	[ "$output" = "vigil: --db app1022.db: cannot be watched: that is one too many; leave it to a second vigil" ]
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
