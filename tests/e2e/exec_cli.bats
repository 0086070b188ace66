#!/usr/bin/env bats
# vigil exec as a command in somebody's script: statuses, streams, signals, options.

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

@test "the exit status is CMD's own, 128+N for a signal" {
	watch -- true
	[ "$status" -eq 0 ]
	watch -- sh -c 'exit 7'
	[ "$status" -eq 7 ]
	assert_report '.command.exit_code == 7' '.command.signal == null' '.command.argv == ["sh", "-c", "exit 7"]' \
		'.databases == []'
	watch -- sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
	assert_report '.command.exit_code == null' '.command.signal == "SIGTERM"'
}

@test "--verdict-exit: clean 0, abrupt 1, unclean or corrupt 2" {
	mk app.db wal
	watch --verdict-exit --db app.db -- "$DRIVER" -t truth app.db "select 1 from t" @return 9
	[ "$status" -eq 0 ]
	watch --verdict-exit --db app.db -- "$DRIVER" -t truth app.db "select 1 from t" @kill9
	[ "$status" -eq 1 ]
	watch --verdict-exit --db app.db -- "$DRIVER" -t truth app.db "begin immediate" @kill9
	[ "$status" -eq 2 ]
	sqlite3 app.db 'pragma journal_mode=delete' >/dev/null
	dd if=/dev/urandom of=app.db bs=4096 seek=3 count=2 conv=notrunc status=none
	watch --verdict-exit --db app.db -- sqlite3 app.db 'select 1'
	assert_report '.databases[0] | .verdict == "clean" and .integrity.result == "corrupt"'
	[ "$status" -eq 2 ]
}

@test "a database that is named and is not there is told as a name that may be wrong" {
	mk app.db delete
	watch --db oders.db -- "$DRIVER" -t truth app.db "begin immediate" @kill9
	assert_report '.databases[0].integrity.reason | startswith("no such file, before or after: is the name right?")'
	# Made and removed: that is another matter.
	watch --db new.db -- bash -c "sqlite3 new.db 'create table t(a)'; rm new.db"
	assert_report '.databases[0].integrity.reason | startswith("there is no file under its path")'
}

@test "CMD keeps its stdin, stdout and stderr; the text report goes to stderr after it" {
	mk app.db wal
	echo input >in
	"$VIGIL" exec --db app.db -- sh -c 'cat; echo output; echo message >&2; sqlite3 app.db "select count(*) from t"' \
		<in >out 2>err 3>&-
	[ "$(cat out)" = $'input\noutput\n400' ]
	[ "$(head -1 err)" = message ]
	grep -q clean err
	grep -q app.db err
	[ "$(grep -c $'\033' err)" -eq 0 ]
	[ "$(awk '{ if (length($0) > n) n = length($0) } END { print n }' err)" -le 100 ]
}

@test "--out writes the report whole, for its owner only, and says nothing else" {
	mk app.db wal
	umask 022
	"$VIGIL" exec -q --db app.db --out report.json -- true >out 2>err 3>&-
	[ ! -s out ]
	[ ! -s err ]
	[ "$(stat -c %a report.json)" = 600 ]
	jq -e '.schema == "vigil.report/1"' report.json
	[ -z "$(find . -name 'report.json?*' -o -name '.report*')" ]
}

@test "--json without --out: one document on stdout, CMD's stdout on stderr" {
	mk app.db wal
	"$VIGIL" exec --json --db app.db -- sh -c 'echo output; echo message >&2' >out 2>err 3>&-
	jq -es 'length == 1 and .[0].schema == "vigil.report/1"' out
	grep -qx output err
	grep -qx message err
}

@test "a global option may stand before the command" {
	"$VIGIL" --json exec -- true >out 3>&-
	jq -e '.schema == "vigil.report/1"' out
}

# vigil_begin OPTION... -- CMD: a signal to $WATCH_PID reaches Vigil and, from here, nobody else. Bash has its background
# jobs ignore SIGINT, which is not how a program starts at a terminal.
vigil_begin() {
	env --default-signal=INT,QUIT timeout --foreground -k 5 60 "$VIGIL" exec --out r.json "$@" 3>&- 2>vigil.err &
	WATCH_PID=$!
}

