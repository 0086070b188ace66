# discover.bash - a /srv of the test's own, and processes that hold databases open; sourced after lib.bash.
#
#   srv_begin          from now on $VIGIL, and what in_srv runs, see the test's own ./srv as /srv
#   holds DB STEP...   a process that has done the steps on the database and keeps it open; its pid in $HELD
#   srv_end            for teardown
#
# What lies below /tmp is taken for temporary, and a test may write nowhere else: hence the mount namespace.

HOLDERS=()

srv_begin() {
	unshare --mount true 2>/dev/null || skip "no mount namespace can be made here"
	mkdir srv
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -c 'mount --bind srv /srv && touch srv.ready && exec sleep 1000' 3>&- &
	HOLDERS+=($!)
	await srv.ready
	printf '#!/bin/sh\nexec nsenter --mount=/proc/%d/ns/mnt --wd=. "%s" "$@"\n' "$!" "$VIGIL" >vigil-in-srv
	printf '#!/bin/sh\nexec nsenter --mount=/proc/%d/ns/mnt --wd=. "$@"\n' "$!" >in_srv
	chmod +x vigil-in-srv in_srv
	VIGIL=$PWD/vigil-in-srv
}

holds() {
	local ready=held.${#HOLDERS[@]}
	"${IN[@]:-./in_srv}" "$DRIVER" -t "$ready.truth" "$@" @ready "$ready" @pause 3>&- &
	HELD=$!
	HOLDERS+=("$HELD")
	await "$ready"
}

# Another process of the test's own.
ended_later() {
	HOLDERS+=("$1")
}

let_go() {
	kill "$1"
	await_gone "$1"
}

srv_end() {
	local i
	for ((i = ${#HOLDERS[@]} - 1; i >= 0; i--)); do
		kill "${HOLDERS[i]}" 2>/dev/null || true
		await_gone "${HOLDERS[i]}"
	done
}
