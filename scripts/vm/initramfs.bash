# initramfs.bash - the file system of the machine that vm.sh starts.

# Copies a file to the same path below ROOT, or to TARGET; what is already there stays.
initramfs_file() {
	local root=$1 file=$2 target=${3:-$2}
	[ ! -e "$root$target" ] || return 0
	mkdir -p "$root$(dirname "$target")"
	cp -L "$file" "$root$target"
}

# The libraries that a program needs, where it looks for them. Scripts and static programs need none.
initramfs_libraries() {
	local root=$1 library
	for library in $(ldd "$2" 2>/dev/null | grep -oE '/[^ ]+'); do
		initramfs_file "$root" "$library"
	done
}

initramfs_program() {
	local root=$1 file
	file=$(command -v "$2") || return 0
	initramfs_file "$root" "$file" "/usr/bin/${file##*/}"
	initramfs_libraries "$root" "$file"
}

# A file or directory as /vigil/NAME, with the libraries of the programs in it.
initramfs_add() {
	local root=$1 path=$2 file
	cp -rL "$path" "$root/vigil/"
	while read -r file; do
		initramfs_libraries "$root" "$file"
	done < <(find -L "$path" -type f -perm -u+x)
}

initramfs_skeleton() {
	local root=$1 link
	mkdir -p "$root"/{dev,proc,sys,run,tmp,root,var/tmp,etc,usr/bin,usr/sbin,usr/lib,usr/lib64,vigil/out}
	chmod 1777 "$root/tmp" "$root/var/tmp"
	for link in bin sbin lib lib64; do
		ln -s "usr/$link" "$root/$link"
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh daemon:x:1:1::/:/bin/false nobody:x:65534:65534::/:/bin/false >"$root/etc/passwd"
	printf '%s\n' root:x:0: daemon:x:1: nogroup:x:65534: >"$root/etc/group"
	echo vigil-vm >"$root/etc/hostname"
	echo 127.0.0.1 localhost vigil-vm >"$root/etc/hosts"
}

# initramfs_make ROOT IMAGE BUILD CMD...: everything but what the caller adds and the packing.
initramfs_make() {
	local root=$1 image=$2 build=$3 path modules applet
	shift 3
	initramfs_skeleton "$root"
	cp "$(dirname "${BASH_SOURCE[0]}")/init.sh" "$root/vigil/init"
	printf '%q ' "$@" >"$root/vigil/command"

	initramfs_file "$root" "$(command -v busybox)" /usr/bin/busybox
	initramfs_libraries "$root" "$(command -v busybox)"
	for path in bash sqlite3; do
		initramfs_program "$root" "$path"
	done
	if [ -x "$build/vigil" ]; then
		initramfs_file "$root" "$build/vigil" /usr/bin/vigil
		initramfs_libraries "$root" "$build/vigil"
	fi
	[ ! -d "$build/workloads" ] || initramfs_add "$root" "$build/workloads"
	while read -r applet; do
		[ -e "$root/usr/bin/${applet##*/}" ] || ln -s busybox "$root/usr/bin/${applet##*/}"
	done < <(busybox --list)

	modules=$(kernel_modules "$image")
	mkdir "$root/vigil/modules"
	: >"$root/vigil/modules/order"
	if [ -n "$modules" ]; then
		for path in virtio_pci virtio_console; do
			kernel_module "$modules" "$path" "$root/vigil/modules"
		done
	fi
}

# Not compressed: unpacking costs an emulated processor more than reading.
initramfs_pack() {
	(cd "$1" && find . -print0 | cpio --null --create --format=newc --quiet --owner=0:0) >"$2"
}
