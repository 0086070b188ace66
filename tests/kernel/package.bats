#!/usr/bin/env bats
# bats file_tags=slow
# The package under a real systemd, on Debian's own kernel: it installs, starts, confines what it starts, guards, is upgraded, goes.
# One machine lives through all of it (setup_file); the tests look at what it said.
load ../e2e/lib
load systemd

setup_file() {
	local program
	[ "$(id -u)" -eq 0 ] || {
		skip_suite "needs root: a root file system is made"
		return
	}
	for program in qemu-system-x86_64 cpack dpkg apt-cache mke2fs cpio busybox jq sqlite3 /lib/systemd/systemd; do
		command -v "$program" >/dev/null || {
			skip_suite "$program is missing: run scripts/setup.sh test"
			return
		}
	done
	kernel_image 6.1 >"$BATS_FILE_TMPDIR/image" 2>"$BATS_FILE_TMPDIR/why" || {
		skip_suite "$(cat "$BATS_FILE_TMPDIR/why")"
		return
	}
	cd "$BATS_FILE_TMPDIR" || return
	for version in 1 2; do
		cpack --config "$BUILD/CPackConfig.cmake" -B "$PWD" -D CPACK_PACKAGE_VERSION="0.0.$version" >log 2>&1 || {
			cat log
			return 1
		}
		mv vigil_0.0."$version"_*.deb "$version.deb"
	done
	guest >script
	system_make "$PWD" 1.deb
	system_run "$PWD" 400 script 1.deb 2.deb "$DRIVER" >said
	rm -rf root disk initrd
}

setup() {
	enter_tmp
	tr -d '\r' <"$BATS_FILE_TMPDIR/said" >said
	cat said
}

