#!/usr/bin/env bats
# Real programs: never unclean, nothing alarmed, until somebody kills them in a transaction.

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

@test "a Python program in every journal mode" {
	python3 -c 'import sqlite3' || skip "no python3 with sqlite3 here"
	cat >program.py <<-'END'
		import sqlite3, threading
		for mode in ("delete", "truncate", "persist", "wal"):
		    db = sqlite3.connect(mode + ".db")
		    db.execute("pragma journal_mode=" + mode)
		    db.execute("create table t(a integer primary key, b text)")
		    with db:
		        db.executemany("insert into t(b) values(?)", (("x" * 50,) for _ in range(500)))
		    try:
		        with db:
		            db.execute("delete from t")
		            raise ValueError
		    except ValueError:
		        pass
		    def reader():
		        other = sqlite3.connect(mode + ".db")
		        other.execute("select count(*) from t").fetchone()
		        other.close()
		    threads = [threading.Thread(target=reader) for _ in range(4)]
		    [t.start() for t in threads]
		    [t.join() for t in threads]
		    db.execute("vacuum")
		    db.close()
	END
	watch -- python3 program.py
	[ "$status" -eq 0 ]
	assert_quiet
	assert_report '[.databases[] | select(.path | test("/(delete|truncate|persist|wal)\\.db$"))] | length == 4' \
		'[.databases[].certificates[].verdict] | unique == ["clean"]'
}

@test "a Python program that leaves its connection to the interpreter" {
	python3 -c 'import sqlite3' || skip "no python3 with sqlite3 here"
	watch -- python3 -c 'import sqlite3; db = sqlite3.connect("app.db"); db.execute("create table t(a)"); db.commit()'
	assert_quiet
}

@test "the sqlite3 shell" {
	watch -- sqlite3 app.db "pragma journal_mode=wal" "create table t(a,b)" \
		"insert into t select value, hex(randomblob(20)) from generate_series(1,5000)" "create index i on t(b)" "delete from t where a%3=0" \
		"pragma wal_checkpoint(truncate)" "vacuum" "pragma integrity_check" ".dump"
	[ "$status" -eq 0 ]
	assert_quiet
	database app.db
	assert_database '.certificates[0].process.comm == "sqlite3"' '.certificates[0].verdict == "clean"' \
		'.certificates[0].process.argv[0] == "sqlite3"' '.certificates[0].process.exe | endswith("/sqlite3")' \
		'.journal_mode == "wal"'
}

@test "the sqlite3 shell that is left by its end of input in a transaction rolls back and is clean" {
	mk app.db delete
	watch --db app.db -- sh -c 'printf "begin immediate;\ninsert into t(b) values(1);\n" | sqlite3 app.db'
	assert_trusted
	assert_no_findings
	database app.db
	assert_database '.certificates[0].verdict == "clean"'
}

@test "fossil: init, open, commit, settings" {
	command -v fossil || skip "no fossil here"
	export HOME=$PWD FOSSIL_HOME=$PWD USER=tester
	watch -- sh -ec 'fossil init repo.fossil; mkdir work; cd work; fossil open ../repo.fossil; echo hello >file; fossil add file
		fossil commit -m first; fossil settings autosync off; echo more >>file; fossil commit -m second; fossil rebuild; fossil close' \
		>out
	[ "$status" -eq 0 ]
	assert_trusted
	assert_no_findings
	assert_report '[.databases[].certificates[] | select(.verdict == "unclean" or .verdict == "unknown")] == []'
	database repo.fossil
	assert_database '.engine == "sqlite"' '.certificates | length > 5' '[.certificates[].verdict] | unique == ["clean"]'
}

@test "kill -9 from a shell inside a transaction" {
	mk app.db wal
	watch --db app.db -- bash -c '
		"$0" -t truth app.db "begin immediate" "insert into t(b) values(1)" @ready ready @pause &
		while [ ! -e ready ]; do sleep 0.01; done
		echo $BASHPID >shell
		kill -9 $!
		wait $!' "$DRIVER"
	[ "$status" -eq 137 ]
	assert_trusted
	assert_findings unclean-death
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.locks | has_all(["wal-write"])' '.transaction == "write"' \
		".exit.sender.pid == $(cat shell)" '.exit.sender.comm == "bash"' '.exit.sender.ancestors[0].comm == "vigil"' \
		'.exit.sender.ancestors | length > 1' '.exit.cause == "process"'
}
