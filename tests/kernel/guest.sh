#!/usr/bin/env bash
# guest.sh - runs in the machine that scripts/vm.sh starts: `vigil doctor` and three deaths. Judges nothing: what Vigil said
# and the truth that the workload told go to /vigil/out, where the suite reads them.
set -u
out=/vigil/out
driver=/vigil/workloads/driver
spill=("pragma cache_size=5" "begin" "update t set b=hex(randomblob(50))")

# mk NAME MODE: 400 rows in NAME/app.db, made before anybody watches.
mk() {
	mkdir -p "$1" "$out/$1"
	cd "/tmp/$1" || exit
	"$driver" -t /dev/null app.db "pragma journal_mode=$2" "create table t(a integer primary key, b text)" \
		"with recursive n(i) as (select 1 union all select i+1 from n where i<400)
		 insert into t select i, hex(randomblob(50)) from n"
}

# watch NAME STEP...: until the workload has ended by itself, and where its time went.
watch() {
	local name=$1
	shift
	vigil exec --why --db app.db --out "$out/$name/report.json" -- "$driver" -t truth app.db "$@" 2>"$out/$name/err"
	echo $? >"$out/$name/status"
	cd /tmp || exit
}

# watch_and_kill NAME STEP...: this shell kills it when it says that it is ready.
watch_and_kill() {
	local name=$1 i
	shift
	vigil exec --db app.db --backup-dir backups --out "$out/$name/report.json" -- \
		"$driver" -t truth app.db "$@" @ready ready @pause 2>"$out/$name/err" &
	for ((i = 0; i < 4000; i++)); do
		[ ! -e ready ] || break
		sleep 0.05
	done
	sed -n '1s/.*"pid": *\([0-9]*\).*/\1/p' truth >"$out/$name/victim"
	kill -9 "$(cat "$out/$name/victim")"
	wait $!
	echo $? >"$out/$name/status"
	echo "$BASHPID" >"$out/$name/killer"
	cd /tmp || exit
}

vigil doctor --json >"$out/doctor.json" 2>"$out/doctor.err"
echo $? >"$out/doctor.status"

mk clean wal
watch clean "insert into t(b) values('x')"
mk wal wal
watch_and_kill wal "pragma synchronous=full" "insert into t(b) values('committed')" "${spill[@]}"
mk hot delete
watch_and_kill hot "${spill[@]}"
