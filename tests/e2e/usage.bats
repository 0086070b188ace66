# usage.bats - help, versions and mistakes, of every command that `vigil --help` lists. Needs no privilege.
# bats file_tags=asan

setup() {
	VIGIL=${VIGIL_BUILD:-$BATS_TEST_DIRNAME/../../build}/vigil
}

# Names of all commands, one per line.
commands() {
	"$VIGIL" --help | sed -n '/^Commands:$/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# refused CMD...: exit status 64, nothing on standard output, one line on standard error.
refused() {
	local status=0
	"$@" >out 2>err || status=$?
	cat out err
	[ "$status" -eq 64 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] && grep -q '^vigil: .*--help$' err
}

# narrow FILE: no line is longer than 100 columns.
narrow() {
	awk -v file="$1" 'length > 100 { print "longer than 100 columns: " $0; bad = 1 } END { exit bad }' "$1"
}

@test "help lists commands and goes to standard output" {
	cd "$BATS_TEST_TMPDIR"
	"$VIGIL" --help >out 2>err
	grep -q '^Usage: vigil ' out
	[ ! -s err ]
	[ "$(commands | wc -l)" -ge 1 ]
}

@test "every command has its own help, in 100 columns" {
	cd "$BATS_TEST_TMPDIR"
	for command in $(commands); do
		"$VIGIL" "$command" --help >out 2>err
		grep -q "^Usage: vigil $command" out || { echo "$command: no usage line" && false; }
		narrow out
		"$VIGIL" --help "$command" | cmp - out
		[ ! -s err ]
	done
	"$VIGIL" --help >out
	narrow out
}

@test "every command refuses an option that it does not have" {
	cd "$BATS_TEST_TMPDIR"
	for command in $(commands); do
		refused "$VIGIL" "$command" --no-such-option
		grep -q -- "--no-such-option" err
	done
}

teardown() {
	[ -z "${OPEN_DIR:-}" ] || rm -r "$OPEN_DIR"
}

# ended STATUS TEXT CMD...: its exit status, and in one line on standard error what it names.
ended() {
	local want=$1 text=$2 status=0
	shift 2
	"$@" >out 2>err || status=$?
	cat out err
	[ "$status" -eq "$want" ] && [ "$(wc -l <err)" -eq 1 ] && grep -qF -- "$text" err
}

@test "one kind of error has one exit status, whichever command meets it, and names what it met" {
	cd "$BATS_TEST_TMPDIR"
	: >file
	# What is not there, or is not what it must be.
	ended 69 'exec: --out nowhere/r.json: ' "$VIGIL" exec --out nowhere/r.json -- touch ran
	ended 69 'exec: --out .: ' "$VIGIL" exec --out . -- touch ran
	ended 69 'exec: --backup-dir /proc/x: ' "$VIGIL" exec --backup-dir /proc/x -- touch ran
	ended 69 'exec: --backup-dir file: ' "$VIGIL" exec --backup-dir file -- touch ran
	ended 69 'attach: --backup-dir nowhere/b: ' "$VIGIL" attach --db file --backup-dir nowhere/b
	ended 69 'backup list: cannot read the backup directory nowhere: ' "$VIGIL" backup list --backup-dir nowhere
	ended 69 'replay: cannot read nowhere: ' "$VIGIL" replay nowhere
	ended 69 'check: nowhere/x.db ' "$VIGIL" check nowhere/x.db
	[ ! -e ran ]
	# A configuration that is wrong, or is not there.
	echo 'pth = 1' >x.conf
	for file in x.conf gone.conf; do
		ended 2 "$file" "$VIGIL" check-config -c "$file"
		ended 2 "$file" "$VIGIL" run -c "$file" --state-dir S
		ended 2 "$file" "$VIGIL" run --forget -c "$file"
		ended 2 "$file" "$VIGIL" reload -c "$file"
		ended 2 "$file" "$VIGIL" status -c "$file"
		ended 2 "$file" "$VIGIL" health --json -c "$file"
		jq -e --arg file "$file" '.status == "critical" and (.reasons[0] | endswith($file))' out
	done
	# What can be told of the command line alone.
	ended 64 '--db needs a value' "$VIGIL" exec --db a.db --db -- touch ran
	ended 64 '--db needs a value, and --out is an option' "$VIGIL" exec --db --out r.json -- touch ran
	ended 64 '--max-size 100 is less than 1M' "$VIGIL" record -o r --db file --max-size 100
	ended 64 '--out and --record name the same file' "$VIGIL" exec --out x --record x -- touch ran
	ended 64 '--out and --record name the same file' "$VIGIL" attach --db file --for 1s --out x --record "$PWD/x"
	ended 64 'list takes --backup-dir DIR and --db FILE' "$VIGIL" backup list --backup-dir x y
	ended 64 'list needs --backup-dir DIR' "$VIGIL" backup list --db file
	ended 64 'quck is not one of: ' "$VIGIL" check file --check quck
	[ ! -e ran ]
}

@test "without a configuration the watch of a run that had none can be ended" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	[ ! -e /etc/vigil/vigil.conf ] || skip "a configuration is here"
	[ ! -e /var/lib/vigil ] || skip "a state is here"
	cd "$BATS_TEST_TMPDIR"
	ended 2 '/etc/vigil/vigil.conf: cannot be read: No such file or directory; name another file with --config FILE' "$VIGIL" run
	unshare -m sh -c 'mount -t tmpfs vigil-test /var/lib && exec "$0" run --forget' "$VIGIL" >out 2>err || {
		cat out err
		return 1
	}
	[ ! -s err ]
	[ "$(cat out)" = "nothing to end: no run with the state in /var/lib/vigil has left a watch in the kernel" ]
}

