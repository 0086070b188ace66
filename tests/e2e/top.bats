# top.bats - `vigil top` on a terminal, against a daemon that answers from tests/e2e/answers. Needs no privilege.
# bats file_tags=asan

load lib.bash

setup_file() {
	python3 -c 'import pty' || skip_suite "no python3 here"
}

setup() {
	enter_tmp
	mkdir -m 700 state
	cp -r "$BATS_TEST_DIRNAME/answers" answers
	"$BUILD/fakes/fake_daemon" state answers 3>&- &
	DAEMON=$!
	while [ ! -e answers/ready ]; do
		kill -0 "$DAEMON"
		sleep 0.02
	done
}

teardown() {
	[ -z "${DAEMON:-}" ] || stop_daemon
}

stop_daemon() {
	kill "$DAEMON" 2>/dev/null || true
	await_gone "$DAEMON"
	DAEMON=
}

# terminal SIZE STEP...: vigil top there; what came is in came, how it ended in end.json.
terminal() {
	local size=$1
	shift
	timeout -k 5 100 python3 "$BATS_TEST_DIRNAME/on_terminal.py" "$size" came "$@" -- "$VIGIL" --state-dir state top --every 200ms \
		3>&- >end.json
	cat end.json
}

# Given back: modes, cursor, screen.
assert_given_back() {
	jq -e .modes_restored end.json
	tail -c 30 came | grep -q $'\e\\[?25h\e\\[?1049l$'
}

# frames COLUMNS LINES: every frame fits.
frames() {
	python3 - "$1" "$2" <<-'EOF'
		import re, sys
		columns, lines = int(sys.argv[1]), int(sys.argv[2])
		text = open("came", "rb").read().decode()
		frames = [f.split("\033[J")[0] for f in text.split("\033[H")[1:] if "\033[J" in f]
		assert frames, text
		for f in frames:
		    plain = re.sub(r"\033\[[0-9;]*[mK]", "", f).replace("\r", "")
		    rows = plain.split("\n")
		    assert "\033" not in plain, repr(plain)
		    assert len(rows) <= lines, (len(rows), plain)
		    assert all(len(r) <= columns for r in rows), [r for r in rows if len(r) > columns]
	EOF
}

@test "on 80x24 it shows the worst first, answers its keys, and gives the terminal back at q" {
	terminal 80x24 "wait:vigil top" "wait:persistence" "wait:q quit" v "wait:operations, worst first" v \
		"wait:programs, worst first" v "wait:43 databases" s "wait:by rate" 5 "wait:by name" 1 "wait:worst first" p "wait:vigil top PAUSED" \
		p "?" "wait:PgUp, PgDn" x "wait:persistence" q
	jq -e '.exit == 0' end.json
	assert_given_back
	frames 80 24
	# What has no place or is slow stands above, and no name sends a sequence.
	python3 - <<-'EOF'
		import re
		first = open("came").read().split("\033[H")[1].split("\033[J")[0]
		plain = re.sub(r"\033\[[0-9;]*[mK]", "", first).split("\n")
		assert [r.split()[0] for r in plain[4:6]] == ["cache", "persistence"], plain
		assert plain[6].startswith("a-name-tha..."), plain
	EOF
	# Asked for again and again.
	[ "$(cat answers/top.args)" = "{}" ]
}

@test "arrows scroll to the last entry and not further; another size is another frame" {
	terminal 80x24 "wait:persistence" $'\e[F' "wait:tenant-39" $'\e[H' "wait:persistence" $'\e[B' $'\e[6~' "wait:tenant-2" \
		size:120x30 "wait:tenant-2" "sleep:300" q
	assert_given_back
	frames 120 30
	terminal 40x8 "wait:vigil top" "sleep:300" v "sleep:300" q
	frames 40 8
	terminal 20x3 "wait:vigil top" "sleep:300" q
	frames 20 3
	assert_given_back
}

@test "a signal that ends it gives the terminal back, and is what it died of" {
	local sig

	for sig in INT TERM HUP QUIT; do
		terminal 80x24 "wait:q quit" "signal:$sig"
		jq -e --arg s "SIG$sig" '.signal == $s' end.json
		assert_given_back
	done
	terminal 80x24 "wait:q quit" $'\x03' # as the keyboard sends it
	jq -e '.signal == "SIGINT"' end.json
	assert_given_back
}

@test "stopped, the terminal is given back; going on, it is taken again" {
	terminal 80x24 "wait:q quit" "signal:TSTP" $'wait:\e[?1049l' "signal:CONT" $'wait:\e[?1049h' "wait:persistence" q
	jq -e '.exit == 0' end.json
	assert_given_back
}

@test "a daemon that goes away is said so, and what it said last stays" {
	(
		await shown
		kill "$DAEMON"
	) 3>&- &
	terminal 80x24 "wait:persistence" touch:shown "wait:no daemon answers" "wait:persistence" q
	jq -e '.exit == 0' end.json
	assert_given_back
	await_end $!
	await_gone "$DAEMON"
	DAEMON=
	terminal 80x24
	jq -e '.exit == 69' end.json
	grep -q 'no vigil daemon uses' came
}

@test "in a pipe it prints once, without a sequence; --json is one document" {
	"$VIGIL" --state-dir state top >out
	grep -q '^cache .*waiting' out
	[ "$(wc -l <out)" -eq 47 ]
	[ "$(grep -c $'\e' out)" -eq 0 ]
	awk 'length > 100 { exit 1 }' out
	"$VIGIL" --state-dir state top --view operations --sort time >out
	grep -Eq '^persistence +wal +commit .* x97$' out
	"$VIGIL" --state-dir state top --json >out
	jq -e '.schema == "vigil.top/1" and (.databases | length) == 43' out
	"$VIGIL" --state-dir state top --db app --json >out
	[ "$(cat answers/top.args)" = '{"database":"app"}' ]
	run "$VIGIL" --state-dir state top --every 1ms
	[ "$status" -eq 64 ]
}

@test "summary --latency shows what is slow beside what is usual" {
	"$VIGIL" --state-dir state summary --latency --db persistence >out
	grep -Eq '^  persistence +wal +commit +slow +102 +310 ms +812 ms +812 ms +8.4 ms +42 ms$' out
	grep -q 'spike  *persistence: commit on wal takes 74 times its usual time, since ' out
	grep -q 'i-0123456789abcdef' out
	grep -q 'not judged *scratch' out
	awk 'length > 110 { exit 1 }' out
	[ "$(cat answers/latency.args)" = '{"database":"persistence"}' ]
}
