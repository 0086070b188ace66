# replay.bats - `vigil replay` on recordings, whole and broken. Needs no privilege.
# bats file_tags=asan

setup() {
	VIGIL=${VIGIL_BUILD:-$BATS_TEST_DIRNAME/../../build}/vigil
	RECORDINGS=$BATS_TEST_DIRNAME/../replay/recordings
	cd "$BATS_TEST_TMPDIR" || return
	cp "$RECORDINGS/killed-hot-journal.vigil" run.vigil
}

# refused FILE: exit status 69, nothing on standard output, one line on standard error that names the file.
refused() {
	local status=0
	"$VIGIL" replay "$1" >out 2>err || status=$?
	cat out err
	[ "$status" -eq 69 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] && grep -q "^vigil: replay: .*$1" err
}

# on_terminal COLUMNS COMMAND...: the report of run.vigil there, into came.
on_terminal() {
	timeout -k 5 60 python3 "$BATS_TEST_DIRNAME/on_terminal.py" "$1x24" came -- "${@:2}" "$VIGIL" replay run.vigil 3>&- >end.json
}

# plain: what came, without what only a terminal shows.
plain() {
	sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g; s/\r//g' came
}

# patch FILE OFFSET BYTES: with escapes as printf %b has them.
patch() {
	printf %b "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "the report of a recording is that of the run: who, what, what next" {
	"$VIGIL" replay run.vigil >out
	head -1 out | grep -q '^UNCLEAN  /srv/app/app.db'
	grep -q 'killed by SIGKILL' out
	grep -q 'rolls back the hot journal' out
	[ "$(grep -c $'\033' out)" -eq 0 ]
}

@test "on a terminal it is as wide as that, from 60 columns on, and has colour unless told otherwise" {
	python3 -c 'import pty' || skip "no python3 here"
	for columns in 40 60 80; do
		on_terminal "$columns" env -u NO_COLOR
		[ "$(plain | wc -L)" -le $((columns < 60 ? 60 : columns)) ]
		grep -q $'\e' came
	done
	on_terminal 80 env NO_COLOR=
	grep -q $'\e' came
	for colourless in NO_COLOR=1 TERM=dumb; do
		on_terminal 80 env "$colourless"
		[ "$(grep -c $'\e' came)" -eq 0 ]
		grep -q UNCLEAN came
	done
}

@test "--json is one document, the same every time" {
	"$VIGIL" replay run.vigil --json >a
	"$VIGIL" --json replay run.vigil >b
	cmp a b
	python3 - <<-'END'
		import json
		r = json.load(open("a"))
		assert r["schema"] == "vigil.report/1"
		c = r["databases"][0]["certificates"][0]
		assert c["verdict"] == "unclean" and c["reasons"][:2] == ["write-transaction-open", "hot-journal"]
		assert c["exit"]["sender"]["comm"] == "sh"
		assert r["databases"][0]["integrity"]["result"] == "skipped"
		assert r["databases"][0]["backup"] is None
	END
}

@test "a recording is left as it is, and may be read-only" {
	before=$(sha256sum <run.vigil)
	chmod 0400 run.vigil
	"$VIGIL" replay run.vigil >out
	[ "$before" = "$(sha256sum <run.vigil)" ]
}

@test "the timeline has a line for each record" {
	"$VIGIL" replay --timeline run.vigil >out
	grep -q 'signal .*signal=SIGKILL' out
	"$VIGIL" replay --timeline --json run.vigil | python3 -c '
import json, sys
types = [json.loads(line)["type"] for line in sys.stdin]
assert types[0] == "session" and types[-1] == "end" and "exit" in types, types'
}

@test "the timeline shows Vigil's own test, and the death in it, only when more is asked for" {
	"$VIGIL" replay --timeline run.vigil >out
	"$VIGIL" replay --timeline -v run.vigil >all
	"$VIGIL" replay --timeline --json run.vigil >lines
	[ "$(grep -c 'canary' out)" -eq 0 ]
	[ "$(grep -c ' exit ' out)" -eq 1 ]
	grep -q canary all
	[ "$(grep -c ' exit ' all)" -eq 2 ]
	[ "$(wc -l <all)" -eq "$(wc -l <lines)" ]
	[ "$(wc -l <out)" -gt 20 ]
}

@test "a recording that was cut is told as far as it goes, and not trusted" {
	truncate -s -10000 run.vigil
	"$VIGIL" replay run.vigil --json >out 2>err
	grep -q 'ends in the middle of a record' err
	python3 -c '
import json
r = json.load(open("out"))
assert r["trust"]["level"] == "partial" and "stream-incomplete" in r["trust"]["reasons"]'
}

@test "a cut recording calls nothing clean" {
	cp "$RECORDINGS/clean-wal.vigil" cut.vigil
	truncate -s -5000 cut.vigil
	"$VIGIL" replay cut.vigil --json >out 2>err
	[ "$(grep -c '"verdict": "clean"' out)" -eq 0 ]
	grep -q '"verdict": "unknown"' out
}

@test "what is no recording is refused with one line that says where and why" {
	refused missing.vigil
	mkdir dir.vigil
	refused dir.vigil
	mkfifo pipe.vigil
	refused pipe.vigil
	: >empty.vigil
	refused empty.vigil
	head -c 10000 /dev/urandom >random.vigil
	refused random.vigil
	grep -q 'byte 0' err
}

@test "damage inside is refused with the place" {
	patch run.vigil 1272 'XXXX' # the second record: a session is 1272 bytes long
	refused run.vigil
	grep -q 'byte 1272: ' err
}

@test "a newer format is refused as such" {
	patch run.vigil 4 '\x02'
	refused run.vigil
	grep -q 'version 2' err
}

@test "two recordings, or none, are a usage error" {
	status=0
	"$VIGIL" replay 2>err || status=$?
	[ "$status" -eq 64 ]
	status=0
	"$VIGIL" replay run.vigil run.vigil 2>err || status=$?
	[ "$status" -eq 64 ]
}
