#!/usr/bin/env bats
# journal_mode MEMORY and OFF, locking_mode EXCLUSIVE: where a transaction ends, and where nothing tells of it. The table is in
# docs/ARCHITECTURE.md, "Where a transaction ends".

load lib.bash

setup_file() {
	need_watch
}

setup() {
	enter_tmp
}

INSERT="insert into t(b) values('x')"

# dies NAME STEP...: one more driver that will be watched, with a database of its own: NAME.db, truth in NAME.
dies() {
	local name=$1
	shift
	mk "$name.db" delete
	printf '%q ' "$DRIVER" -t "$name" "$name.db" "$@" >>deaths
	printf '|| true\n' >>deaths
}

# watch_deaths: all of them under one watch.
watch_deaths() {
	watch -- bash deaths
	assert_trusted
}

# cut N NAME: CUT becomes the steps that let the driver be killed before its Nth write to the main file from then on.
cut() {
	CUT=(@hold write "$1" "$2.held" @fork @wait "$2.held" @exec sh -c "kill -9 \$PPID" @end)
}

# ended NAME EXPR...: the certificate of NAME; the findings of its database go into $CODES.
ended() {
	echo "$1:"
	certificate "$1.db" "$1"
	assert_certificate "${@:2}"
	database "$1.db"
	CODES=$(jq -r '[.findings[] | .severity + " " + .code] | sort | join(",")' d.json)
}

# Three answers: the transaction was open, it was not, nothing tells.
was_open() {
	ended "$1" '.verdict == "unclean"' '.reasons | has_all(["no-journal"])' '.reasons | has_none(["transaction-end-unseen"])' \
		'.transaction == "write"'
	[[ $CODES == *"P0 no-journal"*"P1 unclean-death"* ]]
}

was_idle() {
	ended "$1" '.verdict == "abrupt"' '.reasons | has_all(["connection-left-open"])' '.transaction == "none"' \
		'.reasons | has_none(["no-journal", "transaction-end-unseen", "write-transaction-open"])'
	[ "$CODES" = "P2 abrupt-death" ]
}

# A half-written file may be found corrupt besides, and must be when it is.
was_unseen() {
	ended "$1" '.verdict == "unknown"' '.reasons[0] == "transaction-end-unseen"' '.transaction == "unknown"' \
		'.reasons | has_none(["no-journal", "write-transaction-open"])' '.prediction | startswith("unknown: ")'
	[ "$CODES" = "P2 abrupt-death" ] || [ "$CODES" = "P0 integrity-failed,P2 abrupt-death" ]
}

@test "MEMORY and OFF: the end of a transaction is told by an unlock or by a sync; with neither it is unknown" {
	local mode locking sync name pragmas names=()
	for mode in memory off; do
		for locking in normal exclusive; do
			for sync in off normal full; do
				name=$mode-$locking-$sync
				names+=("$name")
				pragmas=("pragma journal_mode=$mode" "pragma locking_mode=$locking" "pragma synchronous=$sync")
				dies "idle-$name" "${pragmas[@]}" "$INSERT" "$INSERT" @kill9
				dies "first-$name" "${pragmas[@]}" "${SPILL[@]}" @kill9
				dies "later-$name" "${pragmas[@]}" "$INSERT" "${SPILL[@]}" @kill9
				cut 3 "cut-$name"
				dies "cut-$name" "${pragmas[@]}" "$INSERT" "${CUT[@]}" "update t set b=hex(randomblob(50))"
			done
		done
	done
	watch_deaths
	for name in "${names[@]}"; do
		was_open "first-$name" # its page 1, which its commit would write first, was not written
		case $name in
		*-exclusive-off)
			was_unseen "idle-$name"
			was_unseen "later-$name"
			was_unseen "cut-$name"
			;;
		*)
			was_idle "idle-$name"
			was_open "later-$name"
			was_open "cut-$name"
			;;
		esac
	done
}

@test "MEMORY and OFF: a first commit that was cut short looks like one whose locks stayed" {
	local mode
	for mode in memory off; do
		cut 3 $mode
		dies $mode "pragma journal_mode=$mode" "${CUT[@]}" "update t set b=hex(randomblob(50))"
	done
	watch_deaths
	was_unseen memory
	was_unseen off
}

@test "MEMORY: what was seen of earlier transactions is forgotten when one ends unseen" {
	local pragmas=("pragma journal_mode=memory" "pragma synchronous=off")
	dies switched "${pragmas[@]}" "$INSERT" "pragma locking_mode=exclusive" "$INSERT" "$INSERT" @kill9
	dies back "${pragmas[@]}" "pragma locking_mode=exclusive" "$INSERT" "$INSERT" "pragma synchronous=full" "$INSERT" @kill9
	dies again "${pragmas[@]}" "pragma locking_mode=exclusive" "$INSERT" "$INSERT" "pragma synchronous=full" "$INSERT" \
		"${SPILL[@]}" @kill9
	watch_deaths
	was_unseen switched
	was_idle back
	was_open again
}

@test "MEMORY with locks that stay: leaving by itself is unknown, too, and a close is clean" {
	local pragmas=("pragma journal_mode=memory" "pragma locking_mode=exclusive" "pragma synchronous=off")
	dies leaves "${pragmas[@]}" "$INSERT" @exit 0
	dies closes "${pragmas[@]}" "$INSERT"
	watch_deaths
	ended leaves '.verdict == "unknown"' '.reasons[0] == "transaction-end-unseen"'
	[ -z "$CODES" ]
	ended closes '.verdict == "clean"'
	[ -z "$CODES" ]
}

# sync(2) pays the debts of everybody on this host.
# bats test_tags=alone
@test "MEMORY: a sync by somebody else ends no transaction" {
	local how
	for how in "sync -f ." "sync file.db" sync; do
		# shellcheck disable=SC2086 # words
		dies "${how//[ .]/}" "pragma journal_mode=memory" "${SPILL[@]}" @fork @exec ${how/file/"${how//[ .]/}"} @end \
			@wait-children @kill9
	done
	watch_deaths
	was_open sync-f
	was_open syncfiledb
	was_open sync
}

@test "EXCLUSIVE with a journal: a rollback ends the transaction, whatever it had written" {
	local mode
	for mode in delete truncate persist; do
		dies "small-$mode" "pragma journal_mode=$mode" "pragma locking_mode=exclusive" begin "$INSERT" rollback @kill9
		dies "large-$mode" "pragma journal_mode=$mode" "pragma locking_mode=exclusive" "${SPILL[@]}" rollback @kill9
		dies "next-$mode" "pragma journal_mode=$mode" "pragma locking_mode=exclusive" begin "$INSERT" rollback begin \
			"$INSERT" @kill9
	done
	watch_deaths
	for mode in delete truncate persist; do
		was_idle "small-$mode"
		was_idle "large-$mode"
		ended "next-$mode" '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open"])'
	done
}

@test "a journal that somebody removes ends no transaction" {
	dies hot "${SPILL[@]}" @fork @exec rm hot.db-journal @end @wait-children @kill9
	dies cold begin "$INSERT" @fork @exec rm cold.db-journal @end @wait-children @kill9
	watch_deaths
	was_open hot
	ended cold '.verdict == "unclean"' '.reasons | has_all(["write-transaction-open"])' '.reasons | has_none(["no-journal"])'
}
