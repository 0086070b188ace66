# slowdisk.bash - a device that stands still again and again, under a file system or its journal; sourced after loopdisk.bash, in a directory of the test's own. What runs
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

# slow_disk_up: disk/inner lies on a device that is a file on the file system at disk.
slow_disk_up() {
	need_disk 256m 200m
	truncate -s 100m disk/image
	mkfs.ext4 -q disk/image
	mkdir disk/inner
	mount -o loop disk/image disk/inner
}

# slow_journal_up: disk/inner is a file in memory, and its journal lies on a device of its own, a file on the file system at disk.
slow_journal_up() {
	local device
	need_disk 256m 200m
	truncate -s 40m disk/journal
	truncate -s 100m store/inner
	device=$(losetup -f --show disk/journal)
	mke2fs -q -O journal_dev -b 4096 "$device"
	mkfs.ext4 -q -b 4096 -J "device=$device" store/inner
	mkdir disk/inner
	mount -o loop store/inner disk/inner
	losetup -d "$device" # with the last who uses it
}

# slow_disk_stalls FROZEN THAWED: from now on the one at disk is frozen again and again, for so many seconds. In one process: on a
# busy machine one that has to be started for each step would thaw for longer than it freezes.
slow_disk_stalls() {
	in_background python3 -c "
import fcntl, os, signal, sys, time
FIFREEZE, FITHAW = 0xc0045877, 0xc0045878 # linux/fs.h
ends = []
signal.signal(signal.SIGTERM, lambda *_: ends.append(1))
disk = os.open('disk', os.O_RDONLY)
while not ends:
    fcntl.ioctl(disk, FIFREEZE, 0)
    time.sleep(float(sys.argv[1]))
    fcntl.ioctl(disk, FITHAW, 0)
    time.sleep(float(sys.argv[2]))" "$1" "$2"
}

# slow_disk FROZEN THAWED: both.
slow_disk() {
	slow_disk_up
	slow_disk_stalls "$1" "$2"
}

# slow_journal FROZEN THAWED: the same of a journal.
slow_journal() {
	slow_journal_up
	slow_disk_stalls "$1" "$2"
}

# For teardown, whatever the test did.
slow_disk_gone() {
	[ ! -d disk/inner ] || ! mountpoint -q disk/inner || umount disk/inner
	[ ! -d disk ] || loopdisk_down "$PWD"
}
