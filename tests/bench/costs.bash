# costs.bash - what watching costs those who are watched, and those who are not. Parts of scripts/bench.sh.
# shellcheck disable=SC2154 # $tmpfs and the like are set by scripts/bench.sh

# Probes that hang while vigil exec watches, by their names. Reads are not among them unless they are asked for.
probes() {
	"$vigil" doctor --json | jq -r '.probes[] | select(.attached) | .name | select(test("^sys_exit_p?readv?(64)?$") | not)'
	settle
}

# field NAME FILE: of the one JSON line that a workload has written among what others say.
field() {
	grep -ah '^{"' "$2" | head -n1 | jq -r ". $1"
}

# commits_under HOW DIR N MODE SYNC: ns per commit of one run: by the clock, of processor time, and of half of them at most.
commits_under() {
	local how=$1 dir=$2 run with=()
	run=("$bench/commits" -n "$3" -m "$4" -s "$5" "$dir/$4.db")
	case $how in
	none) "${run[@]}" ;;
	vigil | why)
		[ "$how" = vigil ] || with=(--why)
		"$vigil" exec "${with[@]}" --db "$dir/$4.db" --check none --out "$tmpfs/report" --wait-detach -- "${run[@]}" 2>"$tmpfs/err"
		jq -e '.trust.level == "full" and .trust.lost == 0 and .trust.missed == 0' "$tmpfs/report" >/dev/null ||
			die 69 "something was lost: $(jq -c .trust "$tmpfs/report")"
		;;
	empty) "$bench/empty" "${probe_names[@]}" -- "${run[@]}" ;;
	bpftrace) bpftrace -q -c "${run[*]}" "$root/tests/bench/account.bt" 2>"$tmpfs/err" ;;
	perf) perf trace -o /dev/null -- "${run[@]}" 2>"$tmpfs/err" ;;
	strace) strace -f -o /dev/null -- "${run[@]}" 2>"$tmpfs/err" ;;
	esac >"$tmpfs/out"
	field '| "\(.ns_per_commit) \(.cpu_ns_per_commit) \(.p50_ns)"' "$tmpfs/out"
}

# compare PART LABEL ROUNDS N DIR MODE SYNC HOW...: every HOW beside an unwatched run of the same round; who begins changes
# from round to round. Samples: PART.LABEL.HOW (ratio by the clock), PART.LABEL.HOW.cpu (of processor time), PART.LABEL.base.
compare() {
	local part=$1 label=$2 count=$3 n=$4 dir=$5 mode=$6 sync=$7 i how base value
	shift 7
	for ((i = 0; i < count; i++)); do
		say "$part: $label, round $((i + 1)) of $count"
		for how in "$@"; do
			((i % 2)) || base=$(commits_under none "$dir" "$n" "$mode" "$sync")
			value=$(commits_under "$how" "$dir" "$n" "$mode" "$sync")
			((i % 2 == 0)) || base=$(commits_under none "$dir" "$n" "$mode" "$sync")
			read -ra value <<<"$value"
			read -ra base <<<"$base"
			sample "$part.$label.$how" "$(ratio "${value[0]}" "${base[0]}")"
			sample "$part.$label.$how.cpu" "$(ratio "${value[1]}" "${base[1]}")"
			sample "$part.$label.base" "${base[0]}"
		done
	done
}

# while_watched HOW CMD...: runs CMD while somebody looks on: none; vigil, which attaches to $db; empty, which hangs empty programs at the
# same calls.
while_watched() {
	local how=$1
	shift
	rm -f "$tmpfs/err"
	case $how in
	vigil)
		"$vigil" attach --db "$db" --check none --out "$tmpfs/report" --wait-detach 2>"$tmpfs/err" &
		watcher=$!
		;;
	empty)
		"$bench/empty" "${probe_names[@]}" -- sh -c 'trap "exit 0" TERM; echo watching >&2; while kill -0 "$PPID"; do sleep 0.1; done' 2>"$tmpfs/err" &
		watcher=$!
		;;
	esac
	until [ -z "$watcher" ] || grep -qs watching "$tmpfs/err"; do
		kill -0 "$watcher" 2>/dev/null || die 69 "$how ended: $(tail -n1 "$tmpfs/err")"
		sleep 0.02
	done
	"$@"
	[ -n "$watcher" ] || return 0
	if [ "$how" = empty ]; then
		pkill -P "$watcher" # what it runs: its own end takes the programs off
	else
		kill "$watcher"
	fi
	wait "$watcher"
	watcher=""
	[ "$how" != vigil ] || jq -e '.trust.level == "full" and .trust.lost == 0 and .trust.missed == 0' "$tmpfs/report" >/dev/null ||
		die 69 "something was lost: $(jq -c .trust "$tmpfs/report")"
}

# some_commits SECONDS: what a commit of $writer takes in that time, into $took: ns by the clock, of processor time, and of half of them
# at most.
some_commits() {
	window -
	sleep "$1"
	window -
	read -ra took < <(tail -n1 "$tmpfs/windows" | jq -r '"\(.ns_per_commit) \(.cpu_ns_per_commit) \(.p50_ns)"')
}

