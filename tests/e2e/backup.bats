# backup.bats - `vigil backup create`, `list` and `verify` on real files with real faults. Mounts need root.

# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own

load backup.bash
load ../faults/loopdisk.bash

setup() {
	enter_tmp
}

teardown() {
	cd / || return
	[ -z "${WRITER:-}" ] || stop "$WRITER"
	while mountpoint -q "$BATS_TEST_TMPDIR/small"; do umount -l "$BATS_TEST_TMPDIR/small"; done
	[ -z "${OPEN_DIR:-}" ] || rm -rf "$OPEN_DIR"
	[ ! -d "$BATS_TEST_TMPDIR/loop" ] || loopdisk_down "$BATS_TEST_TMPDIR/loop"
}

# A file system of its own at ./small.
mount_small() {
	[ "$(id -u)" -eq 0 ] || skip "mounting needs root"
	mkdir small
	mount -t tmpfs -o "size=$1" vigil-test small
}

# bats test_tags=asan
@test "an idle database gets a proven copy that opens by itself" {
	make_db app.db wal 100
	run_vigil 0 backup create --db app.db --backup-dir b
	grep -q "^verified" out
	[ ! -s err ]
	id=$(newest)
	[ "$(stat -c '%a' b b/"$id".db b/"$id".json | tr '\n' ' ')" = "700 600 600 " ]
	consistent b/"$id".db
	[ "$(find b -mindepth 1 | wc -l)" -eq 2 ]
	nothing_left
}

# bats test_tags=asan
@test "a file in the place of a name that no daemon guards: how it is said" {
	make_db app.db delete 10
	run_vigil 69 backup create app.db --state-dir "$PWD/state"
	[ "$(cat err)" = "vigil: backup create: no vigil daemon uses $PWD/state; app.db is a file here: of it say --db app.db --backup-dir DIR" ]
	run_vigil 69 backup create app --state-dir "$PWD/state"
	grep -q "no vigil daemon uses $PWD/state; start it" err
}

# bats test_tags=asan
@test "the document is that of the Contract" {
	make_db app.db delete 10
	run_vigil 0 backup create --db app.db --backup-dir b --reason unclean-death --json
	jq -e '.schema == "vigil.backups/1" and (.backups | length) == 1 and .result.verified' out
	run_vigil 0 backup list --backup-dir b --json
	jq -e '.backups[0] | .id and .database == "app" and .bytes > 0 and .reason == "unclean-death" and .verified
		and .class == "backup" and (.path | startswith("/")) and (.created_at | test("^[0-9-]{10}T[0-9:.]{15}Z$"))' out
	run_vigil 0 backup verify --backup-dir b --json
	jq -e '.backups[0].verified and .backups[0].verify.result == "ok" and .backups[0].verify.check.result == "ok"' out
}

@test "a constant WAL writer is not disturbed and the copy is consistent" {
	make_db app.db wal 2000
	writer app.db
	for i in 1 2 3; do
		run_vigil 0 backup create --db app.db --backup-dir b
		consistent b/"$(newest)".db
	done
	stop_writer
	nothing_left
}

@test "a WAL that is far longer than its database is in the copy" {
	make_db app.db wal 10
	killed "$DRIVER" -t truth app.db "pragma wal_autocheckpoint=0" @repeat 300 \
		"begin; insert into a(v) values(randomblob(4000)); insert into b(v) values(1); commit" @end @kill9
	[ "$(stat -c %s app.db-wal)" -gt "$(stat -c %s app.db)" ]
	state app.db >before
	run_vigil 0 backup create --db app.db --backup-dir b
	state app.db | cmp - before
	consistent b/"$(newest)".db
	[ "$(ask b/"$(newest)".db "select max(i) from a")" = 310 ]
}

@test "a writer in DELETE mode with pauses is not disturbed and the copy is consistent" {
	make_db app.db delete 500
	"$DRIVER" -t writer.truth app.db "@ready" ready @repeat 100000 \
		"begin immediate; insert into a(v) values(1); insert into b(v) values(1); commit" @sleep 30 @end 3>&- >/dev/null 2>writer.err &
	WRITER=$!
	await ready
	for i in 1 2; do
		run_vigil 0 backup create --db app.db --backup-dir b
		consistent b/"$(newest)".db
	done
	stop_writer
}

