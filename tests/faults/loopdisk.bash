# loopdisk.bash - a disk that can be pulled, filled or made to fail, without device-mapper.
#
# An ext4 image lies on a small tmpfs and is mounted through a loop device. What the device has received stands in the
# image and nothing else does, so a copy of the image is what a power cut leaves. An image larger than its tmpfs turns
# into ENOSPC and EIO at write-back as soon as the tmpfs is full. (Method: docs/ARCHITECTURE.md, "Tests".)
#
#   loopdisk_up DIR [TMPFS_SIZE [IMAGE_SIZE [MKFS_OPTION...]]]   the disk is then at DIR/disk
#   loopdisk_exhaust DIR [LEAVE_KIB]   from now on the device can store LEAVE_KIB more and then fails
#   loopdisk_relieve DIR               space again
#   loopdisk_freeze DIR                who writes to it or syncs it hangs from now on, and cannot be killed
#   loopdisk_thaw DIR                  what hung goes on
#   loopdisk_cut DIR                   power cut now: what survives is mounted at DIR/after, its journal replayed
#   loopdisk_down DIR                  undoes everything; may be called twice
#
# loopdisk_up starts a guard that calls loopdisk_down when the shell that called it dies, however it dies.

# Says why a loop mount is not possible here, and fails; silent when it is.
loopdisk_missing() {
	local dir=$1 why

	[ "$(id -u)" -eq 0 ] || { echo "needs root"; return 0; }
	[ -e /dev/loop-control ] || { echo "needs loop devices"; return 0; }
	if ! why=$(loopdisk_mount "$dir" 8m 8m 2>&1); then
		loopdisk_down "$dir"
		echo "cannot mount a loop device: ${why##*$'\n'}"
		return 0
	fi
	loopdisk_down "$dir"
	return 1
}

loopdisk_up() {
	loopdisk_guard "$1" "$BASHPID"
	loopdisk_mount "$@"
}

loopdisk_mount() {
	local dir=$1 store=${2:-96m} image=${3:-64m}
	shift "$(($# < 3 ? $# : 3))"

	mkdir -p "$dir/store" "$dir/disk" "$dir/after" || return
	mount -t tmpfs -o "size=$store,mode=700" loopdisk "$dir/store" || return
	truncate -s "$image" "$dir/store/image" || return
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$@" "$dir/store/image" || return
	# A late journal commit keeps the state between two syscalls still while a test looks at it.
	mount -o loop,errors=continue,commit=300 "$dir/store/image" "$dir/disk" || return
}

# The image is sparse on a tmpfs: what is not yet stored in it has no memory behind it.
loopdisk_exhaust() {
	local dir=$1 leave=${2:-0} free

	free=$(($(stat -f -c '%a * %S' "$dir/store") / 1024))
	((free <= leave)) || dd if=/dev/zero of="$dir/store/filler" bs=1024 count=$((free - leave)) status=none
}

loopdisk_relieve() {
	rm -f "$1/store/filler"
}

loopdisk_freeze() {
	fsfreeze --freeze "$1/disk"
}

loopdisk_thaw() {
	fsfreeze --unfreeze "$1/disk"
}

loopdisk_cut() {
	local dir=$1

	cp --sparse=always "$dir/store/image" "$dir/store/crash" || return
	mount -o loop "$dir/store/crash" "$dir/after"
}

loopdisk_down() {
	local dir=$1 at

	# A frozen file system cannot be taken away. It says so when it is not frozen.
	fsfreeze --unfreeze "$dir/disk" 2>/dev/null || true
	# mount -o loop frees the device with the last unmount. What still runs on the disk keeps it busy only until it ends.
	for at in after disk store; do
		while mountpoint -q "$dir/$at"; do
			umount "$dir/$at" 2>/dev/null || umount -l "$dir/$at" || return
		done
		rmdir "$dir/$at" 2>/dev/null || [ ! -d "$dir/$at" ] || return
	done
}

# A process of its own session outlives the one it guards, even when that is killed together with its group. It holds none
# of the caller's descriptors: bats waits for the end of those.
loopdisk_guard() {
	setsid bash -c '
		. "$1"
		tail --pid="$3" -s 0.2 -f /dev/null
		loopdisk_down "$2"
	' loopdisk-guard "${BASH_SOURCE[0]}" "$1" "$2" </dev/null >/dev/null 2>&1 3>&- 4>&- &
	disown
}
