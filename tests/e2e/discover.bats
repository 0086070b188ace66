#!/usr/bin/env bats
# bats file_tags=asan
# vigil discover: what is open on this host, by whom, and the configuration that guards it.

load lib.bash
load discover.bash

setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	enter_tmp
	srv_begin
}

teardown() {
	srv_end
}

# The answer in d.json, of the databases only what the test's own processes have open: another run of this suite may be at work.
discover() {
	timeout 60 "$VIGIL" discover --json "$@" >all.json
	jq -e --argjson own "[$(
		IFS=,
		echo "${HOLDERS[*]}"
	)]" 'select(.schema == "vigil.discover/1") | .databases |= map(select(any(.processes[].pid; IN($own[]))))' all.json >d.json
}

# has_open PID FD FILE
has_open() {
	[ "$(readlink "/proc/$1/fd/$2")" = "$3" ]
}

mounted_or_ended() {
	./in_srv mountpoint -q /srv/remote || ! kill -0 "$1" 2>/dev/null
}

entry() {
	jq -e --arg path "$1" '[.databases[] | select(.path == $path)] | if length == 1 then .[0] else null end' d.json >e.json
}

assert_entry() {
	assert_json e.json "$@"
}

@test "databases in use are listed with mode, size and users, and the output guards them" {
	holds /srv/wal.db "pragma journal_mode=wal" "create table t(a)" "insert into t values(1)"
	local first=$HELD
	holds /srv/wal.db "select * from t"
	holds /srv/rollback.sqlite "create table t(a)"
	discover
	entry /srv/wal.db
	assert_entry '.journal_mode == "wal"' '.users == 2' '.wal_bytes > 0' '.left_out == null' \
		".processes | any(.pid == $first and .comm == \"driver\" and .uid == 0 and .exe != null)"
	entry /srv/rollback.sqlite
	assert_entry '.journal_mode == "rollback"' '.bytes > 0' '.users == 1' '.inside == null'
	"$VIGIL" discover >vigil.conf
	cat vigil.conf
	grep -q "open in driver (pid $first, uid 0), driver" vigil.conf
	"$VIGIL" check-config -c vigil.conf
	"$VIGIL" check-config -c vigil.conf --json | jq -e '.valid and .errors == [] and .notes == []'
	# The same names again, whatever else is open.
	let_go "$HELD"
	"$VIGIL" discover >again.conf
	[ "$(grep '^database "wal-' vigil.conf)" = "$(grep '^database "wal-' again.conf)" ]
	[ "$(grep -c '^database "rollback' again.conf)" -eq 0 ]
}

@test "paths of any bytes come through the configuration" {
	local path
	path=$'/srv/a \'b\'\\ "${HOME}"\n}\xff#.db'
	holds "$path" "create table t(a)"
	discover
	assert_json d.json '[.databases[] | select(.path_hex != null)] | length == 1'
	[ "$(jq -r '.databases[] | select(.path_hex) | .path_hex' d.json)" = "$(printf %s "$path" | od -An -tx1 | tr -d ' \n')" ]
	"$VIGIL" discover >vigil.conf
	"$VIGIL" check-config -c vigil.conf
	# Nothing of it ends a comment or a quote: one database and no other key.
	"$VIGIL" check-config -c vigil.conf | grep -q ': valid: 1 database,'
}

@test "deleted, hidden, temporary and read-only ones are named and left out; --all takes what can be guarded" {
	mkdir srv/.cache
	holds /srv/gone.db "create table t(a)"
	rm srv/gone.db
	holds /srv/.cache/browser.db "create table t(a)"
	holds "$PWD/tmp.db" "create table t(a)"
	holds /srv/catalogue.db "create table t(a)"
	let_go "$HELD"
	./in_srv sh -c 'exec sleep 1000 </srv/catalogue.db' 3>&- &
	ended_later $!
	until_true has_open "$!" 0 /srv/catalogue.db
	discover
	assert_json d.json '[.databases[] | select(.inside // .path | test("^/srv|/tmp.db$")) | [(.inside // .path | split("/")[-1]), .left_out]] | sort
		== [["browser.db", "hidden"], ["catalogue.db", "read-only"], ["gone.db", "deleted"], ["tmp.db", "temporary"]]'
	"$VIGIL" discover >vigil.conf
	[ "$(grep -c '^database' vigil.conf)" -eq 0 ]
	grep -q '^# deleted: /srv/gone.db; ' vigil.conf
	"$VIGIL" check-config -c vigil.conf
	discover --all
	assert_json d.json '[.databases[] | select(.inside // .path | test("^/srv|/tmp.db$")) | select(.left_out) | .left_out] == ["deleted"]'
	"$VIGIL" discover --all >vigil.conf
	[ "$(grep -cE "path = '(/srv|$PWD)/(.cache/browser|catalogue|tmp).db'" vigil.conf)" -eq 3 ]
}

@test "in another mount namespace: by the way that leads there from here, or none is told" {
	mkdir srv/volume
	# shellcheck disable=SC2016
	IN=(./in_srv unshare --mount --propagation private sh -c 'mkdir -p inner && mount --bind /srv/volume inner && exec "$@"' sh)
	holds inner/app.db "pragma journal_mode=wal" "create table t(a)"
	# shellcheck disable=SC2016
	IN=(./in_srv unshare --mount --propagation private sh -c 'mkdir -p lost && mount -t tmpfs lost lost && exec "$@"' sh)
	holds lost/lost.db "create table t(a)"
	discover --all
	entry "$PWD/srv/volume/app.db"
	assert_entry '.left_out == null' ".inside == \"$PWD/inner/app.db\""
	assert_json d.json '[.databases[] | select(.path == null and (.inside | endswith("/lost.db")))] | length == 1 and .[0].left_out == "unreachable"'
	"$VIGIL" discover --all >vigil.conf
	"$VIGIL" check-config -c vigil.conf
	grep -q "path = '$PWD/srv/volume/app.db'" vigil.conf
	[ "$(grep -c "path = .*lost.db" vigil.conf)" -eq 0 ]
}

@test "what is no database is none, and what is encrypted is told by its companions" {
	head -c 8192 /dev/urandom >srv/plain
	printf 'SQLite format 3' >srv/short
	mkfifo srv/fifo
	holds /srv/sealed.db "pragma journal_mode=wal" "create table t(a)" "insert into t values(1)"
	dd if=/dev/urandom of=srv/sealed.db bs=100 count=1 conv=notrunc status=none
	./in_srv sh -c 'exec sleep 1000 3<>/srv/fifo 4<>/srv/plain 5<>/srv/short 6</dev/zero' 3>&- &
	ended_later $!
	until_true has_open "$!" 6 /dev/zero
	discover
	entry /srv/sealed.db
	assert_entry '.journal_mode == "wal"' '.left_out == null'
	assert_json d.json '[.databases[].path | select(. and test("^/srv"))] == ["/srv/sealed.db"]'
}

@test "on a file system whose server is gone: told of by its companions, left out, and nothing waits for it" {
	mkdir srv/remote
	./in_srv "$BUILD/fakes/silent_fuse" /srv/remote 3>&- 2>fuse.err &
	local server=$!
	ended_later "$server"
	until_true mounted_or_ended "$server"
	./in_srv mountpoint -q /srv/remote || skip "nothing can be mounted by /dev/fuse here: $(cat fuse.err)"
	./in_srv sh -c 'exec sleep 1000 3<>/srv/remote/app.db 4<>/srv/remote/app.db-wal 5</dev/zero' 3>&- &
	local user=$!
	ended_later "$user"
	until_true has_open "$user" 5 /dev/zero
	holds /srv/here.db "create table t(a)"
	kill -STOP "$server"
	timeout 60 "$VIGIL" discover >found.conf || true
	discover || {
		kill -KILL "$server"
		return 1
	}
	kill -KILL "$server" # a process that is stopped does not end by itself
	entry /srv/here.db
	assert_entry '.left_out == null'
	assert_json d.json '[.databases[] | select(.inside == "/srv/remote/app.db" or .path == "/srv/remote/app.db")] | length == 1 and .[0].left_out == "network"'
	[ "$(sed '/^#/d' found.conf | grep -c remote)" -eq 0 ]
}

@test "another user sees his own, and is told that there is more" {
	command -v setpriv >/dev/null || skip "needs setpriv"
	cp "$BUILD/vigil" vigil
	chmod 777 . srv
	holds /srv/root.db "create table t(a)"
	# shellcheck disable=SC2034 # read by holds
	IN=(./in_srv setpriv --reuid 65534 --regid 65534 --clear-groups)
	holds /srv/own.db "create table t(a)"
	./in_srv setpriv --reuid 65534 --regid 65534 --clear-groups ./vigil discover --json >d.json
	assert_json d.json '.hidden_processes > 0' '[.databases[].path | select(. and test("^/srv"))] == ["/srv/own.db"]'
}

@test "usage: mistakes are told, and what it costs nobody" {
	local status=0
	"$VIGIL" discover nothing 2>err || status=$?
	[ "$status" -eq 64 ]
	holds /srv/app.db "pragma journal_mode=wal" "create table t(a)"
	stat -c '%X %Y %Z' srv/app.db >before
	"$VIGIL" discover >/dev/null
	stat -c '%X %Y %Z' srv/app.db | diff before -
	[ "$(ls srv)" = $'app.db\napp.db-shm\napp.db-wal' ]
}
