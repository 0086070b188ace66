#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# What operators have the daemon do: a check, a backup, a reload. Each is an action like any other, and says what came of it.

load lib.bash
load daemon.bash

setup() {
	daemon_setup ''
	mkdir elsewhere # where no file is called as the database is
}

# vigil COMMAND... as an operator: output in out, messages in err, the exit status in $status.
op() {
	status=0
	(cd elsewhere && timeout 60 "$VIGIL" --state-dir ../S "$@") >out 2>err || status=$?
	cat out err
}

# What is stored of actions, a line each: an answer is given before its row is written.
actions_are() {
	[ "$(sql "select kind || ' ' || reason || ' ' || ifnull(outcome, '-') from actions order by id")" = "$1" ]
}

backup_is_done() {
	[ "$(sql "select outcome from actions where kind = 'backup'")" = "done" ]
}

@test "check NAME: the daemon checks, stores it as an action, and the answer is that of a check" {
	daemon_begin
	op check app
	[ "$status" -eq 0 ]
	[ "$(head -1 out)" = "ok       app" ]
	op check app --check full --json
	[ "$status" -eq 0 ]
	assert_json out '.schema == "vigil.check/1"' '.database == "app"' ".path == \"$PWD/app.db\"" '.result == "ok"' \
		'.method == "integrity_check"' '.on == "snapshot"'
	until_true actions_are $'check manual done\ncheck manual done'
	ask status
	assert_answer '.databases[0].last_check.result == "ok"' '.actions == []'
	op events --json
	jq -se '[.[] | select(.type == "action")] | length == 2 and all(.[]; .action == "check" and .outcome == "done")' out
	op check nobody
	[ "$status" -eq 69 ]
	[ "$(wc -l <err)" -eq 1 ]
	grep -q 'no such database: nobody is not guarded' err
	# Of a database that is none, nothing found would read as all being well.
	for question in incidents certificates summary events top "summary --latency"; do
		# shellcheck disable=SC2086
		op $question --db ap
		[ "$status" -eq 69 ]
		[ "$(cat err)" = "vigil: $question: no such database: ap; did you mean 'app'?" ]
		# shellcheck disable=SC2086
		op $question --db app
		[ "$status" -eq 0 ]
	done
	for question in "incident show i-1" "incident ack i-1" "certificate i-1"; do
		# shellcheck disable=SC2086
		op $question
		[ "$status" -eq 69 ]
		grep -q ': no such id: i-1; vigil incidents lists incidents, vigil certificates deaths$' err
	done
	# A path is a path, whatever the daemon guards.
	op check ../app.db
	[ "$status" -eq 0 ]
	status=0
	"$VIGIL" --state-dir S check app.db >out || status=$?
	[ "$status" -eq 0 ]
	[ "$(sql "select count(*) from actions")" -eq 2 ]
	# Damage is found, told with status 2, and an incident.
	dd if=/dev/urandom of=app.db bs=4096 seek=3 count=2 conv=notrunc status=none
	op check app
	[ "$status" -eq 2 ]
	[ "$(head -1 out)" = "CORRUPT  app" ]
	eventually '.incidents | any(.code == "integrity-failed")' incidents
	daemon_end
	[ "$status" -eq 0 ]
	# Without a daemon the word is a file that is not there.
	op check app
	[ "$status" -eq 69 ]
	[ "$(wc -l <err)" -eq 1 ]
}

@test "backup create NAME: verified, listed, and it takes nothing from the policy" {
	daemon_begin
	op backup create app --reason "before the upgrade"
	[ "$status" -eq 0 ]
	grep -q '^verified    .*/S/backups/app/app-.*\.db$' out
	op backup create app --json
	[ "$status" -eq 0 ]
	assert_json out '.schema == "vigil.backups/1"' '.backups | length == 1' '.backups[0].verified' '.result.verified' \
		'.backups[0].reason == "manual"'
	"$VIGIL" backup list --backup-dir S/backups/app --json >list.json
	assert_json list.json '[.backups[].reason] | sort == ["before the upgrade", "manual"]'
	ask status
	assert_answer '.databases[0].last_backup.verified'
	# min-interval is for those that nobody asked for.
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.incidents | length == 1 and .[0].backup.verified and .[0].backup_skipped == null' incidents
	op backup create nobody
	[ "$status" -eq 69 ]
	op backup create app --backup-dir x
	[ "$status" -eq 64 ]
	rm app.db*
	op backup create app
	[ "$status" -eq 69 ]
	grep -q 'no backup of app: ' err
	daemon_end
	[ "$status" -eq 0 ]
	op backup create app
	[ "$status" -eq 69 ]
	grep -q 'no vigil daemon uses' err
}

# So many were told that there is no place.
refused_are() {
	[ "$(grep -l "too many clients" e[0-9]* | wc -l)" -eq "$1" ]
}