# windows PART LABEL ROUNDS SECONDS MODE HOW...: one writer on $db, which goes on all the time; every HOW for SECONDS between two times
# that nobody looks on, beside the mean of them: a disk is quicker and slower by the second, and whatever drifts through the three
# cancels out. Samples: PART.LABEL.HOW (the mean commit), PART.LABEL.HOW.p50 (the typical one), PART.LABEL.HOW.cpu (the mean one, were
# the disk as quick in all three: one unwatched, and the processor time that the watched one takes more), PART.LABEL.base,
# PART.LABEL.base.p50.
windows() {
	local part=$1 label=$2 count=$3 seconds=$4 mode=$5 i how before after took=()
	shift 5
	"$bench/commits" -n 0 -m "$mode" -s full "$db" >"$tmpfs/windows" &
	writer=$!
	until [ -e "$db" ] && [ "$(stat -c %s "$db")" -gt 0 ]; do sleep 0.1; done
	some_commits "$seconds"
	for ((i = 0; i < count; i++)); do
		say "$part: $label, round $((i + 1)) of $count"
		for how in "$@"; do
			before=("${took[@]}")
			while_watched "$how" some_commits "$seconds"
			local value=("${took[@]}")
			some_commits "$seconds"
			after=("${took[@]}")
			sample "$part.$label.$how" "$(ratio "$((2 * value[0]))" "$((before[0] + after[0]))")"
			sample "$part.$label.$how.p50" "$(ratio "$((2 * value[2]))" "$((before[2] + after[2]))")"
			sample "$part.$label.$how.cpu" \
				"$(ratio "$((before[0] + after[0] + 2 * value[1] - before[1] - after[1]))" "$((before[0] + after[0]))")"
			sample "$part.$label.base" "${after[0]}"
			sample "$part.$label.base.p50" "${after[2]}"
		done
	done
	kill "$writer"
	wait "$writer"
	writer=""
}

