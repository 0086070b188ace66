# numbers.bash - figures of scripts/bench.sh: collects samples, makes figures of them, prints them. Reads $tmpfs, $json, $quick.
# shellcheck disable=SC2154 # $tmpfs and the like are set by scripts/bench.sh

# sample NAME VALUE...: adds to the samples of that name.
sample() {
	local name=$1
	shift
	printf '%s\n' "$@" >>"$tmpfs/sample.$name"
}

# figure PART NAME UNIT SAMPLES [BAR]: median, where the true one lies (low, high), extremes, p99 and number of the samples. A
# median of at most BAR is good.
figure() {
	local part=$1 name=$2 unit=$3 samples=$tmpfs/sample.$4 bar=${5:-null}
	[ -s "$samples" ] || return 0
	jq -sc --arg part "$part" --arg name "$name" --arg unit "$unit" --argjson bar "$bar" '
		def at(q): sort | .[(length * q | ceil | if . > 0 then . - 1 else 0 end)];
		def round3: . * 1000 | round / 1000;
		# How many of n samples are below the true median is binomial (n, 1/2), and of many normal. So many at either end are
		# outside, at 95 %.
		def outside: length as $n | if $n > 1000 then ($n / 2 - 0.98 * ($n | sqrt) | floor) else
			(reduce range(0; $n) as $k ({p: pow(0.5; $n), sum: 0, k: 0};
				.sum += .p | .p *= ($n - $k) / ($k + 1) | if .sum <= 0.025 then .k = $k + 1 else . end) | .k) end;
		(outside as $k | sort | [.[if $k > 0 then $k - 1 else 0 end], .[if $k > 0 then -$k else -1 end]]) as $range
		| {part: $part, name: $name, unit: $unit, n: length, median: (at(0.5) | round3),
		 low: ($range[0] | round3), high: ($range[1] | round3), min: (min | round3),
		 max: (max | round3), p99: (at(0.99) | round3), bar: $bar}
		| .kept = (if $bar == null then null else .median <= $bar end)' "$samples" >>"$tmpfs/figures"
}

# ratio A B: A / B with four digits.
ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f\n", a / b }'
}

# rounds FULL QUICK: how often.
rounds() {
	if [ "$quick" = yes ]; then
		echo "$2"
	else
		echo "$1"
	fi
}

say() {
	echo "bench: $*" >&2
}

now() {
	"$bench/stamp"
}

# Vigil detaches in the background after its report; what is measured next must not pay for it.
settle() {
	local i
	for ((i = 0; i < 1200; i++)); do
		[ -n "$(find /proc/[0-9]*/exe -lname "$vigil" 2>/dev/null)" ] || return 0
		sleep 0.05
	done
	die 69 "vigil does not come to an end: $(find /proc/[0-9]*/exe -lname "$vigil" 2>/dev/null | tr '\n' ' ')"
}

# Others who trace this host at the same time are paid for in every run, watched or not.
foreign_programs() {
	bpftool -j prog show 2>/dev/null | jq length || echo null
}

# What a killed daemon has left, on standard error: every run is slower with it.
left_watches() {
	local dir
	for dir in /sys/fs/bpf/vigil/*/; do
		if [ -z "$(ls -A "$dir" 2>/dev/null)" ] || ! flock -n "$dir" true; then
			continue
		fi
		say "of these some are a watch that a killed vigil run has left behind: the figures will be worse than this machine;" \
			"end it with vigil run --forget --state-dir DIR, or rm -r ${dir%/}"
	done
}

numbers_begin() {
	: >"$tmpfs/figures"
	settle
	load=$(cut -d' ' -f1 /proc/loadavg) foreign=$(foreign_programs)
	say "load $load, $(nproc) processors, kernel $(uname -r), $foreign BPF programs of others"
	left_watches
	awk -v load="$load" 'BEGIN { exit !(load > 1) }' && say "this machine is busy: the figures will be worse than it is"
	:
}

numbers_end() {
	if [ "$json" = yes ]; then
		jq -s --arg kernel "$(uname -r)" --arg vigil "$("$vigil" --version | awk '{ print $NF }')" --arg quick "$quick" \
			--argjson processors "$(nproc)" --argjson load "$load" --argjson foreign "$foreign" --arg disk "$(stat -f -c %T "$disk")" \
			'{schema: "vigil.bench/1", vigil: $vigil, kernel: $kernel, processors: $processors, disk: $disk,
			  load_before: $load, foreign_programs: $foreign, quick: ($quick == "yes"), figures: .}' "$tmpfs/figures"
	else
		jq -r '[.part, .name, .median, .low, .high, .min, .max, .p99, .unit, .n, .bar // "-", (if .kept == false then "MISSED" else "" end)]
			| @tsv' "$tmpfs/figures" | awk -F '\t' '
			BEGIN { line = "%-8s %-62s %10s %10s %10s %10s %10s %10s %-6s %4s %5s %s\n"
				printf line, "part", "figure", "median", "low", "high", "min", "max", "p99", "unit", "n", "bar", "" }
			{ printf line, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 }'
	fi
	jq -se 'all(.kept != false)' "$tmpfs/figures" >/dev/null
}
