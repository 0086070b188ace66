#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# Jobs whose processes are kept from going on by something other than a lock, and jobs in containers. One daemon for all.

load lib.bash
load daemon.bash
load jobs.bash
load ../faults/loopdisk.bash

CONTAINER=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

setup_file() {
	need_watch
	[ -z "${SUITE_SKIPPED:-}" ] || return 0
	export PLACE=$BATS_FILE_TMPDIR
	cd "$PLACE" || return
	follow held orchestrator.py "$QUERY"
	follow contained orchestrator.py "$QUERY"
	sed -i "/^orchestrator \"contained\"/s/match-cmdline = .* database/container = \"${CONTAINER:0:12}\" database/" vigil.conf
	if NO_DISK=$(loopdisk_missing "$PLACE/slow"); then
		export NO_DISK
	else
		unset NO_DISK
		loopdisk_up "$PLACE/slow"
		# A disk on that disk: when the lower one is frozen, the upper one does not answer.
		truncate -s 24m slow/disk/image
		mkfs.ext4 -q slow/disk/image
		mount -o loop,commit=300 slow/disk/image slow/after
		mk slow/after/c.db wal
		echo "database \"slow\" { path = \"$PWD/slow/after/c.db\" check { method = none } backup { on = {} } }" >>vigil.conf
	fi
	daemon_begin
	export DAEMON
}

teardown_file() {
	cd "$PLACE" || return
	daemon_teardown
	loopdisk_down "$PLACE/slow"
}

setup() {
	[ -z "${SUITE_SKIPPED:-}" ] || skip "$SUITE_SKIPPED"
	GROUPS_MADE=()
}

teardown() {
	local group

	release
	orchestrators_end
	for group in "${GROUPS_MADE[@]}"; do
		until_true rmdir "$group" 2>/dev/null
	done
}

work_in() {
	export BATCH=$1
	cd "$PLACE/$1" || return
	ln -s ../S ../daemon.err .
}

# make_group CONTROLLER FILE FILE: a cgroup of version 1, which has the first file, or of version 2, with the second; its path in $GROUP.
make_group() {
	if [ -d "/sys/fs/cgroup/$1" ]; then
		GROUP=/sys/fs/cgroup/$1/vigil-test-$BASHPID
	else
		GROUP=/sys/fs/cgroup/vigil-test-$1-$BASHPID
		[ "$1" != cpu ] || echo +cpu 2>/dev/null >/sys/fs/cgroup/cgroup.subtree_control || return
	fi
	mkdir "$GROUP" 2>/dev/null || return
	GROUPS_MADE+=("$GROUP")
	[ -e "$GROUP/$2" ] || [ -e "$GROUP/$3" ]
}

# freeze 1|0 GROUP
freeze() {
	local words=(THAWED FROZEN)
	if [ -e "$2/freezer.state" ]; then
		echo "${words[$1]}" >"$2/freezer.state"
	else
		echo "$1" >"$2/cgroup.freeze"
	fi
}

# throttle QUOTA MAX: what $THROTTLE may use of each 100 ms, in the words of either version.
throttle() {
	if [ -e "$THROTTLE/cpu.max" ]; then
		echo "$2" >"$THROTTLE/cpu.max"
	else
		echo "$1" >"$THROTTLE/cpu.cfs_quota_us"
	fi
}

# Whatever was held gets on.
release() {
	[ -z "${FROZEN_DISK:-}" ] || fsfreeze -u "$FROZEN_DISK"
	FROZEN_DISK=
	[ -z "${THAW:-}" ] || kill "$THAW" 2>/dev/null || true
	THAW=
	[ -z "${FROZEN:-}" ] || freeze 0 "$FROZEN"
	FROZEN=
	[ -z "${THROTTLE:-}" ] || throttle "-1" "max 100000"
	THROTTLE=
	[ -z "${STOPPED:-}" ] || kill -CONT "$STOPPED" 2>/dev/null || true
	STOPPED=
}

