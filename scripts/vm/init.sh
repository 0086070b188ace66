#!/bin/sh
# init.sh - first process of the machine that vm.sh starts: mounts, ports, CMD, status, end.

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
ln -sf /proc/self/fd /dev/fd
hostname -F /etc/hostname
ip link set lo up 2>/dev/null
export PATH=/usr/bin:/usr/sbin HOME=/root TERM=linux LANG=C.UTF-8

while read -r module; do
	insmod "/vigil/modules/$module.ko" || echo "vigil: $module does not load"
done </vigil/modules/order

# port NAME: the device of a virtio port; it appears a moment after its driver.
port() {
	tries=0
	while [ "$tries" -lt 100 ]; do
		for device in /sys/class/virtio-ports/*; do
			if [ "$(cat "$device/name" 2>/dev/null)" = "vigil.$1" ]; then
				echo "/dev/${device##*/}"
				return
			fi
		done
		tries=$((tries + 1))
		sleep 0.05
	done
	echo "vigil: no port $1" >/dev/console
	poweroff -f
}

cd /tmp || poweroff -f
if grep -q 'vigil=shell' /proc/cmdline; then
	echo "vigil: this is $(uname -sr); exit ends the machine"
	setsid cttyhack bash -i
	poweroff -f
fi

# A port can be opened once at a time, so CMD writes into pipes, as it would anywhere else.
mkfifo /run/stdout /run/stderr
cat /run/stdout >"$(port stdout)" &
out=$!
cat /run/stderr >"$(port stderr)" &
err=$!
bash /vigil/command </dev/null >/run/stdout 2>/run/stderr
status=$?

# What still holds a pipe after CMD has ended keeps the machine for five seconds, no longer.
(sleep 5 && kill "$out" "$err") 2>/dev/null &
wait "$out" "$err"
[ -z "$(ls -A /vigil/out)" ] || tar -C /vigil/out -cf "$(port out)" .
echo "$status" >"$(port status)"
poweroff -f
