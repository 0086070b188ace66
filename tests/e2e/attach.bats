#!/usr/bin/env bats
# bats file_tags=slow
# vigil attach: who uses the database already, what they hold, and what is said of those that live on.
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
	STRAYS=()
	declare -gA PID=()
}

teardown() {
	[ ${#STRAYS[@]} -eq 0 ] || kill -9 "${STRAYS[@]}" 2>/dev/null || true
}

# drive NAME STEP...: the driver in the background, until the test ends; comes back when it has made NAME.ready. Its pid is in
# ${PID[NAME]}.
drive() {
	local name=$1
	shift
	"$DRIVER" -t /dev/null app.db "$@" 3>&- &
	STRAYS+=($!)
	PID[$name]=$!
	await "$name.ready"
}

stop_all() {
	kill -9 "${STRAYS[@]}"
	wait "${STRAYS[@]}" 2>/dev/null || true
	STRAYS=()
}

# attach OPTION...: report in r.json, messages in vigil.err.
attach() {
	rm -f r.json
	timeout -k 5 60 "$VIGIL" attach --db app.db --out r.json --check none "$@" 3>&- 2>vigil.err
	cat vigil.err
}

# The same in the background, until it is watching; watch_end waits for it.
attach_begin() {
	rm -f r.json vigil.err
	timeout --foreground -k 5 60 "$VIGIL" attach --db app.db --out r.json "$@" 3>&- 2>vigil.err &
	WATCH_PID=$!
	until grep -q watching vigil.err 2>/dev/null; do
		kill -0 "$WATCH_PID"
		sleep 0.01
	done
}

# The living process of that name, into p.json.
living() {
	jq -e --argjson pid "${PID[$1]}" '[.databases[0].processes[] | select(.pid == $pid)] | if length == 1 then .[0] else null end' \
		r.json >p.json || {
		jq '.databases[0].processes' r.json
		return 1
	}
}

@test "whoever has it open is counted, also one that is at work while the watch begins" {
	local mode
	for mode in wal delete; do
		rm -rf app.db* busy* ./*.ready
		mk app.db $mode
		drive idle "select 1 from t" @ready idle.ready @pause
		# It keeps one connection open, commits through it, opens and closes another, and forks, without a pause.
		drive busy "select 1 from t" @ready busy.ready @repeat 1000000 "insert into t(b) values('x')" \
			"attach 'app.db' as o" "select count(*) from o.t" "detach o" @fork @exit 0 @end @wait-children @end
		for _ in {1..6}; do
			attach --for 50ms
			grep -q 'watching; 2 processes use it' vigil.err
			living busy
			assert_json p.json '.seen_late == true' '.argv | index("app.db")'
		done
		stop_all
	done
}

@test "a name is no open file: who holds a descriptor with O_PATH does not use it" {
	command -v python3 >/dev/null || skip "no python3 here"
	mk app.db delete
	python3 -c 'import os, time
fd = os.open("app.db", os.O_PATH)
open("held", "w").close()
time.sleep(1000)' 3>&- &
	STRAYS+=($!)
	await held
	attach --for 50ms
	grep -q 'watching; 0 processes use it' vigil.err
	assert_report '.databases[0].processes == []'
}

@test "a descriptor that was merely inherited makes nobody a participant, its use does" {
	mk app.db delete
	# The child has the connection of its parent, and rolls back through it when it is let go.
	drive parent "select 1 from t" @fork @ready child.ready @wait go "begin immediate" rollback @ready used @pause @end \
		@ready parent.ready @pause
	await child.ready
	attach --for 50ms
	grep -q 'watching; 1 process uses it' vigil.err
	living parent
	attach_begin --for 50s
	touch go
	await used
	kill -INT "$WATCH_PID"
	watch_end
	grep -q 'watching; 1 process uses it' vigil.err
	assert_report '.databases[0].processes | length == 2'
	pkill -9 -P "${STRAYS[0]}"
}

@test "the living are told with what they hold: locks with read marks, the transaction, the debts" {
	mk app.db wal
	drive idle "select 1 from t" @ready idle.ready @pause
	drive reader begin "select 1 from t" @ready reader.ready @pause
	drive writer "begin immediate" @ready writer.ready @pause
	attach --for 50ms
	grep -q 'watching; 3 processes use it' vigil.err
	assert_report '.databases[0].verdict == "clean"' '.databases[0].at_risk_lower_bound == true'
	living writer
	assert_json p.json '.transaction == "write"' '.transaction_since == null' '.seen_late == true' \
		'.locks | has_all(["shared", "wal-write", "dms"])' '[.locks[] | select(startswith("wal-read-"))] | length == 1'
	living reader
	assert_json p.json '.transaction == "read"' '.locks | has_none(["wal-write"])' \
		'[.locks[] | select(startswith("wal-read-"))] | length == 1'
	living idle
	assert_json p.json '.transaction == "none"' '.locks == ["shared", "dms"]'

	timeout -k 5 60 "$VIGIL" attach --db app.db --for 50ms 3>&- 2>text
	cat text
	sed -n 2p text | grep -q "^IN USE  $PWD/app.db"
	grep -q "driver (pid ${PID[writer]}) is in a write transaction, begun before the watch" text
	grep -q 'and 1 in no transaction' text
	[[ $(<text) != *CLEAN* ]]
}

@test "a transaction that begins under watch has its time, and its bytes are told" {
	mk app.db wal
	drive writer "pragma synchronous=normal" "select 1 from t" @ready writer.ready @wait go "begin immediate" "insert into t(b) values('x')" \
		commit "begin immediate" @ready writer.in @pause
	attach_begin --for 50s
	touch go
	await writer.in
	kill -INT "$WATCH_PID"
	watch_end
	[ "$status" -eq 0 ]
	living writer
	assert_json p.json '.transaction == "write"' '.transaction_since != null' '.commits == 1'
	assert_report '.databases[0].commits_at_risk == 1' '.databases[0] | risk("wal") > 4096'
}

@test "a lock that was let go of while the watch began stands for nobody" {
	local mode
	for mode in wal delete; do
		rm -rf app.db* busy* go
		mk app.db $mode
		drive busy "pragma synchronous=off" @ready busy.ready @repeat 4000 "insert into t(b) values('x')" @end \
			@ready busy.idle @pause
		attach_begin --for 50s
		await busy.idle
		kill -INT "$WATCH_PID"
		watch_end
		living busy
		assert_json p.json '.transaction == "none"' '.locks | has_none(["wal-write", "reserved", "pending", "exclusive"])'
		stop_all
	done
}

# It is vigil by now, and has TERM wait.
has_begun() {
	[ "$(cat "/proc/$1/comm")" = vigil ] && ((0x$(awk '/^SigBlk:/ { print $2 }' "/proc/$1/status") & 1 << 14))
}

# told_to_stop SIGNAL COMMAND...: vigil gets the signal at some moment of its first half second. Its status is in $status; where it
# keeps anything for a while are the directories tmp and shm.
told_to_stop() {
	local signal=$1 pid
	shift
	# What bash starts in the background ignores INT, and so would the command.
	TMPDIR=$PWD/tmp env --default-signal=INT unshare -m sh -c 'mount --bind shm /dev/shm; exec "$@"' sh "$VIGIL" "$@" >out 2>err 3>&- &
	pid=$!
	STRAYS+=("$pid")
	until_true has_begun "$pid"
	sleep "0.$(printf '%03d' $((RANDOM % 540)))"
	kill -"$signal" "$pid"
	status=0
	await_end "$pid" || status=$?
}

@test "told to stop early it ends at once, with a line, and the command is not started" {
	local signal number
	mk app.db wal
	mkdir tmp shm
	for _ in {1..6}; do
		for signal in INT TERM; do
			number=$([ $signal = INT ] && echo 130 || echo 143)
			rm -f ran r.json
			told_to_stop $signal exec --db app.db --out r.json -- sh -c 'touch ran; exec sleep 20'
			cat err
			[ "$status" -eq "$number" ]
			if [ -e r.json ]; then
				jq -e ".command.signal == \"SIG$signal\"" r.json
			else
				[ ! -e ran ]
				grep -qx "vigil: exec: interrupted by SIG$signal: the command was not started" err
			fi

			told_to_stop $signal attach --db app.db --for 20s
			cat err
			grep -q watching err || {
				[ "$status" -eq "$number" ]
				grep -qx "vigil: attach: interrupted by SIG$signal: the watch had not begun" err
			}
		done
	done
	[ -z "$(ls -A tmp)$(ls -A shm)" ]
}

@test "an older recording is left alone by a watch that does not begin" {
	mk app.db wal
	timeout -k 5 60 "$VIGIL" record -o run.vigil --db app.db --for 50ms 3>&-
	cp run.vigil before
	# The signal waits from the first instruction on.
	status=0
	python3 -c 'import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.kill(os.getpid(), signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])' "$VIGIL" record -o run.vigil --db app.db --for 20s 2>err 3>&- || status=$?
	cat err
	[ "$status" -eq 143 ]
	cmp run.vigil before
}

@test "the work after the watch can be interrupted, and leaves nothing" {
	mk app.db wal
	mkdir tmp
	# So that its check takes a second or so.
	sqlite3 app.db "pragma synchronous=off; create table large(a, b unique); with recursive n(i) as
		(select 1 union all select i + 1 from n where i < 400000) insert into large select i, randomblob(60) from n"
	TMPDIR=$PWD/tmp attach_begin --for 50s --check full
	kill -INT "$WATCH_PID"
	until compgen -G 'tmp/.vigil-*' >/dev/null; do
		kill -0 "$WATCH_PID"
		sleep 0.01
	done
	kill -TERM "$WATCH_PID"
	status=0
	wait "$WATCH_PID" || status=$?
	cat vigil.err
	[ "$status" -eq 143 ]
	grep -q 'interrupted by SIGTERM: what was begun is removed' vigil.err
	[ -z "$(ls -A tmp)" ]
	[ ! -e r.json ]
}

@test "locks that an exec has kept are those of the next program, and no transaction of its own" {
	mk app.db delete
	"$DRIVER" -t /dev/null app.db "begin immediate" @ready early.ready @wait go @keep-fds @exec sleep 60 3>&- &
	STRAYS+=($!)
	PID[kept]=$!
	await early.ready
	attach_begin --for 40s --check none
	touch go
	until [ "$(cat "/proc/${PID[kept]}/comm")" = sleep ]; do sleep 0.01; done
	kill -INT "$WATCH_PID"
	watch_end
	living kept
	assert_json p.json '.comm == "sleep"' '.locks == ["shared", "reserved"]' '.transaction == "none"'
	assert_report '[.databases[0].certificates[] | [.ended_by, .verdict]] == [["exec", "unclean"]]'
}

@test "of one that was there before the watch it is said that not all is known" {
	mk app.db wal
	drive writer "begin immediate" "insert into t(b) values('x')" @ready writer.ready @pause
	timeout --foreground -k 5 60 "$VIGIL" attach --db app.db --check none 3>&- 2>text &
	WATCH_PID=$!
	until_true grep -q watching text
	stop_all
	kill -INT "$WATCH_PID"
	await_gone "$WATCH_PID"
	grep -q 'write-transaction-open' text
	grep -q 'not known *what it did before the watch began (seen-late)' text
}