@test "stopped, frozen, throttled, in a sync: each is blocked, and it is said by what" {
	local held=(stopped) device me=$BASHPID

	work_in held
	if make_group freezer freezer.state cgroup.freeze; then
		FREEZER=$GROUP
		held+=(frozen)
	fi
	if make_group cpu cpu.cfs_quota_us cpu.max; then
		THROTTLE=$GROUP
		held+=(throttled)
	fi
	[ -n "${NO_DISK:-}" ] || held+=(sync)
	SLOW_DB=$PLACE/slow/after/c.db orchestrate python work "${held[@]}"

	STOPPED=$(pid_of_job job_stopped)
	kill -STOP "$STOPPED"
	if [ -n "${FREEZER:-}" ]; then
		pid_of_job job_frozen >"$FREEZER/cgroup.procs"
		FROZEN=$FREEZER
		freeze 1 "$FREEZER"
	fi
	if [ -n "${THROTTLE:-}" ]; then
		throttle 1000 "1000 100000"
		pid_of_job job_throttled >"$THROTTLE/cgroup.procs"
	fi
	if [ -z "${NO_DISK:-}" ]; then
		device=$(basename "$(findmnt -no SOURCE "$PLACE/slow/after")")
		FROZEN_DISK=$PLACE/slow/disk
		# Whatever becomes of this test, no disk stays frozen.
		(
			trap 'kill $!' TERM
			sleep $((3 * PATIENCE)) &
			wait
			fsfreeze -u "$FROZEN_DISK"
		) >/dev/null 2>&1 3>&- &
		THAW=$!
		# Nothing of the upper one is on its way: what the worker hangs in is to be its own sync, and not a commit of the journal.
		sync -f "$PLACE/slow/after"
		fsfreeze -f "$FROZEN_DISK"
		touch jobs/go-sync
	fi

	eventually "$(jobs_that '.verdict == "job-blocked"') == ${#held[@]}" jobs
	assert_answer "$(job job_stopped ".process.pid == $STOPPED and .evidence.reason == \"stopped\" and .evidence.stopped.signal == \"SIGSTOP\"
			and .evidence.stopped.sender.pid == $me and .severity == \"P1\"
			and (.detail | contains(\"is stopped by SIGSTOP from bash\"))")"
	[ -z "${FREEZER:-}" ] || assert_answer "$(job job_frozen '.evidence.reason == "frozen"')"
	[ -z "${THROTTLE:-}" ] || assert_answer "$(job job_throttled '.evidence.reason == "throttled" and .evidence.sample.throttled_ms > 0')"
	[ -n "${NO_DISK:-}" ] || assert_answer "$(job job_sync ".evidence.reason == \"sync\" and .evidence.sync.device == \"$device\"
		and .evidence.sync.database == \"slow\" and .evidence.sync.file == \"wal\" and .evidence.sync.waiting_ms >= 1000
		and .evidence.sample.state == \"D\" and (.detail | contains(\"on device $device\"))")"
	healthy job_work
	eventually "$(incident job-blocked '.status == "firing"')" incidents
	[ "$(jq '[.incidents[] | select(.database == "held")] | length' a.json)" -eq 1 ]
	release
	# They sleep or spin now, as they would have.
	eventually "$(jobs_that '.verdict == "job-blocked"') == 0" jobs
}

# host_pid PID GROUP: of the process in that cgroup that is PID in its own namespace.
host_pid() {
	local pid

	while read -r pid; do
		! grep -q "^NSpid:.*[[:blank:]]$1\$" "/proc/$pid/status" || echo "$pid"
	done <"$2/cgroup.procs"
}

@test "a container: its numbers are its own, a death in it is told, and who gets the number next is not taken for the worker" {
	local hierarchy=/sys/fs/cgroup stalled

	work_in contained
	[ ! -d /sys/fs/cgroup/unified ] || hierarchy=/sys/fs/cgroup/unified
	GROUP=$hierarchy/docker-$CONTAINER.scope
	mkdir "$GROUP" 2>/dev/null || skip "no cgroup can be made here"
	GROUPS_MADE+=("$GROUP")
	container() {
		echo "$BASHPID" >"$GROUP/cgroup.procs"
		exec unshare --pid --fork --kill-child --mount-proc python3 "$ROOT/tests/workloads/orchestrator.py" "$@"
	}
	orchestrate container work stall
	eventually "$(job job_stall '.verdict == "job-stalled"')" jobs
	stalled=$(host_pid "$(pid_of_job job_stall)" "$GROUP")
	assert_answer "$(job job_stall ".process.pid == $stalled and .evidence.tie == \"pid\" and .trust.level == \"full\"")" \
		"$(batch ".supervisor == \"docker ${CONTAINER:0:12}\"")"

	kill -KILL "$stalled"
	eventually "$(job job_stall ".verdict == \"job-orphaned\" and .process.pid == $stalled")" jobs
	assert_answer "$(job job_stall '.evidence.certificate != null and .trust.level == "full"')"
	healthy job_work

	# The orchestrator, which is process 1 there, lets another process have the number.
	kill -USR1 "$(host_pid 1 "$GROUP")"
	await jobs/reused.ready
	[ -n "$(host_pid "$(pid_of_job job_stall)" "$GROUP")" ]
	eventually "$(batch '.processes == 4')" jobs # unshare, the orchestrator, a worker, the new one
	eventually "$(job job_stall ".verdict == \"job-orphaned\" and .process.pid == $stalled")" jobs
	healthy job_work
}
