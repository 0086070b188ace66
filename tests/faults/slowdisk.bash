# slowdisk.bash - a device that stands still again and again; sourced after loopdisk.bash, in a directory of the test's own. What runs
# beside the test stands in the array BACKGROUND, to be ended by its teardown before slow_disk_gone.

# in_background CMD...: until the test ends.
in_background() {
	"$@" 3>&- &
	BACKGROUND+=($!)
}

# need_disk [ARGUMENT...]: loopdisk_up here, or the test is skipped.
need_disk() {
	local why
	! why=$(loopdisk_missing "$PWD") || skip "$why"
	loopdisk_up "$PWD" "$@"
}

# slow_disk_up [OPTION...]: disk/inner, mounted so, lies on a device that is a file on the file system at disk.
slow_disk_up() {
	need_disk 256m 200m
	truncate -s 100m disk/image
	mkfs.ext4 -q disk/image
	mkdir disk/inner
	mount -o "loop${1:+,$1}" disk/image disk/inner
}

# slow_disk_stalls FROZEN THAWED: from now on that is frozen again and again, for so many seconds.
slow_disk_stalls() {
	in_background bash -c 'trap "stop=1" TERM; while [ -z "$stop" ]; do
		fsfreeze -f disk; sleep "$1"; fsfreeze -u disk; sleep "$2"; done' - "$1" "$2"
	FREEZER=${BACKGROUND[-1]}
}

# slow_disk FROZEN THAWED [OPTION...]: both.
slow_disk() {
	slow_disk_up "${3:-}"
	slow_disk_stalls "$1" "$2"
}

slow_disk_down() {
	kill "$FREEZER"
	wait "$FREEZER"
	umount disk/inner
}

# For teardown, whatever the test did.
slow_disk_gone() {
	[ ! -d disk/inner ] || ! mountpoint -q disk/inner || umount disk/inner
	[ ! -d disk ] || loopdisk_down "$PWD"
}