@test "many at once, one that does not read and one that leaves: each has its answer, the others theirs" {
	local i pids=() placed=() frozen left answers=0 full=0
	daemon_begin
	hold_store
	for ((i = 0; i < 40; i++)); do
		(cd elsewhere && exec timeout 600 "$VIGIL" --state-dir ../S check app --json) >"o$i" 2>"e$i" 3>&- &
		pids+=($!)
	done
	eventually '[.actions[] | select(.kind == "check")] | length == 1' status
	until_true refused_are 8
	for ((i = 0; i < 40; i++)); do
		[ -s "e$i" ] || placed+=("${pids[i]}")
	done
	frozen=${placed[0]} left=${placed[1]}
	pkill -STOP -P "$frozen" # the program below its timeout(1)
	kill "$left"
	ask status
	[ "$status" -eq 0 ]
	let_store_go
	for ((i = 0; i < 40; i++)); do
		[ "${pids[i]}" != "$frozen" ] && [ "${pids[i]}" != "$left" ] || continue
		status=0
		await_end "${pids[i]}" || status=$?
		case $status in
		0) answers=$((answers + 1)) && assert_json "o$i" '.result == "ok"' ;;
		69) full=$((full + 1)) && grep -q 'too many clients follow events, or wait for an action, already' "e$i" ;;
		*) cat "e$i" && return 1 ;;
		esac
	done
	pkill -CONT -P "$frozen"
	await_gone "$frozen"
	status=0
	await_end "$left" || status=$?
	[ "$status" -ne 0 ] # it left before it was answered
	echo "$answers were answered, $full were too many"
	[ "$full" -eq 8 ]
	[ "$answers" -eq 30 ]
	# All of them waited for the same check.
	[ "$(sql "select count(*) from actions where kind = 'check'")" -eq 1 ]
	# Who asked leaves: it is done all the same.
	hold_store
	(cd elsewhere && exec "$VIGIL" --state-dir ../S backup create app) >out 2>err 3>&- &
	i=$!
	eventually '.actions | any(.kind == "backup")' status
	kill "$i"
	await_gone "$i"
	let_store_go
	eventually '.databases[0].last_backup.verified' status
	until_true backup_is_done
	daemon_end
	[ "$status" -eq 0 ]
}

@test "the store is locked for a moment: who asks waits, nobody else does, and all are answered" {
	local pid until
	daemon_begin
	unclean_death
	eventually '.incidents[0].backup.verified' incidents
	hold_store exclusive
	timeout 60 "$VIGIL" --state-dir S incidents --json >o 2>e &
	pid=$!
	until=$((${EPOCHREALTIME/./} + 700000))
	while ((${EPOCHREALTIME/./} < until)); do
		ask status
		[ "$status" -eq 0 ]
	done
	kill -0 "$pid"
	let_store_go
	wait "$pid"
	[ ! -s e ]
	assert_json o '.incidents | length == 1'
	daemon_end
	[ "$status" -eq 0 ]
}

told_twice() {
	[ "$(grep -c "P1 unclean-death.*$1" daemon.err)" -eq 2 ]
}

@test "what an operator asks for is done once, however long the store keeps the answer from him" {
	local id
	daemon_begin
	unclean_death
	eventually '.incidents[0].backup.verified' incidents
	"$DRIVER" -t back app.db "insert into t(b) values('back')"
	eventually '.incidents[0].status == "resolved"' incidents
	id=$(jq -r '.incidents[0].id' a.json)
	hold_store exclusive
	python3 -c '
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("S/control")
s.recv(4096)
s.sendall(json.dumps({"control": 1, "command": "incident-resolve", "args": {"id": sys.argv[1]}}).encode() + b"\n")
open("asked", "w").close()
print(s.makefile().read())' "$id" >o 3>&- &
	await asked
	# It fires again while he waits.
	unclean_death
	until_true told_twice "$id"
	let_store_go
	await_end "$!"
	# Where the machine is so slow that the store is told not to be writable, he is told that it is done, and not stored yet.
	jq -e '.exit == 0 or (.exit == 69 and (.error | test("the store cannot be written now: it is done")))' o
	eventually ".incidents | any(.id == \"$id\" and .status == \"firing\")" incidents
	daemon_end
	[ "$status" -eq 0 ]
}

@test "who follows the events gets all of them, be they more than are sent at once" {
	local follower
	daemon_begin
	timeout "$PATIENCE" python3 -c '
import json, socket
s = socket.socket(socket.AF_UNIX)
s.connect("S/control")
lines = s.makefile()
lines.readline()
s.sendall(json.dumps({"control": 1, "command": "events", "args": {"follow": True}}).encode() + b"\n")
assert json.loads(lines.readline())["stream"]
open("follows", "w").close()
for i in range(20000):
    assert lines.readline()' 3>&- &
	follower=$!
	await follows
	sql "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
		insert into events(at_ns, type, doc) select strftime('%s') * 1000000000, 'death', '{}' from n"
	unclean_death
	wait "$follower"
	daemon_end
}

@test "reload: taken, or refused with its mistakes; without a daemon it says so" {
	daemon_begin
	mk new.db wal
	configure "database \"app\" { path = \"$PWD/app.db\" }" "database \"new\" { path = \"$PWD/new.db\" }"
	op reload
	[ "$status" -eq 0 ]
	grep -q '^taken: 2 databases$' out
	ask status
	assert_answer '[.databases[].name] == ["app", "new"]'
	configure "database \"app\" {" "  pth = \"$PWD/app.db\"" "}"
	op reload
	[ "$status" -eq 2 ]
	grep -q "^vigil.conf:2: unknown key 'pth' in section 'database'; did you mean 'path'?\$" err
	grep -q '^not taken: ' err
	op reload --json
	[ "$status" -eq 2 ]
	assert_json out '.schema == "vigil.reload/1"' '.valid == false' '.errors | any(.line == 2)' '.databases == 2'
	op reload nothing
	[ "$status" -eq 64 ]
	daemon_end
	[ "$status" -eq 0 ]
	op reload
	[ "$status" -eq 69 ]
	grep -q 'no vigil daemon uses' err
}
