#!/usr/bin/env bats
# Who ended a process, and when a process has ended at all: scenarios 10-18.

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

@test "10 sibling_sig9: exit_group from a thread is an exit, whatever its siblings were sent" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db "select 1 from t" @thread @pause @end @thread @pause @end \
		@thread @sleep 20 @exit 3 @end @pause
	[ "$status" -eq 3 ]
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "abrupt"' '.exit.code == 3' '.exit.signal == null' '.exit.cause == "exit"' \
		'.exit.sender == null'
}

@test "11 leader_pthread_exit: a process lives as long as its last thread" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "begin immediate" @thread @wait go "insert into t(b) values('x')" commit \
		@close @end @thread @ready go @end @leader-exit
	assert_quiet
	certificate app.db truth
	assert_certificate '.verdict == "clean"' '.reasons == []' '.exit.code == 0'
	[ "$(rows app.db)" -eq 401 ]
}

@test "11 leader_pthread_exit: what the last thread holds counts" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "begin immediate" @thread @wait go @exit 0 @end @thread @ready go @end \
		@leader-exit
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.locks | has_all(["reserved"])' '.exit.code == 0' '.exit.signal == null'
}

@test "12 segv_multithread: a fault is one death, by its own thread" {
	mk app.db wal
	watch --db app.db -- "$DRIVER" -t truth app.db "begin immediate" @thread @pause @end @thread @segv @end @pause
	[ "$status" -eq 139 ]
	assert_trusted
	assert_findings unclean-death
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.exit.signal == "SIGSEGV"' '.exit.cause == "fault"' '.exit.sender == null' \
		'.locks | has_all(["wal-write"])'
}

@test "12 segv_multithread: a SEGV that somebody sent is no fault" {
	mk app.db wal
	watch_begin --db app.db -- "$DRIVER" -t truth app.db "begin immediate" @ready ready @pause
	await ready
	kill -SEGV "$(pid_of truth)"
	watch_end
	certificate app.db truth
	assert_certificate '.exit.signal == "SIGSEGV"' '.exit.cause == "process"' ".exit.sender.pid == $BASHPID"
}

@test "the ways to send a signal all name the sender" {
	local way
	mk app.db wal
	for way in kill tgkill sigqueue; do
		rm -f ready truth
		watch_begin --db app.db -- "$DRIVER" -t truth app.db "select 1 from t" @ready ready @pause
		await ready
		"$KILLER" -m $way -s 15 "$(pid_of truth)"
		watch_end
		[ "$status" -eq 143 ]
		certificate app.db truth
		assert_certificate '.exit.signal == "SIGTERM"' '.exit.cause == "process"' '.exit.sender.comm == "killer"' \
			".exit.sender.ancestors[0].pid == $BASHPID"
	done
	rm -f truth
	watch --db app.db -- "$DRIVER" -t truth app.db "select 1 from t" @raise 6
	[ "$status" -eq 134 ]
	certificate app.db truth
	assert_certificate '.exit.signal == "SIGABRT"' '.exit.cause == "self"'
}

@test "who sent a signal that was blocked and read did not end it; who sent the next one did" {
	mk app.db wal
	watch_begin --db app.db -- python3 -c 'import os, signal, sqlite3, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
db = sqlite3.connect("app.db")
db.execute("select 1 from t").fetchone()
open("truth", "w").write(str(os.getpid()))
os.rename("truth", "ready")
signal.sigwait([signal.SIGTERM])
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
open("read", "w").close()
signal.pause()'
	await ready
	"$KILLER" -m kill -s 15 "$(<ready)"
	await read
	kill -TERM "$(<ready)"
	watch_end
	[ "$status" -eq 143 ]
	jq -e '.databases[0].certificates | length == 1 and (.[0].exit | .signal == "SIGTERM" and .sender.comm != "killer"
		and .sender.pid == '$BASHPID')' r.json
}