# What is done in the machine; each line of it that matters begins with a word of its own.
guest() {
	cat <<'GUEST'
export LC_ALL=C
as() { setpriv --reuid 1500 --regid 1500 --clear-groups "$@"; }
say() { echo "$1 $("${@:2}" 2>&1 | tr '\n' ' ')"; }
mkdir -p /srv/app && chown 1500:1500 /srv/app
dpkg --no-pager -i /root/1.deb
say installed systemctl is-active vigil
say enabled systemctl is-enabled vigil
echo "database \"app\" { path = '/srv/app/app.db' }" >>/etc/vigil/vigil.conf
systemctl reload vigil # which does not wait
for i in $(seq 120); do
	vigil status --json | jq -e '.databases[0].state == "watched"' >/dev/null && break
	sleep 0.5
done
say trust sh -c 'vigil status --json | jq -c .trust.level,.databases[0].state'
say capabilities sh -c 'sed -nE "s/^(Cap(Eff|Bnd)|Seccomp|NoNewPrivs):\s*//p" /proc/$(systemctl show -P MainPID vigil)/status'
as /root/driver -t /srv/app/truth /srv/app/app.db "pragma journal_mode=wal" "create table t(a)" "insert into t values(1)" \
	begin "insert into t values(2)" @ready /srv/app/ready @pause &
until [ -e /srv/app/ready ]; do sleep 0.1; done
kill -KILL "$(jq -rs '.[0].pid' /srv/app/truth)"
for i in $(seq 120); do
	vigil incidents --json >/root/incidents
	jq -e '.incidents[0].backup.verified' /root/incidents >/dev/null && break
	sleep 0.5
done
say incident jq -r '.incidents[] | .code, .severity, .status, .integrity.result, .backup.verified' /root/incidents
say health sh -c 'vigil health >/dev/null; echo $?'
say proven sh -c 'vigil backup verify --backup-dir /var/lib/vigil/backups/app $(basename /var/lib/vigil/backups/app/*.db .db) >/dev/null; echo $?'
say owner stat -c '%u %a' /var/lib/vigil/backups/app/*.db
say modes stat -c %a /var/lib/vigil /var/lib/vigil/vigil.db /var/lib/vigil/control
dpkg --no-pager -i /root/2.deb
say upgraded systemctl is-active vigil
say kept sh -c 'vigil incidents --json | jq -r "[.incidents[] | select(.code == \"unclean-death\")] | length"'
as sqlite3 /srv/app/app.db "select count(*) from t" >/dev/null 2>&1
for i in $(seq 60); do
	vigil health >/dev/null && break
	sleep 0.5
done
say resolved sh -c 'vigil incidents --json | jq -r ".incidents[] | select(.code == \"unclean-death\") | .status, .resolved_by"'
kill -KILL "$(systemctl show -P MainPID vigil)"
for i in $(seq 60); do
	vigil status >/dev/null 2>&1 && break
	sleep 0.5
done
say restarted systemctl show -P NRestarts vigil
say survived sh -c 'vigil status --json | jq -c .watch'
systemctl restart vigil
say again sh -c 'vigil status --json | jq -c .watch'
say gaps sh -c 'vigil incidents --json | jq -r "[.incidents[] | select(.code == \"observer-gap\")] | length"'
mkdir -p /run/systemd/system/vigil.service.d
printf '[Unit]\nStartLimitBurst=1\n' >/run/systemd/system/vigil.service.d/limit.conf
systemctl daemon-reload
say pinned sh -c 'ls /sys/fs/bpf/vigil | wc -l'
for i in $(seq 120); do
	systemctl is-failed -q vigil && [ ! -e /sys/fs/bpf/vigil ] && break
	[ "$(systemctl is-active vigil)" != active ] || kill -KILL "$(systemctl show -P MainPID vigil)"
	sleep 0.5
done
say gave-up systemctl is-failed vigil
say forgotten sh -c 'ls /sys/fs/bpf | wc -l; systemctl show -P Result vigil-forget'
rm -r /run/systemd/system/vigil.service.d
systemctl daemon-reload
systemctl reset-failed vigil
systemctl start vigil
say pinned-again sh -c 'ls /sys/fs/bpf/vigil | wc -l'
systemctl start vigil-forget
say still-watches sh -c 'vigil status --json | jq -c .trust.level,.databases[0].state; ls /sys/fs/bpf/vigil | wc -l'
date -s '1 day ago' >/dev/null
rm -f /srv/app/ready
as /root/driver -t /srv/app/truth2 /srv/app/app.db begin "insert into t values(3)" @ready /srv/app/ready @pause &
until [ -e /srv/app/ready ]; do sleep 0.1; done
kill -KILL "$(jq -rs '.[0].pid' /srv/app/truth2)"
for i in $(seq 60); do
	vigil incidents --json --status firing >/root/incidents
	jq -e '.incidents[] | select(.code == "unclean-death") | .integrity.result == "ok"' /root/incidents >/dev/null && break
	sleep 0.5
done
say clock-set-back jq -r '.incidents[] | select(.code == "unclean-death") | .status, .integrity.result' /root/incidents
say certified sh -c 'vigil certificates --json | jq "[.certificates[] | select(.verdict == \"unclean\")] | length"'
dpkg --no-pager -r vigil
say removed systemctl is-active vigil
say pins sh -c 'ls /sys/fs/bpf | wc -l'
dpkg --no-pager -P vigil
say purged sh -c 'cd /var/lib/vigil && find . -maxdepth 1 -mindepth 1 | sort'
journalctl -u vigil -u vigil-forget --no-pager -o cat
GUEST
}

@test "the package starts the daemon and enables it" {
	grep -q '^installed active' said
	grep -q '^enabled enabled' said
}

@test "confined by its unit the daemon sees everything" {
	grep -q '^trust "full" "watched"' said
}

@test "once it watches it has only the capabilities of its table, and a filter of system calls" {
	bits=0
	for bit in chown:0 dac_override:1 dac_read_search:2 fowner:3 kill:5 setgid:6 setuid:7 sys_ptrace:19 syslog:34 perfmon:38 bpf:39; do
		bits=$((bits | 1 << ${bit#*:}))
	done
	printf -v mask '%016x' "$bits"
	grep -q "^capabilities $mask $mask 1 2 " said
}

@test "a writer that is killed inside a transaction is one P1 with a good check and a proven backup, and health is 1" {
	grep -q '^incident unclean-death P1 firing ok true $' said
	grep -q '^health 1 ' said
	grep -q '^proven 0 ' said
}

@test "a backup belongs to the owner of the database, and the state to root alone" {
	grep -q '^owner 1500 600 ' said
	grep -q '^modes 700 600 600 ' said
}

@test "an upgrade goes on with the incidents of before, and the next opener's recovery resolves them" {
	grep -q '^upgraded active' said
	grep -q '^kept 1 ' said
	grep -q '^resolved resolved recovery ' said
}

@test "systemd starts a killed daemon again" {
	grep -q '^restarted 1 ' said
}

@test "its watch outlives a kill and a restart: the upgrade alone was a gap" {
	grep -q '^survived {"survives_restart":true,"why":null,"taken_over":true,"attribution":"off",' said
	grep -q '^again {"survives_restart":true,"why":null,"taken_over":true,"attribution":"off",' said
	grep -q '^gaps 0 ' said
}

@test "one that systemd gives up leaves nothing in the kernel, and one that runs loses nothing by that" {
	grep -q '^pinned 1 ' said
	grep -q '^gave-up failed ' said
	grep -q '^forgotten 0 success ' said
	grep -q '^pinned-again 1 ' said
	grep -q '^still-watches "full" "watched" 1 ' said
}

@test "with the clock set back by a day a death is told and checked at once" {
	grep -q '^clock-set-back firing ok $' said
	grep -q '^certified 2 ' said
}

@test "a removal stops it, and purge leaves backups and evidence alone" {
	grep -q '^removed inactive' said
	grep -q '^pins 0 ' said
	grep -q '^purged ./backups ./evidence $' said
}
