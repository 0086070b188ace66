# restore.bats - `vigil backup restore`: the old database or the new one, whatever happens.
# bats file_tags=slow

# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own

load backup.bash
load ../faults/loopdisk.bash

setup() {
	enter_tmp
}

teardown() {
	cd / || return
	[ -z "${HOLDER:-}" ] || stop "$HOLDER"
	[ -z "${WRITER:-}" ] || stop "$WRITER"
	[ ! -d "$BATS_TEST_TMPDIR/loop" ] || loopdisk_down "$BATS_TEST_TMPDIR/loop"
}

# A database with rows 1..10, backed up; then it gets row 11, and row 12 that stands in the -wal alone: without that it is
# neither the old database nor the new one.
old_and_new() {
	make_db app.db wal 10
	run_vigil 0 backup create --db app.db --backup-dir b
	id=$(newest)
	sqlite3 app.db "insert into a(v) values(1); insert into b(v) values(1)"
	killed "$DRIVER" -t truth app.db "pragma wal_autocheckpoint=0" "begin; insert into a(v) values(1); insert into b(v) values(1); commit" \
		@kill9
	[ -s app.db-wal ]
}

# hold FILE SQL: a process that has it open after the statements.
hold() {
	rm -f held
	"$DRIVER" -t hold.truth "$1" "$2" @ready held @pause 3>&- >/dev/null 2>&1 &
	HOLDER=$!
	await held
}

# bats test_tags=asan
@test "without force nothing that exists is replaced" {
	old_and_new
	state app.db >before
	run_vigil 69 backup restore "$id" --backup-dir b --to app.db
	grep -q -- "--force" err
	[ "$(wc -l <err)" -eq 1 ]
	state app.db | cmp - before
}

# bats test_tags=asan
@test "with force the old one goes with its companions, owner and mode stay" {
	old_and_new
	chmod 640 app.db
	[ "$(id -u)" -ne 0 ] || chown 1234:4321 app.db
	owner=$(stat -c '%u:%g %a' app.db)
	run_vigil 0 backup restore "$id" --backup-dir b --to app.db --force
	[ "$(stat -c '%u:%g %a' app.db)" = "$owner" ]
	[ ! -e app.db-wal ]
	[ ! -e app.db-shm ]
	consistent app.db
	[ "$(ask app.db "select max(i) from a")" = 10 ]
	nothing_left
}

# bats test_tags=asan
@test "the document tells what was done" {
	old_and_new
	run_vigil 0 backup restore "$id" --backup-dir b --to app.db --force --json
	jq -e --arg id "$id" '.schema == "vigil.restore/1" and .id == $id and .restored and .replaced and .verified
		and .check.result == "ok" and .reason == null' out
	run_vigil 69 backup restore nonsense --backup-dir b --to new.db --json
	jq -e '.restored == false and (.reason | contains("nonsense"))' out
	[ ! -e new.db ]
}

@test "a database that is open is refused by name, in every mode and with force" {
	for mode in wal delete; do
		for sql in "select count(*) from a" "begin; select count(*) from a" "begin immediate; delete from a"; do
			rm -rf app.db* b
			make_db app.db $mode 10
			run_vigil 0 backup create --db app.db --backup-dir b
			hold app.db "$sql"
			stat -c '%n %i' app.db* >before
			run_vigil 69 backup restore "$(newest)" --backup-dir b --to app.db --force
			grep -q "driver (pid $HOLDER)" err
			stat -c '%n %i' app.db* | cmp - before
			stop "$HOLDER"
			run_vigil 0 backup restore "$(newest)" --backup-dir b --to app.db --force
			consistent app.db
		done
	done
}

@test "a database under a constant writer is refused and the writer goes on" {
	make_db app.db wal 10
	run_vigil 0 backup create --db app.db --backup-dir b
	writer app.db
	run_vigil 69 backup restore "$(newest)" --backup-dir b --to app.db --force
	stop_writer
}

@test "a process in another PID namespace is seen by its locks or its descriptors" {
	[ "$(id -u)" -eq 0 ] || skip "unshare needs root"
	make_db app.db wal 10
	run_vigil 0 backup create --db app.db --backup-dir b
	rm -f held
	unshare --pid --fork --mount-proc -- "$DRIVER" -t hold.truth app.db "select count(*) from a" @ready held @pause 3>&- >/dev/null 2>&1 &
	HOLDER=$!
	await held
	run_vigil 69 backup restore "$(newest)" --backup-dir b --to app.db --force
	pkill -9 -P "$HOLDER"
}