# Makes a memory cgroup of 30 MiB, of either version, and prints its path.
memory_cgroup() {
	local dir

	if [ -d /sys/fs/cgroup/memory ]; then
		dir=/sys/fs/cgroup/memory/vigil-test-$$
		mkdir "$dir" && echo 31457280 >"$dir/memory.limit_in_bytes"
	else
		dir=/sys/fs/cgroup/vigil-test-$$
		echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
		mkdir "$dir" && echo 31457280 >"$dir/memory.max" && echo 0 >"$dir/memory.swap.max"
	fi && echo "$dir"
}

# Removes a cgroup as soon as what was in it has gone.
drop_cgroup() {
	until_true cgroup_is_gone "$1"
}

cgroup_is_gone() {
	rmdir "$1" 2>/dev/null || [ ! -d "$1" ]
}

@test "13 oom_memcg: the kernel's OOM killer is the cause, not the process itself" {
	local dir
	dir=$(memory_cgroup) || skip "no memory cgroup can be made here"
	mk app.db wal
	# Only the workload is in the group: exec puts it there before it becomes the driver.
	watch --db app.db -- bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$dir" "$DRIVER" -t truth app.db "begin immediate" @hog 200 ||
		true
	drop_cgroup "$dir"
	[ "$status" -eq 137 ]
	assert_trusted
	assert_findings unclean-death
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.exit.signal == "SIGKILL"' '.exit.oom == true' \
		'.exit.cause == "kernel-oom"'
}

@test "14 cgroup_kill: the writer of cgroup.kill is the origin for every member" {
	local dir=/sys/fs/cgroup/vigil-test-$$
	[ ! -d /sys/fs/cgroup/unified ] || dir=/sys/fs/cgroup/unified/vigil-test-$$
	mkdir "$dir" 2>/dev/null && [ -e "$dir/cgroup.kill" ] || skip "no cgroup.kill here"
	mk app.db wal
	watch_begin --db app.db -- bash -c 'echo $$ >"$0/cgroup.procs"; "$1" -t idle "$2" "select 1 from t" @ready idle.ready @pause &
		"$1" -t busy "$2" "begin immediate" @ready busy.ready @pause & wait' "$dir" "$DRIVER" app.db
	await idle.ready
	await busy.ready
	echo 1 >"$dir/cgroup.kill"
	watch_end
	drop_cgroup "$dir"
	assert_trusted
	certificate app.db busy
	assert_certificate '.verdict == "unclean"' '.exit.signal == "SIGKILL"' '.exit.how == "cgroup.kill"' ".exit.origin.pid == $BASHPID"
	certificate app.db idle
	assert_certificate '.verdict == "abrupt"' '.exit.signal == "SIGKILL"' '.exit.how == "cgroup.kill"' ".exit.origin.pid == $BASHPID"
}

@test "15 pidns_teardown: who killed the init of the namespace killed its members" {
	unshare --pid --fork true 2>/dev/null || skip "no PID namespace can be made here"
	mk app.db wal
	# /proc is the one outside, so the init reads its pid outside from there.
	watch_begin --db app.db -- unshare --pid --fork bash -c \
		'read -r pid _ </proc/self/stat; echo "$pid" >init; "$0" -t truth "$1" "begin immediate" @ready ready @pause & wait' \
		"$DRIVER" app.db
	await ready
	kill -9 "$(cat init)"
	watch_end
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.exit.signal == "SIGKILL"' ".exit.sender.pid == $BASHPID or .exit.origin.pid == $BASHPID"
}

