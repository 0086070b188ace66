#!/usr/bin/env bats
# scripts/vm.sh itself: what a machine gives back, and what is said when it gives nothing.

VM=$BATS_TEST_DIRNAME/../../scripts/vm.sh

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export VIGIL_BUILD=$BATS_TEST_TMPDIR/none
}

need_kernel() {
	"$VM" --fetch 6.1 >image 2>why || skip "$(cat why)"
}

@test "status, output, errors and files of the command come back" {
	need_kernel
	mkdir out
	echo "cat \"\$1\"; echo bad >&2; echo 'a b' >/vigil/out/file; exit 7" >script
	status=0
	"$VM" --log console --add script --collect out 6.1 -- bash /vigil/script /proc/sys/kernel/osrelease >o 2>e || status=$?
	[ "$status" -eq 7 ]
	[[ $(cat o) == 6.1.* ]]
	[ "$(cat e)" = bad ]
	[ "$(cat out/file)" = "a b" ]
	grep -q 'Linux version 6\.1\.\|Power down' console
}

@test "arguments reach the command as they are" {
	need_kernel
	"$VM" --log console 6.1 -- printf '<%s>' "" 'a  b' '$HOME' "it's" '*' >o
	[ "$(cat o)" = '<><a  b><$HOME><it'"'"'s><*>' ]
}

@test "a command that does not end is stopped in time, and that is said" {
	need_kernel
	run "$VM" --log console --timeout 5 6.1 -- sleep 1000
	[ "$status" -eq 124 ]
	[[ $output == *"out of time after 5 s"* ]]
}

@test "a kernel that panics is no status of the command" {
	need_kernel
	run "$VM" --log console 6.1 -- sh -c 'echo c >/proc/sysrq-trigger; sleep 60'
	[ "$status" -eq 125 ]
	[[ $output == *"the kernel panicked: "*"sysrq triggered crash"* ]]
	grep -q 'sysrq triggered crash' console
}

@test "what is no kernel, no option and no command is refused with the reason" {
	run "$VM" 2.2 -- true
	[ "$status" -eq 126 ]
	[[ $output == *"no cloud kernel 2.2"* ]]
	run "$VM" nonsense -- true
	[ "$status" -eq 126 ]
	run "$VM" 6.1
	[ "$status" -eq 125 ]
	[[ $output == *"no CMD given"* ]]
	run "$VM" --add nowhere 6.1 -- true
	[ "$status" -eq 125 ]
	[[ $output == *"there is no nowhere"* ]]
	run "$VM" --timeout soon 6.1 -- true
	[ "$status" -eq 125 ]
}
