#!/usr/bin/env bats
# Workers are confined on other kernels as they are here: the unit tests of base/child.h and of what a worker can reach, each
# kernel in one machine.

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

confined_on() {
	local tests=${VIGIL_BUILD:-$ROOT/build/release}/tests
	"$ROOT/scripts/vm.sh" --fetch "$1" >/dev/null
	"$ROOT/scripts/vm.sh" --build /nonexistent --add "$tests/unit-base-test_child" --add "$tests/unit-base-test_reach" \
		"$1" -- sh -c '/vigil/unit-base-test_child && /vigil/unit-base-test_reach'
}

@test "6.1: workers are confined" {
	confined_on 6.1
}

@test "6.12: workers are confined" {
	confined_on 6.12
}
