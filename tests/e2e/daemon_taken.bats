#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # bats runs each test in a process of its own; begin() sets pids by name
# A file of a guarded database is removed, emptied, renamed or replaced under the daemon: it says so as `vigil exec` does
# (exec_taken.bats), while nobody dies and when somebody does, and says nothing where SQLite did it or nobody needed the file.

load lib.bash
load daemon.bash

INSERT="insert into t(b) values('x')"

setup() {
	enter_tmp
}

teardown() {
	begun_end
	daemon_teardown
}

# guard MODE NAME...: databases NAME.db in that journal mode, for guarded.
guard() {
	local mode=$1 name
	shift
	[ -e one.db ] || mk one.db delete
	for name; do
		cp one.db "$name.db"
		[ "$mode" != wal ] || sqlite3 "$name.db" 'pragma journal_mode=wal' >/dev/null
		GUARDED+=("database \"$name\" { path = '$PWD/$name.db' }")
	done
}

guarded() {
	configure "${GUARDED[@]}"
	daemon_begin
}

# idle NAME STEP...: a program has NAME.db open and has done this; its pid in $NAME.
idle() {
	begin "$1" "$1.db" "${@:2}" @ready "$1.ready" @pause
	await "$1.ready"
}

kill9() {
	kill -KILL "$1"
	await_gone "$1"
}

