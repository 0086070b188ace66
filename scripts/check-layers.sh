#!/usr/bin/env bash
# check-layers.sh - holds every #include of the tree against the layer rule (docs/ARCHITECTURE.md).
#
# A stage of userspace/ may include its own headers, base, engine, config and the stages to its left in the pipeline; engine
# and config may include base only; base nothing. daemon and cli see everything. bpf/abi.h is the only header that user space
# shares with the kernel side, but that sensor, which loads it, also sees bpf/loader.h and the skeleton. bpf/ includes nothing of
# userspace/.
#
# Usage: check-layers.sh [--self-test] [DIR]     DIR: the tree, default this one. Exit 0: kept, 1: broken.
set -euo pipefail

pipeline="sensor model detect incident respond store report serve daemon cli"

# Stages that <stage> may include, separated by blanks; "*" for all.
allowed() {
	local stage=$1 left="base engine config" s
	case $stage in
	base) echo "base" ;;
	engine | config) echo "base $stage" ;;
	daemon | cli) echo "*" ;;
	*)
		for s in $pipeline; do
			left="$left $s"
			if [ "$s" = "$stage" ]; then
				echo "$left"
				return
			fi
		done
		echo "unknown"
		;;
	esac
}

# Prints file:line: what is wrong, for every include below $1 that breaks the rule. Returns 1 when there is one.
check() {
	local tree=$1 broken=0 file line text header stage target may
	while IFS=: read -r file line text; do
		header=$(sed -E 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]*)".*/\1/' <<<"$text")
		file=${file#"$tree"/}
		case $file in
		userspace/*/*)
			stage=${file#userspace/}
			stage=${stage%%/*}
			target=${header%%/*}
			may=$(allowed "$stage")
			if [ "$may" = unknown ]; then
				echo "$file: userspace/$stage is no stage: add it to the pipeline in scripts/check-layers.sh"
			elif [ "$header" = bpf/abi.h ]; then
				continue
			elif [ "$stage" = sensor ] && [[ $header == bpf/loader.h || $header == *.skel.h ]]; then
				continue
			elif [ "$target" = "$header" ]; then
				echo "$file:$line: \"$header\" without its stage: write \"$stage/$header\""
			elif [ "$may" = "*" ] || [[ " $may " == *" $target "* ]]; then
				continue
			else
				echo "$file:$line: $stage must not include \"$header\"; it may include: $may, bpf/abi.h"
			fi
			;;
		bpf/*)
			[ "${header%/*}" = "$header" ] && continue
			case $header in
			bpf/* | linux/* | asm/*) continue ;;
			esac
			echo "$file:$line: the kernel side must not include \"$header\""
			;;
		*) continue ;;
		esac
		broken=1
	done < <(grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$tree/userspace" "$tree/bpf")
	return $broken
}

# A tree that keeps the rule passes; each single breach is found and named.
self_test() {
	local dir failed=0 row file include
	dir=$(mktemp -d)
	# shellcheck disable=SC2064 # expanded now: the variable is local
	trap "rm -rf '$dir'" EXIT
	mkdir -p "$dir"/{bpf,userspace/{base,engine,sensor,model,report,cli}}
	echo '#include "bpf/abi.h"' >"$dir/userspace/model/good.c"
	echo '#include "sensor/ring.h"' >>"$dir/userspace/model/good.c"
	echo '#include "model/good.h"' >>"$dir/userspace/model/good.c"
	echo '#include "report/json.h"' >"$dir/userspace/cli/good.c"
	echo '#include "base/io.h"' >"$dir/userspace/engine/good.c"
	echo '#include "vigil.skel.h"' >"$dir/userspace/sensor/good.c"
	echo '#include "bpf/loader.h"' >>"$dir/userspace/sensor/good.c"
	echo '#include "kernel.h"' >"$dir/bpf/good.bpf.c"
	if ! check "$dir"; then
		echo "self-test: a tree that keeps the rule was refused"
		failed=1
	fi
	while read -r file include; do
		echo "#include \"$include\"" >"$dir/$file"
		if row=$(check "$dir"); then
			echo "self-test: $file may not include \"$include\", and nothing was said"
			failed=1
		elif [[ $row != *"$file"* ]]; then
			echo "self-test: the complaint does not name $file: $row"
			failed=1
		fi
		rm "$dir/$file"
	done <<-'EOF'
		userspace/base/bad.c engine/engine.h
		userspace/engine/bad.c model/model.h
		userspace/sensor/bad.h model/model.h
		userspace/model/bad.c report/json.h
		userspace/model/bad.c vigil.skel.h
		userspace/model/bad.c bpf/kernel.h
		userspace/model/bad.c bpf/loader.h
		userspace/model/bad.c good.h
		userspace/report/bad.c cli/cli.h
		bpf/bad.bpf.c base/io.h
	EOF
	return $failed
}

tree=$(cd "$(dirname "$0")/.." && pwd)
case ${1:-} in
--self-test)
	self_test
	exit
	;;
--help)
	sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
	exit
	;;
esac
check "${1:-$tree}"
