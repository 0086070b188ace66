# systemd.bash - a machine with systemd as its first process: a small Debian made of the packages that are installed here, on a
# disk of its own, under a Debian kernel in QEMU. For what scripts/vm.sh cannot show: units, and packages that start them.
#
#   system_make DIR PACKAGE          its root file system in DIR/root, with all that the package depends on
#   system_run DIR SECONDS FILE...   boots it with the files in /root, runs /root/script, prints what that says

# shellcheck source=scripts/vm/kernel.bash disable=SC2153 # ROOT is of e2e/lib.bash
. "$ROOT/scripts/vm/kernel.bash"

SYSTEM_PACKAGES=(base-files base-passwd bash coreutils dash debianutils diffutils dpkg findutils grep gzip hostname
	init-system-helpers jq libc-bin libc6 libpam-modules login mawk mount ncurses-base passwd perl-base procps sed sqlite3
	systemd systemd-sysv tar util-linux)

# Paths of all files of the packages named and of those they depend on; the state of dpkg goes to DIR/root.
system_files() {
	local dir=$1 package file
	shift
	apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
		--no-enhances "$@" 2>/dev/null | sed -nE 's/^([a-z0-9][^:]*).*/\1/p' | sort -u | while read -r package; do
		[[ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null)" == ii* ]] || continue
		{ dpkg-query -s "$package" && echo; } >>"$dir/root/var/lib/dpkg/status"
		for file in "/var/lib/dpkg/info/$package.list" "/var/lib/dpkg/info/$package:$(dpkg --print-architecture).list"; do
			[ ! -e "$file" ] || cp "$file" "$dir/root/var/lib/dpkg/info/"
		done
		dpkg -L "$package" | grep -vE '^/usr/share/(doc|man|locale|info|lintian|bug)/'
	done | while read -r file; do
		# By its real directory: /bin is a link.
		[ -d "$file" ] && [ ! -L "$file" ] || echo ".$(readlink -f "$(dirname "$file")")/${file##*/}"
	done | sort -u
}

system_make() {
	local dir=$1 package=$2 root=$1/root link
	mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},dev,proc,sys,run,tmp,root,srv,var/lib/dpkg/{info,updates,triggers},var/{tmp,cache,log}} \
		"$root/etc/systemd/system/multi-user.target.wants"
	for link in bin sbin lib lib64; do
		ln -s "usr/$link" "$root/$link"
	done
	mapfile -t depends < <(dpkg-deb -f "$package" Depends | tr ',' '\n' | awk '{ print $1 }')
	system_files "$dir" "${SYSTEM_PACKAGES[@]}" "${depends[@]}" >"$dir/files"
	tar -C / -c --no-recursion --ignore-failed-read -T "$dir/files" 2>/dev/null | tar -C "$root" -x
	tar -C / -c --ignore-failed-read ./etc/passwd ./etc/group ./etc/ld.so.conf ./etc/ld.so.conf.d ./etc/alternatives \
		./etc/pam.d 2>/dev/null | tar -C "$root" -x
	chroot "$root" /sbin/ldconfig
	echo vigil-vm >"$root/etc/hostname"
	touch "$root/etc/machine-id" "$root/etc/fstab"
	for link in getty@tty1 serial-getty@ttyS0 systemd-networkd systemd-resolved systemd-timesyncd systemd-firstboot; do
		ln -sf /dev/null "$root/etc/systemd/system/$link.service"
	done
	cat >"$root/etc/systemd/system/script.service" <<-'UNIT'
		[Unit]
		After=basic.target
		[Service]
		ExecStart=/bin/bash -c 'bash /root/script >/dev/ttyS1 2>&1; sync; echo o >/proc/sysrq-trigger'
	UNIT
	ln -s ../script.service "$root/etc/systemd/system/multi-user.target.wants/"
}

# What brings the disk up before systemd is there.
system_initrd() {
	local dir=$1 image=$2 modules applet name
	mkdir -p "$dir"/{bin,mod,dev,new}
	cp "$(command -v busybox)" "$dir/bin/"
	for applet in sh insmod mount switch_root sleep; do
		ln -s busybox "$dir/bin/$applet"
	done
	: >"$dir/mod/order"
	modules=$(kernel_modules "$image")
	for name in virtio_pci virtio_blk; do
		[ -z "$modules" ] || kernel_module "$modules" "$name" "$dir/mod"
	done
	cat >"$dir/init" <<-'INIT'
		#!/bin/sh
		mount -t devtmpfs dev /dev
		while read -r module; do insmod "/mod/$module.ko"; done </mod/order
		until [ -e /dev/vda ]; do sleep 0.1; done
		mount -t ext4 /dev/vda /new
		mount -o move /dev /new/dev
		exec switch_root /new /sbin/init
	INIT
	chmod +x "$dir/init"
	(cd "$dir" && find . | cpio -o -H newc --quiet) >"$dir.cpio"
}

system_run() {
	local dir=$1 seconds=$2 image
	shift 2
	image=$(kernel_image 6.1) || return
	cp "$@" "$dir/root/root/"
	truncate -s 700M "$dir/disk"
	mke2fs -q -t ext4 -d "$dir/root" "$dir/disk"
	system_initrd "$dir/initrd" "$image"
	timeout -k 5 "$seconds" qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -m 1024 -smp 2 -accel tcg -cpu max \
		-display none -monitor none -kernel "$image" -initrd "$dir/initrd.cpio" -drive "file=$dir/disk,format=raw,if=virtio,cache=unsafe" \
		-append "console=ttyS0 panic=-1 nohz=off highres=off quiet systemd.show_status=0" -serial "file:$dir/console" -serial stdio </dev/null
}