# From inside a container the holder outside is not visible: only its locks are.
@test "a process outside of our PID namespace is seen by its locks" {
	[ "$(id -u)" -eq 0 ] || skip "unshare needs root"
	make_db app.db wal 10
	run_vigil 0 backup create --db app.db --backup-dir b
	hold app.db "select count(*) from a"
	status=0
	unshare --pid --fork --mount-proc -- "$VIGIL" backup restore "$(newest)" --backup-dir b --to app.db --force >out 2>err || status=$?
	cat out err
	[ $status -eq 69 ]
	grep -q "not visible" err
	stop "$HOLDER"
	unshare --pid --fork --mount-proc -- "$VIGIL" backup restore "$(newest)" --backup-dir b --to app.db --force >out
	grep -q "container" out
}

@test "a hot journal of the old database does not reach the new one" {
	make_db app.db delete 300
	run_vigil 0 backup create --db app.db --backup-dir b
	killed "$DRIVER" -t truth app.db "pragma cache_size=5" "begin; update a set v=zeroblob(400)" @kill9
	[ -s app.db-journal ]
	run_vigil 0 backup restore "$(newest)" --backup-dir b --to app.db --force
	[ ! -e app.db-journal ]
	consistent app.db
	[ "$(ask app.db "select count(*) from a where v=zeroblob(400)")" = 0 ]
}

@test "a log without its database is moved away and not lost" {
	old_and_new
	cp app.db-wal wal.before
	rm app.db
	run_vigil 0 backup restore "$id" --backup-dir b --to app.db
	cmp app.db.stale-*-wal wal.before
	[ ! -e app.db-wal ]
	[ ! -e app.db-shm ]
	grep -q "stale" out
	[ "$(ask app.db "select max(i) from a")" = 10 ]
}

# bats test_tags=asan
@test "evidence and what was never verified are not restored by accident" {
	make_db app.db delete 300
	run_vigil 0 backup create --db app.db --backup-dir b --check none
	run_vigil 69 backup restore "$(newest)" --backup-dir b --to new.db
	grep -q "never verified" err
	run_vigil 0 backup restore "$(newest)" --backup-dir b --to new.db --force
	dd if=/dev/urandom of=app.db bs=4096 seek=3 count=20 conv=notrunc status=none
	run_vigil 2 backup create --db app.db --backup-dir b
	run_vigil 69 backup restore "$(newest)" --backup-dir b --to other.db
	grep -q "evidence" err
	[ ! -e other.db ]
	run_vigil 1 backup restore "$(newest)" --backup-dir b --to other.db --force
	grep -q "NOT VERIFIED" out
}

# bats test_tags=asan
@test "a rotten copy is refused, force or not, and the old database stays" {
	old_and_new
	printf X | dd of="b/$id.db" bs=1 seek=9000 conv=notrunc status=none
	state app.db >before
	run_vigil 2 backup restore "$id" --backup-dir b --to app.db --force
	grep -q "changed" err
	state app.db | cmp - before
	nothing_left
}

@test "a symbolic link stays a link" {
	old_and_new
	ln -s app.db link.db
	run_vigil 0 backup restore "$id" --backup-dir b --to link.db --force
	[ -L link.db ]
	[ "$(ask app.db "select max(i) from a")" = 10 ]
	[ ! -e link.db-wal ]
	[ ! -e app.db-wal ]
}

@test "without room the old database stays" {
	[ "$(id -u)" -eq 0 ] || skip "mounting needs root"
	make_db app.db delete 3000
	run_vigil 0 backup create --db app.db --backup-dir b
	mkdir small
	mount -t tmpfs -o size=2m vigil-test small
	sqlite3 small/app.db "create table x(y)"
	state small/app.db >before
	run_vigil 69 backup restore "$(newest)" --backup-dir b --to small/app.db --force || { umount -l small && false; }
	grep -q "no space" err || { umount -l small && false; }
	state small/app.db | cmp - before || { umount -l small && false; }
	umount -l small
}

