#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2153 # bats runs each test in a process of its own; lib.bash sets VIGIL
# Vigil must not be the corruptor, nor believe more than it saw: scenarios 20, 62, 63 and 65-67.

load lib.bash
load ../faults/loopdisk.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

teardown() {
	[ -z "${STRAY:-}" ] || kill -9 "$STRAY" 2>/dev/null || true
	loopdisk_down "$BATS_TEST_TMPDIR/disk"
}

@test "20 observer_late_start: a transaction that was open before is told the same at its end" {
	mk app.db delete
	"$DRIVER" -t truth app.db "${SPILL[@]}" @ready ready @pause 3>&- &
	STRAY=$!
	await ready
	timeout --foreground -k 5 60 "$VIGIL" attach --db app.db --for 50s --out r.json 2>vigil.err 3>&- &
	WATCH_PID=$!
	until grep -q watching vigil.err; do
		kill -0 "$WATCH_PID"
		sleep 0.01
	done
	kill -9 "$STRAY"
	status=0
	wait "$STRAY" || status=$?
	[ "$status" -eq 137 ]
	STRAY=
	kill -INT "$WATCH_PID"
	watch_end
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open", "hot-journal"])' \
		'.locks | has_all(["reserved", "pending", "exclusive"])' '.left_behind.hot_journal == true' \
		'.trust.level == "partial"' '.trust.reasons | has_all(["seen-late"])' ".exit.sender.pid == $BASHPID"
}

