#!/usr/bin/env bats
# bats file_tags=asan
# Commands and databases that nobody should give to Vigil, and somebody will: a clear statement, bounded time, nothing changed.

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

teardown() {
	[ -z "${OPEN_DIR:-}" ] || rm -r "$OPEN_DIR"
}

# try OPTION... -- CMD: as watch, where there may be no report. Fails if Vigil itself crashed or hung.
try() {
	status=0
	timeout -k 5 60 "$VIGIL" exec --out r.json "$@" >out 2>err 3>&- || status=$?
	cat err
	[ "$status" -ne 124 ] && [ "$status" -ne 139 ] && [ "$status" -ne 134 ] && [ "$status" -ne 70 ]
}

# A refusal: one line that names the object, nothing run, nothing written.
refused() {
	[ "$(grep -c . err)" -eq 1 ]
	grep -qF "$1" err
	[ ! -e ran ]
	[ ! -e r.json ]
}

@test "no command, an unknown option, an unknown --wait: usage, status 64" {
	try
	[ "$status" -eq 64 ]
	try --no-such-option -- touch ran
	[ "$status" -eq 64 ]
	[ ! -e ran ]
	try --backup-dri=b -- touch ran
	[ "$status" -eq 64 ]
	grep -qF "unknown option --backup-dri=b; did you mean --backup-dir?" err
	[ ! -e ran ]
	try --jsno -- touch ran
	[ "$status" -eq 64 ]
	grep -qF "unknown option --jsno; did you mean --json?" err
	try -x -- touch ran
	[ "$status" -eq 64 ]
	grep -qF "unknown option -x; see" err
	try --wait sometimes -- touch ran
	[ "$status" -eq 64 ]
	[ ! -e ran ]
}

@test "CMD does not exist, or is no program" {
	try -- ./no-such-command
	[ "$status" -eq 127 ]
	grep -q no-such-command err
	touch data
	try -- ./data
	[ "$status" -eq 126 ]
	grep -q data err
}

@test "--db on a directory" {
	mkdir dir
	try --db dir -- touch ran
	[ "$status" -ne 0 ]
	refused dir
}

@test "--db on a FIFO" {
	mkfifo fifo
	try --db fifo -- touch ran
	[ "$status" -ne 0 ]
	refused fifo
}

@test "--db in a directory that does not exist" {
	try --db nowhere/app.db -- touch ran
	[ "$status" -ne 0 ]
	refused nowhere
}

@test "--out in a directory that does not exist is told before CMD runs" {
	status=0
	"$VIGIL" exec --out nowhere/r.json -- touch ran 2>err 3>&- || status=$?
	[ "$status" -ne 0 ]
	refused nowhere
}

@test "--out in a directory that is gone by then: the report is printed, and the status is the command's" {
	mkdir gone
	status=0
	"$VIGIL" exec --out gone/r.json -- sh -c 'rm -r gone; exit 3' 2>err 3>&- || status=$?
	[ "$status" -eq 3 ]
	grep -q 'cannot write the report to gone/r.json' err
	grep -q 'No SQLite database was used' err
}

@test "--db of 0 bytes" {
	: >empty.db
	watch --db empty.db -- "$DRIVER" -t truth empty.db "select 1"
	assert_trusted
	[ ! -s empty.db ]
	watch --db empty.db -- "$DRIVER" -t truth2 empty.db "create table t(a)"
	certificate empty.db truth2
	assert_certificate '.verdict == "clean"'
}

@test "--db that is encrypted, or no database at all" {
	head -c 16384 /dev/urandom >cipher.db
	cp cipher.db before.db
	watch --db cipher.db -- "$DRIVER" -t truth cipher.db "?select 1 from t"
	cmp cipher.db before.db
	database cipher.db
	assert_database '.integrity.result != "ok"' '.integrity.result != "corrupt"' '.backup == null'
}

@test "--db with a lying header" {
	mk app.db delete
	# The count of pages says 4 billion, the page size 3.
	printf '\377\377\377\376' | dd of=app.db bs=1 seek=28 conv=notrunc status=none
	printf '\000\003' | dd of=app.db bs=1 seek=16 conv=notrunc status=none
	cp app.db before.db
	watch --db app.db -- true
	cmp app.db before.db
	database app.db
	assert_database '.integrity.result != "ok"'
}

@test "--db that is damaged inside" {
	mk app.db delete
	dd if=/dev/urandom of=app.db bs=1 seek=4096 count=4096 conv=notrunc status=none
	cp app.db before.db
	watch --db app.db --backup-dir backups -- "$DRIVER" -t truth app.db "?select count(*) from t" @kill9
	cmp app.db before.db
	database app.db
	assert_database '.integrity.result == "corrupt"' '.integrity.errors != []' '[.findings[].code] | index("integrity-failed")'
}

@test "--db that goes away while it is watched" {
	mk app.db delete
	watch --db app.db -- sh -c '"$0" -t truth app.db "select 1 from t"; rm app.db' "$DRIVER"
	certificate app.db truth
	assert_certificate '.verdict == "clean"'
	database app.db
	assert_database '.integrity.result != "ok"'
}

@test "--db that another file takes the place of has one entry" {
	mk app.db delete
	mk new.db delete
	watch --db app.db -- sh -c '"$0" -t t1 app.db "select 1 from t"; mv new.db app.db; "$0" -t t2 app.db "insert into t(b) values(1)"' \
		"$DRIVER"
	database app.db
	certificate app.db t1
	certificate app.db t2
	assert_certificate '.verdict == "clean"'
}

@test "CMD forks 10,000 processes" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db "insert into t(b) values('x')" @forks 10000 "insert into t(b) values('y')"
	assert_quiet
	certificate app.db truth
	database app.db
	assert_database '.certificates | length == 1'
}

@test "CMD ignores every signal that it can" {
	mk app.db wal
	timeout --foreground -k 5 60 "$VIGIL" exec --out r.json --db app.db -- "$DRIVER" -t truth app.db @ignore-signals "begin immediate" @ready ready @wait go commit \
		3>&- 2>vigil.err &
	WATCH_PID=$!
	await ready
	kill -TERM "$WATCH_PID"
	kill -TERM "$WATCH_PID"
	touch go
	watch_end
	[ "$status" -eq 0 ]
	assert_quiet
}

@test "CMD closes every descriptor" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db "select 1 from t" @close-fds 0 @exit 0
	certificate app.db truth
	assert_certificate '.verdict == "clean" or .verdict == "abrupt"' '.locks == []'
}

@test "CMD changes its uid" {
	# The directories of a test are its own: the other user needs one that he can reach.
	OPEN_DIR=$(mktemp -d /tmp/vigil-test-open-XXXXXX)
	chmod 777 "$OPEN_DIR"
	mk "$OPEN_DIR/app.db" wal
	chmod 666 "$OPEN_DIR/app.db"
	watch --db "$OPEN_DIR/app.db" -- "$DRIVER" -t truth "$OPEN_DIR/app.db" @setuid 65534 "insert into t(b) values('x')"
	[ "$status" -eq 0 ]
	assert_quiet
	certificate "$OPEN_DIR/app.db" truth
	assert_certificate '.verdict == "clean"' '.process.uid == 65534'
}

@test "CMD is traced already" {
	mk app.db wal
	command -v strace || skip "no strace here"
	watch --db app.db -- strace -f -o /dev/null "$DRIVER" -t truth app.db "begin immediate" @kill9
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.exit.signal == "SIGKILL"'
}

