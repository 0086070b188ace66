#!/usr/bin/env bats
# Many databases, databases of one name, and inode numbers that come back: whose file was it?

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

@test "of a process that has twelve databases open at once the end is unknown" {
	python 'dbs = [connect("app%d.db" % i, "create table t(x)") for i in range(12)]
for db in dbs: db.close()' --verdict-exit
	[ "$status" -eq 2 ]
	assert_report '.trust.reasons == ["databases-not-kept"]'
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