@test "the source and what lies beside it stay as they are after a kill in a transaction" {
	for mode in wal delete truncate persist; do
		make_db $mode.db $mode 300
		killed "$DRIVER" -t truth $mode.db "pragma cache_size=5" "begin; update a set v=zeroblob(400)" @kill9
		state $mode.db >before
		run_vigil 0 backup create --db $mode.db --backup-dir b
		run_vigil 0 check $mode.db
		run_vigil 0 backup verify --backup-dir b
		state $mode.db | cmp - before
		[ "$(ask b/"$(newest)".db "select count(*) from a where v=zeroblob(400)")" = 0 ]
		rm -rf b
		nothing_left
	done
}

# bats test_tags=asan
@test "a corrupt source becomes evidence, and the last good one stays" {
	make_db app.db delete 300
	run_vigil 0 backup create --db app.db --backup-dir b
	good=$(newest)
	state b/"$good" >good_before
	dd if=/dev/urandom of=app.db bs=4096 seek=3 count=20 conv=notrunc status=none
	state app.db >before
	run_vigil 2 backup create --db app.db --backup-dir b
	grep -q "CORRUPT" err
	grep -q "$good.db" err
	[ "$(wc -l <err)" -eq 1 ]
	state app.db | cmp - before
	state b/"$good" | cmp - good_before
	cmp app.db b/evidence/app-*/app.db
	run_vigil 0 backup list --backup-dir b --json
	jq -e '[.backups[] | .class] | sort == ["backup", "evidence"]' out
	jq -e '.backups[] | select(.class == "evidence") | .verified == false' out
	nothing_left
}

@test "evidence keeps log and index of a corrupt database apart" {
	make_db app.db wal 300
	killed "$DRIVER" -t truth app.db "insert into a(v) values(1)" @kill9
	dd if=/dev/urandom of=app.db bs=4096 seek=3 count=20 conv=notrunc status=none
	run_vigil 2 backup create --db app.db --backup-dir b
	cd b/evidence/app-*
	[ "$(printf '%s ' *)" = "app.db app.db-wal app.shm manifest.json " ]
	cmp app.db-wal ../../../app.db-wal
	jq -e '.class == "evidence" and .verified == false and (.files | length) == 3 and (.check.errors | length) > 0' manifest.json
}

@test "without room nothing is begun, and the last good one is kept and named" {
	mount_small 4m
	make_db app.db delete 1000
	run_vigil 0 backup create --db app.db --backup-dir small/b
	good=$(newest small/b)
	dd if=/dev/zero of=small/filler bs=1k count=2200 status=none
	state small/b >before
	run_vigil 69 backup create --db app.db --backup-dir small/b
	grep -q "no space: a copy needs .* must stay free; .* are free: make room, or name another --backup-dir; " err
	grep -q "$good.db" err
	[ "$(wc -l <err)" -eq 1 ]
	state small/b | cmp - before
	nothing_left
	whole small/b
}

@test "a disk that fails while it is written to gives no backup" {
	local why
	if why=$(loopdisk_missing "$PWD/loop"); then skip "$why"; fi
	loopdisk_up "$PWD/loop" 24m 64m
	make_db app.db delete 5000
	run_vigil 0 backup create --db app.db --backup-dir loop/disk/b
	good=$(newest loop/disk/b)
	sync -f loop/disk
	loopdisk_exhaust "$PWD/loop" 500
	status=0
	"$VIGIL" backup create --db app.db --backup-dir loop/disk/b >out 2>err || status=$?
	cat out err
	[ "$status" -eq 69 ] || [ "$status" -eq 2 ]
	[ ! -s out ]
	grep -q "$good.db" err
	[ "$(find loop/disk/b -name '*.json' | wc -l)" -eq 1 ]
	[ "$(find loop/disk/b -name '*.db' | wc -l)" -eq 1 ]
}

@test "a backup that was announced survives a power cut" {
	local why
	if why=$(loopdisk_missing "$PWD/loop"); then skip "$why"; fi
	loopdisk_up "$PWD/loop"
	make_db app.db wal 500
	run_vigil 0 backup create --db app.db --backup-dir loop/disk/b
	loopdisk_cut "$PWD/loop"
	whole loop/after/b
	consistent loop/after/b/"$(newest loop/after/b)".db
}

@test "progress is shown on a terminal and nowhere else" {
	make_db app.db delete 60000
	run_vigil 0 backup create --db app.db --backup-dir b
	[ ! -s err ]
	script -qec "'$VIGIL' backup create --db app.db --backup-dir b" /dev/null >out </dev/null
	grep -q "copying: .* of .*%" out
	script -qec "'$VIGIL' -q backup create --db app.db --backup-dir b" /dev/null >out </dev/null
	if grep -q "copying" out; then fail "progress in spite of -q"; fi
}

