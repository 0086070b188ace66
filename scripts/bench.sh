#!/usr/bin/env bash
# shellcheck disable=SC2034 # what is set here is read by tests/bench/*.bash
# bench.sh - what watching costs, and how fast Vigil is, on this machine.
#
# Usage: bench.sh [--json] [--quick] [--build DIR] [PART]...     default: all parts, in this order
#   commits   WAL commits on tmpfs, watched and not; beside it empty probes, bpftrace, perf trace and strace
#   disk      WAL/FULL and DELETE/FULL commits on a disk, watched and not; one of them: disk-wal, disk-delete
#   calls     system calls of a process that touches nothing watched, beside empty probes
#   why       the same with exec --why, and context switches of strangers
#   start     from calling vigil exec to the command's first instruction, and from the command's end to the report
#   memory    resident memory of vigil exec while a database is at work
#   kills     from a fatal signal to the certificate
#   backup    a backup of 256 MiB under a constant writer, beside cp and sqlite3 .backup
#   idle      vigil run with 100 databases at rest: memory, processor
#   latency   vigil run that judges how long operations take: 100 databases, a turn each second
#   status    vigil status, asked of that
#   jobs      1,000 jobs of a query, read and judged by vigil run
#   stored    from a fatal signal to the certificate in the store of vigil run, and to a verified backup of 100 MiB
#   load      vigil run under 50,000 operations per second for 10 minutes: processor, losses
#   --build DIR  default: $VIGIL_BUILD, else build/release, else build
#   --json    one document on standard output instead of a table; progress goes to standard error in both cases
#   --quick   fewer rounds: for a look, not for a record
#
# Every figure is a ratio, or a difference, of runs that took turns within this run: figures of different runs or machines
# do not compare. The true median lies between `low` and `high` with 95 % certainty. Nothing is written into the tree. Needs
# root, /dev/shm, 2 GiB of memory and, for `disk` and `backup`, 2 GiB of disk in $VIGIL_BENCH_DISK (default: $TMPDIR, else
# /var/tmp).
# Exit: 0 done, 1 a bar was missed, 64 usage, 69 it cannot be measured here, 77 not root.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
all="commits disk calls why start memory kills backup idle latency status jobs stored load"
parts_of_parts="disk-wal disk-delete"
build=${VIGIL_BUILD:-$root/build/release}
[ -n "${VIGIL_BUILD:-}" ] || [ -d "$build" ] || build=$root/build
json=no quick=no parts=()

die() {
	local status=$1
	shift
	echo "bench.sh: $*" >&2
	exit "$status"
}

while [ $# -gt 0 ]; do
	case $1 in
	--help)
		sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
		exit
		;;
	--json) json=yes ;;
	--quick) quick=yes ;;
	--build)
		[ $# -ge 2 ] || die 64 "--build needs a directory"
		build=$2
		shift
		;;
	*)
		[[ " $all $parts_of_parts " == *" $1 "* ]] || die 64 "there is no part $1; the parts are: $all $parts_of_parts"
		parts+=("$1")
		;;
	esac
	shift
done
[ ${#parts[@]} -gt 0 ] || read -ra parts <<<"$all"

[ "$(id -u)" -eq 0 ] || die 77 "not root: Vigil could not watch"
for program in jq sqlite3; do
	command -v "$program" >/dev/null || die 69 "$program is missing: run scripts/setup.sh build test"
done
for program in vigil bench/commits workloads/driver; do
	[ -x "$build/$program" ] || die 69 "$build/$program is missing: build first, or name the build with --build"
done
[ "$(stat -f -c %T /dev/shm)" = tmpfs ] || die 69 "/dev/shm is no tmpfs"

vigil=$(realpath "$build/vigil") bench=$build/bench driver=$build/workloads/driver
tmpfs=$(mktemp -d /dev/shm/vigil-bench-XXXXXX)
disk=$(mktemp -d "${VIGIL_BENCH_DISK:-${TMPDIR:-/var/tmp}}/vigil-bench-XXXXXX")
writer="" watcher=""
at_end() {
	local pid
	for pid in $writer $watcher; do
		kill "$pid" 2>/dev/null || :
	done
	daemon_end
	sysctl -qw kernel.bpf_stats_enabled=0
	rm -rf "$tmpfs" "$disk"
}
trap at_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

. "$root/tests/bench/numbers.bash"
. "$root/tests/bench/costs.bash"
. "$root/tests/bench/times.bash"
. "$root/tests/bench/daemon.bash"

numbers_begin
for part in "${parts[@]}"; do
	"bench_${part//-/_}"
done
numbers_end
