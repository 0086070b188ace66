# group.bash - a cgroup of the test's own, of version 1 or 2, with limits. group_gone is for its teardown, when nothing runs in it
# any more.

GROUP="" UNIT=""

# group_make CONTROLLER FILE1 FILE2: a cgroup of our own as $GROUP, and in $KNOB which of the files it has: that of v1, that of v2.
# Where it cannot be had, says why and fails.
group_make() {
	local v1=/sys/fs/cgroup/$1 v2=/sys/fs/cgroup name=vigil-test-$$
	[ -d "$v1" ] || v1=/sys/fs/cgroup/${3%%.*}
	if [ -e "$v2/cgroup.controllers" ]; then
		grep -qw "${3%%.*}" "$v2/cgroup.subtree_control" || { echo "the cgroup controller ${3%%.*} is not enabled here" && return 1; }
		v1=$v2
	fi
	mkdir "$v1/$name" 2>/dev/null || { echo "no cgroup of the controller $1 can be made here" && return 1; }
	GROUP=$v1/$name
	KNOB=$GROUP/$2
	[ -e "$KNOB" ] || KNOB=$GROUP/$3
	[ -e "$KNOB" ] || { echo "this kernel has neither $2 nor $3" && return 1; }
}

# group_io: one whose I/O can be limited.
group_io() {
	group_make blkio blkio.throttle.write_iops_device io.max
}

# group_cpu: one whose processor time can be limited.
group_cpu() {
	group_make cpu cpu.cfs_quota_us cpu.max
}

# need_group KIND: it, or the test is skipped.
need_group() {
	"group_$1" >why-no-group || skip "$(cat why-no-group)"
}

# group_writes DIR N: from now on it may make N writes a second to the device that is mounted at DIR. 0: as many as it wants, as at
# the beginning.
group_writes() {
	local dev n=$2
	dev=$(cat "/sys/class/block/$(basename "$(findmnt -no SOURCE "$1")")/dev")
	if [[ $KNOB == *.max ]]; then
		((n)) || n=max
		n=wiops=$n
	fi
	echo "$dev $n" >"$KNOB"
}

# group_unit NAME: one of that name in the unified hierarchy, as $UNIT; empty: there is none here.
group_unit() {
	local root
	root=$(findmnt -nt cgroup2 -o TARGET | head -n 1)
	[ -z "$root" ] || { mkdir "$root/$1" && UNIT=$root/$1; }
}

# group_enter DIR CMD...: runs it in that cgroup; DIR may be empty.
group_enter() {
	[ -z "$1" ] || echo "$BASHPID" >"$1/cgroup.procs"
	exec "${@:2}"
}

group_gone() {
	[ -z "$GROUP" ] || rmdir "$GROUP"
	[ -z "$UNIT" ] || rmdir "$UNIT"
}