# Prints each close(2) of a file of the database on which the same process holds a POSIX lock, from an strace with -f and -y.
# The -shm's last lock (byte 128) is released by closing it: that is how SQLite itself does it.
self_cancelled() {
	awk '
		function file() { return match($0, /<[^>]*app\.db[^>]*>/) ? substr($0, RSTART + 1, RLENGTH - 2) : "" }
		function number(name) { return match($0, name "=[0-9]+") ? substr($0, RSTART + length(name) + 1, RLENGTH - length(name) - 1) : 0 }
		function set(key, byte, on) { count[key] += on - held[key, byte]; held[key, byte] = on }
		{ key = $1 " " file(); start = number("l_start"); len = number("l_len") }
		/fcntl\(/ && /_SETLKW?,/ && !/= -1/ && start != 128 {
			if (!/F_UNLCK/) set(key, start, 1)
			else if (len == 0) { for (i in held) if (index(i, key SUBSEP) == 1) held[i] = 0; count[key] = 0 }
			else for (i = start; i < start + len && i < start + 8; i++) set(key, i, 0)
		}
		/ close\(/ && file() != "" && count[key] > 0
	' "$1"
}

@test "62 watchdog_selfcancel: nothing that takes a backup cancels its own locks" {
	command -v strace || skip "no strace here"
	mk app.db wal
	# The workload goes on while the backup is taken: it keeps the database open, with frames that are not checkpointed.
	timeout -k 5 240 strace -f -y -s 0 -o trace -e trace=fcntl,close,open,openat "$VIGIL" exec --wait cmd --out r.json \
		--backup-dir backups --db app.db -- sh -c '"$0" -t stays app.db "insert into t(b) values(1)" @ready ready @wait go >/dev/null 2>&1 &
			while [ ! -e ready ]; do sleep 0.01; done; exec "$0" -t dies app.db "select 1 from t" @kill9' "$DRIVER" 2>vigil.err 3>&- &
	# strace ends with the last process that it follows.
	await r.json
	touch go
	await_gone $!
	database app.db
	assert_database '.backup.verified == true'
	grep -q 'fcntl.*app\.db.*F_RDLCK' trace
	[ -z "$(self_cancelled trace)" ] || {
		self_cancelled trace
		false
	}
}

@test "63 enospc_during_backup: the last good one is kept, no half one stays, and it is said" {
	loopdisk_missing "$BATS_TEST_TMPDIR/probe" && skip "no small disk here"
	loopdisk_up "$BATS_TEST_TMPDIR/disk" 24m 16m
	local dir=$BATS_TEST_TMPDIR/disk/disk/backups good
	mk app.db delete
	watch --db app.db --backup-dir "$dir" -- "$DRIVER" -t truth app.db "select 1 from t" "begin immediate" @kill9
	database app.db
	assert_database '.backup.verified == true'
	good=$(jq -r .backup.path d.json)
	(cd "$dir" && find . -type f -exec sha256sum {} + | sort) >before

	"$DRIVER" -t /dev/null app.db "insert into t(b) values(randomblob(20000000))"
	watch --db app.db --backup-dir "$dir" -- "$DRIVER" -t truth app.db "begin immediate" @kill9
	[ "$status" -eq 137 ]
	database app.db
	assert_database '.backup.verified == false' '.backup.path == null' ".backup.last_good == \"$good\"" \
		'[.findings[].code] | index("backup-failed")' '.integrity.result == "ok"'
	(cd "$dir" && find . -type f -exec sha256sum {} + | sort) >after
	diff before after
	grep -qi "space" vigil.err
}

@test "65 corrupt_source_rotation: a damaged database becomes evidence and never a backup" {
	local good
	mk app.db delete
	watch --db app.db --backup-dir backups -- "$DRIVER" -t truth app.db "begin immediate" @kill9
	database app.db
	assert_database '.backup.verified == true' '.backup.class == "backup"'
	good=$(jq -r .backup.path d.json)
	sha256sum "$good" >good.sum

	# A page of the table, in the middle of the file.
	rm -f app.db-journal
	dd if=/dev/urandom of=app.db bs=4096 seek=8 count=4 conv=notrunc status=none
	rm truth
	watch --db app.db --backup-dir backups -- "$DRIVER" -t truth app.db "begin immediate" @kill9
	database app.db
	assert_database '.integrity.result == "corrupt"' '.integrity.errors != []' '.backup.class == "evidence"' \
		'.backup.verified == false' ".backup.last_good == \"$good\"" \
		'[.findings[] | select(.code == "integrity-failed") | .severity] == ["P0"]'
	[[ $(jq -r .backup.path d.json) == */backups/evidence/* ]]
	sha256sum -c good.sum
	[ "$(find backups -maxdepth 1 -name '*.db' | wc -l)" -eq 1 ]
}

# What stands beside a dead program, and exactly how.
fingerprint() {
	local f
	for f in app.db*; do
		echo "$f $(stat -c '%i %s %Y %Z %a' "$f") $(sha256sum <"$f")"
	done
}

@test "66 checker_preserves_evidence: check and backup change nothing beside the dead program" {
	local mode
	for mode in wal delete persist truncate; do
		rm -rf app.db* ready truth backups
		mk app.db "$mode"
		watch_begin --db app.db --backup-dir backups -- "$DRIVER" -t truth app.db "pragma journal_mode=$mode" "insert into t(b) values('x')" \
			"${SPILL[@]}" @ready ready @pause
		await ready
		fingerprint >before
		kill -9 "$(pid_of truth)"
		watch_end
		fingerprint >after
		diff before after
		database app.db
		assert_database '.integrity.result == "ok"' '.backup.verified == true'
		certificate app.db truth
		assert_certificate '.verdict == "unclean"'
		[ "$(sqlite3 "$(jq -r .backup.path d.json)" "select count(*) from t where b='x'")" -eq 1 ]
	done
}

@test "67 event_loss: what was not seen is not called clean" {
	export PATIENCE=240

	mk app.db delete
	"$VIGIL" exec --out r.json --db app.db -- "$DRIVER" -t truth app.db @ready ready @wait go "insert into t(b) values('x')" \
		@close @repeat 3000 @fork "select 1 from t" @close @end @wait-children @end @ready over 2>vigil.err 3>&- &
	STRAY=$!
	await ready
	# While Vigil stands still, its rings fill up.
	kill -STOP "$STRAY"
	touch go
	await over
	kill -CONT "$STRAY"
	await r.json
	await_end "$STRAY"
	assert_report '.trust.level != "full"' '.trust.lost > 0' '.trust.reasons | has_all(["events-lost"])'
	certificate app.db truth
	assert_certificate '.verdict == "unknown"' '.reasons | has_all(["events-lost"])'
	database app.db
	assert_database '[.findings[].code] | index("events-lost")'
}

@test "two Vigils watch one database at once, and neither takes the other for a user of it" {
	mk app.db wal
	"$VIGIL" exec --out other.json --backup-dir other --db app.db -- "$DRIVER" -t dies app.db "insert into t(b) values(1)" @ready ready \
		@wait go "begin immediate" @kill9 2>other.err 3>&- &
	STRAY=$!
	await ready
	watch --db app.db --backup-dir backups -- "$DRIVER" -t leaves app.db "select 1 from t" @ready go @wait other.json @exit 0
	await_gone "$STRAY"
	STRAY=
	# Each sees both workloads, and nobody else.
	assert_trusted
	database app.db
	assert_database '[.certificates[].process.comm] | unique == ["driver"]' '.backup.verified == true'
	certificate app.db dies
	assert_certificate '.verdict == "unclean"'
	certificate app.db leaves
	assert_certificate '.verdict == "abrupt"'
	assert_json other.json '.trust.level == "full"' '[.databases[0].certificates[].process.comm] | unique == ["driver"]' \
		'.databases[0].backup.verified == true'
}

@test "a Vigil that is killed leaves CMD alone" {
	mk app.db wal
	"$VIGIL" exec --out r.json --db app.db -- "$DRIVER" -t truth app.db "begin immediate" @ready ready @wait go "insert into t(b) values(1)" \
		commit @close @ready over 2>vigil.err 3>&- &
	STRAY=$!
	await ready
	kill -9 "$STRAY"
	wait "$STRAY" || true
	STRAY=
	touch go
	await over
	[ "$(rows app.db)" -eq 401 ]
	[ ! -e r.json ]
}

# holds PID DIRECTORY: it has it open.
holds() {
	local fd

	for fd in "/proc/$1/fd/"*; do
		[[ ! $fd -ef $2 ]] || return 0
	done
	return 1
}

# Stops a Vigil that begins while it holds the directory of its canary: its pid in STRAY, the directory in CANARY. Fails where it was over
# before it was seen. Of whom the directory is, is asked when it stands still: it lasts for milliseconds.
stop_in_canary() {
	"$VIGIL" exec -- true 3>&- 2>/dev/null &
	STRAY=$!
	while kill -0 "$STRAY" 2>/dev/null; do
		for CANARY in /dev/shm/vigil-canary-*; do
			[ -d "$CANARY" ] || continue
			kill -STOP "$STRAY" 2>/dev/null || continue
			! holds "$STRAY" "$CANARY" || return 0
			kill -CONT "$STRAY"
		done
	done
	wait "$STRAY"
	return 1
}

@test "what a killed Vigil has left of its canary is removed by the next one, and not before" {
	[ -d /dev/shm ] || skip "no /dev/shm"
	until_true stop_in_canary
	watch -- true
	[ -d "$CANARY" ]
	kill -KILL "$STRAY"
	wait "$STRAY" || true
	STRAY=
	watch -- true
	[ ! -e "$CANARY" ]
}
