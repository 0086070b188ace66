#!/usr/bin/env bash
# test.sh - builds Vigil in every way that is supported and runs every test.
#
# Usage: test.sh [PART]...     default: all, in this order
#   setup     installs what is missing (scripts/setup.sh)
#   format    layout, length of files and functions, shell scripts (scripts/check-format.sh)
#   layers    the layer rule (scripts/check-layers.sh) and its own test
#   docs      documents against code (scripts/check-docs.sh), the manual page
#   build     with gcc, with clang, and with ASan and UBSan: build/release, build/clang, build/asan
#   tidy      clang-tidy without findings
#   unit      unit tests in every build
#   replay    verdicts of recorded sessions in every build
#   fuzz      every fuzz target for a short time (build/fuzz)
#   e2e       vigil exec and its like on this kernel; suites tagged `asan` once more in that build
#   kernel    the same on other kernels, in QEMU
# At the end it looks whether a process, mount, loop device, BPF program, map or pin was left behind.
#
# Needs root for everything that loads BPF programs; where something cannot run, it is skipped by name. Logs: build/log.
# Environment: VIGIL_FUZZ_SECONDS for each fuzz target, default 10.
# The last line is "N passed, N failed, N skipped". Exit 0: nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 70
# shellcheck source=scripts/leftovers.bash
. scripts/leftovers.bash

parts="setup format layers docs build tidy unit replay fuzz e2e kernel"
logs=$PWD/build/log
jobs=$(nproc)
pool=$jobs
passed=0 failed=0 skipped=0

# --- results ----------------------------------------------------------------------------------------------------------

pass() {
	passed=$((passed + 1))
}

fail() {
	failed=$((failed + 1))
	echo "FAILED   $*"
}

skip() {
	skipped=$((skipped + 1))
	echo "skipped  $*"
}

# Of a compiler's log what is wrong, of any other its end.
explain() {
	{ grep -E -A 3 'error:|undefined reference|CMake Error' "$1" || tail -n 25 "$1"; } | head -n 40 | sed 's/^/  | /'
}

# check NAME LOG CMD...: one result; the log is quoted when it is bad.
check() {
	local name=$1 log=$logs/$2.log
	shift 2
	if "$@" >"$log" 2>&1 </dev/null; then
		pass
		return 0
	fi
	fail "$name (build/log/${log##*/})"
	explain "$log"
	return 1
}

# --- builds -----------------------------------------------------------------------------------------------------------

# compile NAME CMAKE-OPTION...
compile() {
	local name=$1
	shift
	cmake -S . -B "build/$name" -G Ninja "$@" && ninja -C "build/$name" -j "$jobs" "${targets[@]}"
}

# Builds it unless this run has done so or tried to; what needs it is skipped when it failed.
declare -A built
need_build() {
	local name=$1 targets=()
	if [ -z "${built[$name]:-}" ]; then
		built[$name]=no
		case $name in
		release) set -- -DCMAKE_C_COMPILER=gcc ;;
		clang) set -- -DCMAKE_C_COMPILER=clang ;;
		asan) set -- -DCMAKE_C_COMPILER=gcc -DVIGIL_SANITIZE=ON ;;
		fuzz)
			set -- -DCMAKE_C_COMPILER=clang -DVIGIL_SANITIZE=ON -DVIGIL_FUZZ=ON -DVIGIL_TESTS=OFF
			targets=(fuzzers)
			;;
		esac
		check "build: $name" "build-$name" compile "$name" "$@" && built[$name]=yes
	fi
	[ "${built[$name]}" = yes ]
}

# --- runners ----------------------------------------------------------------------------------------------------------

# Reads results out of CTest's lines; names of what failed or was skipped are printed.
run_ctest() {
	local label=$1 build=$2 log=$logs/$1-$2.log name result
	need_build "$build" || return 0
	ctest --test-dir "build/$build" -L "^$label\$" -j "$jobs" --output-on-failure >"$log" 2>&1 </dev/null
	while read -r name result; do
		case $result in
		*Passed*) pass ;;
		*Skipped*) skip "$label: $name ($build)" ;;
		*)
			fail "$label: $name ($build): $result"
			grep -hE ':[FE]:|runtime error:|ERROR: ' "$log" | head -n 20 | sed 's/^/  | /'
			;;
		esac
	done < <(sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) \.*(.*)$/\1 \2/p' "$log")
	grep -qE 'Total Test time|No tests were found' "$log" || fail "$label: ctest ($build) did not come to an end (build/log/${log##*/})"
}

# test_output LOG LINE: what bats says about the test whose result is LINE.
test_output() {
	awk -v want="$2" '$0 == want { show = 1; next } /^(not )?ok / { show = 0 } show' "$1" | head -n 30 | sed 's/^/  | /'
}

