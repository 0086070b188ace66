# runners.bash - how test.sh builds, runs each kind of test and reads its results; sourced by it. Everything is counted in passed, failed
# and skipped; logs are in $logs.
# shellcheck disable=SC2154 # logs, jobs and pool are test.sh's

# --- results ----------------------------------------------------------------------------------------------------------

pass() {
	passed=$((passed + 1))
}

fail() {
	failed=$((failed + 1))
	echo "FAILED   $*"
}

skip() {
	skipped=$((skipped + 1))
	echo "skipped  $*"
}

# Of a compiler's log what is wrong, of any other its end.
explain() {
	{ grep -E -A 3 'error:|undefined reference|CMake Error' "$1" || tail -n 25 "$1"; } | head -n 40 | sed 's/^/  | /'
}

# check NAME LOG CMD...: one result; the log is quoted when it is bad.
check() {
	local name=$1 log=$logs/$2.log
	shift 2
	if "$@" >"$log" 2>&1 </dev/null; then
		pass
		return 0
	fi
	fail "$name (build/log/${log##*/})"
	explain "$log"
	return 1
}

# --- builds -----------------------------------------------------------------------------------------------------------

# compile NAME CMAKE-OPTION...: the BPF objects of the first build serve all others.
compile() {
	local name=$1 from=
	shift
	if [ "$name" != release ]; then
		from=$PWD/build/release
		[ "${built[release]:-}" = yes ] || {
			cmake -S . -B "$from" -G Ninja -DCMAKE_C_COMPILER=gcc && ninja -C "$from" -j "$jobs" bpf_skeletons
		} || return
	fi
	cmake -S . -B "build/$name" -G Ninja -DVIGIL_BPF_FROM="$from" "$@" && ninja -C "build/$name" -j "$jobs" "${targets[@]}"
}

# Builds it unless this run has done so or tried to; what needs it is skipped when it failed.
declare -A built
need_build() {
	local name=$1 targets=()
	if [ -z "${built[$name]:-}" ]; then
		built[$name]=no
		case $name in
		release) set -- -DCMAKE_C_COMPILER=gcc ;;
		clang) set -- -DCMAKE_C_COMPILER=clang ;;
		asan) set -- -DCMAKE_C_COMPILER=gcc -DVIGIL_SANITIZE=ON ;;
		fuzz)
			set -- -DCMAKE_C_COMPILER=clang -DVIGIL_SANITIZE=ON -DVIGIL_FUZZ=ON -DVIGIL_TESTS=OFF
			targets=(fuzzers)
			;;
		esac
		check "build: $name" "build-$name" compile "$name" "$@" && built[$name]=yes
	fi
	[ "${built[$name]}" = yes ]
}

# --- runners ----------------------------------------------------------------------------------------------------------

# Reads results out of CTest's lines; names of what failed or was skipped are printed.
run_ctest() {
	local label=$1 build=$2 log=$logs/$1-$2.log name result
	need_build "$build" || return 0
	ctest --test-dir "build/$build" -L "^$label\$" -j "$jobs" --output-on-failure >"$log" 2>&1 </dev/null
	while read -r name result; do
		case $result in
		*Passed*) pass ;;
		*Skipped*) skip "$label: $name ($build)" ;;
		*)
			fail "$label: $name ($build): $result"
			grep -hE ':[FE]:|runtime error:|ERROR: ' "$log" | head -n 20 | sed 's/^/  | /'
			;;
		esac
	done < <(sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) \.*(.*)$/\1 \2/p' "$log")
	grep -qE 'Total Test time|No tests were found' "$log" || fail "$label: ctest ($build) did not come to an end (build/log/${log##*/})"
}

# test_output LOG LINE: what bats says about the test whose result is LINE.
test_output() {
	awk -v want="$2" '$0 == want { show = 1; next } /^(not )?ok / { show = 0 } show' "$1" | head -n 30 | sed 's/^/  | /'
}

# in_pool LOG CMD...: in the background, $pool at a time; then wait, and read LOG and LOG.status: its exit status, its seconds.
in_pool() {
	local log=$1 began
	shift
	while [ "$(jobs -rp | wc -l)" -ge "$pool" ]; do
		wait -n
	done
	{
		began=$SECONDS
		"$@" >"$log" 2>&1 </dev/null
		echo "$? $((SECONDS - began))" >"$log.status"
	} &
}

# bats_log SUITE BUILD: its log; a suite that is run in two turns has one for each.
bats_log() {
	local name=${1#tests/}
	echo "$logs/${name//\//-}-$2${turn:-}.log"
}

# start_bats SUITE BUILD OPTION...
start_bats() {
	local suite=$1 build=$2
	shift 2
	in_pool "$(bats_log "$suite" "$build")" env VIGIL_BUILD="$PWD/build/$build" \
		timeout -k 30 900 bats --formatter tap --timing "$@" "$suite"
}

# read_bats SUITE BUILD: the suite's own plan tells how many results there must be.
read_bats() {
	local suite=$1 build=$2 log line planned=0 seen=0 status seconds
	log=$(bats_log "$suite" "$build")
	read -r status seconds <"$log.status"
	echo "$seconds s  ${suite#tests/} ($build)" >>"$logs/suites"
	while IFS= read -r line; do
		case $line in
		1..*) planned=${line#1..} ;;
		"ok "*"# skip"*) skip "${suite#tests/}: ${line#ok * } ($build)" && seen=$((seen + 1)) ;;
		"ok "*) pass && seen=$((seen + 1)) ;;
		"not ok "*)
			fail "${suite#tests/}: ${line#not ok * } ($build)"
			seen=$((seen + 1))
			test_output "$log" "$line"
			;;
		esac
	done < <(cat "$log")
	if { [ "$seen" -ne "$planned" ] || [ "$status" -ne 0 ]; } && ! grep -q '^not ok' "$log"; then
		fail "${suite#tests/} ($build): $seen of $planned tests ran, status $status (build/log/${log##*/})"
	fi
}

# run_bats SUITE BUILD OPTION...: alone.
run_bats() {
	start_bats "$@"
	wait
	read_bats "$1" "$2"
}

# A copy of the corpus is worked on: what a short run finds is not for the tree. An input may take long: it is what has to wait
# for a processor.
start_fuzzer() {
	local fuzzer=$1 name=${1##*/} corpus
	corpus=$(mktemp -d -p "$TMPDIR")
	[ ! -d "tests/fuzz/corpus/${name#fuzz_}" ] || cp -r "tests/fuzz/corpus/${name#fuzz_}/." "$corpus"
	mkdir -p build/fuzz/artifacts
	in_pool "$logs/$name.log" timeout -k 10 300 "$fuzzer" -max_total_time="${VIGIL_FUZZ_SECONDS:-10}" -timeout=60 \
		-rss_limit_mb=1024 -artifact_prefix="$PWD/build/fuzz/artifacts/$name-" "$corpus"
}

read_fuzzer() {
	local name=${1##*/} status
	read -r status _ <"$logs/$name.log.status"
	if [ "$status" -eq 0 ]; then
		pass
	else
		fail "fuzz: $name (build/log/$name.log)"
		explain "$logs/$name.log"
	fi
}
