#!/usr/bin/env bash
# setup.sh - installs what Vigil is built and tested with, on Debian 12.
#
# Usage: setup.sh [build] [demo] [test] [mounts]     default: build
#   build    compilers and libraries
#   demo     what scripts/demo.sh needs beside it
#   test     what scripts/test.sh and scripts/bench.sh need beside it
#   mounts   mounts tracefs and bpffs where they are missing (Vigil itself copes without)
#
# Asks nothing, can be run any number of times, and does nothing where nothing is missing: then root is not needed either.
# Exit 0: everything is there, 69: it could not be installed, 77: not permitted.
set -euo pipefail

build=(gcc libc6-dev make cmake ninja-build pkg-config clang bpftool libbpf-dev libelf-dev zlib1g-dev libsqlite3-dev
	libjansson-dev libseccomp-dev libcap-ng-dev libssl-dev libconfuse-dev libsystemd-dev check)
test=(clang-format clang-tidy libclang-rt-dev shellcheck bats jq sqlite3 python3 procps util-linux e2fsprogs fossil strace nodejs
	qemu-system-x86 busybox-static cpio zstd xz-utils git man-db dpkg-dev systemd)
demo=(sqlite3)

say() {
	echo "setup: $*"
}

die() {
	local status=$1
	shift
	echo "setup: $*" >&2
	exit "$status"
}

# Those of the packages named that are not installed, one per line.
missing() {
	local package
	for package in "$@"; do
		[ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || echo "$package"
	done
}

require_debian() {
	local id="" version=""
	if [ -r /etc/os-release ]; then
		# shellcheck source=/dev/null
		{ read -r id && read -r version; } < <(. /etc/os-release && printf '%s\n%s\n' "${ID:-}" "${VERSION_ID:-0}")
	fi
	if [ "$id" != debian ] || [ "${version%%.*}" -lt 12 ] || ! command -v apt-get >/dev/null; then
		die 69 "this is ${id:-an unknown system} ${version}, not Debian 12 or later; install by hand what Debian calls: $*"
	fi
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# The package lists are fetched only when they are missing or too old to install from.
install() {
	local log
	log=$(mktemp)
	# shellcheck disable=SC2064 # expanded now: the variable is local
	trap "rm -f '$log'" EXIT
	if ! apt install "$@" >"$log" 2>&1; then
		say "fetching the package lists"
		apt update >"$log" 2>&1 || die 69 "apt-get update failed: $(tail -n1 "$log")"
		apt install "$@" >"$log" 2>&1 || die 69 "apt-get install failed: $(tail -n1 "$log")"
	fi
}

packages() {
	local what=$1 lacking
	shift
	command -v dpkg-query >/dev/null || require_debian "$@"
	mapfile -t lacking < <(missing "$@")
	if [ ${#lacking[@]} -eq 0 ]; then
		say "$what: nothing is missing"
		return
	fi
	require_debian "${lacking[*]}"
	[ "$(id -u)" -eq 0 ] || die 77 "not root, and these packages are missing: ${lacking[*]}; run it as root"
	say "$what: installing ${lacking[*]}"
	install "${lacking[@]}"
}

# mount_if_missing TYPE DIR: the kernel may lack it, which is for `vigil doctor` to say.
mount_if_missing() {
	local type=$1 dir=$2
	[ "$(stat -f -c %T "$dir" 2>/dev/null)" != "$type" ] || return 0
	[ "$(id -u)" -eq 0 ] || die 77 "not root, and $type is not mounted on $dir; run it as root"
	if mount -t "${type%_fs}" "${type%_fs}" "$dir" 2>/dev/null; then
		say "mounts: $dir"
	else
		say "mounts: $dir could not be mounted"
	fi
}

for part in "${@:-build}"; do
	case $part in
	build | demo | test | mounts) ;;
	--help)
		sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
		exit
		;;
	*) die 64 "unknown part $part; see setup.sh --help" ;;
	esac
done
for part in "${@:-build}"; do
	case $part in
	build) packages build "${build[@]}" ;;
	demo) packages demo "${demo[@]}" ;;
	test) packages test "${test[@]}" ;;
	mounts)
		mount_if_missing tracefs /sys/kernel/tracing
		mount_if_missing bpf_fs /sys/fs/bpf
		;;
	esac
done