@test "a directory on a read-only file system is refused in one line" {
	mount_small 4m
	make_db app.db delete 10
	mkdir small/b
	mount -o remount,ro small
	run_vigil 69 backup create --db app.db --backup-dir small/b
	grep -qi "read-only" err
	[ "$(wc -l <err)" -eq 1 ]
	run_vigil 69 backup create --db app.db --backup-dir small/new
	grep -qi "read-only" err
}

@test "a directory that cannot be read says nothing of the copies in it" {
	[ "$(id -u)" -eq 0 ] || skip "needs root, to become nobody"
	make_db app.db delete 10
	run_vigil 0 backup create --db app.db --backup-dir b
	chmod 700 b
	OPEN_DIR=$(mktemp -d /tmp/vigil-test-open-XXXXXX) # where nobody can go
	cp "$VIGIL" app.db "$OPEN_DIR"
	mv b "$OPEN_DIR"
	chmod -R go+rX "$OPEN_DIR"
	chmod 700 "$OPEN_DIR/b"
	local status=0
	(cd "$OPEN_DIR" && setpriv --reuid 65534 --regid 65534 --clear-groups ./vigil backup create --db app.db --backup-dir b) \
		2>err || status=$?
	cat err
	[ "$status" -eq 77 ]
	grep 'cannot open the backup directory b: Permission denied$' err
}

@test "a database on a read-only file system is backed up" {
	mount_small 4m
	make_db small/app.db delete 10
	mount -o remount,ro small
	run_vigil 0 backup create --db small/app.db --backup-dir b
	consistent b/"$(newest)".db
}

@test "the backup directory may lie on another file system" {
	mount_small 8m
	make_db app.db wal 100
	run_vigil 0 backup create --db app.db --backup-dir small/b
	consistent small/b/"$(newest small/b)".db
	whole small/b
	nothing_left
}

# bats test_tags=asan
@test "names of any bytes are backed up, listed and restored" {
	local names=("two words.db" $'line\nbreak.db' $'\xc3\xa9t\xc3\xa9.db' $'\xff\xfe.db' "-dash.db" "\$(touch pwned).db" $'esc\e[31m.db')
	for name in "${names[@]}"; do
		rm -rf dir b
		mkdir "dir" "dir/$name.d"
		make_db "./dir/$name.d/$name" delete 10
		run_vigil 0 backup create --db "./dir/$name.d/$name" --backup-dir "./dir/$name.d/b"
		if grep -q $'\e' out; then fail "an escape sequence got through"; fi
		run_vigil 0 backup list --backup-dir "./dir/$name.d/b" --json
		jq -e '.backups[0].id | test("^[A-Za-z0-9._-]+$")' out
		if [ "$name" = $'\xff\xfe.db' ]; then
			jq -e '.backups[0] | (.source_hex | endswith("fffe2e6462")) and (.path_hex | contains("fffe2e6462"))' out
		fi
		id=$(jq -r '.backups[0].id' out)
		run_vigil 0 backup restore "$id" --backup-dir "./dir/$name.d/b" --to "./dir/$name.d/$name" --force
		consistent "./dir/$name.d/$name"
		run_vigil 0 backup list --backup-dir "./dir/$name.d/b"
		if grep -q $'\e' out; then fail "an escape sequence got through"; fi
	done
	[ ! -e pwned ]
}

# bats test_tags=asan
@test "a copy whose manifest is gone is no backup, and is named" {
	make_db app.db delete 10
	run_vigil 0 backup create --db app.db --backup-dir b
	id=$(newest)
	cp "b/$id.db" b/mine.db
	run_vigil 0 backup list --backup-dir b
	[ "$(grep -c 'without a manifest' out)" -eq 0 ]
	rm "b/$id.json"
	run_vigil 0 backup list --backup-dir b
	[ "$(cat out)" = "no backup"$'\n'"1 file without a manifest, which counts for nothing: $id.db" ]
	cp "b/$id.db" b/app-20200101T000000Z.db
	run_vigil 0 backup list --backup-dir b
	grep -q '^2 files without a manifest, which count for nothing: .* and 1 more$' out
	run_vigil 0 backup list --backup-dir b --json
	jq -e '.backups == []' out
}

