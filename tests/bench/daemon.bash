# daemon.bash - what vigil run costs at rest and under load, and how fast it answers, judges and saves. Parts of scripts/bench.sh.
# shellcheck disable=SC2154 # $tmpfs and the like are set by scripts/bench.sh

daemon=""

# daemon_begin CONFIGURATION: starts it with a state directory of its own on the disk, and waits until it watches.
daemon_begin() {
	local i
	rm -rf "$disk/state"
	printf '%s\n' "$1" >"$tmpfs/vigil.conf"
	: >"$tmpfs/daemon.err"
	settle
	env -u NOTIFY_SOCKET "$vigil" run -c "$tmpfs/vigil.conf" --state-dir "$disk/state" 2>"$tmpfs/daemon.err" &
	daemon=$!
	for ((i = 0; i < 3000; i++)); do
		! grep -q 'state in ' "$tmpfs/daemon.err" || return 0
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.01
	done
	die 69 "vigil run does not watch: $(tail -n1 "$tmpfs/daemon.err")"
}

daemon_end() {
	[ -n "$daemon" ] || return 0
	kill "$daemon" 2>/dev/null || :
	wait "$daemon" || :
	daemon=""
}

# many DIR N: the configuration of N databases in it.
many() {
	local i
	mkdir -p "$1"
	for ((i = 0; i < $2; i++)); do
		sqlite3 "$1/$i.db" "pragma journal_mode=wal; create table t(a)" >/dev/null
		echo "database \"d$i\" { path = '$1/$i.db' }"
	done
}

ask() {
	"$vigil" --state-dir "$disk/state" --json "$@"
}

# Nanoseconds that the daemon has been on a processor, with those of its children that have ended (to a clock tick each).
on_processor() {
	local tick
	tick=$(getconf CLK_TCK)
	awk -v own="$(cut -d' ' -f1 "/proc/$daemon/schedstat")" -v tick="$tick" '
		{ sub(/.*\) /, ""); printf "%.0f\n", own + ($14 + $15) * 1e9 / tick }' "/proc/$daemon/stat"
}

# The same in user space alone, in clock ticks.
in_user_space() {
	awk '{ sub(/.*\) /, ""); print $12 + $14 }' "/proc/$daemon/stat"
}

bench_idle() {
	local before seconds
	seconds=$(rounds 120 20)
	say "idle: 100 databases, $seconds s"
	daemon_begin "$(many "$tmpfs/many" 100)"
	sleep 5
	before=$(on_processor)
	sleep "$seconds"
	sample idle.cpu "$(awk -v a="$before" -v b="$(on_processor)" -v s="$seconds" 'BEGIN { print (b - a) / s / 1e7 }')"
	sample idle.memory "$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$daemon/status")"
	sample idle.highest "$(awk '/^VmHWM/ { print $2 / 1024 }' "/proc/$daemon/status")"
	daemon_end
	rm -rf "$tmpfs/many"
	figure idle "vigil run, 100 databases, resident" MiB idle.memory 32
	figure idle "the highest it was" MiB idle.highest
	figure idle "processor" % idle.cpu 0.1
}

# Each database has been worked on, so that it has histograms; with this window a turn is a second, not five.
bench_latency() {
	local judged i before seconds
	seconds=$(rounds 60 15)
	for judged in true false; do
		say "latency: 100 databases, judged: $judged, $seconds s"
		daemon_begin "latency { window = 6s  enabled = $judged }
$(many "$tmpfs/many" 100)"
		for ((i = 0; i < 100; i++)); do
			sqlite3 "$tmpfs/many/$i.db" "insert into t values(1)"
		done
		sleep 3
		before=$(on_processor)
		sleep "$seconds"
		sample "latency.$judged" "$(awk -v a="$before" -v b="$(on_processor)" -v s="$seconds" 'BEGIN { print (b - a) / s / 1e6 }')"
		daemon_end
		rm -rf "$tmpfs/many" "$disk/state"
	done
	figure latency "processor each second, 100 databases, one turn a second" ms latency.true 5
	figure latency "the same, nothing judged" ms latency.false
}

bench_status() {
	local i
	daemon_begin "$(many "$tmpfs/many" 100)"
	for ((i = 0; i < $(rounds 200 30); i++)); do
		timed status ask status
	done
	daemon_end
	rm -rf "$tmpfs/many"
	figure status "vigil status --json, 100 databases" ms status 20
}

