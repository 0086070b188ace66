#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# The store in trouble: locked, full, damaged, of a newer version. The watch goes on, nothing that was shown is lost.

load lib.bash
load daemon.bash

teardown() {
	daemon_teardown
	[ ! -d small ] || umount small 2>/dev/null || true
}

@test "locked by somebody's shell: what comes waits, is told of, and is stored afterwards" {
	daemon_begin
	hold_store
	unclean_death
	says "another process keeps vigil.db locked"
	ask health
	[ "$status" -eq 1 ]
	assert_answer '.reasons | any(test("the store cannot be written: another process keeps vigil.db locked"))'
	ask incidents # an empty list must not look like quiet
	[ "$status" -eq 1 ]
	"$VIGIL" incidents --state-dir S 2>&1 | grep 'the store cannot be written (another process keeps vigil.db locked).*: the newest is missing'
	let_store_go
	eventually '[.incidents[].code] | sort == ["store-degraded", "unclean-death"]' incidents
	eventually '.incidents[] | select(.code == "unclean-death") | .backup.verified' incidents
	eventually '.incidents[] | select(.code == "store-degraded") | .status == "resolved"' incidents
}

@test "no space for the state: the watch goes on, and what was seen is stored when there is some" {
	mkdir small
	mount -t tmpfs -o size=3m,mode=700 small small || skip "cannot mount a tmpfs"
	ln -s small S
	daemon_begin
	dd if=/dev/zero of=small/filler bs=4096 2>/dev/null || true
	unclean_death
	says "no space is left for vigil.db"
	rm small/filler
	eventually '[.incidents[].code] | index("unclean-death") and index("store-degraded")' incidents
	daemon_end
	[ "$status" -eq 0 ]
	umount small
}

@test "overwritten with noise before the start: set aside, said, and a new one begun" {
	daemon_begin
	unclean_death
	eventually '.incidents | length == 1' incidents
	daemon_end
	dd if=/dev/urandom of=S/vigil.db bs=4096 count=20 conv=notrunc 2>/dev/null
	daemon_begin
	grep -q 'vigil.db was damaged: it was set aside as .*/vigil.db.corrupt-' daemon.err
	[ "$(find S -name 'vigil.db.corrupt-*' | wc -l)" -ge 1 ]
	unclean_death
	eventually '[.incidents[].code] | index("unclean-death")' incidents
}

@test "overwritten with noise, or deleted, while it is used: a new one, with what is open" {
	daemon_begin
	unclean_death
	eventually '.incidents[0].backup.verified' incidents
	dd if=/dev/urandom of=S/vigil.db bs=4096 count=30 conv=notrunc 2>/dev/null
	"$DRIVER" -t t2 app.db "insert into t(b) values('x')" @exit 0
	says 'vigil.db was damaged: it was set aside'
	unclean_death
	eventually '[.incidents[].code] | index("unclean-death")' incidents
	rm S/vigil.db
	says 'vigil.db was deleted or replaced while in use'
	unclean_death
	eventually '[.incidents[].code] | index("unclean-death")' incidents
	daemon_end
	[ "$status" -eq 0 ]
	[ "$(sql 'pragma integrity_check')" = ok ]
}

@test "rows that killed whoever wrote them are told of, also by the next run, until somebody has removed their file" {
	mkdir -m 700 S
	printf '{"kind":"event"}\n{"kind":"metric"}\n' >S/set-aside.ndjson
	daemon_begin
	ask health
	[ "$status" -eq 1 ]
	assert_answer '.reasons | length == 1 and (.[0] | test("^2 rows are not in the store: .*/S/set-aside.ndjson"))'
	ask status
	assert_answer '.store | .set_aside == 2 and .given_up == 0 and .state == "ok"'
	rm S/set-aside.ndjson
	ask health
	[ "$status" -eq 0 ]
	daemon_end
}

@test "cut short before the start" {
	daemon_begin
	daemon_end
	truncate -s 10000 S/vigil.db
	daemon_begin
	grep -q 'vigil.db was damaged' daemon.err
	unclean_death
	eventually '[.incidents[].code] | index("unclean-death")' incidents
}

@test "locked by another process at the start: one line that says so, 69, and nothing of it is touched" {
	daemon_begin
	daemon_end
	hold_store exclusive
	status=0
	timeout 60 "$VIGIL" run -c vigil.conf --state-dir S 2>err || status=$?
	cat err
	[ "$status" -eq 69 ]
	[ "$(grep -c 'another process keeps .*/vigil.db locked; end it' err)" -eq 1 ]
	let_store_go
	[ "$(find S -name 'vigil.db.corrupt-*' | wc -l)" -eq 0 ]
	daemon_begin
}

@test "read by another process at the start, for a second: it is waited for" {
	local reader
	daemon_begin
	daemon_end
	{
		echo "begin; select count(*) from runs;"
		sleep 1 # then the shell ends, and its transaction with it
	} | sqlite3 S/vigil.db >reader.out &
	reader=$!
	until_true test -s reader.out
	daemon_begin
	await_end "$reader"
	daemon_end
	[ "$status" -eq 0 ]
	[ "$(sql 'select count(*) from runs')" = 2 ]
}

@test "made by a newer Vigil: left alone, one line, 69" {
	daemon_begin
	daemon_end
	sqlite3 S/vigil.db "pragma user_version=99"
	before=$(sha256sum <S/vigil.db)
	status=0
	timeout 60 "$VIGIL" run -c vigil.conf --state-dir S 2>err || status=$?
	[ "$status" -eq 69 ]
	grep -q 'made by a newer Vigil' err
	[ "$(sha256sum <S/vigil.db)" = "$before" ]
}

@test "a state directory that is read-only, somebody else's, or no directory: one line, nothing begun" {
	mkdir -m 755 other
	chown 65534 other
	mkdir open
	chmod 777 open
	touch file
	for dir in other open file missing/below; do
		status=0
		timeout 60 "$VIGIL" run -c vigil.conf --state-dir "$dir" 2>err || status=$?
		cat err
		[ "$status" -eq 69 ] || [ "$status" -eq 77 ]
		[ "$(wc -l <err)" -eq 1 ]
		grep -q "^vigil: state directory .*$dir: " err
	done
	mkdir small
	mount -t tmpfs -o size=1m,mode=700,ro small small || skip "cannot mount a tmpfs"
	status=0
	timeout 60 "$VIGIL" run -c vigil.conf --state-dir small 2>err || status=$?
	umount small
	[ "$status" -eq 69 ]
	grep -q 'Read-only file system; mount it writable' err
}
