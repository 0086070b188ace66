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
	watch --db app.db -- "$DRIVER" -t truth app.db "${SPILL[@]}" @peek app.db @kill9 || true
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])' '.locks == []'
}

@test "a close() that takes the locks away ends no transaction: journal mode MEMORY" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "pragma journal_mode=memory" "${SPILL[@]}" @peek app.db @kill9 || true
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["no-journal"])'
}

@test "a commit after such a close() is one, and the end is clean" {
	mk app.db delete
	for mode in delete memory; do
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
	[ "$status" -eq 64 ]
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
