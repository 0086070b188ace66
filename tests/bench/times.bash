# times.bash - how fast Vigil begins, reports and saves, and what it weighs. Parts of scripts/bench.sh.
# shellcheck disable=SC2154 # $tmpfs and the like are set by scripts/bench.sh

# ms FROM TO: milliseconds between two stamps.
ms() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", (b - a) / 1e6 }'
}

bench_start() {
	local i count began first ended
	count=$(rounds 11 3)
	for ((i = 0; i < count; i++)); do
		say "start: round $((i + 1)) of $count"
		settle
		began=$(now)
		"$vigil" exec --db "$tmpfs/start.db" --check none --out "$tmpfs/report" -- "$bench/stamp" >"$tmpfs/out" 2>"$tmpfs/err"
		ended=$(now)
		first=$(<"$tmpfs/out")
		sample start.first "$(ms "$began" "$first")"
		sample start.ended "$(ms "$first" "$ended")"
	done
	settle
	figure start "vigil exec to the command's first instruction" ms start.first 500
	figure start "the command's end to report and status, detach not waited for" ms start.ended
}

bench_memory() {
	local pid line
	say "memory"
	settle
	"$vigil" exec --db "$tmpfs/memory.db" --out "$tmpfs/report" --wait-detach -- \
		"$bench/commits" -n "$(rounds 1000000 100000)" "$tmpfs/memory.db" >"$tmpfs/out" 2>"$tmpfs/err" &
	pid=$!
	# The high-water mark of the monitor itself; the last one that can be read counts.
	while line=$(grep VmHWM "/proc/$pid/status" 2>/dev/null); do
		echo "$line" | awk '{ printf "%.2f\n", $2 / 1024 }' >"$tmpfs/hwm"
		sleep 0.05
	done
	wait "$pid"
	sample memory "$(<"$tmpfs/hwm")"
	figure memory "vigil exec, resident, highest" MiB memory 48
}

# The time between the stamp that the killer takes right before kill(2) and the end of vigil exec, when the report with the
# certificate is on the file system. The victim is inside a WAL transaction with one committed before it.
one_kill() {
	local i watcher pid killed
	rm -f "$tmpfs"/kill* "$tmpfs/ready" "$tmpfs/report"
	"$driver" -t /dev/null "$tmpfs/kill.db" "pragma journal_mode=wal" "create table t(a)"
	"$vigil" exec --db "$tmpfs/kill.db" --check "$1" --out "$tmpfs/report" -- "$driver" -t "$tmpfs/kill.truth" "$tmpfs/kill.db" \
		"insert into t values(1)" begin "insert into t values(2)" @ready "$tmpfs/ready" @pause 2>"$tmpfs/err" &
	watcher=$!
	for ((i = 0; i < 3000; i++)); do
		[ ! -e "$tmpfs/ready" ] || break
		sleep 0.01
	done
	pid=$(jq -rs '.[0].pid' "$tmpfs/kill.truth")
	killed=$("$bench/stamp" -k 9 "$pid")
	wait "$watcher" || :
	sample "kills.$1" "$(ms "$killed" "$(now)")"
	jq -e --argjson pid "$pid" '.databases[0].certificates | map(select(.process.pid == $pid and .verdict == "unclean"))
		| length == 1' "$tmpfs/report" >/dev/null || die 69 "no certificate of $pid in the report"
	settle
}

bench_kills() {
	local i
	for ((i = 0; i < $(rounds 200 10); i++)); do
		((i % 20)) || say "kills: $i of $(rounds 200 10)"
		one_kill none
	done
	for ((i = 0; i < $(rounds 20 5); i++)); do
		one_kill quick
	done
	figure kills "SIGKILL to the certificate" ms kills.none
	figure kills "the same with the integrity check" ms kills.quick
}

# timed NAME CMD...: milliseconds that CMD takes, as a sample of that name.
timed() {
	local name=$1 began ended
	shift
	began=$(now)
	"$@" >"$tmpfs/out" 2>"$tmpfs/err" || die 69 "$1: $(tail -n1 "$tmpfs/err")"
	ended=$(now)
	sample "$name" "$(ms "$began" "$ended")"
}

copy_and_sync() {
	cp "$1" "$2"
	sync "$2"
}

# The writer's p99 since the last window, as a sample; it ends that window.
window() {
	local before
	before=$(wc -l <"$tmpfs/windows")
	kill -USR1 "$writer"
	until [ "$(wc -l <"$tmpfs/windows")" -gt "$before" ]; do
		sleep 0.01
	done
	[ "$1" = - ] || sample "$1" "$(tail -n1 "$tmpfs/windows" | jq '.p99_ns / 1000')"
}

bench_backup() {
	local i count began db=$disk/large.db
	count=$(rounds 5 3)
	say "backup: making 256 MiB"
	"$bench/commits" -f 256 -n 10 "$db" >/dev/null
	cat "$db" >/dev/null
	for ((i = 0; i < count; i++)); do
		say "backup: round $((i + 1)) of $count"
		rm -rf "$disk"/copy* "$disk/backups"
		timed backup.cp copy_and_sync "$db" "$disk/copy"
		timed backup.sqlite sqlite3 "$db" ".backup $disk/copy.idle"
		"$bench/commits" -n 0 "$db" >"$tmpfs/windows" 2>"$tmpfs/err" &
		writer=$!
		: >"$tmpfs/windows"
		sleep 2
		window backup.p99_before
		began=$(now)
		"$vigil" backup create --json --db "$db" --backup-dir "$disk/backups" >"$tmpfs/created" 2>"$tmpfs/err" ||
			die 69 "vigil backup create: $(tail -n1 "$tmpfs/err")"
		sample backup.whole "$(ms "$began" "$(now)")"
		window backup.p99_during
		sample backup.durable "$(jq .result.durable_ms "$tmpfs/created")"
		jq -e .result.verified "$tmpfs/created" >/dev/null || die 69 "the backup is not verified: $(<"$tmpfs/created")"
		# It begins again whenever another process has written: under a constant writer it need not end.
		if timeout 20 sqlite3 "$db" ".backup $disk/copy.busy" >"$tmpfs/out" 2>&1; then
			sample backup.sqlite_ended 1
		else
			sample backup.sqlite_ended 0
		fi
		kill "$writer"
		wait "$writer" || :
		writer=""
	done
	paired backup.durable backup.cp backup.durable_ratio
	paired backup.whole backup.cp backup.whole_ratio
	figure backup "cp and fsync of the idle file" ms backup.cp
	figure backup "vigil backup create until it is durable" ms backup.durable
	figure backup "vigil backup create until it is verified and published" ms backup.whole
	figure backup "durable / cp and fsync" ratio backup.durable_ratio 2
	figure backup "verified / cp and fsync" ratio backup.whole_ratio 4
	figure backup "sqlite3 .backup of the idle file" ms backup.sqlite
	figure backup "sqlite3 .backup under the same writer: ended within 20 s" share backup.sqlite_ended
	figure backup "the writer's p99 commit latency before" us backup.p99_before
	figure backup "the writer's p99 commit latency during the backup" us backup.p99_during
}

# paired A B RATIO: sample by sample, A / B.
paired() {
	paste "$tmpfs/sample.$1" "$tmpfs/sample.$2" | awk '{ printf "%.4f\n", $1 / $2 }' >"$tmpfs/sample.$3"
}