@test "who may not read is told so by status 77" {
	[ "$(id -u)" -eq 0 ] || skip "needs root, to become nobody"
	cd "$BATS_TEST_TMPDIR"
	OPEN_DIR=$(mktemp -d /tmp/vigil-test-open-XXXXXX) # where nobody can go
	local open=$OPEN_DIR
	cp "$VIGIL" "$open/vigil"
	mkdir "$open/closed"
	sqlite3 "$open/secret.db" 'create table t(a)'
	cp "$open/secret.db" "$open/secret"
	chmod 700 "$open/closed"
	chmod 600 "$open"/secret*
	chmod 755 "$open" "$open/vigil"
	cd "$open"
	nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$open/vigil" "$@"; }
	for command in "check secret.db" "replay secret" "backup list --backup-dir closed" "status -c secret" \
		"exec --out closed/r.json -- true" "exec --backup-dir closed/b -- true"; do
		local status=0
		# shellcheck disable=SC2086 # words
		nobody $command >"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
		echo "$command: $status $(cat "$BATS_TEST_TMPDIR/out")"
		[ "$status" -eq 77 ]
	done
}

@test "a backup that is looked for in the wrong place" {
	cd "$BATS_TEST_TMPDIR"
	sqlite3 app.db 'create table t(a)'
	mkdir backups
	[ "$("$VIGIL" backup list --backup-dir backups)" = "no backup" ]
	"$VIGIL" backup create --db app.db --backup-dir backups/app >out
	grep -q 'read back, opened by itself and checked: ok' out
	[ "$(grep -c commit out)" -eq 0 ]
	ended 69 'backups has no backup itself, but directories in it have: app; ' "$VIGIL" backup list --backup-dir backups
	ended 69 'directories in it have: app; ' "$VIGIL" backup list --backup-dir backups --json
	jq -e '.backups == []' out
	ended 69 "there is no database ap.db, and no backup of it in backups/app, which has those of $PWD/app.db" \
		"$VIGIL" backup list --backup-dir backups/app --db ap.db
	# One that is there and has none is another thing.
	sqlite3 other.db 'create table t(a)'
	[ "$("$VIGIL" backup list --backup-dir backups/app --db other.db)" = "no backup" ]
	# One that is gone is asked for by its old path.
	mv app.db gone.db
	"$VIGIL" backup list --backup-dir backups/app --db "$PWD/app.db" | grep -q verified
}

@test "the version is told" {
	[[ $("$VIGIL" --version) =~ ^vigil\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "no command, an unknown one and a misspelt one are usage errors" {
	cd "$BATS_TEST_TMPDIR"
	refused "$VIGIL"
	refused "$VIGIL" no-such-command
	refused "$VIGIL" --no-such-option
	refused "$VIGIL" --config
	refused "$VIGIL" doctro
	grep -q 'did you mean doctor' err
}

@test "an empty argument is named, wherever a path or a name is taken" {
	local option
	cd "$BATS_TEST_TMPDIR"
	for command in check replay "backup verify --backup-dir ." "backup restore --backup-dir . --to x"; do
		# shellcheck disable=SC2086 # words of a command
		refused "$VIGIL" $command ""
		grep -q 'argument 1 is empty' err
		# shellcheck disable=SC2086
		refused "$VIGIL" $command -- ""
	done
	refused "$VIGIL" check a.db ""
	grep -q 'argument 2 is empty' err
	for option in --db --backup-dir --out --record; do
		refused "$VIGIL" exec $option "" -- true
		grep -q -- "$option needs a value that is not empty" err
		refused "$VIGIL" attach $option ""
		grep -q -- "$option needs a value that is not empty" err
	done
	for option in -o --db; do
		refused "$VIGIL" record $option ""
		grep -q -- "$option needs a value that is not empty" err
	done
	for option in --db --backup-dir; do
		refused "$VIGIL" backup create $option= --reason x
		grep -q -- "$option needs a value that is not empty" err
	done
	refused "$VIGIL" backup restore id --backup-dir . --to ""
	grep -q -- '--to needs a value that is not empty' err
	refused "$VIGIL" exec -- ""
	grep -q 'the command behind -- is empty' err
	refused "$VIGIL" ""
	grep -q 'the name of the command is empty' err
	refused "$VIGIL" --config "" doctor
	grep -q -- '--config needs a value that is not empty' err
}

@test "what attach and record take stands in their help" {
	cd "$BATS_TEST_TMPDIR"
	for command in attach record; do
		"$VIGIL" $command --help | grep -q -- --wait-detach
	done
}

@test "a name cannot send an escape sequence" {
	cd "$BATS_TEST_TMPDIR"
	refused "$VIGIL" $'bad\x1b[31m\nname'
	grep -qF 'bad?[31m?name' err
}

@test "output that cannot be written is an error" {
	cd "$BATS_TEST_TMPDIR"
	status=0
	"$VIGIL" --help >/dev/full 2>err || status=$?
	[ "$status" -eq 70 ]
	grep -q 'standard output' err
}

@test "closed standard streams do no harm" {
	"$VIGIL" --help <&- >&- 2>&-
}