@test "INT and TERM are forwarded to CMD, and the report follows" {
	local signal
	mk app.db wal
	for signal in INT TERM; do
		rm -f ready truth
		vigil_begin --db app.db -- "$DRIVER" -t truth app.db "select 1 from t" @ready ready @pause
		await ready
		kill -s $signal "$WATCH_PID"
		watch_end
		[ "$status" -eq $((128 + $(kill -l $signal))) ]
		certificate app.db truth
		assert_certificate ".exit.signal == \"SIG$signal\"" '.exit.sender.comm == "vigil"' '.exit.origin.comm == "timeout"'
	done
}

@test "CMD may handle the signal that is forwarded" {
	mk app.db wal
	vigil_begin --db app.db -- bash -c 'trap "exit 5" TERM; touch ready; while :; do sleep 0.01; done'
	await ready
	kill -TERM "$WATCH_PID"
	watch_end
	[ "$status" -eq 5 ]
}

@test "it waits for the whole tree, also for what left CMD's session" {
	mk app.db wal
	watch --db app.db -- sh -c 'setsid "$0" -t late "$1" @wait go "insert into t(b) values(1)" @kill9 & touch go; exit 3' \
		"$DRIVER" app.db
	[ "$status" -eq 3 ]
	certificate app.db late
	assert_certificate '.verdict == "abrupt"'
}

@test "--wait cmd waits for CMD alone, and says that others go on" {
	mk app.db wal
	watch --wait cmd --db app.db -- sh -c 'setsid "$0" -t late "$1" "select 1 from t" @ready ready @wait go >/dev/null 2>&1 &
		while [ ! -e ready ]; do sleep 0.01; done' "$DRIVER" app.db
	[ "$status" -eq 0 ]
	database app.db
	assert_database ".processes[0].pid == $(pid_of late)" '.certificates == []'
	touch go
}

@test "a database that does not exist yet is watched from its creation" {
	watch --db new.db -- "$DRIVER" -t truth new.db "create table t(a)" "insert into t values(1)" begin "insert into t values(2)" @kill9
	assert_trusted
	certificate new.db truth
	assert_certificate '.verdict == "unclean"' '.locks | has_all(["reserved"])'
}

@test "a database that is never opened has its entry and no certificate" {
	mk app.db wal
	watch --db app.db --db never.db -- true
	assert_trusted
	assert_report '.databases | length == 2' '[.databases[].certificates[]] == []'
}

@test "without --db it finds what the tree opens: through symbolic links, odd names and directories, and in a transaction" {
	local odd=$'we ird\n\xff"na\\me.db'
	mkdir sub
	mk sub/real.db wal
	ln -s sub/real.db link.db
	mk "$odd" delete
	watch -- sh -c '"$0" -t t1 link.db "insert into t(b) values(1)"; cd sub && "$0" -t t2 real.db "select 1 from t"
		cd .. && exec "$0" -t t3 "$1" "begin immediate" @kill9' "$DRIVER" "$odd"
	assert_trusted
	certificate sub/real.db t1
	certificate sub/real.db sub/t2
	assert_report '.databases | length == 2'
	assert_report '[.databases[] | select(.path | endswith("\"na\\me.db"))][0] |
		(.path | contains("\ufffd")) and (.path_hex | ascii_downcase | contains("0aff22")) and .certificates[0].verdict == "unclean"'
}

@test "other programs' databases are left alone" {
	mk app.db wal
	mk other.db wal
	"$DRIVER" -t other.truth other.db "begin immediate" @ready ready @wait go commit &
	local other=$!
	await ready
	export DRIVER
	# shellcheck disable=SC2016 # for the shell that is watched
	watch -- bash -c '"$DRIVER" -t truth app.db "insert into t(b) values(1)"; mkdir logs-wal; ls logs-wal
		(echo line >log-journal; kill -9 $BASHPID); exit 0'
	touch go
	await_end "$other"
	assert_quiet
	assert_report '(.databases | length) == 1' # and none that is called after a log
	assert_report '[.databases[].path | select(endswith("other.db"))] == []'
}

# The programs are loaded without them where the verifier refuses them, and nobody would notice but by the cost.
@test "doctor: the write path has typed casts, and it can be told where time goes, where the kernel lets it" {
	local has=false told=false
	! grep -q ' bpf_rdonly_cast$' /proc/kallsyms || has=true
	! printf '%s\n' 5.18 "$(uname -r)" | sort -VC || told=true
	"$VIGIL" --json doctor >doctor.json
	jq -e ".typed_casts == $has and .attribution == $told and (.attribution or (.attribution_why_not | test(\"5.18\")))" doctor.json ||
		{ jq 'del(.probes)' doctor.json && return 1; }
}