bench_jobs() {
	local pid i
	say "jobs: 1,000 jobs, read and judged each second"
	daemon_begin "database \"app\" { path = '$tmpfs/jobs.db' }
orchestrator \"o\" { match-cmdline = '$root/tests/workloads/orchestrator.py' database = \"app\"
	jobs { query = 'SELECT * FROM jobs' every = 1s } }"
	python3 "$root/tests/workloads/orchestrator.py" "$tmpfs/jobs.db" "$tmpfs/jobs" many &
	pid=$!
	for ((i = 0; i < 300; i++)); do
		[ "$(ask jobs | jq '.counts.healthy')" != 1000 ] || [ ! -e "$tmpfs/jobs/many.ready" ] || break
		sleep 0.1
	done
	for ((i = 0; i < $(rounds 30 5); i++)); do
		sleep 1
		sample judged "$(ask jobs | jq '.orchestrators[0].reading.judged_us / 1000')"
		sample readjobs "$(ask jobs | jq '.orchestrators[0].reading.ms')"
	done
	kill "$pid"
	wait "$pid" 2>/dev/null || :
	daemon_end
	rm -rf "$tmpfs"/jobs*
	figure jobs "1,000 jobs judged" ms judged 50
	figure jobs "1,000 jobs read, in its helper" ms readjobs
	bench_followed
	bench_sampling
}

# An orchestrator is followed and its jobs are read, by default each ten seconds; nothing is wrong with them.
bench_followed() {
	local pid before seconds
	seconds=$(rounds 60 20)
	say "jobs: nothing in question, $seconds s"
	daemon_begin "$(questioned "no-progress = 1h blocked-after = 1h")"
	python3 "$root/tests/workloads/orchestrator.py" "$tmpfs/jobs.db" "$tmpfs/jobs" idle &
	pid=$!
	sleep 8
	[ "$(ask jobs | jq '.counts.healthy')" = 1 ] || die 69 "the job is not seen to run"
	before=$(on_processor)
	sleep "$seconds"
	sample followed "$(awk -v a="$before" -v b="$(on_processor)" -v s="$seconds" 'BEGIN { print (b - a) / s / 1e7 }')"
	kill "$pid"
	wait "$pid" 2>/dev/null || :
	daemon_end
	rm -rf "$tmpfs"/jobs*
	figure jobs "vigil run, one orchestrator, nothing in question, processor" % followed 0.1
}

# questioned LIMITS: the configuration of an orchestrator whose jobs are in question from these limits on.
questioned() {
	echo "database \"app\" { path = '$tmpfs/jobs.db' backup { on = {} } }
orchestrator \"o\" { match-cmdline = '$root/tests/workloads/orchestrator.py' database = \"app\"
	jobs { query = 'SELECT * FROM jobs' $1 } }"
}

# The same 16 jobs, whose workers sleep, by turns within the limits and beyond them: nothing else differs.
bench_sampling() {
	local pid i turn seconds before limits workers=()
	seconds=$(rounds 30 20)
	for ((i = 0; i < 16; i++)); do
		workers+=("w$i")
	done
	daemon_begin "$(questioned "")"
	python3 "$root/tests/workloads/orchestrator.py" "$tmpfs/jobs.db" "$tmpfs/jobs" "${workers[@]}" &
	pid=$!
	for ((i = 0; i < 600; i++)); do
		[ "$(ask jobs | jq '.counts.healthy')" != 16 ] || break
		sleep 0.1
	done
	for ((i = 0; i < $(rounds 5 1); i++)); do
		for turn in quiet asked; do
			say "jobs: sampling, round $((i + 1)), $turn"
			limits="no-progress = 1h blocked-after = 1h every = 5s"
			[ "$turn" = quiet ] || limits="no-progress = 6s blocked-after = 1s every = 5s"
			questioned "$limits" >"$tmpfs/vigil.conf"
			kill -HUP "$daemon"
			sleep 12
			[ "$turn" = quiet ] || [ "$(ask jobs | jq '.counts["job-stalled"]')" = 16 ] || die 69 "the jobs are not seen to stall"
			before=$(on_processor)
			sleep "$seconds"
			sample "sampling.$turn" "$(awk -v a="$before" -v b="$(on_processor)" -v s="$seconds" 'BEGIN { print (b - a) / s / 1e7 }')"
		done
	done
	kill "$pid"
	wait "$pid" 2>/dev/null || :
	daemon_end
	paste "$tmpfs/sample.sampling.asked" "$tmpfs/sample.sampling.quiet" | awk '{ print $1 - $2 }' >"$tmpfs/sample.sampling.cost"
	rm -rf "$tmpfs"/jobs*
	figure jobs "vigil run, 16 jobs in question, processor" % sampling.asked
	figure jobs "the same jobs, not in question" % sampling.quiet
	figure jobs "sampling, the difference" % sampling.cost 0.1
}

# Writes the arrival of each line before it.
with_arrival() {
	local line
	while IFS= read -r line; do
		echo "${EPOCHREALTIME/./} $line"
	done
}

# The events as they come, in the file events; sets $follower. An event is sent when it stands in the store, with the certificate.
follow_begin() {
	: >"$tmpfs/events"
	"$vigil" --state-dir "$disk/state" --json events --follow > >(with_arrival >>"$tmpfs/events") &
	follower=$!
}

