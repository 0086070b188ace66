# lib.bash - what the suites of `vigil exec` share. Needs jq, which scripts/setup.sh installs.
#
# A test watches a workload, which writes the truth about itself (tests/workloads/truth.h), and holds the report against it:
#
#   watch --db app.db -- "$DRIVER" -t truth app.db "insert …" @kill9    the report is r.json, the status $status
#   certificate app.db truth                                            the certificate of the process that told the truth
#   assert_certificate '.verdict == "unclean"' '.locks == ["wal-write"]'
#
# Assertions are jq expressions; all that fail are shown together with the document they failed on. Nothing sleeps and
# hopes: workloads and tests meet at files (@ready and await, @wait and touch).

# shellcheck disable=SC2034 # what is set here is used by the suites
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${VIGIL_BUILD:-$ROOT/build}
VIGIL=$BUILD/vigil
[ -x "$VIGIL" ] || {
	echo "there is no $VIGIL: set VIGIL_BUILD to a build directory (VIGIL_BUILD=\$PWD/build/release bats tests/e2e/…)" >&2
	exit 1
}
DRIVER=$BUILD/workloads/driver
FILEWRITER=$BUILD/workloads/filewriter
KILLER=$BUILD/workloads/killer
REUSE=$BUILD/workloads/reuse
TOGETHER=$BUILD/workloads/together

# Seconds after which what a test waits for is taken for one that does not come: for hangs alone, however slow or busy the machine is.
PATIENCE=60

# skip_suite REASON: in a test skips it, in setup_file every test of the file, where bats before 1.9 takes `skip` for a failure.
skip_suite() {
	[ -z "${BATS_TEST_NAME:-}" ] || skip "$*"
	export SUITE_SKIPPED="$*"
}

# For setup_file: skips the suite by name where Vigil cannot watch. One of all suites of a run finds out that it can.
need_watch() {
	local out status=0 can=${VIGIL_TEST_RUN:-$BATS_RUN_TMPDIR}/can-watch

	[ "$(id -u)" -eq 0 ] || {
		skip_suite "needs root"
		return
	}
	[ ! -e "$can" ] || return 0
	out=$(timeout 60 "$VIGIL" exec -- true 2>&1) || status=$?
	case $status in
	0) touch "$can" ;;
	69 | 77) skip_suite "this host does not let Vigil watch: ${out##*$'\n'}" ;;
	esac
}

# For setup: a directory of the test's own, where everything it writes lies.
enter_tmp() {
	[ -z "${SUITE_SKIPPED:-}" ] || skip "$SUITE_SKIPPED"
	cd "$BATS_TEST_TMPDIR" || return
}

# For what is not about the disk: a directory in memory is entered instead of the test's own. A disk may be slow for everybody, which is
# rightly told. memory_gone is for teardown.
in_memory() {
	MEMORY=$(mktemp -d /dev/shm/vigil-e2e-XXXXXX)
	cd "$MEMORY" || return
}

memory_gone() {
	[ -z "${MEMORY:-}" ] || rm -rf "$MEMORY"
}

# --- running ----------------------------------------------------------------------------------------------------------

# watch OPTION... -- CMD...: runs CMD under Vigil; report in r.json, its messages in vigil.err, its status in $status.
watch() {
	status=0
	rm -f r.json
	timeout -k 5 400 "$VIGIL" exec --out r.json "$@" 3>&- 2>vigil.err || status=$?
	cat vigil.err
	[ -s r.json ] || {
		echo "vigil exec gave no report, status $status"
		return 1
	}
}

# The same in the background, for tests that act on the workload from outside; watch_end waits for it.
watch_begin() {
	rm -f r.json
	timeout -k 5 400 "$VIGIL" exec --out r.json "$@" 3>&- 2>vigil.err &
	WATCH_PID=$!
}

watch_end() {
	status=0
	wait "$WATCH_PID" || status=$?
	cat vigil.err
	[ -s r.json ]
}

# What a test has begun in the background; begun_end, for teardown, ends all of it, whatever it was held by, and waits for it.
BEGUN=()

# begin NAME DB STEP...: a driver in the background, its pid in $NAME, its truth in NAME.truth.
begin() {
	"$DRIVER" -t "$1.truth" "$2" "${@:3}" 3>&- 2>>driver.err &
	BEGUN+=("$!")
	printf -v "$1" %s "$!"
}

begun_end() {
	local pid

	for pid in "${BEGUN[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		kill -CONT "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
}

# until_true COMMAND...: waits until it succeeds.
until_true() {
	local end=$((${EPOCHREALTIME/./} + PATIENCE * 1000000))

	until "$@"; do
		((${EPOCHREALTIME/./} < end)) || {
			echo "not so within $PATIENCE s: $*"
			return 1
		}
		sleep 0.01
	done
}

# await_end PID: waits until a process that was begun here has ended, and returns its status. One that hangs is killed, which is its status.
await_end() {
	until_true has_ended "$1" || kill -KILL "$1"
	wait "$1"
}

# await_gone PID: the same where its status is nobody's concern, as of one that was killed: but it must end by itself. One that hangs is
# killed, and that is a failure.
await_gone() {
	until_true has_ended "$1" || {
		kill -KILL "$1"
		return 1
	}
	wait "$1" || return 0
}

