#!/usr/bin/env bash
# vm.sh - runs a command on another kernel: a Debian kernel under QEMU, with this build in its memory.
#
# Usage: vm.sh [OPTION]... KERNEL -- CMD...     runs CMD there, exits with its status
#        vm.sh [OPTION]... --shell KERNEL       a shell there, on this terminal; `exit` ends the machine
#        vm.sh --list                           kernels at hand, and those that can be fetched
#        vm.sh --fetch KERNEL                   fetches it and prints the path of its image
#   KERNEL           6.1, 6.12, 5.10 (the newest cloud kernel of that series that Debian 12, or 11, offers) or a path to a vmlinuz
#   --build DIR      the build to take along (default: $VIGIL_BUILD, else build/release, else build): its vigil is in the
#                    PATH there, its test workloads are in /vigil/workloads. A build that does not exist is left out.
#   --add PATH       takes a file or directory along, as /vigil/NAME; programs get the libraries they need
#   --collect DIR    what CMD leaves in /vigil/out is put into DIR when the machine ends
#   --timeout SEC    for the whole life of the machine, 120 by default; a shell has all the time it wants
#   --memory MIB     1024 by default
#   --log FILE       console of the machine (default: the cache's log/NAME.log)
#   --kvm            the processor's own virtualisation; without it QEMU emulates, which works everywhere
#
# The machine has no network and no disk; everything lies in its memory. CMD runs as root in /tmp (a tmpfs), standard input
# is empty, output and error come back as they are. /proc, /sys, tracefs, bpffs, debugfs and cgroup2 are mounted. Kernels are
# kept in ${XDG_CACHE_HOME:-~/.cache}/vigil/kernels. Needs no root.
#
# Exit: status of CMD; 124 out of time; 125 the machine could not be started, or died (why is said); 126 no such kernel
# can be had here.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/vm/kernel.bash"
. "$here/vm/initramfs.bash"

series="6.1 6.12 5.10"
build=${VIGIL_BUILD:-$here/../build/release}
[ -n "${VIGIL_BUILD:-}" ] || [ -d "$build" ] || build=$here/../build
added=()
collect="" log="" seconds=120 memory=1024 accel=tcg action=run

die() {
	local status=$1
	shift
	echo "vm.sh: $*" >&2
	exit "$status"
}

need() {
	command -v "$1" >/dev/null || die 125 "$1 is missing: run scripts/setup.sh test"
}