# in_pool LOG CMD...: in the background, $pool at a time; then wait, and read LOG and LOG.status.
in_pool() {
	local log=$1
	shift
	while [ "$(jobs -rp | wc -l)" -ge "$pool" ]; do
		wait -n
	done
	{
		"$@" >"$log" 2>&1 </dev/null
		echo $? >"$log.status"
	} &
}

bats_log() {
	echo "$logs/${1##*/}-$2.log"
}

# start_bats SUITE BUILD OPTION...
start_bats() {
	local suite=$1 build=$2
	shift 2
	in_pool "$(bats_log "$suite" "$build")" env VIGIL_BUILD="$PWD/build/$build" \
		timeout -k 30 900 bats --formatter tap "$@" "$suite"
}

# read_bats SUITE BUILD: the suite's own plan tells how many results there must be.
read_bats() {
	local suite=$1 build=$2 log line planned=0 seen=0 status
	log=$(bats_log "$suite" "$build")
	status=$(cat "$log.status")
	while IFS= read -r line; do
		case $line in
		1..*) planned=${line#1..} ;;
		"ok "*"# skip"*) skip "${suite#tests/}: ${line#ok * } ($build)" && seen=$((seen + 1)) ;;
		"ok "*) pass && seen=$((seen + 1)) ;;
		"not ok "*)
			fail "${suite#tests/}: ${line#not ok * } ($build)"
			seen=$((seen + 1))
			test_output "$log" "$line"
			;;
		esac
	done < <(cat "$log")
	if { [ "$seen" -ne "$planned" ] || [ "$status" -ne 0 ]; } && ! grep -q '^not ok' "$log"; then
		fail "${suite#tests/} ($build): $seen of $planned tests ran, status $status (build/log/${log##*/})"
	fi
}

# run_bats SUITE BUILD OPTION...: alone.
run_bats() {
	start_bats "$@"
	wait
	read_bats "$1" "$2"
}

# A copy of the corpus is worked on: what a short run finds is not for the tree.
start_fuzzer() {
	local fuzzer=$1 name=${1##*/} corpus
	corpus=$(mktemp -d -p "$TMPDIR")
	[ ! -d "tests/fuzz/corpus/${name#fuzz_}" ] || cp -r "tests/fuzz/corpus/${name#fuzz_}/." "$corpus"
	mkdir -p build/fuzz/artifacts
	in_pool "$logs/$name.log" timeout -k 10 300 "$fuzzer" -max_total_time="${VIGIL_FUZZ_SECONDS:-10}" -timeout=10 \
		-rss_limit_mb=1024 -artifact_prefix="$PWD/build/fuzz/artifacts/$name-" "$corpus"
}

read_fuzzer() {
	local name=${1##*/}
	if [ "$(cat "$logs/$name.log.status")" = 0 ]; then
		pass
	else
		fail "fuzz: $name (build/log/$name.log)"
		explain "$logs/$name.log"
	fi
}

# --- parts ------------------------------------------------------------------------------------------------------------

part_setup() {
	check "setup" setup scripts/setup.sh build test
	if [ "$(id -u)" -eq 0 ]; then
		check "mounts" mounts scripts/setup.sh mounts
	fi
}

part_format() {
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

part_build() {
	need_build release
	need_build clang
	need_build asan
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
# among other things.
part_e2e() {
	local suite pool=$((jobs + 1))
	need_build release
	need_build asan
	for suite in tests/e2e/*.bats; do
		[ "${built[release]}" = no ] || start_bats "$suite" release
		[ "${built[asan]}" = no ] || ! is_for_asan "$suite" || start_bats "$suite" asan --filter-tags asan
	done
	wait
	for suite in tests/e2e/*.bats; do
		[ "${built[release]}" = no ] || read_bats "$suite" release
		[ "${built[asan]}" = no ] || ! is_for_asan "$suite" || read_bats "$suite" asan
	done
}

is_for_asan() {
	grep -qE '^# bats (file_|test_)?tags=.*\basan\b' "$1"
}

part_kernel() {
	local suite
	need_build release || return 0
	for suite in tests/kernel/*.bats; do
		[ ! -e "$suite" ] || run_bats "$suite" release
	done
}

# --- the run ----------------------------------------------------------------------------------------------------------

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
leftovers_before

[ $# -gt 0 ] || read -ra all <<<"$parts"
for part in "${all[@]:-$@}"; do
	started=$SECONDS
	"part_$part" 9>&-
	echo "$part: $((SECONDS - started)) s"
done

if left=$(leftovers_wait 10); then
	pass
else
	fail "left behind: $left"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
