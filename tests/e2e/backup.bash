# backup.bash - what backup.bats and restore.bats share. Needs jq and sqlite3, which scripts/setup.sh installs.
#
# Every test works in a directory of its own, $TMPDIR included, so that "nothing is left behind" can be asked of all of it.

. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"

enter_tmp() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p tmp
	export TMPDIR=$PWD/tmp
}

# run_vigil STATUS ARGUMENT...: output in out and err, the status must be as told.
run_vigil() {
	local expected=$1 status=0
	shift
	timeout -k 5 120 "$VIGIL" "$@" >out 2>err 3>&- || status=$?
	[ "$status" -eq "$expected" ] || {
		echo "vigil $*: status $status, not $expected"
		cat out err
		return 1
	}
}

# Says what is said, and fails.
fail() {
	echo "$*"
	return 1
}

# make_db FILE MODE ROWS: tables a and b with rows 1..ROWS in each.
make_db() {
	sqlite3 "$1" "pragma journal_mode=$2; create table a(i integer primary key, v); create table b(i integer primary key, v);
		with recursive n(i) as (select 1 union all select i+1 from n where i<$3) insert into a select i, randomblob(400) from n;
		insert into b select * from a" >/dev/null
}

# ask FILE SQL: of a copy, so that the file itself stays what it is.
ask() {
	rm -f asked*
	cp "$1" asked
	sqlite3 asked "$2"
}

# consistent FILE: passes integrity_check and both tables hold the same rows, without a gap.
consistent() {
	[ "$(ask "$1" "pragma integrity_check; select (select count(*)=max(i) from a), (select count(*)=max(i) from b),
		(select max(i) from a)=(select max(i) from b)" | tr '\n' ' ')" = "ok 1|1|1 " ] || fail "$1 is not consistent"
}

# newest [DIR]: ID of the newest backup or evidence.
newest() {
	"$VIGIL" backup list --backup-dir "${1:-b}" --json | jq -r '.backups[0].id'
}

# state FILE: name, size, mtime and hash of it and of all that begins with its name.
state() {
	local f
	for f in "$1"*; do
		[ ! -f "$f" ] || echo "$f $(stat -c '%s %y %i' "$f") $(sha256sum <"$f")"
	done
}

# No temporary of Vigil anywhere below here.
nothing_left() {
	[ -z "$(find . -name '.vigil-*')" ] || fail "left behind: $(find . -name '.vigil-*' | tr '\n' ' ')"
}

# whole DIR: each .db has its manifest and each manifest its .db, and all of them are proven again.
whole() {
	local f
	for f in "$1"/*.db; do
		[ ! -e "$f" ] || [ -e "${f%.db}.json" ] || fail "$f has no manifest"
	done
	for f in "$1"/*.json; do
		[ ! -e "$f" ] || [ -e "${f%.json}.db" ] || fail "$f has no copy"
	done
	run_vigil 0 backup verify --backup-dir "$1"
}

# stop PID: ends a background process and waits for it.
stop() {
	kill -9 "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

# writer FILE: commits to both tables as fast as it can until stop_writer. A statement that fails, be it with SQLITE_BUSY,
# ends it, which stop_writer tells.
writer() {
	rm -f ready
	"$DRIVER" -t writer.truth "$1" "insert into a(v) values(1)" "insert into b(v) values(1)" "@ready" ready \
		@repeat 100000000 "begin immediate; insert into a(v) values(randomblob(400)); insert into b(v) values(1); commit" @end \
		3>&- >/dev/null 2>writer.err &
	WRITER=$!
	await ready
}

stop_writer() {
	kill -0 "$WRITER" || fail "the writer ended by itself: $(cat writer.err) $(tail -n 1 writer.truth)"
	stop "$WRITER"
}

# kill_at_every_step DIR CHECK ARGUMENT...: runs vigil again and again, each time in a fresh copy of DIR called `stage`, and
# kills it at another one of the calls that change a disk (strace counts each kind of call for itself). After every run
# CHECK is called. On the disk LOOP everything is durable when a run begins; elsewhere others owe their disk what they wrote, and
# count on it. Ends when each kind of call has been survived; at least 15 kills must have happened.
kill_at_every_step() {
	local dir=$1 check=$2 call n status kills=0
	shift 2
	for call in mkdirat fsync rename renameat renameat2 linkat unlinkat fchown fchmod flock ftruncate; do
		for ((n = 1; n < 200; n++)); do
			rm -rf stage
			cp -a "$dir" stage
			[ -z "${LOOP:-}" ] || sync -f stage
			status=0
			strace -f -qq -o trace -e trace=$call -e "inject=$call:signal=KILL:when=$n" -- \
				"$VIGIL" "$@" >/dev/null 2>&1 3>&- || status=$?
			"$check" "$status" || fail "killed at $call number $n"
			[ "$status" -ne 0 ] || break
			kills=$((kills + 1))
		done
	done
	[ "$kills" -ge 15 ] || fail "only $kills kills: the test does not test"
}
