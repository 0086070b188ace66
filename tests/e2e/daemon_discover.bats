#!/usr/bin/env bats
# vigil run --discover: what nobody has configured and somebody has open is guarded.

load lib.bash
load daemon.bash
load discover.bash

setup() {
	enter_tmp
	srv_begin
	configure ''
}

teardown() {
	daemon_teardown
	srv_end
}

# The names that are guarded below /srv, by path.
guarded() {
	ask status
	jq -r '[.databases[] | select(.path | test("^/srv")) | .path] | sort | join(" ")' a.json
}

# Another look is due when the configuration is read again.
eventually_guarded() {
	kill -HUP "$DAEMON"
	eventually "[.databases[] | select(.path | test(\"^/srv\")) | .path] | sort | join(\" \") == \"$1\"" status
}

@test "what is open at the start is guarded, and a death in it has certificate, check and backup" {
	holds /srv/app.db "pragma journal_mode=wal" "create table t(a integer primary key, b text)" \
		"insert into t(b) values(hex(randomblob(50)))"
	local holder=$HELD
	daemon_begin --discover
	grep -q 'discover: /srv/app.db is open and guarded' daemon.err
	[ "$(guarded)" = /srv/app.db ]
	assert_answer '.databases[0].discovered' '.databases[0].state == "watched"' '.databases[0].users == 1' \
		'.databases[0].name | test("^app-[0-9a-f]{8}$")'
	"$VIGIL" --state-dir S status -v | grep -q '/srv/app.db, journal mode .*, discovered'
	ask summary --latency
	assert_answer '.not_judged == []'
	killed ./in_srv "$DRIVER" -t truth /srv/app.db "${SPILL[@]}" @kill9
	eventually '.incidents | any(.path == "/srv/app.db" and .code == "unclean-death" and .backup.verified and .integrity.result == "ok")' incidents
	# One of another program within the hour gets a check and no backup.
	cp "$DRIVER" other
	killed ./in_srv "$PWD/other" -t truth2 /srv/app.db "${SPILL[@]}" @kill9
	eventually '.incidents | any(.backup_skipped != null and (.backup_skipped | test("min-interval")))' incidents
	# Nobody has it open any more: it stays, also over a restart.
	let_go "$holder"
	daemon_end
	[ "$status" -eq 0 ]
	"$VIGIL" check-config -c S/discovered.conf
	daemon_begin --discover
	[ "$(guarded)" = /srv/app.db ]
	assert_answer '.databases[0].users == 0'
	daemon_end
	# Without --discover nothing of it is guarded.
	daemon_begin
	[ "$(guarded)" = "" ]
	daemon_end
	[ "$status" -eq 0 ]
}

@test "what is opened later is guarded, too; what the configuration names is the configuration's" {
	mkdir srv/x
	ln -s app.db srv/x/link.db
	holds /srv/x/app.db "pragma journal_mode=wal" "create table t(a)"
	configure 'database "mine" { path = "/srv/x/link.db" }'
	holds "$PWD/tmp.db" "create table t(a)"
	daemon_begin --discover
	[ "$(guarded)" = /srv/x/link.db ]
	assert_answer '.databases | length == 1' '.databases[0].name == "mine"' '.databases[0].discovered == false'
	holds /srv/late.db "pragma journal_mode=wal" "create table t(a)"
	eventually_guarded "/srv/late.db /srv/x/link.db"
	# What was found outlives a reload, and the one that the configuration lets go is found in its turn.
	configure 'database "other" { path = "/srv/none.db" }'
	eventually_guarded "/srv/late.db /srv/none.db /srv/x/app.db"
	daemon_end
	[ "$status" -eq 0 ]
	# What is gone for good is let go of after a restart.
	let_go "$HELD"
	rm srv/late.db*
	daemon_begin --discover
	eventually_guarded "/srv/none.db /srv/x/app.db"
	[ "$(grep -c late S/discovered.conf)" -eq 0 ]
	daemon_end
	[ "$status" -eq 0 ]
}

@test "more than are taken: that is told, and those that are guarded stay" {
	local args=() i
	for ((i = 0; i < 300; i++)); do
		sqlite3 "srv/$i.db" "create table t(a)"
		args+=("/srv/$i.db")
	done
	# shellcheck disable=SC2016
	./in_srv bash -c 'for f in "$@"; do exec {fd}<>"$f"; done; touch open; exec sleep 1000' bash "${args[@]}" 3>&- &
	ended_later $!
	await open
	daemon_begin --discover
	ask status
	assert_answer '[.databases[] | select(.discovered)] | length == 256' '[.databases[] | select(.state == "watched")] | length == 256'
	grep -q 'discover: 44 databases that are open are not guarded' daemon.err
	ask health
	[ "$status" -eq 1 ]
	assert_answer '.reasons == ["44 databases are open and not guarded: --discover takes 256 at most; name them in the configuration"]'
	daemon_end
	[ "$status" -eq 0 ]
}

@test "without a configuration, and what is no usage" {
	local status=0
	[ ! -e /etc/vigil/vigil.conf ] || skip "this host has a configuration"
	"$VIGIL" run --all --state-dir S 2>err || status=$?
	[ "$status" -eq 64 ]
	status=0
	"$VIGIL" run --discover -c none.conf --state-dir S 2>err || status=$?
	[ "$status" -eq 2 ]
	holds /srv/app.db "create table t(a)"
	# As daemon_begin, without -c.
	: >daemon.err
	env -u NOTIFY_SOCKET "$VIGIL" run --state-dir S --discover 3>&- 2>daemon.err &
	DAEMON=$!
	says '; state in '
	[ "$(guarded)" = /srv/app.db ]
	kill -HUP "$DAEMON"
	says 'read again; 1 database'
	[ "$(guarded)" = /srv/app.db ]
	daemon_end
	[ "$status" -eq 0 ]
}
