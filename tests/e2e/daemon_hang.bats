#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# The disk of the state hangs in every write and sync, or refuses them: the watch goes on, answers, says so; afterwards nothing is missing.

load lib.bash
load daemon.bash
load ../faults/loopdisk.bash

setup() {
	daemon_setup ''
	local why
	! why=$(loopdisk_missing "$PWD/trial") || skip "$why"
	loopdisk_up "$PWD/state"
	ln -s state/disk S
	chmod 700 state/disk
}

teardown() {
	[ ! -d state/disk ] || loopdisk_thaw "$PWD/state" 2>/dev/null || true # what hangs could not be ended
	daemon_teardown
	if [ -n "${SECOND:-}" ]; then
		kill "$SECOND" 2>/dev/null || true
		await_gone "$SECOND"
	fi
	loopdisk_down "$PWD/state"
}

# Until it has noticed: some seconds.
hang() {
	loopdisk_freeze "$PWD/state"
	unclean_death
	eventually '.reasons | any(test("the store does not answer since [0-9]+ s: its disk hangs"))' health
	[ "$status" -eq 1 ]
}

@test "status and health answer and say it, deaths are judged, and after the thaw all of it is stored" {
	daemon_begin
	hang
	grep -q 'store: cannot write to .*/vigil.db: it does not answer: its disk hangs' daemon.err
	# The loop goes on: another death is seen, and the answer about it is there while its row waits.
	unclean_death
	eventually '.incidents.P1 >= 1 and .store.state == "degraded" and .store.queued > 0 and .databases[0].state == "watched"' status
	# What only the store knows is not made up.
	status=0
	timeout "$PATIENCE" "$VIGIL" --state-dir S incidents 2>err || status=$?
	[ "$status" -eq 69 ]
	grep -q 'the store does not answer: see vigil health' err
	loopdisk_thaw "$PWD/state"
	eventually '.reasons | all(test("the store") | not)' health
	eventually '.certificates | map(select(.verdict == "unclean")) | length == 2' certificates
	eventually '[.incidents[].code] | index("unclean-death") and index("store-degraded")' incidents
	eventually '.incidents[] | select(.code == "unclean-death") | .backup.verified' incidents
	eventually '.incidents[] | select(.code == "store-degraded") | .status == "resolved"' incidents
	eventually '.incidents[] | select(.code == "unclean-death") | .evidence | type == "string"' incidents
	[ "$(sql "select count(*) from certificates where json_extract(doc, '\$.verdict')='unclean'")" = 2 ]
	[ "$(sql "select count(*) from (select doc from events where type='death' group by doc having count(*) > 1)")" = 0 ]
	daemon_end
	[ "$status" -eq 0 ]
}

@test "it is asked to end meanwhile: it ends, and leaves to the next one what it could not store" {
	daemon_begin
	hang
	unclean_death
	daemon_end
	[ "$status" -eq 0 ]
	grep -q 'store: .* bytes of what was seen last could not be written: it does not answer' daemon.err
	grep -q 'the watch stays in the kernel, with the deaths that are not stored, for the next run' daemon.err
	loopdisk_thaw "$PWD/state"
	daemon_begin
	grep -q 'taken over from an earlier run: nothing was left unwatched' daemon.err
	eventually '.certificates | map(select(.verdict == "unclean")) | length == 2' certificates
	daemon_end
	[ "$(sql "select count(*) from findings where code='unclean-death'")" = 2 ]
	[ "$(sql 'pragma integrity_check')" = ok ]
}

@test "it is killed meanwhile, and the next one begins while the disk still hangs: no death is lost or told twice" {
	daemon_begin
	hang
	unclean_death
	daemon_kill
	"$VIGIL" run -c vigil.conf --state-dir S 3>&- 2>second.err &
	SECOND=$!
	sleep 0.5 # it may hang: that is the point
	loopdisk_thaw "$PWD/state"
	eventually '.certificates | map(select(.verdict == "unclean")) | length == 2' certificates || {
		cat second.err
		return 1
	}
	[ "$(sql "select count(*) from findings where code='unclean-death'")" = 2 ]
	[ "$(sql "select count(*) from events where type='death'")" = 2 ]
	kill -TERM "$SECOND"
	await_end "$SECOND"
	SECOND=
}

# As a disk whose errors have made its file system read-only.
turn_read_only() {
	local device
	device=$(findmnt -no SOURCE state/disk)
	mount -o remount,errors=remount-ro state/disk
	echo 1 >"/sys/fs/ext4/${device##*/}/trigger_fs_error"
}

no_loop_device() {
	[ -z "$(losetup -j state/store/image)" ]
}

@test "its file system turns read-only: told, judged all the same, and the next run has what could not be stored" {
	daemon_begin
	turn_read_only
	unclean_death
	says 'cannot write to .*/vigil.db: its file system is read-only'
	eventually '.reasons | any(test("the store cannot be written: its file system is read-only"))' health
	[ "$status" -eq 1 ]
	daemon_end
	[ "$status" -eq 0 ]
	grep -q 'the watch stays in the kernel, with the deaths that are not stored, for the next run' daemon.err
	umount state/disk
	# Mount namespaces that others made meanwhile have it, too, until they end.
	until_true no_loop_device
	status=0
	e2fsck -fy state/store/image >/dev/null || status=$?
	[ "$status" -le 1 ]
	mount -o loop state/store/image state/disk
	daemon_begin
	eventually '.certificates | map(select(.verdict == "unclean")) | length == 1' certificates
	eventually '.incidents[] | select(.code == "unclean-death") | .backup.verified' incidents
}