bench_commits() {
	local n how slow=() label="WAL/NORMAL tmpfs"
	n=$(rounds 100000 20000)
	mapfile -t probe_names < <(probes)
	compare commits wal "$(rounds 15 3)" "$n" "$tmpfs" wal normal none vigil empty
	figure commits "$label: unwatched" ns commits.wal.base
	figure commits "$label: the same again / unwatched (noise)" ratio commits.wal.none
	figure commits "$label: vigil exec / unwatched" ratio commits.wal.vigil 1.25
	figure commits "$label: empty probes / unwatched" ratio commits.wal.empty
	figure commits "$label, processor time: the same again / unwatched" ratio commits.wal.none.cpu
	figure commits "$label, processor time: vigil exec / unwatched" ratio commits.wal.vigil.cpu 1.25
	figure commits "$label, processor time: empty probes / unwatched" ratio commits.wal.empty.cpu
	command -v bpftrace >/dev/null && compare commits wal "$(rounds 5 1)" "$n" "$tmpfs" wal normal bpftrace
	for how in perf strace; do
		! command -v "$how" >/dev/null || slow+=("$how")
	done
	[ ${#slow[@]} -eq 0 ] || compare commits slow "$(rounds 5 1)" 2000 "$tmpfs" wal normal "${slow[@]}"
	figure commits "$label: bpftrace script / unwatched" ratio commits.wal.bpftrace
	figure commits "$label: perf trace / unwatched" ratio commits.slow.perf
	figure commits "$label: strace / unwatched" ratio commits.slow.strace
}

# programs_under DIR N MODE SYNC: ns of Vigil's BPF programs per commit, by the kernel's own clock: what no disk makes noise of.
# It counts the clock itself, too, some 30 ns each time.
programs_under() {
	local dir=$1 before
	before=$(bpftool -j prog show | jq -c '[.[].id]')
	sysctl -qw kernel.bpf_stats_enabled=1
	"$vigil" exec --db "$dir/$3.db" --check none --out "$tmpfs/report" --wait-detach -- \
		sh -c '"$@" && bpftool -j prog show >"$0"' "$tmpfs/programs" "$bench/commits" -n "$2" -m "$3" -s "$4" "$dir/$3.db" \
		>"$tmpfs/out" 2>"$tmpfs/err"
	sysctl -qw kernel.bpf_stats_enabled=0
	jq --argjson before "$before" --argjson commits "$(($2 + 500))" \
		'[.[] | select(.id | IN($before[]) | not) | .run_time_ns // 0] | add / $commits | round' "$tmpfs/programs"
}

# disk_commits MODE
disk_commits() {
	local mode=$1 label="${1^^}/FULL" db=$disk/$1.db i
	[ "$(stat -f -c %T "$disk")" != tmpfs ] || die 69 "disk: $disk is a tmpfs; name a disk in VIGIL_BENCH_DISK"
	mapfile -t probe_names < <(probes)
	windows disk "$mode" "$(rounds 25 5)" "$(rounds 2 0.5)" "$mode" none vigil empty
	figure disk "$label, mean commit: unwatched" ns "disk.$mode.base"
	figure disk "$label, mean commit: the same again / unwatched (noise)" ratio "disk.$mode.none"
	figure disk "$label, mean commit: vigil / unwatched" ratio "disk.$mode.vigil" 1.03
	figure disk "$label, mean commit: empty probes / unwatched" ratio "disk.$mode.empty"
	figure disk "$label, typical commit: unwatched" ns "disk.$mode.base.p50"
	figure disk "$label, typical commit: the same again / unwatched (noise)" ratio "disk.$mode.none.p50"
	figure disk "$label, typical commit: vigil / unwatched" ratio "disk.$mode.vigil.p50" 1.03
	figure disk "$label, typical commit: empty probes / unwatched" ratio "disk.$mode.empty.p50"
	figure disk "$label, processor time added: the same again (noise)" ratio "disk.$mode.none.cpu"
	figure disk "$label, processor time added: vigil" ratio "disk.$mode.vigil.cpu" 1.03
	figure disk "$label, processor time added: empty probes" ratio "disk.$mode.empty.cpu"
	for ((i = 0; i < $(rounds 5 1); i++)); do
		sample "disk.$mode.programs" "$(programs_under "$disk" "$(rounds 5000 500)" "$mode" full)"
	done
	figure disk "$label: time of Vigil's programs in a commit" ns "disk.$mode.programs"
}

bench_disk_wal() {
	disk_commits wal
}

bench_disk_delete() {
	disk_commits delete
}

bench_disk() {
	bench_disk_wal
	bench_disk_delete
}

# While CMD runs, Vigil watches a database that CMD has nothing to do with; with the options in $beside.
beside=()
beside_vigil() {
	local holder status=0
	rm -f "$tmpfs/watching" "$tmpfs/go"
	mkfifo "$tmpfs/go"
	"$vigil" exec "${beside[@]}" --db "$tmpfs/elsewhere.db" --check none --out "$tmpfs/report" --wait-detach -- \
		sh -c 'touch "$0/watching"; read -r go <"$0/go"' "$tmpfs" 2>"$tmpfs/err" &
	holder=$!
	until [ -e "$tmpfs/watching" ]; do
		kill -0 "$holder" 2>/dev/null || die 69 "vigil exec ended: $(tail -n1 "$tmpfs/err")"
		sleep 0.02
	done
	"$@" || status=$?
	echo >"$tmpfs/go"
	wait "$holder" || status=$?
	return "$status"
}

bench_calls() {
	local i count kind how
	count=$(rounds 7 3)
	mapfile -t probe_names < <(probes)
	for ((i = 0; i < count; i++)); do
		say "calls: round $((i + 1)) of $count"
		"$bench/calls" "$tmpfs" >"$tmpfs/calls.none"
		beside_vigil "$bench/calls" "$tmpfs" >"$tmpfs/calls.vigil"
		"$bench/empty" "${probe_names[@]}" -- "$bench/calls" "$tmpfs" >"$tmpfs/calls.empty"
		for kind in $(jq -r 'keys_unsorted[]' "$tmpfs/calls.none"); do
			sample "calls.$kind" "$(jq ".$kind" "$tmpfs/calls.none")"
			for how in vigil empty; do
				sample "calls.$kind.$how" "$(jq -s ".[0].$kind - .[1].$kind" "$tmpfs/calls.$how" "$tmpfs/calls.none")"
			done
		done
	done
	for kind in $(jq -r 'keys_unsorted[]' "$tmpfs/calls.none"); do
		figure calls "$kind: unwatched" ns "calls.$kind"
		figure calls "$kind: added by vigil" ns "calls.$kind.vigil"
		figure calls "$kind: added by empty probes" ns "calls.$kind.empty"
	done
}

# Attribution on and off, in one run.
bench_why() {
	local i count how
	compare why wal "$(rounds 7 3)" "$(rounds 100000 20000)" "$tmpfs" wal normal vigil why
	figure why "WAL/NORMAL tmpfs: vigil exec / unwatched" ratio why.wal.vigil
	figure why "WAL/NORMAL tmpfs: vigil exec --why / unwatched" ratio why.wal.why
	if [ "$(stat -f -c %T "$disk")" != tmpfs ]; then
		compare why disk "$(rounds 15 3)" "$(rounds 3000 300)" "$disk" wal full vigil why
		figure why "WAL/FULL disk: vigil exec / unwatched" ratio why.disk.vigil
		figure why "WAL/FULL disk: vigil exec --why / unwatched" ratio why.disk.why
	fi
	count=$(rounds 15 5)
	for ((i = 0; i < count; i++)); do
		say "why: context switches, round $((i + 1)) of $count"
		sample why.none "$("$bench/switches" | jq .switch)"
		for how in "" --why; do
			beside=(${how:+"$how"})
			beside_vigil "$bench/switches" >"$tmpfs/switches"
			sample "why.vigil$how" "$(jq .switch "$tmpfs/switches")"
		done
	done
	beside=()
	figure why "context switch of strangers: unwatched" ns why.none
	figure why "context switch of strangers: beside vigil exec" ns why.vigil
	figure why "context switch of strangers: beside vigil exec --why" ns why.vigil--why
}
