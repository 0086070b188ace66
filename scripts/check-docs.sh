#!/usr/bin/env bash
# check-docs.sh - holds the documents against the code: no code, field, option or command without its words, and no words
# about what does not exist.
#
# docs/JSON.md   each table under a mark `<!-- check: LIST -->` has exactly the values that the code can emit, findings with
#                their severity; every field of a document is named somewhere on the page
# docs/man/*     vigil.1: every command, every option; vigil.conf.5: every section and key; no warning of groff
# README.md      every command, every blind spot of `vigil doctor`
# all of them    links to files of the tree
#
# Usage: check-docs.sh [--self-test] [DIR]     DIR: the tree, default this one. Exit 0: they agree, 1: they do not.
set -euo pipefail

# --- what the code says -----------------------------------------------------------------------------------------------

# Texts in double quotes that look like a code, one per line.
codes() {
	grep -oE '"[a-z][a-z0-9.-]*"' | tr -d '"' | sort -u
}

# body FILE START: from the line that matches START to the end of that function or table.
body() {
	sed -n "/$2/,/^}/p" "$1"
}

# flat FILE...: without line breaks, so that a call is one line wherever it was broken.
flat() {
	cat "$@" 2>/dev/null | tr -s ' \t\n' ' '
}

# after CALL: from the flattened text, the first literal of every call of CALL.
after() {
	grep -oE "$1"'\([^";]*"[a-z0-9.-]+"' | codes
}

code_reasons() {
	flat detect/verdict.c | codes
	flat detect/certify.c | after certificate_reason
}