# told NAME CODE COMM: an incident of that code, P0, firing, that names who did it and ends by nothing but a hand.
told() {
	eventually "[.incidents[] | select(.database == \"$1\" and .code == \"$2\")] | length == 1 and
		(.[0] | .severity == \"P0\" and .status == \"firing\" and (.ends_by | index(\"operator\")) and (.summary | startswith(\"$3 (pid \")))" incidents
}

# died NAME VERDICT REASON: the certificate of the process that was begun as NAME.
died() {
	eventually "[.certificates[] | select(.database == \"$1\" and .process.pid == ${!1})] | length == 1 and
		(.[0] | .verdict == \"$2\" and (.reasons | index(\"$3\")))" certificates
}

@test "what is taken from a guarded database is P0 while nobody dies, and whoever dies of it is unclean" {
	guard wal dead live emptied moved cut
	guard delete hot half
	guarded

	idle live "$INSERT"
	idle emptied "$INSERT"
	idle moved "$INSERT"
	idle cut "$INSERT"
	rm live.db-wal
	: >emptied.db-wal
	mv moved.db elsewhere.db
	truncate -s 0 cut.db
	# The journal of an open transaction is no loss yet: it may end all the same.
	idle half "${SPILL[@]}"
	rm half.db-journal
	# What the dead have left behind.
	idle dead "$INSERT"
	kill9 "$dead"
	killed "$DRIVER" -t /dev/null hot.db "${SPILL[@]}" @kill9
	eventually '[.incidents[].code] | index("abrupt-death") and index("unclean-death")' incidents
	rm dead.db-wal
	rm hot.db-journal

	told live wal-removed rm
	told emptied wal-removed bash
	told moved database-moved-in-use mv
	told cut database-emptied truncate
	told dead wal-removed rm
	told hot journal-removed rm
	ask incidents
	assert_answer '[.incidents[] | select(.database == "half")] == []'
	ask health
	[ "$status" -eq 2 ]

	kill9 "$live"
	kill9 "$half"
	died live unclean wal-taken
	died half unclean journal-taken
	told half journal-removed rm

	# Whoever opens them next recovers nothing of what was taken.
	local name
	for name in live dead; do "$DRIVER" -t /dev/null "$name.db" "$INSERT"; done
	eventually '[.certificates[] | select(.verdict == "clean") | .database] | unique | contains(["live", "dead"])' certificates
	sleep 2 # recoveries are asked for each second
	ask incidents
	assert_answer 'all(.incidents[]; .status == "firing")'
	[ "$(grep -c '^vigil: P0 \(wal-removed\|journal-removed\):' daemon.err)" -eq 5 ]

	# What is kept of it tells the same.
	"$VIGIL" replay --json "S/evidence/$(sql "select id from alerts where name = 'wal-removed' limit 1")/recording.vigil" >replay.json
	jq -r '.databases[].findings[] | select(.code == "wal-removed") | .id' replay.json >replayed
	[ -s replayed ]
	sql "select id from findings where code = 'wal-removed'" >stored
	[ "$(grep -cvxFf stored replayed)" -eq 0 ]
	daemon_end
	[ "$status" -eq 0 ]
}

# What nobody has open the kernel drops from memory, and reads it to another place when somebody comes.
@test "what is moved, or removed elsewhere, after the kernel has dropped the files from memory" {
	local i

	guard wal left other
	guarded
	for i in left other; do idle "$i" "$INSERT" && kill9 "${!i}"; done
	eventually '.certificates | length == 2' certificates

	sync left.db* other.db*
	echo 3 >/proc/sys/vm/drop_caches
	"$VIGIL" --state-dir S reload # looks where the files are, as the daemon does each 10 s
	mv left.db-wal elsewhere
	mkdir sub
	cp other.db other.db-wal sub
	rm sub/other.db-wal
	told left wal-removed mv
	sleep 2
	ask incidents
	assert_answer '[.incidents[] | select(.database == "other") | .code] - ["abrupt-death"] == []'
	daemon_end
	[ "$status" -eq 0 ]
}

@test "what SQLite removes, what nobody needed and what went as a whole is no finding" {
	local i

	guard wal sqlite recovered checkpointed restored moved stays
	guard delete journals undone placed cold ended
	for i in 1 2 3 4; do guard wal "whole$i"; done
	mk other.db wal
	guarded

	# A death first, so that what was seen of it is known.
	idle checkpointed "$INSERT" "@checkpoint" passive
	for i in recovered moved whole1 whole2 whole3 whole4; do idle "$i" "$INSERT" && kill9 "${!i}"; done
	kill9 "$checkpointed"
	killed "$DRIVER" -t /dev/null undone.db "${SPILL[@]}" @kill9
	eventually '.certificates | length == 8 and all(.[]; .verdict != "clean")' certificates

	# SQLite itself, and its recoveries.
	"$DRIVER" -t /dev/null sqlite.db "pragma journal_size_limit=0" "$INSERT" "@checkpoint" truncate "$INSERT" "pragma journal_mode=delete" \
		"$INSERT" "pragma journal_mode=wal" "$INSERT" vacuum "$INSERT" @close "$INSERT"
	for i in delete truncate persist; do
		"$DRIVER" -t /dev/null journals.db "pragma journal_mode=$i" "$INSERT" "${SPILL[@]}" commit "${SPILL[@]}" rollback
	done
	for i in recovered undone; do sqlite3 "$i.db" "$INSERT"; done
	# A transaction that ends although its journal is gone.
	begin ended ended.db "${SPILL[@]}" @ready ended.ready @wait go commit
	await ended.ready
	rm ended.db-journal
	touch go
	await_gone "$ended" # SQLite complains that it is gone
	# What nobody needed.
	rm checkpointed.db-wal
	"$DRIVER" -t /dev/null cold.db "pragma journal_mode=persist" "$INSERT"
	rm cold.db-journal
	cp one.db new.db && mv new.db placed.db
	"$VIGIL" backup create --db restored.db --backup-dir b >/dev/null
	"$VIGIL" backup restore "$(basename b/*.db .db)" --backup-dir b --to restored.db --force >/dev/null
	# All of a database, one after another.
	rm whole1.db whole1.db-wal whole1.db-shm
	rm whole2.db-wal && rm whole2.db-shm && rm whole2.db
	rm whole3.db && rm whole3.db-wal && rm whole3.db-shm
	rm whole4.db* && sqlite3 whole4.db 'create table t(a)' && rm whole4.db
	mv moved.db elsewhere.db && mv moved.db-wal elsewhere.db-wal && sqlite3 elsewhere.db "$INSERT"
	# Others' files beside one that is in use.
	idle stays "$INSERT"
	touch stays.log && mv stays.log stays.log.1
	rm -f other.db*
	mkdir sub && cp one.db sub/stays.db && touch sub/stays.db-wal && rm -r sub

	# The last record of all this is judged with a death that comes later.
	sleep 2
	kill9 "$stays"
	eventually "[.certificates[] | select(.process.pid == $stays)] | length == 1" certificates
	assert_answer '[.certificates[] | select(.verdict == "unclean") | .database] == ["undone"]'
	ask incidents
	assert_answer '[.incidents[].code] - ["abrupt-death", "unclean-death"] == []'
	eventually '.incidents[] | select(.code == "unclean-death") | .status == "resolved"' incidents
	daemon_end
	[ "$status" -eq 0 ]
}
