#!/usr/bin/env bats
# Databases in places where numbers and paths are not what they seem: tmpfs, overlayfs, other mount namespaces, links.

load lib.bash

setup_file() {
	need_watch
	unshare --mount true 2>/dev/null || skip_suite "no mount namespace can be made here"
}

setup() {
	enter_tmp
}

# The workload's mounts live and die with a mount namespace of its own.
# in_namespace SCRIPT [OPTION...]: watches a shell that runs SCRIPT there; $0 is the driver.
in_namespace() {
	local script=$1
	shift
	watch "$@" -- unshare --mount --propagation private sh -c "$script" "$DRIVER"
}

# The only database of the report whose path ends so, into d.json and its only certificate into c.json.
only() {
	jq --arg tail "$1" '[.databases[] | select(.path | endswith($tail))] | if length == 1 then .[0] else error("not one") end' r.json >d.json
	jq '.certificates | if length == 1 then .[0] else error("not one") end' d.json >c.json
}

@test "tmpfs: what is at risk is the memory itself" {
	in_namespace 'mkdir place && mount -t tmpfs place place && cd place &&
		exec "$0" -t ../truth app.db "pragma journal_mode=wal" "pragma synchronous=full" "create table t(a)" "insert into t values(1)" @kill9'
	assert_trusted
	only /app.db
	assert_certificate '.verdict == "abrupt"' '.at_risk != []' '[.at_risk[].volatile] | all'
}

@test "another mount namespace: found, watched and named, and what ended with it is said to be out of reach" {
	in_namespace 'mkdir place && mount -t tmpfs place place && cd place &&
		exec "$0" -t ../truth app.db "create table t(a)" "begin immediate" "insert into t values(1)" @kill9' --backup-dir backups
	assert_trusted
	only /app.db
	assert_certificate '.verdict == "unclean"' '.locks | has_all(["reserved"])' '.process.comm == "driver"'
	# Vigil may or may not have been quick enough to hold on to the namespace.
	assert_database '.integrity.result == "ok" and .backup.verified or .integrity.result == "skipped" and
		(.integrity.reason | test("namespace|reached")) and ([.findings[].code] | has_all(["backup-failed", "unclean-death"]))'
}

@test "overlayfs: a file that is copied up while it is used" {
	mkdir lower upper work merged
	mk lower/app.db delete
	cp lower/app.db before.db
	in_namespace 'mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged || exit 99
		"$0" -t one merged/app.db "select 1 from t"; cd merged
		"$0" -t ../two app.db "pragma cache_size=5" begin "update t set b=hex(randomblob(50))" commit
		"$0" -t ../three app.db "pragma cache_size=5" begin "update t set b=hex(randomblob(50))" @kill9'
	[ "$status" -ne 99 ] || skip "no overlayfs here"
	assert_trusted
	cmp lower/app.db before.db
	jq '[.databases[] | select(.path | endswith("merged/app.db"))][0]' r.json >d.json
	assert_database '[.certificates[] | select(.verdict == "unclean")] | length == 1' \
		'[.certificates[] | select(.verdict == "clean")] | length == 2'
	jq '[.certificates[] | select(.verdict == "unclean")][0]' d.json >c.json
	assert_certificate '.reasons | has_all(["write-transaction-open", "hot-journal"])' '.locks | has_all(["exclusive"])'
}

@test "overlayfs: with --db given from outside" {
	mkdir lower upper work merged
	mk lower/app.db wal
	unshare --mount --propagation private bash -c '
		mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged || exit 99
		"$1" exec --db merged/app.db --out r.json -- "$0" -t truth merged/app.db "begin immediate" "insert into t(b) values(1)" @kill9' \
		"$DRIVER" "$VIGIL" 3>&- || status=$?
	[ "$status" -ne 99 ] || skip "no overlayfs here"
	assert_trusted
	only /merged/app.db
	assert_certificate '.verdict == "unclean"' '.locks | has_all(["wal-write"])'
}

@test "a directory that is mounted twice is one database" {
	mkdir here there
	mk here/app.db wal
	in_namespace 'mount --bind here there && "$0" -t one here/app.db "insert into t(b) values(1)" &&
		"$0" -t two there/app.db "insert into t(b) values(2)"'
	assert_trusted
	assert_no_findings
	assert_report '.databases | length == 1' '[.databases[0].certificates[].verdict] == ["clean", "clean"]'
	[ "$(rows here/app.db)" -eq 402 ]
}

@test "a process in another root" {
	mkdir root
	in_namespace 'mount --bind / root && exec chroot root "$0" -t /dev/null /tmp/vigil-test-chroot.db "create table t(a)" "begin immediate" \
		"insert into t values(1)" @kill9'
	rm -f /tmp/vigil-test-chroot.db*
	assert_trusted
	only /vigil-test-chroot.db
	assert_certificate '.verdict == "unclean"' '.locks | has_all(["reserved"])'
}
