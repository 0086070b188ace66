#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# Many databases in one configuration, and databases whose file system goes and comes.

load lib.bash
load daemon.bash

setup() {
	enter_tmp
}

teardown() {
	daemon_teardown
	! mountpoint -q disk || umount disk
}

# configure_many FROM TO: databases of these numbers.
configure_many() {
	local i lines=()
	for ((i = $1; i <= $2; i++)); do lines+=("database \"d$i\" { path = '$PWD/many/$i.db' }"); done
	configure "${lines[@]}"
}

dies_in() {
	killed "$DRIVER" -t "truth.$1" "many/$1.db" "${SPILL[@]}" @kill9
	eventually ".incidents | any(.database == \"d$1\" and .code == \"unclean-death\" and .backup.verified)" incidents
}

@test "500 databases in one configuration: each is watched, the first and the last are judged, a reload keeps the rest" {
	local i
	mkdir many
	mk one.db wal
	sqlite3 one.db 'pragma wal_checkpoint(truncate)' >/dev/null
	for ((i = 1; i <= 500; i++)); do cp one.db "many/$i.db"; done
	configure_many 1 500
	daemon_begin
	ask status
	assert_answer '.databases | length == 500 and all(.[]; .state == "watched")' '.trust.level == "full"' '.health.status == "healthy"' \
		'[.databases[].name] == ([.databases[].name] | sort)'
	dies_in 1
	dies_in 500
	dies_in 250
	ask incidents
	assert_answer '[.incidents[].databases[]] | unique == ["d1", "d250", "d500"]' 'all(.incidents[]; .trust.level == "full")'
	"$VIGIL" --state-dir S status >status.out
	grep -q 'and 480 more; -v shows all' status.out
	# Half of them go; who stays is still watched.
	configure_many 1 250
	timeout 60 "$VIGIL" --state-dir S reload
	ask status
	assert_answer '.databases | length == 250 and all(.[]; .state == "watched")'
	dies_in 100
	daemon_end
	[ "$status" -eq 0 ]
}

@test "threads that open eight databases at the same moments are one user of each, which ends with their process" {
	local i
	mkdir many
	mk many/1.db wal
	for i in {2..8}; do cp many/1.db "many/$i.db"; done
	configure_many 1 8
	daemon_begin
	"$TOGETHER" 100 many/*.db
	eventually '.databases | length == 8 and all(.[]; .processes == [])' status
	assert_answer '[.databases[].users] | unique == [0]' '.trust.level == "full"' '.health.status == "healthy"'
	daemon_end
	[ "$status" -eq 0 ]
}

@test "its file system is unmounted: Vigil does not hold it, says so, and watches again when it is back" {
	mkdir disk
	mount -t tmpfs -o size=8m,mode=700 vigil-test disk || skip "nothing can be mounted here"
	mkdir disk/data
	mk disk/data/app.db wal
	mk other.db wal
	configure "database \"app\" { path = '$PWD/disk/data/app.db' }" "database \"other\" { path = '$PWD/other.db' }"
	daemon_begin
	ask status
	assert_answer 'all(.databases[]; .state == "watched")'
	umount disk
	eventually '.databases[] | select(.name == "app") | .state == "waiting" and (.problem | test("directory does not exist"))' status
	ask health
	[ "$status" -eq 1 ]
	assert_answer '.reasons | any(test("^app is not watched"))'
	# The others are watched meanwhile.
	killed "$DRIVER" -t truth.other other.db "${SPILL[@]}" @kill9
	eventually '.incidents | any(.database == "other" and .code == "unclean-death" and .trust.level == "full")' incidents
	op_check=0
	timeout "$PATIENCE" "$VIGIL" --state-dir S check app >out 2>err || op_check=$?
	[ "$op_check" -eq 69 ]
	mount -t tmpfs -o size=8m,mode=700 vigil-test disk
	mkdir disk/data
	mk disk/data/app.db wal
	eventually '.databases[] | select(.name == "app") | .state == "watched"' status
	killed "$DRIVER" -t truth.app disk/data/app.db "${SPILL[@]}" @kill9
	eventually '.incidents | any(.database == "app" and .code == "unclean-death")' incidents
	daemon_end
	[ "$status" -eq 0 ]
	umount disk
}