# Before the daemon ends: that would be an error of whoever follows it.
follow_end() {
	kill "$follower"
	wait "$follower" 2>/dev/null || :
}

# arrival EXPR: waits for an event for which the jq expression holds, and tells when it came, in us since the epoch. It is
# looked for seldom: the processor time of looking would be missing where it is measured.
arrival() {
	local i at
	for ((i = 0; i < 300; i++)); do
		at=$(while read -r at line; do
			! jq -e "$1" <<<"$line" >/dev/null || echo "$at"
		done <"$tmpfs/events" | head -n1)
		if [ -n "$at" ]; then
			echo "$at"
			return
		fi
		sleep 0.2
	done
	die 69 "no such event: $1"
}

# kill_writer DB: a process inside a WAL transaction of it is killed; sets $pid and $killed (us since the epoch).
kill_writer() {
	local i
	rm -f "$tmpfs/ready" "$tmpfs/truth"
	"$driver" -t "$tmpfs/truth" "$1" "pragma journal_mode=wal" "create table if not exists k(a)" begin "insert into k values(1)" \
		@ready "$tmpfs/ready" @pause &
	pid=$!
	for ((i = 0; i < 3000; i++)); do
		[ ! -e "$tmpfs/ready" ] || break
		sleep 0.01
	done
	: >"$tmpfs/events"
	killed=${EPOCHREALTIME/./}
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || :
}

since() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", (b - a) / 1000 }'
}

bench_stored() {
	local i count follower pid killed at
	daemon_begin "database \"small\" { path = '$tmpfs/small.db' backup { on = {} } }
database \"large\" { path = '$disk/large.db' backup { min-interval = 0 max-per-hour = 1000 } }
limits { crash-loop = 0 }"
	"$bench/commits" -f 100 -n 10 "$disk/large.db" >/dev/null
	follow_begin
	sleep 1
	count=$(rounds 200 10)
	for ((i = 0; i < count; i++)); do
		((i % 20)) || say "stored: $i of $count"
		kill_writer "$tmpfs/small.db"
		at=$(arrival ".type == \"death\" and .process.pid == $pid")
		sample stored.certificate "$(since "$killed" "$at")"
	done
	for ((i = 0; i < $(rounds 10 3); i++)); do
		say "stored: backup $i"
		timed stored.cp copy_and_sync "$disk/large.db" "$disk/copy"
		kill_writer "$disk/large.db"
		at=$(arrival '.type == "action" and .action == "backup" and .database == "large"')
		sample stored.backup "$(since "$killed" "$at")"
	done
	follow_end
	daemon_end
	rm -rf "$disk/state" "$disk"/large.db* "$disk/copy"
	paired stored.backup stored.cp stored.ratio
	figure stored "SIGKILL to the certificate in the store" ms stored.certificate 50
	figure stored "cp and fsync of a 100 MiB database" ms stored.cp
	figure stored "SIGKILL to a verified backup of it" ms stored.backup
	figure stored "the same / cp and fsync" ratio stored.ratio 4
}

# A WAL commit is eight operations: six lock calls and two writes.
bench_load() {
	local seconds before processor commits
	seconds=$(rounds 600 20)
	say "load: 50,000 operations per second, $seconds s"
	daemon_begin "database \"busy\" { path = '$tmpfs/busy.db' }"
	"$bench/commits" -n 1 "$tmpfs/busy.db" >/dev/null
	sleep 2
	before=$(in_user_space) processor=$(on_processor)
	"$bench/commits" -n $((6250 * seconds)) -r 6250 "$tmpfs/busy.db" >"$tmpfs/out"
	sample load.user "$(awk -v a="$before" -v b="$(in_user_space)" -v s="$seconds" -v hz="$(getconf CLK_TCK)" \
		'BEGIN { print (b - a) / hz / s * 100 }')"
	sample load.cpu "$(awk -v a="$processor" -v b="$(on_processor)" -v s="$seconds" 'BEGIN { print (b - a) / s / 1e7 }')"
	commits=$(field .commits "$tmpfs/out")
	sample load.rate "$(field .ns_per_commit "$tmpfs/out" | awk '{ print 8e9 / $1 }')"
	ask status >"$tmpfs/status"
	jq -e '.trust.level == "full"' "$tmpfs/status" >/dev/null || die 69 "something was lost: $(jq -c .trust "$tmpfs/status")"
	sample load.memory "$(awk '/^VmHWM/ { print $2 / 1024 }' "/proc/$daemon/status")"
	daemon_end
	figure load "operations per second, $commits commits, nothing lost" 1/s load.rate
	figure load "vigil run, user space, share of one processor" % load.user 1
	figure load "the same with its system calls" % load.cpu
	figure load "resident, highest" MiB load.memory
}