list() {
	local name package packages
	for name in $series; do
		if package=$(kernel_cached "$name"); then
			echo "$name  here     ${package##*/}"
		elif kernel_packages "$name" && [ ${#packages[@]} -gt 0 ]; then
			echo "$name  offered  ${packages[0]}"
		else
			echo "$name  no       Debian offers none to this machine (see apt-cache policy)"
		fi
	done
}

# run IMAGE INITRAMFS DIR: the machine, from boot to end. Its ports are files of DIR, by the names the guest knows them by.
run() {
	local image=$1 initramfs=$2 dir=$3 port args
	args=(-nodefaults -no-reboot -no-user-config -m "$memory" -smp 2 -kernel "$image" -initrd "$initramfs"
		-accel "$accel" -cpu max -display none -device virtio-serial-pci)
	for port in status stdout stderr out; do
		args+=(-chardev "file,id=$port,path=$dir/$port" -device "virtserialport,chardev=$port,name=vigil.$port")
	done
	# A machine that cannot go on ends at once (panic=-1 and -no-reboot) instead of standing until the time is up. On a busy host the
	# emulator may lose a timer that is set for once, and with it all that happens on that processor: so it has one that ticks.
	args+=(-append "console=ttyS0 loglevel=5 panic=-1 oops=panic nohz=off highres=off vigil=$action rdinit=/vigil/init")
	if [ "$action" = shell ]; then
		qemu-system-x86_64 "${args[@]}" -serial mon:stdio
		return
	fi
	timeout -k 5 "$seconds" qemu-system-x86_64 "${args[@]}" -monitor none -serial "file:$dir/console" \
		</dev/null >"$dir/qemu" 2>&1
}

# Shows what arrives while the machine runs; the last bytes are shown before it returns.
follow() {
	tail --pid="$1" -s 0.1 -c +1 -f "$2"
}

# verdict STATUS DIR: says why there is no status of CMD, or exits with it.
verdict() {
	local qemu=$1 dir=$2 status
	read -r status <"$dir/status" || status=""
	if [ -n "$status" ]; then
		exit "$status"
	elif grep -qE 'Kernel panic|BUG:|Oops:' "$dir/console"; then
		die 125 "the kernel panicked: $(grep -aE -m1 'Kernel panic|BUG:|Oops:' "$dir/console" | tr -d '\r'); console: $log"
	elif [ "$qemu" -eq 124 ] || [ "$qemu" -eq 137 ]; then
		die 124 "out of time after $seconds s; console: $log"
	elif [ "$qemu" -ne 0 ]; then
		die 125 "QEMU ended with status $qemu: $(grep -v 'warning:' "$dir/qemu" | tail -n1); console: $log"
	fi
	die 125 "the machine ended without a status; console: $log"
}

while [ $# -gt 0 ]; do
	case $1 in
	--help)
		sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
		exit
		;;
	--list)
		list
		exit
		;;
	--shell | --fetch) action=${1#--} ;;
	--kvm) accel=kvm ;;
	--build | --add | --collect | --timeout | --memory | --log)
		[ $# -ge 2 ] || die 125 "$1 needs a value; see --help"
		case $1 in
		--build) build=$2 ;;
		--add) added+=("$2") ;;
		--collect) collect=$2 ;;
		--timeout) seconds=$2 ;;
		--memory) memory=$2 ;;
		--log) log=$2 ;;
		esac
		shift
		;;
	--) break ;;
	-*) die 125 "there is no option $1; see --help" ;;
	*)
		[ -z "${kernel:-}" ] || die 125 "one kernel at a time: $kernel or $1? (CMD stands behind --)"
		kernel=$1
		;;
	esac
	shift
done
[ -n "${kernel:-}" ] || die 125 "no KERNEL given; see --help"
[ -z "$collect" ] || [ -d "$collect" ] || die 125 "--collect: $collect is no directory"
for path in ${added[@]+"${added[@]}"}; do
	[ -e "$path" ] || die 125 "--add: there is no $path"
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die 125 "--timeout: $seconds is no number of seconds"
[[ $memory =~ ^[1-9][0-9]*$ ]] || die 125 "--memory: $memory is no number of MiB"
[ "${1:-}" != -- ] || shift
[ "$action" != run ] || [ $# -gt 0 ] || die 125 "no CMD given; see --help"

image=$(kernel_image "$kernel") || exit
if [ "$action" = fetch ]; then
	echo "$image"
	exit
fi
for program in qemu-system-x86_64 busybox cpio timeout ldd; do
	need "$program"
done
[ -n "$log" ] || log=$(kernel_cache)/log/$(tr -c 'A-Za-z0-9.\n-' '_' <<<"${kernel##*/}").log
mkdir -p "$(dirname "$log")"

dir=$(mktemp -d "${TMPDIR:-/tmp}/vigil-vm-XXXXXX")
machine=""
trap '[ -z "$machine" ] || kill "$machine" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
initramfs_make "$dir/root" "$image" "$build" "$@"
for path in ${added[@]+"${added[@]}"}; do
	initramfs_add "$dir/root" "$path"
done
initramfs_pack "$dir/root" "$dir/initramfs"
rm -rf "$dir/root"

if [ "$action" = shell ]; then
	run "$image" "$dir/initramfs" "$dir"
	exit
fi
touch "$dir/console" "$dir/status" "$dir/stdout" "$dir/stderr" "$dir/out"
run "$image" "$dir/initramfs" "$dir" &
machine=$!
follow "$machine" "$dir/stdout" &
out=$!
follow "$machine" "$dir/stderr" >&2 &
err=$!
qemu=0
wait "$machine" || qemu=$?
machine=""
wait "$out" "$err"
cp "$dir/console" "$log"
if [ -n "$collect" ] && [ -s "$dir/out" ]; then
	tar -xf "$dir/out" -C "$collect" --no-same-owner || die 125 "what the machine sent for --collect is not whole"
fi
verdict "$qemu" "$dir"