@test "a restore that was announced survives a power cut" {
	local why
	if why=$(loopdisk_missing "$PWD/loop"); then skip "$why"; fi
	loopdisk_up "$PWD/loop"
	old_and_new
	cp app.db* loop/disk
	sync -f loop/disk
	run_vigil 0 backup restore "$id" --backup-dir b --to loop/disk/app.db --force
	loopdisk_cut "$PWD/loop"
	[ "$(find loop/after -name 'app.db*' -printf '%f ')" = "app.db " ]
	consistent loop/after/app.db
	[ "$(ask loop/after/app.db "select max(i) from a")" = 10 ]
}

# What stands there after a kill: the old database with its twelve rows, or the new one with ten; whole, and with nothing
# of the transaction that was rolled back; and the next restore works and sweeps.
old_or_new() {
	local rows
	rm -rf look
	mkdir look
	cp stage/app.db* look
	rows=$(sqlite3 look/app.db "pragma integrity_check; select (select max(i) from a), (select max(i) from b),
		(select count(*) from a where v=zeroblob(4000))" | tr '\n' ' ')
	[ "$rows" = "ok 12|12|0 " ] || [ "$rows" = "ok 10|10|0 " ] || fail "neither old nor new: $rows" || return
	[ "$1" -ne 0 ] || [ "$rows" = "ok 10|10|0 " ] || fail "success, but it is the old one" || return
	# A worker of the one that was killed needs an instant to die: until then it has the database open.
	for rows in {1..400}; do
		! run_vigil 0 backup restore "$id" --backup-dir b --to stage/app.db --force || break
		sleep 0.05
	done
	[ "$(ask stage/app.db "select max(i) from a")" = 10 ]
}

# The same of what the disk has received by then.
old_or_new_after_cut() {
	local rows bad=0
	loopdisk_cut "$LOOP" || return
	rm -rf "$LOOP/look"
	cp -r "$LOOP/after/stage" "$LOOP/look"
	rows=$(sqlite3 "$LOOP/look/app.db" "pragma integrity_check; select max(i) from a" | tr '\n' ' ')
	[ "$rows" = "ok 12 " ] || { [ "$rows" = "ok 10 " ] && [ ! -e "$LOOP/look/app.db-wal" ]; } || fail "neither old nor new: $rows" || bad=1
	umount "$LOOP/after"
	rm "$LOOP/store/crash"
	return $bad
}

@test "a power cut at every single step leaves the old database or the new one" {
	local why
	LOOP=$PWD/loop
	if why=$(loopdisk_missing "$LOOP"); then skip "$why"; fi
	loopdisk_up "$LOOP"
	old_and_new
	mkdir origin
	mv app.db* origin
	cp -r origin b loop/disk
	cd loop/disk
	kill_at_every_step origin old_or_new_after_cut backup restore "$id" --backup-dir b --to stage/app.db --force
	cd "$BATS_TEST_TMPDIR"
}

@test "killed at every single step, there is the old database or the new one" {
	old_and_new
	mkdir origin
	mv app.db* origin
	kill_at_every_step origin old_or_new backup restore "$id" --backup-dir b --to stage/app.db --force
	run_vigil 0 backup restore "$id" --backup-dir b --to stage/app.db --force
	nothing_left
}

@test "killed at every single step with a hot journal, there is the old database or the new one" {
	make_db app.db delete 10
	run_vigil 0 backup create --db app.db --backup-dir b
	id=$(newest)
	sqlite3 app.db "insert into a(v) values(1),(2); insert into b(v) values(1),(2)"
	killed "$DRIVER" -t truth app.db "pragma cache_size=2" "begin; update a set v=zeroblob(4000); update b set v=zeroblob(4000)" @kill9
	[ -s app.db-journal ]
	mkdir origin
	mv app.db* origin
	kill_at_every_step origin old_or_new backup restore "$id" --backup-dir b --to stage/app.db --force
}

@test "killed at any instant, there is the old database or the new one" {
	old_and_new
	mkdir origin
	mv app.db* origin
	for i in $(seq 1 30); do
		rm -rf stage
		cp -a origin stage
		status=0
		timeout -s KILL "0.0$(printf %02d $((i * 2)))" "$VIGIL" backup restore "$id" --backup-dir b --to stage/app.db --force \
			>/dev/null 2>&1 3>&- || status=$?
		old_or_new "$status"
	done
}
