# leftovers.bash - what a test run has left in the kernel: sourced by test.sh.
#
# Other work may go on on the host, and another Vigil: only what can be told to be of this run counts. A process of it carries
# VIGIL_TEST_RUN in its environment; its mounts and loop devices lie on files below TMPDIR; its BPF programs, maps and links are
# new and held by a process of it, or by nobody that can be seen: neither a process nor a pin; and a pin is in a directory that is
# named after a state directory of this run (TMPDIR/state-dirs) and that no living daemon has locked.
# shellcheck source=tests/e2e/pins.bash
. tests/e2e/pins.bash

leftovers_before() {
	leftover_bpf_before=$(leftover_bpf_ids)
}

# Pids of this run but for the shells that look.
leftover_pids() {
	local dir pid
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		[[ $pid != "$$" && $pid != "$BASHPID" ]] || continue
		grep -qszxF "VIGIL_TEST_RUN=$TMPDIR" "$dir/environ" || continue
		# A child of ours that looks, such as this very pipe.
		[ "$(awk '/^PPid:/ { print $2 }' "$dir/status" 2>/dev/null)" != "$BASHPID" ] || continue
		echo "$pid"
	done
}

# "kind id pid" for every BPF descriptor of every process, "kind id pin" for what is pinned; kind is prog, map or link.
leftover_bpf_holders() {
	local kind
	grep -sE '^(prog|map|link)_id:' /proc/[0-9]*/fdinfo/* |
		sed -nE 's|^/proc/([0-9]+)/fdinfo/[0-9]+:([a-z]+)_id:[[:space:]]*([0-9]+)$|\2 \3 \1|p' | sort -u
	for kind in prog map link; do
		bpftool -f "$kind" list -j 2>/dev/null |
			jq -r --arg kind "$kind" '.[] | select(.pinned // [] | length > 0) | "\($kind) \(.id) pin"' 2>/dev/null
	done
}

# "kind id" of every object there is.
leftover_bpf_ids() {
	local kind
	for kind in prog map link; do
		bpftool "$kind" list -j 2>/dev/null | jq -r --arg kind "$kind" '.[] | "\($kind) \(.id)"' 2>/dev/null
	done
}

# "link id prog id", "prog id map id": who holds a link holds its program, and who holds a program its maps.
leftover_bpf_uses() {
	bpftool link list -j 2>/dev/null | jq -r '.[] | select(.prog_id) | "link \(.id) prog \(.prog_id)"' 2>/dev/null
	bpftool prog list -j 2>/dev/null | jq -r '.[] | .id as $id | .map_ids[]? | "prog \($id) map \(.)"' 2>/dev/null
}

# "kind id pid,pid": new objects, with all who hold them.
leftover_bpf() {
	awk -v before="$leftover_bpf_before" '
		BEGIN { n = split(before, old, "\n"); for (i = 1; i <= n; i++) known[old[i]] = 1 }
		FILENAME == ARGV[1] { held[$1 " " $2] = held[$1 " " $2] "," $3; next }
		FILENAME == ARGV[2] { held[$3 " " $4] = held[$3 " " $4] held[$1 " " $2]; next }
		!($0 in known) { print $0, substr(held[$0], 2) }
	' <(leftover_bpf_holders) <(leftover_bpf_uses) <(leftover_bpf_ids)
}

# Directories of pins of this run. Those of daemons that live are no leftovers, nor is what another Vigil has left.
leftover_pins() {
	local state dir
	[ -d /sys/fs/bpf/vigil ] || return 0
	sort -u "$TMPDIR/state-dirs" 2>/dev/null | while read -r state; do
		dir=$(pins_of "$state")
		[ ! -d "$dir" ] || ! flock -n "$dir" true || echo "$dir"
	done
}

# Lists what is left, one per line.
leftovers() {
	local pid kind id holders ours
	ours=$(leftover_pids)
	for pid in $ours; do
		echo "process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | head -c 80))"
	done
	grep -sF "$TMPDIR" /proc/self/mountinfo | awk '{ print "mount " $5 }'
	losetup -l -n -O NAME,BACK-FILE 2>/dev/null | awk -v dir="$TMPDIR" 'index($0, dir) { print "loop device " $1 }'
	while read -r kind id holders; do
		if [ -z "$holders" ]; then
			echo "BPF $kind $id"
		elif grep -qxFf <(tr ',' '\n' <<<"$holders") <<<"$ours"; then
			echo "BPF ${kind}s of process ${holders%%,*}"
		fi
	done < <(leftover_bpf) | sort -u
	leftover_pins | sed 's/^/pin /'
}

# The same for people: objects that nobody holds are counted.
leftovers_told() {
	awk '/^BPF [a-z]+ [0-9]+$/ { n[$2]++; next } { print }
		END { for (kind in n) print n[kind] " BPF " kind "s that nobody can be seen to hold" }' | paste -sd ';'
}

# leftovers_wait SECONDS: returns 0 as soon as nothing is left, or prints what still is. A BPF object that nobody seems to hold,
# or a pin, counts only when it stays: another Vigil that ends lets go of its own one by one, which takes seconds, and what a
# killed one has left its next run takes over.
leftovers_wait() {
	local end=$((SECONDS + $1)) left staying
	staying=$(leftovers)
	left=$staying
	while [ -n "$left" ] && [ $SECONDS -lt $end ]; do
		sleep 0.5
		left=$(leftovers)
		staying=$(comm -12 <(sort <<<"$staying") <(sort <<<"$left"))
		left=$({ grep -vE '^(BPF [a-z]+ [0-9]+$|pin )' <<<"$left"; echo "$staying"; } | grep . | sort -u)
	done
	[ -z "$left" ] || {
		leftovers_told <<<"$left"
		return 1
	}
}
