#!/usr/bin/env bats
# The same verdicts on the kernels that users have: scenarios 1, 7 and 8 of the reference's acceptance suite, and `vigil
# doctor`, each kernel in one machine. Kernels that Debian does not offer to this machine are skipped by name.

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# machine KERNEL DIR: what happens on it, into DIR, and how it ended, which on() judges.
machine() {
	local status=0
	"$ROOT/scripts/vm.sh" --build "${VIGIL_BUILD:-$ROOT/build/release}" --add "$ROOT/tests/kernel/guest.sh" \
		--collect "$2" --log "$2/console" --timeout 240 "$1" -- /vigil/guest.sh >"$2/vm" 2>&1 || status=$?
	echo "$status" >"$2/ended"
}

# lost_a_timer DIR: the emulator has, as its kernel says; all else that keeps a machine from its end is ours.
lost_a_timer() {
	grep -q 'out of time' "$1/vm" && grep -q "kthread timer wakeup didn't happen" "$1/console"
}

setup_file() {
	local kernel dir
	for kernel in 5.10 6.1 6.12; do
		dir=$BATS_FILE_TMPDIR/$kernel
		mkdir "$dir"
		"$ROOT/scripts/vm.sh" --fetch "$kernel" >"$dir/image" 2>"$dir/why" || continue
		machine "$kernel" "$dir"
		! lost_a_timer "$dir" || machine "$kernel" "$dir"
	done
}

# on KERNEL [NAME]: into what that kernel's machine left of that scenario.
on() {
	cd "$BATS_FILE_TMPDIR/$1" || return
	[ -s image ] || skip "$(sed 's/^vm.sh: //' why)"
	[[ $(cat ended) -eq 0 && -s doctor.json ]] || {
		cat vm
		tail -n 20 console
		return 1
	}
	cd "${2:-.}" || return
}

# holds FILE EXPR...: every jq expression holds on the document.
holds() {
	local file=$1 expr failed=0
	shift
	for expr in "$@"; do
		jq -e "def has_all(\$want): (\$want - .) == []; $expr" "$file" >/dev/null || {
			echo "not so: $expr"
			failed=1
		}
	done
	[ "$failed" -eq 0 ] || {
		jq . "$file"
		cat err 2>/dev/null
	}
	return "$failed"
}

# doctor_is_content KERNEL CASTS
doctor_is_content() {
	on "$1"
	[ "$(cat doctor.status)" -eq 0 ]
	holds doctor.json '.schema == "vigil.doctor/1"' '.status == "full"' '.tier == "tracepoint"' ".kernel | startswith(\"$1.\")" \
		'.missing == []' '[.probes[] | select(.attached | not)] == []' '[.probes[] | select(.seen == false)] == []' \
		".typed_casts == $2"
	# Where the time goes is told from 5.18 on.
	if [ "$1" = 5.10 ]; then
		holds doctor.json '(.attribution | not) and (.attribution_why_not | test("5.18"))'
	else
		holds doctor.json '.attribution and .attribution_why_not == null'
	fi
}

clean_wal_last_close() {
	on "$1" clean
	[ "$(cat status)" -eq 0 ]
	holds report.json '.trust.level == "full"' '.trust.lost == 0' '.databases | length == 1' '.databases[0].findings == []'
	jq '.databases[0].certificates[0]' report.json >certificate.json
	holds certificate.json '.verdict == "clean"' '.reasons == []' '.locks == []' '.exit.code == 0' \
		'.left_behind == {"wal_bytes": 0, "hot_journal": false}'
}

# Shares that add up; or, where the kernel refuses its programs, one line that says so, and nothing else is missing.
time_is_told() {
	on "$1" clean
	if [ "$1" = 5.10 ]; then
		[ "$(grep -c -- '--why: where the time went will not be told: the kernel refuses its programs' err)" -eq 1 ]
		holds report.json '.databases[0] | .attribution == null and .neighbours == null and (.attribution_why_not | test("5.18"))'
	else
		holds report.json '.databases[0] | .attribution_why_not == null and (.neighbours.lock_holders == [])' \
			'.databases[0].attribution[] | select(.op == "commit") | .count >= 1 and .lost == null and
				([.shares[].percent * 10 | round] | add) == 1000'
	fi
}

# The certificate of the process that was killed, with the sender and without a doubt.
victims_certificate() {
	[ "$(cat status)" -eq 137 ]
	holds report.json '.trust.level == "full"' '.trust.lost == 0' '[.databases[].findings[].code] == ["unclean-death"]' \
		'.databases[0].integrity.result == "ok"' '.databases[0].backup.verified'
	jq ".databases[0].certificates[] | select(.process.pid == $(cat victim))" report.json >certificate.json
	holds certificate.json '.verdict == "unclean"' '.transaction == "write"' '.exit.signal == "SIGKILL"' \
		'.exit.cause == "process"' ".exit.sender.pid == $(cat killer)" '.exit.sender.comm == "bash"'
}

kill9_wal_uncommitted() {
	on "$1" wal
	victims_certificate
	holds certificate.json '.reasons | has_all(["write-transaction-open"])' '.locks | has_all(["wal-write"])' \
		'.prediction | test("no committed transaction is lost")' '.left_behind.wal_bytes > 0' '.commits_at_risk == 0'
}

kill9_spill_hot() {
	on "$1" hot
	victims_certificate
	holds certificate.json '.reasons | has_all(["write-transaction-open", "hot-journal"])' '.left_behind.hot_journal' \
		'.locks | has_all(["reserved", "pending", "exclusive"])' '.prediction | test("rolls back the hot journal")'
}

@test "5.10: every probe attaches and is seen firing, or cannot be tried" {
	doctor_is_content 5.10 false
}

@test "5.10: a clean close is clean, and why it is not told where its time went" {
	clean_wal_last_close 5.10
	time_is_told 5.10
}

@test "5.10: kill -9 inside a WAL transaction is unclean, with lock and sender" {
	kill9_wal_uncommitted 5.10
}

@test "5.10: kill -9 with half a transaction in the database leaves a hot journal" {
	kill9_spill_hot 5.10
}

@test "6.1: every probe attaches and is seen firing, or cannot be tried" {
	doctor_is_content 6.1 false
}

@test "6.1: a clean close is clean, and it is told where its time went" {
	clean_wal_last_close 6.1
	time_is_told 6.1
}

@test "6.1: kill -9 inside a WAL transaction is unclean, with lock and sender" {
	kill9_wal_uncommitted 6.1
}

@test "6.1: kill -9 with half a transaction in the database leaves a hot journal" {
	kill9_spill_hot 6.1
}

@test "6.12: every probe attaches and is seen firing, or cannot be tried" {
	doctor_is_content 6.12 true
}

@test "6.12: a clean close is clean, and it is told where its time went" {
	clean_wal_last_close 6.12
	time_is_told 6.12
}

@test "6.12: kill -9 inside a WAL transaction is unclean, with lock and sender" {
	kill9_wal_uncommitted 6.12
}

@test "6.12: kill -9 with half a transaction in the database leaves a hot journal" {
	kill9_spill_hot 6.12
}
