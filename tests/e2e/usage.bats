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
