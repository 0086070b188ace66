#!/usr/bin/env bash
# check-format.sh - form of the whole tree: clang-format, file and function length, shell scripts.
#
#   *.c, *.h     as clang-format (.clang-format) lays them out, at most 500 lines, functions at most 80 lines
#   scripts      shellcheck without findings (.shellcheckrc)
#   every text   no tabs in C, no blanks at the end of a line, a newline at the end
#
# Usage: check-format.sh [--fix]     --fix lays the C files out instead of complaining. Exit 0: kept, 1: broken.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
--help)
	sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
	exit
	;;
esac

broken=0
complain() {
	echo "$*"
	broken=1
}

sources() {
	find bpf userspace tests -name '*.[ch]' -not -path '*/build*' | sort
}

format=$(command -v clang-format-14 || command -v clang-format) || {
	echo "clang-format is missing: run scripts/setup.sh"
	exit 1
}
if [ "${1:-}" = --fix ]; then
	sources | xargs -r "$format" -i
	exit
fi
sources | xargs -r "$format" --dry-run -Werror 2>&1 | grep -E 'error:' && broken=1

while read -r file; do
	lines=$(wc -l <"$file")
	[ "$lines" -le 500 ] || complain "$file: $lines lines, more than 500: split it"
	# A function opens and closes with a brace of its own in the first column.
	awk -v file="$file" '
		/^\{/ { start = NR }
		/^\}/ { if (start && NR - start > 80) { printf "%s:%d: a function of %d lines, more than 80\n", file, start, NR - start; bad = 1 } start = 0 }
		END { exit bad }' "$file" || broken=1
done < <(sources)

while read -r file; do
	grep -nHE '[[:blank:]]+$' "$file" && complain "$file: blanks at the end of a line"
	[ -z "$(tail -c1 "$file")" ] || complain "$file: no newline at the end"
	case $file in
	*.[ch]) grep -nHP '\t' "$file" && complain "$file: tabs" ;;
	esac
done < <(find . -type f -not -path './build*' -not -path './.git/*' \
	\( -name '*.[ch]' -o -name '*.sh' -o -name '*.bats' -o -name '*.cmake' -o -name '*.md' -o -name CMakeLists.txt \) | sort)

if command -v shellcheck >/dev/null; then
	find scripts .ci tests \( -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -path '.ci/run' \) -type f -print0 |
		xargs -0 -r shellcheck || broken=1
else
	echo "shellcheck is missing: the scripts were not checked"
fi
exit $broken