code_trust() {
	{ flat model/settle.c | after '\b(lower|LOSS)' && flat detect/certify.c daemon/live.c | after trust_lower; } | sort -u
	flat daemon/*.c | grep -oE 'case_raise_doubtful\([^;]*"[a-z-]+"\);' | grep -oE '"[a-z-]+"\);$' | codes
	flat detect/verdict.c | grep -oE '\{FACT_[A-Z_]+, "[a-z-]+"\}' | codes
}

code_findings() {
	flat detect/*.c | grep -oE '\.codes? = (\(const char \*const\[\]\)\{[^}]*\}|"[a-z-]+")' | codes
	body incident/codes.c '^const struct incident_code incident_codes' | codes
}

# code SEVERITY, wherever the two stand side by side.
code_severities() {
	flat detect/*.c incident/codes.c | grep -oE '"[a-z-]+",( \.severity =)? SEVERITY_P[0-9]' | sed -E 's/"([a-z-]+)",.*_(P[0-9])/\1 \2/' | sort -u
}

# code_list LIST: its values.
code_list() {
	case $1 in
	journal-modes) body report/database.c '^const char \*journal_mode' | codes ;;
	verdicts) body detect/wording.c '^const char \*verdict_name' | codes ;;
	reasons) code_reasons ;;
	locks) body detect/wording.c 'lock_table\[\] = ' | codes ;;
	causes) body model/cause.c '^const char \*cause_name' | codes ;;
	hows) { body model/cause.c 'kernel_rules\[\] = ' && body model/cause.c '^static const char \*call_of'; } | codes ;;
	findings) code_findings ;;
	trust) code_trust ;;
	files) body detect/wording.c '^const char \*role_name' | codes ;;
	delays) body report/shares.c '^const char \*delay_name' | codes ;;
	ops) body detect/wording.c '^const char \*op_name' | codes ;;
	results) flat engine/check.c | grep -oE 'outcome_names\[\] = [^;]*;' | codes ;;
	job-verdicts) body detect/job.c '^const char \*job_verdict_name' | codes ;;
	job-reasons) flat detect/job.c detect/job_blocked.c | grep -oE '\bj?->reason = [^;]*;' | codes ;;
	job-ties) flat detect/job_evidence.c | grep -oE '\btie\[\] = [^;]*;' | codes ;;
	job-trust) flat detect/job.c | after trust_lower ;;
	events) grep -oE '^ +\[VIGIL_[A-Z_]+\] = \{"[a-z-]+"' cli/timeline.c | codes && echo unknown ;;
	*) return 1 ;;
	esac
}
lists="journal-modes verdicts reasons locks causes hows findings trust files ops delays results events job-verdicts job-reasons job-ties job-trust"

# Keys of every object that is printed, and short values beside them.
code_fields() {
	flat {report,detect,incident,respond,serve,store}/*.c engine/check.c cli/{doctor,check,backup*,timeline}.c |
		grep -oE '(\bput[a-z_]*|_set[a-z_]*|json_pack|\bFIELD|texts\[\] = )[ (][^;]*;' | grep -oE '"[a-z][a-z0-9_]+"' | tr -d '"' | sort -u
}

code_commands() {
	grep -ohE '\.name = "[a-z-]+",' cli/*.c | codes
}

code_options() {
	grep -ohE '"--?[a-z][a-z-]*", *(\.kind|OPT_|[A-Z_]+, (true|false))|\.name = "--[a-z-]+"' cli/*.c | grep -oE -- '--?[a-z][a-z-]*' | sort -u
}

# Sections and keys of the configuration.
code_keys() {
	grep -oE '\.name = "[a-z-]+"' config/grammar.c | codes
}

code_blind() {
	body sensor/sensor.c '^const char \*const \*sensor_blind' | grep -oE '"[^"]+",$' | sed 's/^"//; s/",$//'
}

# --- what the documents say -------------------------------------------------------------------------------------------

# rows LIST: lines of its table.
rows() {
	awk -v mark="<!-- check: $1 -->" '$0 == mark { on = 1; next } on && !/^\|/ { exit } on && ++n > 2' docs/JSON.md
}

first_column() {
	cut -d'|' -f2 | grep -oE '`[^`]+`' | tr -d '`' | sort -u
}

# Every word in backquotes, also of `{a, b}`.
doc_words() {
	grep -oE '`[^`]+`' docs/JSON.md | grep -oE '[a-z][a-z0-9_]*' | sort -u
}

# --- comparing --------------------------------------------------------------------------------------------------------

broken=0
say() {
	echo "$*"
	broken=1
}

# differ LIST CODE DOC: what stands on one side only.
differ() {
	local value
	[ -n "$2" ] || say "check-docs.sh: no value of $1 was found in the code: mend the script"
	while read -r value; do
		[ -z "$value" ] || say "docs/JSON.md: $1: \`$value\` is missing"
	done < <(comm -23 <(sort -u <<<"$2") <(sort -u <<<"$3"))
	while read -r value; do
		[ -z "$value" ] || say "docs/JSON.md: $1: \`$value\` is nothing that the code says"
	done < <(comm -13 <(sort -u <<<"$2") <(sort -u <<<"$3"))
}

check_lists() {
	local list code severity
	for list in $lists; do
		differ "$list" "$(cd userspace && code_list "$list")" "$(rows "$list" | first_column)"
	done
	while read -r code severity; do
		rows findings | grep -F "| \`$code\` | $severity |" >/dev/null || say "docs/JSON.md: findings: \`$code\` has the severity $severity"
	done < <(cd userspace && code_severities)
}

check_words() {
	local word man synopsis
	man=$(sed 's/\\-/-/g' docs/man/vigil.1)
	while read -r word; do
		say "docs/JSON.md: the field \`$word\` is not told of"
	done < <(comm -23 <(cd userspace && code_fields) <(doc_words))
	while read -r word; do
		grep -qE -- "(^|[^a-z-])$word([^a-z-]|\$)" <<<"$man" || say "docs/man/vigil.1: $word is not told of"
	done < <(cd userspace && code_commands && code_options)
	synopsis=$(sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/{s/\\-/-/g;p}' docs/man/vigil.1)
	while read -r word; do
		grep -qE -- "(^|[^a-z-])$word([^a-z-]|\$)" <<<"$synopsis" || say "docs/man/vigil.1: $word is not in the synopsis"
	done < <(cd userspace && code_commands)
	man=$(sed 's/\\-/-/g' docs/man/vigil.conf.5)
	while read -r word; do
		grep -qE -- "(^|[^a-z-])$word([^a-z-]|\$)" <<<"$man" || say "docs/man/vigil.conf.5: $word is not told of"
	done < <(cd userspace && code_keys)
	while read -r word; do
		grep -qF "\`vigil $word" README.md || say "README.md: the command $word is not told of"
	done < <(cd userspace && code_commands)
	while read -r word; do
		grep -qF "$word" README.md || say "README.md: the blind spot is not told of: $word"
	done < <(cd userspace && code_blind)
}

check_links() {
	local file link
	while IFS=: read -r file link; do
		[ -e "$(dirname "$file")/$link" ] || say "$file: there is no $link"
	done < <(grep -oE '\]\([^)#:]+' README.md docs/*.md | sed 's/](//')
}

# groff's warnings: unknown macros, words that do not fit. Nothing to check with: nothing is said.
check_manual() {
	local line page
	command -v man >/dev/null || return 0
	for page in docs/man/*; do
		while read -r line; do
			say "$page: $line"
		done < <(LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
	done
}

check() {
	cd "$1"
	check_lists
	check_manual
	check_words
	check_links
	return "$broken"
}

# --- proof that it notices ----------------------------------------------------------------------------------------------

# plant SED FILE: a fault in the copy of the tree.
plant() {
	cp "$2" "$2.before"
	sed -i -E "$1" "$2"
	! cmp -s "$2" "$2.before" || echo "check-docs.sh: could not be planted: $1"
}

# must_say WHAT: a line of the log.
must_say() {
	grep -qF -- "$1" "$log" || echo "check-docs.sh: not noticed: $1"
}

self_test() {
	local tmp list log faults
	tmp=$(mktemp -d)
	log=$tmp/log
	cp -r README.md docs userspace scripts tests bpf "$tmp"
	faults=$(
		cd "$tmp"
		for list in $lists; do
			plant "/<!-- check: $list -->/,/^\$/s/^(\|---.*)\$/\1\n| \`made-up-$list\` | | |/" docs/JSON.md
			plant "/<!-- check: $list -->/,/^\$/{/^\| \`made-up/!s/^\| \`[a-z.-]+\`/| /}" docs/JSON.md
		done
		plant 's/"no-space", SEVERITY_P1/"no-space", SEVERITY_P3/' userspace/detect/sync.c
		plant 's/"commits_at_risk", c->/"commits_in_doubt", c->/' userspace/report/certificate.c
		plant 's/"--reads", OPT/"--readings", OPT/' userspace/cli/exec.c
		plant 's/"min-interval"/"min-pause"/' userspace/config/grammar.c
		plant 's/"I\/O through io_uring"/"I\/O through a ring"/' userspace/sensor/sensor.c
		plant 's/^\.SH FILES/.SHH FILES/' docs/man/vigil.1
		plant 's/^\.B vigil doctor$/.B vigil/' docs/man/vigil.1
		plant 's/\]\(docs\/JSON.md/](docs\/GONE.md/' README.md
		(check "$tmp") >"$log" && echo "check-docs.sh: a tree full of faults passed"
		for list in $lists; do
			must_say "$list: \`made-up-$list\` is nothing that the code says"
			grep -qE "JSON.md: $list: .* is missing" "$log" || echo "check-docs.sh: not noticed: a row of $list taken away"
		done
		must_say '`no-space` has the severity P3'
		must_say 'the field `commits_in_doubt` is not told of'
		must_say '--readings is not told of'
		must_say 'min-pause is not told of'
		must_say 'the blind spot is not told of: I/O through a ring'
		must_say "macro 'SHH' not defined"
		must_say 'doctor is not in the synopsis'
		must_say 'there is no docs/GONE.md'
	)
	rm -rf "$tmp"
	[ -z "$faults" ] || {
		echo "$faults"
		return 1
	}
}

here=$(cd "$(dirname "$0")/.." && pwd)
if [ "${1:-}" = --self-test ]; then
	cd "$here"
	self_test
else
	check "${1:-$here}"
fi