# bats test_tags=asan
@test "a directory of junk and lying manifests stays calm" {
	make_db app.db delete 50
	run_vigil 0 backup create --db app.db --backup-dir b
	id=$(newest)
	head -c 3000 /dev/urandom >b/x.json
	head -c 3000 /dev/urandom >b/app-20200101T000000Z.json
	echo '{"schema": "vigil.backup/1"}' >b/liar-20200101T000001Z.json
	jq '.file.bytes = 7' "b/$id.json" >b/liar-20200101T000002Z.json
	jq '.file.bytes = -7' "b/$id.json" >b/liar-20200101T000003Z.json
	cp "b/$id.db" b/liar-20200101T000004Z.db
	jq '.file.sha256 = ("0" * 64)' "b/$id.json" >b/liar-20200101T000004Z.json
	mkfifo b/app-20200101T000005Z.json b/evidence
	ln -s /dev/zero b/app-20200101T000006Z.json
	ln -s /etc b/app-20200101T000007Z.db
	mkdir b/app-20200101T000008Z.json b/.vigil-mine
	yes '[' | head -c 500000 >b/deep-20200101T000009Z.json
	run_vigil 0 backup list --backup-dir b --json
	jq -e --arg id "$id" '[.backups[] | select(.problem == null) | .id] | sort == [$id, "liar-20200101T000004Z"]' out
	jq -e '[.backups[] | select(.problem != null)] | length == 3' out
	run_vigil 1 backup verify --backup-dir b --json
	jq -e --arg id "$id" '[.backups[] | select(.verified) | .id] == [$id]' out
	run_vigil 0 backup verify --backup-dir b "$id"
	[ -d b/.vigil-mine ]
}

# bats test_tags=asan
@test "a copy that has rotted is found" {
	make_db app.db delete 50
	run_vigil 0 backup create --db app.db --backup-dir b
	printf XXXXXXXX | dd of=b/"$(newest)".db bs=1 seek=9000 conv=notrunc status=none
	run_vigil 2 backup verify --backup-dir b
	grep -q "BAD" out
	run_vigil 0 backup create --db app.db --backup-dir b
	run_vigil 1 backup verify --backup-dir b --all
}

@test "an empty directory is no proof of anything" {
	mkdir b
	run_vigil 0 backup list --backup-dir b
	run_vigil 1 backup verify --backup-dir b
	run_vigil 69 backup verify --backup-dir missing
	run_vigil 69 backup list --backup-dir missing
}

@test "several at once get a name each" {
	make_db app.db wal 500
	local pids=() pid
	for i in 1 2 3 4; do
		"$VIGIL" backup create --db app.db --backup-dir b >/dev/null 2>&1 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do await_end "$pid"; done
	[ "$(find b -name '*.db' | wc -l)" -eq 4 ]
	whole b
	nothing_left
}

@test "an interrupt leaves nothing behind" {
	make_db app.db delete 60000
	for sig in INT TERM HUP; do
		for delay in 0.02 0.06 0.12; do
			"$VIGIL" backup create --db app.db --backup-dir b >out 2>err 3>&- &
			pid=$!
			sleep $delay
			kill -$sig $pid 2>/dev/null || true
			status=0
			await_end $pid || status=$?
			[ $status -eq 0 ] || [ $status -eq $((128 + $(kill -l $sig))) ] || fail "status $status: $(cat err)"
			nothing_left
		done
	done
	[ ! -d b ] || [ -z "$(ls b/*.db 2>/dev/null)" ] || whole b
}

