#!/usr/bin/env bash
# test.sh - builds Vigil in every way that is supported and runs every test.
#
# Usage: test.sh [PART]...     default: all
#   setup     installs what is missing (scripts/setup.sh)
#   build     with gcc, with clang, and with ASan and UBSan: build/release, build/clang, build/asan
#   format    layout, length of files and functions, shell scripts (scripts/check-format.sh)
#   layers    the layer rule (scripts/check-layers.sh) and its own test
#   docs      documents against code (scripts/check-docs.sh), the manual page
#   tidy      clang-tidy without findings
#   fuzz      every fuzz target for a short time (build/fuzz)
#   unit      unit tests in every build
#   replay    verdicts of recorded sessions in every build
#   e2e       vigil exec and its like on this kernel; suites tagged `asan` once more in that build
#   kernel    the same on other kernels, in QEMU
# First comes what must be there: setup, and the builds that the other parts need. Then there are two lanes, each with one part
# after the other. Format, layers, docs, tidy and fuzz want nothing but a processor: they get what unit, replay, e2e and kernel
# leave of it, who wait much of their time.
# At the end it looks whether a process, mount, loop device, BPF program, map or pin was left behind.
#
# Needs root for everything that loads BPF programs; where something cannot run, it is skipped by name. Logs: build/log; how long
# each suite took: build/log/suites.
# Environment: VIGIL_FUZZ_SECONDS for each fuzz target, default 10.
# The last line is "N passed, N failed, N skipped". Exit 0: nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 70
# shellcheck source=scripts/leftovers.bash
. scripts/leftovers.bash
# shellcheck source=scripts/runners.bash
. scripts/runners.bash

first=(setup build)
patient=(format layers docs tidy fuzz)
urgent=(unit replay e2e kernel)
parts="${first[*]} ${patient[*]} ${urgent[*]}"
logs=$PWD/build/log
jobs=$(nproc)
pool=$jobs
passed=0 failed=0 skipped=0

# --- parts ------------------------------------------------------------------------------------------------------------

part_setup() {
	check "setup" setup scripts/setup.sh build test
	if [ "$(id -u)" -eq 0 ]; then
		check "mounts" mounts scripts/setup.sh mounts
	fi
}

# What the parts that are wanted need, so that no two lanes build the same.
part_build() {
	local part build
	for part in $wanted; do
		case $part in
		build | unit | replay) set -- release clang asan ;;
		e2e) set -- release asan ;;
		kernel) set -- release ;;
		tidy) set -- clang ;;
		*) set -- ;;
		esac
		for build; do
			need_build "$build"
		done
	done
}

part_format() {
	check "format: self-test" format-self-test scripts/check-format.sh --self-test
	check "format" format scripts/check-format.sh
}

part_layers() {
	check "layers: self-test" layers-self-test scripts/check-layers.sh --self-test
	check "layers" layers scripts/check-layers.sh
}

part_docs() {
	check "docs: self-test" docs-self-test scripts/check-docs.sh --self-test
	check "docs" docs scripts/check-docs.sh
}

part_tidy() {
	need_build clang || return 0
	check "clang-tidy" tidy scripts/check-tidy.sh build/clang
}

part_unit() {
	local build
	for build in release clang asan; do
		run_ctest unit "$build"
	done
}

