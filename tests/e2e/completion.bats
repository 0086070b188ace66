# completion.bats - bash completion says what the program says. Needs no privilege.
# bats file_tags=asan

load lib.bash

setup() {
	enter_tmp
	# shellcheck source=/dev/null
	source "$ROOT/share/bash-completion/vigil"
}

teardown() {
	[ -n "${DAEMON:-}" ] || return 0
	kill "$DAEMON"
	await_gone "$DAEMON"
}

# complete_words WORD...: what may stand in place of the last word.
complete_words() {
	COMP_WORDS=(vigil "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_vigil "$VIGIL"
	printf '%s\n' "${COMPREPLY[@]}" | sort >got
	cat got
}

@test "every command is offered" {
	complete_words ''
	"$VIGIL" --help | sed -n '/^Commands:$/,/^$/s/^  \([a-z-]*\) .*/\1/p' | sort >commands
	diff <(sort - commands <<<help) got
	complete_words help exe
	[ "$(cat got)" = exec ]
	complete_words --state-dir s -q incid
	[ "$(cat got)" = "incident"$'\n'"incidents" ]
}

@test "options are those of the command and those of all" {
	complete_words summary --
	grep -qx -- --by got
	grep -qx -- --since got
	grep -qx -- --json got
	[ "$(grep -cx -- --backup-dir got)" -eq 0 ]
	complete_words check /x.db --ti
	[ "$(cat got)" = --time-limit ]
}

@test "values, words and ids are offered where they belong" {
	complete_words incidents --status ack
	[ "$(cat got)" = acknowledged ]
	complete_words backup re
	[ "$(cat got)" = restore ]
	complete_words incident re
	[ "$(cat got)" = "report"$'\n'"resolve" ]
	complete_words exec -- ''
	[ -z "$(cat got)" ]
}

@test "ids come from the daemon" {
	mkdir -m 700 state
	cp -r "$BATS_TEST_DIRNAME/answers" answers
	"$BUILD/fakes/fake_daemon" state answers 3>&- &
	DAEMON=$!
	await answers/ready
	cat >vigil <<-END
		#!/bin/sh
		exec "$VIGIL" --state-dir "$PWD/state" "\$@"
	END
	chmod +x vigil
	VIGIL=$PWD/vigil
	complete_words incident show i-
	[ "$(cat got)" = "$(printf 'i-%s123456789abcdef\n' 0 1 2)" ]
	complete_words certificate c-0
	[ "$(cat got)" = c-0123456789abcdef ]
}
