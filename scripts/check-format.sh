#!/usr/bin/env bash
# check-format.sh - form of the whole tree: clang-format, file and function length, shell scripts.
#
#   *.c, *.h     as clang-format (.clang-format) lays them out, at most 500 lines, functions at most 80 lines
#   scripts      shellcheck without findings (.shellcheckrc)
#   every text   no tabs in C, no blanks at the end of a line, a newline at the end
#
# Usage: check-format.sh [--fix | --self-test]     --fix lays the C files out instead of complaining; --self-test proves that
# each fault is noticed. Exit 0: kept, 1: broken.
set -euo pipefail

broken=0
complain() {
	printf '%s\n' "$@"
	broken=1
}

sources() {
	find bpf userspace tests -name '*.[ch]' -not -path '*/build*' -print0 | sort -z
}

texts() {
	find . -type f -not -path './build*' -not -path './.git/*' \
		\( -name '*.[ch]' -o -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -name '*.cmake' -o -name '*.md' -o -name CMakeLists.txt \) \
		-print0 | sort -z
}

scripts() {
	find scripts .ci tests \( -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -path '.ci/run' \) -type f -print0 | sort -z
}

# by_many COMMAND...: runs it on the files that come in, some for each processor.
by_many() {
	xargs -0 -r -n 16 -P "$(nproc)" "$@"
}

# The pipe fails with whatever fails in it, so that what is looked for in the output can take nothing from the verdict.
check_layout() {
	local said
	said=$(sources | by_many "$format" --dry-run -Werror 2>&1) ||
		complain "$(grep -E 'error:' <<<"$said" || echo "$format failed: $said")"
}

# A function opens and closes with a brace of its own in the first column.
check_lengths() {
	local said
	said=$(sources | xargs -0 -r awk '
		FNR == 1 { start = 0 }
		FNR == 501 { printf "%s: more than 500 lines: split it\n", FILENAME }
		/^\{/ { start = FNR }
		/^\}/ { if (start && FNR - start > 80) printf "%s:%d: a function of %d lines, more than 80\n", FILENAME, start, FNR - start; start = 0 }')
	[ -z "$said" ] || complain "$said"
}

# What it prints is what counts: xargs and grep call it a failure when there is nothing.
check_texts() {
	local said
	said=$(texts | xargs -0 -r grep -nHE '[[:blank:]]+$' || true)
	[ -z "$said" ] || complain "blanks at the end of a line:" "$said"
	said=$(sources | xargs -0 -r grep -nHP '\t' || true)
	[ -z "$said" ] || complain "tabs:" "$said"
	said=$(texts | xargs -0 -r sh -c 'for f; do [ -z "$(tail -c1 "$f")" ] || echo "$f"; done' sh)
	[ -z "$said" ] || complain "no newline at the end:" "$said"
}

check_scripts() {
	if command -v shellcheck >/dev/null; then
		scripts | by_many shellcheck -x || broken=1
	else
		echo "shellcheck is missing: the scripts were not checked"
	fi
}

check() {
	check_layout
	check_lengths
	check_texts
	check_scripts
	return "$broken"
}

# --- proof that it notices ----------------------------------------------------------------------------------------------

# fault FILE TEXT WORDS: of a tree with that file alone the script complains, with those words.
fault() {
	local said
	mkdir -p "$(dirname "$tmp/$1")"
	printf '%b' "$2" >"$tmp/$1"
	if said=$(cd "$tmp" && check 2>&1); then
		complain "check-format.sh: not noticed: $3 in $1"
	elif ! grep -qF -- "$3" <<<"$said"; then
		complain "check-format.sh: said of $1, instead of '$3': $said"
	fi
	rm "$tmp/$1"
}

self_test() {
	local tmp
	tmp=$(mktemp -d)
	cp .clang-format .shellcheckrc "$tmp"
	mkdir -p "$tmp"/{bpf,userspace,tests,scripts,.ci}
	printf 'int a;\n' >"$tmp/userspace/good.c"
	printf '#!/bin/sh\necho "$1"\n' >"$tmp/scripts/good.sh"
	(cd "$tmp" && check) || complain "check-format.sh: a tree without a fault was not passed"
	fault userspace/a.c 'int  a;\n' 'a.c:1:4: error: code should be clang-formatted'
	fault tests/unit/b.h 'int a;' 'no newline at the end:'
	fault bpf/c.bpf.c "$(printf 'int a;\\n%.0s' {1..501})" 'c.bpf.c: more than 500 lines'
	fault userspace/d.c "void f(void)\n{\n$(printf '        f();\\n%.0s' {1..80})}\n" 'd.c:2: a function of 81 lines'
	fault userspace/e.c '/*\ta */\n' 'tabs:'
	fault tests/e.md 'a \n' 'blanks at the end of a line:'
	fault scripts/f.sh '#!/bin/sh\necho $1\n' 'SC2086'
	fault tests/g.bats '#!/bin/sh\necho $1\n' 'SC2086'
	rm -rf "$tmp"
	return "$broken"
}

cd "$(dirname "$0")/.."
format=$(command -v clang-format-14 || command -v clang-format) || {
	echo "clang-format is missing: run scripts/setup.sh"
	exit 1
}
case ${1:-} in
--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" ;;
--fix) sources | by_many "$format" -i ;;
--self-test) self_test ;;
*) check ;;
esac