# The next number is one for the whole host.
# bats test_tags=alone
@test "16 pid_reuse: a new process under an old pid inherits nothing" {
	[ -w /proc/sys/kernel/ns_last_pid ] || skip "the next pid cannot be chosen here"
	mk app.db wal
	watch --db app.db -- "$REUSE" "$DRIVER" -t first app.db "${SPILL[@]}" @kill9 -- \
		"$DRIVER" -t second app.db "insert into t(b) values('x')"
	[ "$status" -eq 0 ]
	assert_trusted
	[ "$(pid_of first)" -eq "$(pid_of second)" ]
	assert_report "[.databases[].certificates[] | select(.process.pid == $(pid_of first))] | length == 2"
	jq "[.databases[].certificates[] | select(.process.pid == $(pid_of first))] | sort_by(.process.start_ns)[0]" r.json >c.json
	assert_certificate '.verdict == "unclean"' '.locks | has_all(["wal-write"])' '.exit.signal == "SIGKILL"'
	jq "[.databases[].certificates[] | select(.process.pid == $(pid_of first))] | sort_by(.process.start_ns)[1]" r.json >c.json
	assert_certificate '.verdict == "clean"' '.locks == []' '.exit.signal == null' '.exit.sender == null' \
		'.reasons | has_none(["bytes-at-risk", "write-transaction-open"])' 'risk("main") == 0'
	database app.db
	assert_database '[.findings[].code] == ["unclean-death"]' '.integrity.result == "ok"'
}

@test "16 pid_reuse: nor does the next process that gets the same table of descriptors" {
	mk app.db delete
	watch --db app.db -- bash -c 'for i in 1 2 3; do "$0" -t first "$1" "begin immediate" @kill9; done; "$0" -t last "$1" "select 1 from t"' \
		"$DRIVER" app.db
	assert_trusted
	certificate app.db last
	assert_certificate '.verdict == "clean"' '.locks == []'
	database app.db
	assert_database '[.certificates[] | select(.verdict == "unclean" and (.locks | has_all(["reserved"])))] | length == 3'
}

@test "17 exec_abandon: exec in a transaction abandons it, and its closing of files is no fault" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "${SPILL[@]}" @exec sh -c 'exit 4'
	[ "$status" -eq 4 ]
	assert_trusted
	assert_findings unclean-death
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.ended_by == "exec"' \
		'.reasons | has_all(["abandoned-by-exec", "write-transaction-open"])' '.locks | has_all(["reserved"])' \
		'.exit.sender == null' '.left_behind.hot_journal == true'
}

@test "17 exec_abandon: locks that locking_mode EXCLUSIVE keeps after a commit are no transaction that an exec abandons" {
	local insert="insert into t(b) values('x')" mode

	for mode in delete truncate persist; do
		rm -f app.db* truth
		mk app.db "$mode"
		watch --db app.db -- "$DRIVER" -t truth app.db "pragma journal_mode=$mode" "pragma locking_mode=exclusive" "$insert" @exec true
		[ "$status" -eq 0 ]
		assert_trusted
		certificate app.db truth
		assert_certificate '.verdict == "abrupt"' '.ended_by == "exec"' '.locks | has_all(["reserved"])' \
			'.reasons | has_all(["connection-left-open"]) and has_none(["write-transaction-open"])'
		# What is open when the program is replaced is one, the first of a connection or a later one.
		rm truth
		watch --db app.db -- "$DRIVER" -t truth app.db "pragma journal_mode=$mode" "pragma locking_mode=exclusive" "begin immediate" \
			"$insert" @exec true
		certificate app.db truth
		assert_certificate '.verdict == "unclean"' '.reasons | has_all(["abandoned-by-exec", "write-transaction-open"])'
		sqlite3 app.db 'select count(*) from t' >/dev/null
		rm truth
		watch --db app.db -- "$DRIVER" -t truth app.db "pragma journal_mode=$mode" "pragma locking_mode=exclusive" "$insert" \
			"${SPILL[@]}" @exec true
		certificate app.db truth
		assert_certificate '.verdict == "unclean"' '.left_behind.hot_journal == true'
		sqlite3 app.db 'select count(*) from t' >/dev/null
	done
}

@test "17 exec_abandon: a transaction under a lock that is kept from a recovery, which asks for none of its own" {
	mk app.db delete
	killed "$DRIVER" -t /dev/null app.db "${SPILL[@]}" @kill9
	watch --db app.db -- "$DRIVER" -t truth app.db "pragma locking_mode=exclusive" "select count(*) from t" "${SPILL[@]}" @exec true
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.left_behind.hot_journal == true' \
		'.reasons | has_all(["write-transaction-open", "hot-journal", "abandoned-by-exec"])'
}

