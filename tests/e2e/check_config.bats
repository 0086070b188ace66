# check_config.bats - vigil check-config on real files. Needs no privilege.
# bats file_tags=asan

setup() {
	VIGIL=${VIGIL_BUILD:-$BATS_TEST_DIRNAME/../../build}/vigil
	cd "$BATS_TEST_TMPDIR" || exit
}

# ends STATUS CMD...: its exit status, what it said in out and err.
ends() {
	local want=$1 status=0
	shift
	"$@" >out 2>err || status=$?
	cat out err
	[ "$status" -eq "$want" ]
}

@test "the configuration that is shipped is valid" {
	ends 0 "$VIGIL" check-config --config "$BATS_TEST_DIRNAME/../../share/vigil.conf"
	awk 'length > 100 { exit 1 }' "$BATS_TEST_DIRNAME/../../share/vigil.conf"
	grep -q 'valid: 0 databases' out
}

@test "each mistake is told with file and line" {
	printf "database 'a' {\n  pth = '/a'\n  path = 'a.db'\n  check { evry = '1h' }\n}\n" >x.conf
	ends 2 "$VIGIL" check-config --config x.conf
	grep -qx "x.conf:2: unknown key 'pth' in section 'database'; did you mean 'path'?" err
	grep -q "^x.conf:3: database 'a': path: 'a.db' is not absolute" err
	grep -qx "x.conf:4: unknown key 'evry' in section 'check'; did you mean 'every'?" err
	[ ! -s out ]
}

@test "an unknown section, a name given twice and a missing brace do not hide what else is wrong" {
	cat >x.conf <<-'EOC'
		databse "b" { path = "/b" }
		database "a" { path = "rel.db"
		  check { every = 5 minutes }
		}
		database "a" { path = "/c"  latency { attribution = true }
		limits { store-bytes = lots
	EOC
	ends 2 "$VIGIL" check-config --config x.conf
	grep -qx "x.conf:1: unknown section 'databse'; did you mean 'database'?" err
	grep -q "^x.conf:2: database 'a': path: 'rel.db' is not absolute" err
	grep -q "^x.conf:3: database 'a': every: '5 minutes' is not a duration" err
	grep -qx "x.conf:5: database 'a' is there twice, first in line 2" err
	grep -qx "x.conf:5: unknown key 'attribution' in section 'latency': known, but only in the top-level section 'latency'" err
	grep -q "^x.conf:6: unknown section 'limits' in section 'database': known, but only outside of all sections; is a } missing before it?\$" err
	grep -qx "x.conf:6: the file ends inside of section 'database': a } is missing" err
	[ "$(wc -l <err)" -eq 7 ]
}

@test "the same as a document" {
	printf "database 'a' {\n  path = '/a'\n" >x.conf
	ends 2 "$VIGIL" check-config --config x.conf --json
	jq -e '.schema == "vigil.check-config/1" and .valid == false and .errors[0].line == 2' out
}

@test "what is no file of text is refused in one line" {
	printf 'state-dir = "/x"\n\0' >nul.conf
	ends 2 "$VIGIL" check-config --config nul.conf
	grep -qx 'nul.conf:2: a NUL byte: this is no text' err
	ends 2 "$VIGIL" check-config --config .
	[ "$(wc -l <err)" -eq 1 ]
	ends 2 "$VIGIL" check-config --config gone.conf
	[ "$(wc -l <err)" -eq 1 ]
	head -c 2000000 /dev/zero | tr '\0' '#' >large.conf
	ends 2 "$VIGIL" check-config --config large.conf
	[ "$(wc -l <err)" -eq 1 ]
}