@test "killed at any instant, no half backup has a name, and the next run sweeps" {
	make_db app.db wal 20000
	run_vigil 0 backup create --db app.db --backup-dir b
	for i in $(seq 1 20); do
		timeout -s KILL "0.$(printf %03d $((i * 7)))" "$VIGIL" backup create --db app.db --backup-dir b >/dev/null 2>&1 3>&- || true
		for f in b/*.json; do
			[ -e "${f%.json}.db" ] || fail "a manifest without its copy: $f"
		done
	done
	# The workers of the one that was killed last need an instant to die.
	for i in {1..400}; do
		run_vigil 0 backup create --db app.db --backup-dir b
		[ -n "$(find . -name '.vigil-*')" ] || break
		sleep 0.05
	done
	nothing_left
	whole b
}

# Nothing under a final name is half; what comes next sweeps and is whole.
after_kill() {
	local f
	for f in stage/b/*.json; do
		[ ! -e "$f" ] || [ -e "${f%.json}.db" ] || fail "a manifest without its copy: $f" || return
	done
	for f in {1..400}; do
		run_vigil 0 backup create --db stage/app.db --backup-dir stage/b || return
		[ -n "$(find stage -name '.vigil-*')" ] || break
		# A worker of the one that was killed needs an instant to die.
		sleep 0.05
	done
	whole stage/b && nothing_left
}

@test "killed at every single step, it is there whole or not there" {
	mkdir origin
	make_db origin/app.db wal 20
	kill_at_every_step origin after_kill backup create --db stage/app.db --backup-dir stage/b
}

@test "a budget and a time limit end it" {
	make_db app.db delete 20000
	run_vigil 69 backup create --db app.db --backup-dir b --byte-budget 1M
	grep -q "budget" err
	run_vigil 69 backup create --db app.db --backup-dir b --time-limit 1ms
	[ -z "$(ls -A b)" ]
	nothing_left
}

# bats test_tags=asan
@test "what is no database is refused in one line" {
	mkdir dir
	mkfifo fifo
	: >empty.db
	echo "not a database, only text that is longer than a header of one hundred bytes, which SQLite would need to have there" >text.db
	for file in dir fifo empty.db text.db missing.db; do
		run_vigil 69 backup create --db $file --backup-dir b
		[ "$(wc -l <err)" -eq 1 ]
		grep -q "$file" err
	done
	nothing_left
}

@test "the owner of the database owns the copy" {
	[ "$(id -u)" -eq 0 ] || skip "chown needs root"
	make_db app.db delete 10
	chown 1234:4321 app.db
	run_vigil 0 backup create --db app.db --backup-dir b
	[ "$(stat -c '%u:%g %a' b/"$(newest)".db)" = "1234:4321 600" ]
}

@test "prune keeps the newest verified copies, and says what it did" {
	make_db app.db delete 50
	for _ in 1 2 3 4; do
		run_vigil 0 backup create --db app.db --backup-dir b
	done
	run_vigil 0 backup prune --backup-dir b --keep 2 --dry-run
	[ "$(grep -c "^would remove " out)" -eq 2 ]
	[ "$(find b -name "*.db" | wc -l)" -eq 4 ]
	last=$(newest)
	run_vigil 0 backup prune --backup-dir b --keep 2 --json
	jq -e '.schema == "vigil.backups/1" and (.backups | length) == 2 and (.removed | length) == 2 and .over == 0
		and .removed_bytes == .kept_bytes and .removed[0].why and .backups[0].id == "'"$last"'"' out
	whole b
	run_vigil 0 backup verify --backup-dir b
	run_vigil 1 backup prune --backup-dir b --max-bytes 1
	grep -q "more than --max-bytes" err
	[ "$(newest)" = "$last" ]
	[ "$(find b -name "*.db" | wc -l)" -eq 1 ]
	nothing_left
}

@test "prune wants to know what for, and where" {
	mkdir b
	run_vigil 64 backup prune --backup-dir b
	run_vigil 64 backup prune --keep 2
	for keep in 0 -1 x 1x 99999999999999999999; do
		run_vigil 64 backup prune --backup-dir b --keep "$keep"
	done
	run_vigil 64 backup prune --backup-dir b --max-bytes 5X
	run_vigil 64 backup prune --backup-dir b --keep 2 app-20261121T031502Z
	run_vigil 69 backup prune --backup-dir none --keep 2
	grep -q none err
	run_vigil 0 backup prune --backup-dir b --keep 2
}

@test "a prune that is killed at any point leaves whole backups" {
	make_db app.db delete 50
	run_vigil 0 backup create --db app.db --backup-dir first
	id=$(newest first)
	for round in $(seq 1 12); do
		rm -rf b && mkdir b
		for i in $(seq -w 1 40); do
			copy=app-20261101T0000${i}Z
			ln first/"$id".db b/"$copy".db
			sed "s/\"created_at\": *\"[^\"]*\"/\"created_at\": \"2026-11-01T00:00:$i.000000Z\"/" first/"$id".json >b/"$copy".json
		done
		"$VIGIL" backup prune --backup-dir b --keep 3 >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.00$((round % 10))"
		kill -9 $pid 2>/dev/null || true
		await_gone $pid
		# Its worker may outlive it for a moment; as long as it lives, what it works on is its own.
		for _ in {1..400}; do
			run_vigil 0 backup prune --backup-dir b --keep 3
			[ -n "$(find b -name '.vigil-*')" ] || break
			sleep 0.05
		done
		whole b
		[ "$(find b -name "*.db" | wc -l)" -eq 3 ]
	done
}