@test "17 exec_abandon: without a journal an exec is judged as a death is" {
	local mode

	for mode in memory off; do
		rm -f app.db* truth
		mk app.db delete
		watch --db app.db -- "$DRIVER" -t truth app.db "pragma journal_mode=$mode" "${SPILL[@]}" @exec true
		certificate app.db truth
		assert_certificate '.verdict == "unclean"' '.reasons | has_all(["no-journal", "abandoned-by-exec"])'
		rm -f app.db* truth
		mk app.db delete
		watch --db app.db -- "$DRIVER" -t truth app.db "pragma journal_mode=$mode" "pragma locking_mode=exclusive" \
			"pragma synchronous=off" "insert into t(b) values('x')" @exec true
		certificate app.db truth
		assert_certificate '.verdict == "unknown"' '.reasons | has_all(["transaction-end-unseen", "abandoned-by-exec"])'
	done
}

# certificates_of PID: those of one process on one database, in the order of time, into cs.json.
certificates_of() {
	jq --argjson pid "$1" '[.databases[].certificates[] | select(.process.pid == $pid)] | sort_by(.ended_at)' r.json >cs.json
}

@test "17 exec_abandon: locks of descriptors that stay open stay, and go with the next program" {
	local mode lock

	for mode in delete wal; do
		rm -f app.db* truth
		mk app.db "$mode"
		[ "$mode" = wal ] && lock=wal-write || lock=exclusive
		watch --db app.db -- "$DRIVER" -t truth app.db "${SPILL[@]}" @keep-fds @exec sh -c 'kill -9 $$' || true
		assert_trusted
		assert_findings unclean-death abrupt-death
		certificates_of "$(pid_of truth)"
		assert_json cs.json 'length == 2' '.[0].ended_by == "exec"' '.[0].verdict == "unclean"' \
			'.[0].reasons | has_all(["abandoned-by-exec", "write-transaction-open"])' ".[0].locks | has_all([\"$lock\"])" \
			'.[0].process.comm == "driver"' '.[1].ended_by == "exit"' '.[1].verdict == "abrupt"' \
			'.[1].reasons | has_all(["connection-left-open"])' ".[1].locks | has_all([\"$lock\"])" \
			'.[1].transaction == "none"' '.[1].process.argv[0] == "sh"'
	done
}

@test "17 exec_abandon: descriptors that stay open without a lock are nobody's connection" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "insert into t(b) values('x')" @keep-fds @exec sh -c 'kill -9 $$' || true
	assert_trusted
	assert_no_findings
	certificates_of "$(pid_of truth)"
	assert_json cs.json 'length == 1' '.[0].ended_by == "exec"' '.[0].verdict == "clean"'
}

@test "17 exec_abandon: an exec with the database closed ends nothing" {
	mk app.db delete
	watch --db app.db -- "$DRIVER" -t truth app.db "insert into t(b) values('x')" @close @exec sh -c 'exit 0'
	assert_quiet
	assert_report '[.databases[].certificates[] | select(.verdict != "clean")] == []'
}

@test "18 sigkill_in_fsync: the sync went on, and nobody heard how it ended" {
	local sender

	mk app.db wal
	watch_begin --db app.db -- "$DRIVER" -t truth app.db "pragma wal_autocheckpoint=0" "pragma synchronous=normal" \
		"with recursive n(i) as (select 1 union all select i+1 from n where i<64) insert into t(b) select zeroblob(2000000) from n" \
		@ready ready @wait go @checkpoint passive
	await ready
	"$KILLER" --in-sync "$(pid_of truth)" 3>&- &
	sender=$!
	touch go
	wait "$sender"
	watch_end
	assert_trusted
	certificate app.db truth
	assert_certificate '.verdict == "unclean"' '.reasons | has_all(["checkpoint-interrupted", "killed-in-sync"])' \
		'.sync_in_flight == true' '.exit.sender.comm == "killer"'
}