part_replay() {
	local build
	for build in release clang asan; do
		run_ctest replay "$build"
	done
	need_build release || return 0
	for suite in tests/replay/*.bats; do
		[ ! -e "$suite" ] || run_bats "$suite" release
	done
}

part_fuzz() {
	local fuzzer
	need_build fuzz || return 0
	for fuzzer in build/fuzz/fuzz/fuzz_*; do
		[ ! -x "$fuzzer" ] || start_fuzzer "$fuzzer"
	done
	wait
	for fuzzer in build/fuzz/fuzz/fuzz_*; do
		[ ! -x "$fuzzer" ] || read_fuzzer "$fuzzer"
	done
}

# Suites run side by side, and more of them than there are processors: much of their time they wait, for probes to be detached
# among other things. Tests that change what others see of the host (tagged `alone`) come last, one after the other.
part_e2e() {
	local suite pool=$((jobs + 1))
	need_build release
	need_build asan
	for suite in $(slow_first tests/e2e/*.bats); do
		[ "${built[release]}" = no ] || start_bats "$suite" release --filter-tags '!alone'
		[ "${built[asan]}" = no ] || ! is_tagged asan "$suite" || start_bats "$suite" asan --filter-tags 'asan,!alone'
	done
	wait
	for suite in tests/e2e/*.bats; do
		[ "${built[release]}" = no ] || read_bats "$suite" release
		[ "${built[asan]}" = no ] || ! is_tagged asan "$suite" || read_bats "$suite" asan
		[ "${built[release]}" = no ] || ! is_tagged alone "$suite" || turn=-alone run_bats "$suite" release --filter-tags alone
	done
}

# slow_first SUITE...: those that take long (tagged `slow`) before the others, so that none of them is left for the end.
slow_first() {
	grep -lw '^# bats file_tags=.*slow' "$@"
	grep -Lw '^# bats file_tags=.*slow' "$@"
}

# is_tagged TAG SUITE: it, or a test in it.
is_tagged() {
	grep -qE "^# bats (file_|test_)?tags=.*\\b$1\\b" "$2"
}

part_kernel() {
	local suite
	need_build release || return 0
	for suite in $(slow_first tests/kernel/*.bats); do
		start_bats "$suite" release
	done
	wait
	for suite in tests/kernel/*.bats; do
		read_bats "$suite" release
	done
}

# --- the run ----------------------------------------------------------------------------------------------------------

# one_by_one PART...: those of them that are wanted, and the builds that those need. What a part says comes out in one piece, beside that of the other lane.
one_by_one() {
	local part started
	for part in "$@"; do
		[[ " build $wanted " == *" $part "* ]] || continue
		started=$SECONDS
		{
			"part_$part"
			echo "$part: $((SECONDS - started)) s"
		} >"$logs/part-$part" 9>&-
		cat "$logs/part-$part"
	done
}

# lane NAME PART...: the same in a shell of its own; its counts go to a file.
lane() {
	local name=$1
	shift
	passed=0 failed=0 skipped=0
	one_by_one "$@"
	echo "$passed $failed $skipped" >"$logs/lane-$name"
}

# add_lane NAME: a lane that did not come to its end is a failure.
add_lane() {
	local p=0 f=1 s=0
	read -r p f s <"$logs/lane-$1" || echo "FAILED   the lane $1 did not come to its end"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# What runs in the background does not hear an INT of the terminal.
interrupted() {
	trap '' INT TERM
	echo "test.sh: interrupted" >&2
	# shellcheck disable=SC2046
	kill $(jobs -p) $(leftover_pids) 2>/dev/null
	leftovers_wait 20
	exit 130
}

if [ "${1:-}" = --help ]; then
	sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
	exit
fi
for part in "$@"; do
	case " $parts " in
	*" $part "*) ;;
	*)
		echo "test.sh: there is no part $part; the parts are: $parts" >&2
		exit 64
		;;
	esac
done
wanted=${*:-$parts}

mkdir -p "$logs"
exec 9>build/lock
flock -n 9 || {
	echo "test.sh: another run is at work in this tree" >&2
	exit 69
}
# Everything of this run is known by where it keeps its files and by a mark in its environment.
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/vigil-test-XXXXXX")
export TMPDIR VIGIL_TEST_RUN=$TMPDIR UBSAN_OPTIONS=print_stacktrace=1
trap 'rm -rf "$TMPDIR"' EXIT
trap interrupted INT TERM
leftovers_before
rm -f "$logs"/suites "$logs"/lane-*

one_by_one "${first[@]}"
lane urgent "${urgent[@]}" &
{
	renice -n 19 "$BASHPID" >/dev/null
	lane patient "${patient[@]}"
} &
wait
add_lane urgent
add_lane patient

if left=$(leftovers_wait 10); then
	pass
else
	fail "left behind: $left"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