has_ended() {
	! kill -0 "$1" 2>/dev/null
}

# Waits until the file exists.
await() {
	until_true test -e "$1"
}

# The pids of a truth file in the order of their coming; $all is the file.
JQ_PIDS='. as $all | reduce .[].pid as $p ([]; if index($p) then . else . + [$p] end)'

# First pid that a truth file names: the driver's own, or that of the Nth process in it.
pid_of() {
	jq -rs --argjson n "${2:-0}" "$JQ_PIDS | .[\$n]" "$1"
}

# The last value of a field in a truth file, of the process $3 (default: the first one).
truth() {
	jq -rs --argjson pid "${3:-$(pid_of "$1")}" "[.[] | select(.pid == \$pid)] | last | .$2" "$1"
}

# mk DB MODE: 400 rows and an index, about 100 KiB, made before anybody watches.
mk() {
	"$DRIVER" -t mk.truth "$1" "pragma journal_mode=$2" "create table t(a integer primary key, b text)" \
		"with recursive n(i) as (select 1 union all select i+1 from n where i<400)
		 insert into t select i, hex(randomblob(50)) from n" "create index tb on t(b)"
	rm -f mk.truth
}

# killed COMMAND...: it dies of SIGKILL; any other end fails the test.
killed() {
	local died=0

	"$@" 3>&- || died=$?
	[ "$died" -eq 137 ] || {
		echo "it was to die of SIGKILL, and ended with $died: $*"
		return 1
	}
}

# Steps of the driver that leave pages of an open transaction in the file: the cache holds 5 pages.
SPILL=("pragma cache_size=5" "begin" "update t set b=hex(randomblob(50))")
# The same where nothing can undo them: what is left is sound, as no cell of the index moves from one page to another.
HALF=("drop index tb" "${SPILL[@]}")

rows() {
	sqlite3 "$1" "select count(*) from t"
}

# --- looking at the report --------------------------------------------------------------------------------------------

# What the expressions may use.
JQ_WORDS='def risk(f): [.at_risk[] | select(.file == f) | .bytes] | add // 0;
	def has_all($want): ($want - .) == [];
	def has_none($bad): (. - (. - $bad)) == [];'

# assert_json FILE EXPR...: every jq expression holds on the document. All are asked at once, because jq takes longer to begin than
# to answer; one by one only to tell which of them do not hold.
assert_json() {
	local file=$1 expr all
	shift

	printf -v all ' and (%s)' "$@"
	! jq -e "$JQ_WORDS true$all" "$file" >/dev/null || return 0
	for expr in "$@"; do
		jq -e "$JQ_WORDS $expr" "$file" >/dev/null || echo "not so: $expr"
	done
	jq 'if type == "object" and has("last_operations") then .last_operations |= .[-12:] else . end' "$file"
	return 1
}

# certificate DB TRUTH [N]: the certificate of the Nth process of TRUTH (default: the first) for DB, into c.json. It is one,
# and the process is the same by start time, too.
certificate() {
	local pid start

	read -r pid start < <(jq -rs --argjson n "${3:-0}" "$JQ_PIDS"' | .[$n] as $pid | "\($pid) \([$all[] | select(.pid == $pid)] | last | .start)"' "$2")
	jq -e --arg path "$(realpath -m "$1")" --argjson pid "$pid" --argjson start "$start" \
		'[.databases[] | select(.path == $path) | .certificates[]
		  | select(.process.pid == $pid and (.process.start_ns / 10000000 | floor) == $start)]
		 | if length == 1 then .[0] else empty end' r.json >c.json || {
		echo "not one certificate of process $pid, started at tick $start, on $1; there are:"
		jq -c '.databases[] | {path, certificates: [.certificates[] | {verdict, ended_by, process}]}' r.json
		return 1
	}
}

assert_certificate() {
	assert_json c.json "$@"
}

assert_report() {
	assert_json r.json "$@"
}

# The database of that path as the report has it, into d.json.
database() {
	jq -e --arg path "$(realpath -m "$1")" '[.databases[] | select(.path == $path)] | if length == 1 then .[0] else null end' \
		r.json >d.json || {
		echo "not one entry for $1:"
		jq -c '[.databases[].path]' r.json
		return 1
	}
}

assert_database() {
	assert_json d.json "$@"
}

# Everything was seen: what the report says may be believed.
assert_trusted() {
	assert_report '.schema == "vigil.report/1"' '.trust.level == "full"' '.trust.reasons == []' '.trust.lost == 0' \
		'.trust.missed == 0' '.trust.canary == "seen"'
}

# Nothing was alarmed, on any database.
assert_no_findings() {
	assert_report '[.databases[].findings[]] == []'
}

# assert_findings CODE...: exactly these codes, on any database.
assert_findings() {
	assert_report "([.databases[].findings[].code] | unique) == ($(printf '%s\n' "$@" | jq -R . | jq -sc 'sort'))"
}

# Nobody died uncleanly and nothing was alarmed: what must hold for every healthy program.
assert_quiet() {
	assert_trusted && assert_no_findings && assert_report \
		'[.databases[].certificates[] | select(.verdict == "unclean" or .verdict == "unknown")] == []' \
		'[.databases[].integrity.result] | all(. == "ok")'
}
