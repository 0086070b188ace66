#!/usr/bin/env bats
# What programs that know nothing of SQLite do to a database, and what is theirs: copies into place, a stray close().

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

@test "a database that is copied into place alarms nobody" {
	mk template.db delete
	watch --db app.db -- sh -c "cp template.db app.db; '$DRIVER' -t truth app.db 'insert into t(b) values(1)'"
	database app.db
	assert_json d.json 'all(.certificates[]; .verdict == "clean")' '.findings == []' '(.certificates | length) == 2'
	watch --db tar.db -- sh -c 'cp template.db tar.db; tar cf x.tar tar.db; rm tar.db; tar xf x.tar; cat template.db >tar.db'
	database tar.db
	assert_json d.json '.findings == []' 'all(.certificates[]; .verdict == "clean")'
}

@test "a copy that a signal cuts short is unknown" {
	watch --db app.db -- sh -c 'sh -c "exec dd if=/dev/zero of=app.db bs=4k count=1 2>/dev/null; :" && {
		yes | dd of=app.db bs=1k conv=notrunc 2>/dev/null & }
		while [ "$(stat -c %s app.db)" -lt 100000 ]; do sleep 0.01; done
		kill -9 $!; wait'
	jq '[.databases[].certificates[] | select(.process.comm == "dd" and .exit.signal == "SIGKILL")][0]' r.json >c.json
	assert_certificate '.verdict == "unknown"' '.reasons[0] == "written-without-locks"'
}

@test "a close() that takes the locks away ends no transaction: journal mode DELETE" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "${SPILL[@]}" @peek app.db @kill9
	[ "$status" -eq 137 ]
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])' '.locks == []'
}

@test "a close() that takes the locks away ends no transaction: journal mode MEMORY" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "pragma journal_mode=memory" "${SPILL[@]}" @peek app.db @kill9
	[ "$status" -eq 137 ]
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["no-journal"])'
}

@test "a close() that takes the locks away ends no transaction: WAL" {
	local name
	dies() {
		mk "$1.db" wal
		printf '%q ' "$DRIVER" -t "$1" "$1.db" "${@:2}" >>deaths
		printf '|| true\n' >>deaths
	}
	dies cold "begin immediate" "insert into t(b) values('x')" @peek cold.db-shm @kill9
	dies spilled "${SPILL[@]}" @peek spilled.db-shm @kill9
	dies closed "begin immediate" "insert into t(b) values('x')" @close-fds 3 @exit 0
	dies over "begin immediate" "insert into t(b) values('x')" @peek over.db-shm commit @kill9
	dies back "${SPILL[@]}" @peek back.db-shm rollback @kill9
	dies idle "select count(*) from t" @peek idle.db-shm @kill9
	watch -- bash deaths
	assert_trusted
	for name in cold spilled closed; do
		certificate $name.db $name
		assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open"])' '.locks | has_none(["wal-write"])'
	done
	for name in over back idle; do
		certificate $name.db $name
		assert_certificate '.verdict == "abrupt"' '.reasons | has_none(["write-transaction-open", "checkpoint-interrupted"])'
	done
}

@test "a commit after such a close() is one, and the end is clean" {
	mk app.db delete
	for mode in delete memory wal; do
		rm -f truth
		watch --db app.db -- "$DRIVER" -t truth app.db "pragma journal_mode=$mode" "${SPILL[@]}" @peek app.db commit @close
		certificate app.db truth
		assert_certificate '.verdict == "clean"' '.transaction == "none"'
	done
}

@test "a report replaces no file that is none" {
	mk app.db delete
	before=$(sha256sum <app.db)
	status=0
	"$VIGIL" exec --db app.db --out app.db -- true 2>err || status=$?
	[ "$status" -eq 69 ]
	grep -q 'app.db: it exists and is no report of Vigil' err
	[ "$(sha256sum <app.db)" = "$before" ]
	"$VIGIL" exec --db app.db --out late.db -- "$DRIVER" -t truth late.db "create table t(a)" 2>err || true
	[ "$(sqlite3 late.db 'select count(*) from sqlite_schema')" = 1 ]
	grep -q 'here it is' err
	"$VIGIL" exec --db app.db --out r.json -- true
	"$VIGIL" exec --db app.db --out r.json -- true
}

@test "many connections at once that end clean are clean" {
	mk app.db delete
	watch --db app.db -- sh -c "for i in \$(seq 120); do
		'$DRIVER' -t t\$i app.db 'pragma busy_timeout=60000' @wait go 'select count(*) from t' & done; touch go; wait"
	database app.db
	assert_json d.json 'all(.certificates[]; .verdict == "clean" and (.reasons | has_none(["locks-unknown"])))'
}

# over_live STEP: somebody has a WAL database open, with commits in its WAL, while STEP writes its main file.
over_live() {
	mk app.db wal
	watch --db app.db -- bash -c "$(printf '%q ' "$DRIVER" -t truth app.db "insert into t(b) values('kept')" @ready ready @wait go @exit 0) &
		until [ -e ready ]; do sleep 0.01; done
		$1
		touch go; wait"
	assert_trusted
}

# of COMM: the certificate of that program on app.db, into c.json.
of() {
	jq --arg comm "$1" '[.databases[].certificates[] | select(.process.comm == $comm)] | if length == 1 then .[0] else null end' r.json >c.json
}

# It never had a lock, so it had no checkpoint and no transaction, whoever has one.
no_transaction() {
	assert_certificate '.transaction == "none"' '.locks == []' \
		'.reasons | has_none(["checkpoint-interrupted", "write-transaction-open", "no-journal"])' \
		'.prediction | test("no committed transaction is lost|nothing to recover") | not'
}

@test "a copy over a live database has no transaction of its own" {
	mk new.db delete
	over_live "cp new.db app.db"
	of cp
	no_transaction
	assert_certificate '.verdict == "clean"'
	database app.db
	assert_database '.verdict == "unclean"' '[.findings[].code] | has_all(["database-emptied"])'
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["database-taken"])'
}

@test "nor has one that is killed in the middle" {
	mkfifo source
	over_live 'cp --copy-contents source app.db & exec 3>source
		head -c 100000 new.db /dev/zero >&3
		until [ "$(stat -c %s app.db)" -gt 0 ]; do sleep 0.01; done
		kill -9 $!'
	of cp
	no_transaction
	assert_certificate '.verdict == "unknown"' '.reasons[0] == "written-without-locks"' '.exit.signal == "SIGKILL"'
}

@test "nor has a program that had the database open and closed it before" {
	command -v python3 || skip "no python3 here"
	cat >late.py <<-'EOF'
		import os, sqlite3, sys
		c = sqlite3.connect("app.db")
		c.execute("insert into t(b) values(1)")
		c.commit()
		c.close()
		with open("app.db", "r+b") as f:
		    f.write(bytes(8192))
		sys.argv[1:] and os.kill(os.getpid(), 9)
	EOF
	over_live "python3 late.py"
	of python3
	no_transaction
	assert_certificate '.verdict == "clean"'
	rm -f app.db* ready go truth
	over_live "python3 late.py kill"
	of python3
	no_transaction
	assert_certificate '.verdict == "unknown"' '.reasons[0] == "written-without-locks"'
}
