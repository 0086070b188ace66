#!/usr/bin/env bash
# check-tidy.sh - clang-tidy (.clang-tidy) over every C file of user space and of the tests.
#
# Usage: check-tidy.sh [-v] BUILD-DIR [PATTERN]     -v: with the analyzer's path to each finding; BUILD-DIR: a configured
# build; PATTERN: regular expression on the path. Exit 0: no findings.
set -euo pipefail
lines=': (error|warning): '
if [ "${1:-}" = -v ]; then
	lines='.'
	shift
fi
if [ $# -eq 0 ] || [ "$1" = --help ]; then
	sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
	exit 64
fi
tree=$(cd "$(dirname "$0")/.." && pwd)
cd "$1"
tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || {
	echo "clang-tidy is missing: run scripts/setup.sh test"
	exit 1
}
status=0
# One file at a time, and each compiled by one target only: clang-tidy 14 takes a va_list for uninitialized, now and then, from
# the second compilation on.
twice=$(grep -o '"file": .*\.c"' compile_commands.json | sort | uniq -d)
if [ -n "$twice" ]; then
	echo "compiled by more than one target, which makes clang-tidy's findings untrue; make it a library: ${twice//$tree\//}"
	exit 1
fi
findings=$(find "$tree/userspace" "$tree/tests" -name '*.c' -not -name '*.bpf.c' | grep -E -- "${2:-.}" | sort |
	xargs -r -n 1 -P "$(nproc)" "$tidy" -p . --quiet --warnings-as-errors='*' 2>/dev/null) || status=1
# A finding in a header is met by every file that includes it.
grep -E -- "$lines" <<<"${findings//$tree\//}" | awk '!seen[$0]++' || [ "$status" -eq 0 ] || echo "clang-tidy failed: ${findings:-without a word}"
exit $status
