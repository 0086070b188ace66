#!/usr/bin/env bats
# The Debian package: what is in it, and what it does to a system when it comes, is upgraded, goes and is purged. That system is
# a directory of the test's own with busybox as its shell, so no systemd runs there: how the daemon is started and stopped by
# one is seen in tests/kernel/package.bats.
bats_require_minimum_version 1.5.0
load lib

setup_file() {
	local program
	[ "$(id -u)" -eq 0 ] || {
		skip_suite "needs root: dpkg changes into the other system"
		return
	}
	for program in cpack dpkg dpkg-deb dpkg-shlibdeps busybox systemd-analyze; do
		command -v "$program" >/dev/null || {
			skip_suite "$program is missing: run scripts/setup.sh test"
			return
		}
	done
	export PACKAGES=$BATS_FILE_TMPDIR
	package 0.1.0 && package 0.1.1
}

setup() {
	enter_tmp
	PACKAGE=$PACKAGES/vigil_0.1.0_$(dpkg --print-architecture).deb
	NEWER=$PACKAGES/vigil_0.1.1_$(dpkg --print-architecture).deb
}

# package VERSION: builds the package as if it had that version.
package() {
	cpack --config "$BUILD/CPackConfig.cmake" -B "$PACKAGES" -D CPACK_PACKAGE_VERSION="$1" >"$PACKAGES/log" 2>&1 || {
		cat "$PACKAGES/log"
		return 1
	}
}

# A file at the same place in the other system.
take() {
	mkdir -p "system$(dirname "$1")"
	cp -L "$1" "system$1"
}

# An empty system with a shell, the libraries of the program, and the packages it depends on as dpkg knows them here.
make_system() {
	local file
	mkdir -p system/{usr/bin,usr/lib,usr/lib64,var/lib/dpkg/{info,updates,triggers},etc,tmp,var/cache}
	ln -s usr/bin system/bin
	ln -s usr/lib system/lib
	ln -s usr/lib64 system/lib64
	take "$(command -v busybox)"
	for file in $(ldd "$VIGIL" "$(command -v busybox)" 2>/dev/null | grep -oE '/[^ )]+' | grep -v ':$'); do
		take "$file"
	done
	for file in sh rm rmdir; do
		ln -s busybox "system/usr/bin/$file"
	done
	for file in $(dpkg-deb -f "$PACKAGE" Depends | tr ',' '\n' | awk '{ print $1 }'); do
		dpkg-query -s "$file"
		echo
		touch "system/var/lib/dpkg/info/$file:$(dpkg --print-architecture).list"
	done >system/var/lib/dpkg/status
	mkdir system/dev
	mknod -m 0666 system/dev/null c 1 3
}

dpkg_there() {
	dpkg --root="$PWD/system" "$@" 2>&1
}

state_there() {
	mkdir -p system/var/lib/vigil/{backups,evidence}
	touch system/var/lib/vigil/{vigil.db,state.json,lock,vigil.db.corrupt-20261121T000000Z}
}

@test "the package holds the program, its unit, its configuration and its manuals, owned by root" {
	dpkg-deb -c "$PACKAGE" >list
	cat list
	run ! grep -v ' root/root ' list
	for file in ./usr/bin/vigil ./usr/lib/systemd/system/vigil.service ./usr/lib/systemd/system/vigil-forget.service ./etc/vigil/vigil.conf ./usr/share/man/man1/vigil.1.gz \
		./usr/share/man/man5/vigil.conf.5.gz ./usr/share/doc/vigil/copyright ./usr/share/doc/vigil/changelog.Debian.gz ./usr/share/doc/vigil/README.md ./usr/share/doc/vigil/docs/OPERATIONS.md; do
		grep -qE " $file\$" list
	done
	grep -qE '^-rwxr-xr-x .* ./usr/bin/vigil$' list
	[ "$(dpkg-deb -I "$PACKAGE" conffiles)" = /etc/vigil/vigil.conf ]
	[ "$(dpkg-deb -f "$PACKAGE" Maintainer)" = "Vigil developers <vigil@localhost.invalid>" ]
	# Compressed is what is in the tree, and the changelog goes up to this version.
	dpkg-deb -x "$PACKAGE" there
	zcat there/usr/share/man/man1/vigil.1.gz | cmp - "$BATS_TEST_DIRNAME/../../docs/man/vigil.1"
	zcat there/usr/share/doc/vigil/changelog.Debian.gz >changelog
	[ "$(dpkg-parsechangelog -l changelog -S Version)" = "$("$VIGIL" --version | awk '{ print $NF }')" ]
	# cpack knows by itself what to make.
	grep -qx 'set(CPACK_GENERATOR "DEB")' "$BUILD/CPackConfig.cmake"
}

@test "the package depends on every library that the program is linked with" {
	dpkg-deb -f "$PACKAGE" Depends | tee depends
	for library in libbpf1 libc6 libcap-ng0 libconfuse2 libjansson4 libseccomp2 libsqlite3-0 libssl3; do
		grep -qw "$library" depends
	done
}

@test "the unit is one that systemd takes, and confines what it starts" {
	dpkg-deb -x "$PACKAGE" there
	sed "s|/usr/bin/vigil|$PWD/there/usr/bin/vigil|" there/usr/lib/systemd/system/vigil.service >vigil.service
	MANPATH=$PWD/there/usr/share/man systemd-analyze verify "$PWD/vigil.service"
	systemd-analyze security --offline=true --threshold=40 "$PWD/vigil.service"
}

@test "the unit leaves the daemon the capabilities that it keeps, and the two that it needs to begin" {
	sed -nE 's/^CapabilityBoundingSet=//p' "$ROOT/share/systemd/vigil.service" | tr ' ' '\n' | sort >unit
	{
		grep -oE '\{CAP_[A-Z_]+,' "$ROOT/userspace/daemon/privilege.c" | tr -d '{,'
		printf '%s\n' CAP_SETPCAP CAP_SYS_ADMIN
	} | sort >kept
	diff kept unit
}

@test "it installs into a system without systemd, and its program runs there" {
	make_system
	run -0 dpkg_there -i "$PACKAGE"
	[[ $output == *"systemd does not run here"* ]]
	run -0 chroot system /usr/bin/vigil --version
	[ "$output" = "vigil 0.1.0" ]
	run -0 chroot system /usr/bin/vigil check-config
	[ "$(stat -c '%U %a' system/etc/vigil/vigil.conf)" = "root 644" ]
	[ ! -e system/var/lib/vigil ]
}

@test "without a library it depends on it is not configured" {
	make_system
	sed -i '/^Package: libconfuse2$/,/^$/d' system/var/lib/dpkg/status
	run ! dpkg_there -i "$PACKAGE"
	[[ $output == *libconfuse2* ]]
}

@test "an upgrade keeps the configuration that was changed, and the state" {
	make_system
	dpkg_there -i "$PACKAGE"
	echo "redact-argv = true" >>system/etc/vigil/vigil.conf
	cp system/etc/vigil/vigil.conf before
	state_there
	run -0 dpkg_there -i "$NEWER"
	cmp before system/etc/vigil/vigil.conf
	[ -e system/var/lib/vigil/vigil.db ]
	[ "$(dpkg-query --admindir=system/var/lib/dpkg -f '${db:Status-Abbrev} ${Version}' -W vigil)" = "ii  0.1.1" ]
	run -0 chroot system /usr/bin/vigil check-config
}

@test "a removal keeps configuration and state, and it can come back" {
	make_system
	dpkg_there -i "$PACKAGE"
	echo "redact-argv = true" >>system/etc/vigil/vigil.conf
	state_there
	run -0 dpkg_there -r vigil
	[ ! -e system/usr/bin/vigil ]
	[ -e system/var/lib/vigil/vigil.db ]
	run -0 dpkg_there -i "$NEWER"
	grep -q '^redact-argv = true' system/etc/vigil/vigil.conf
}

@test "purge takes the state, but never a backup" {
	make_system
	dpkg_there -i "$PACKAGE"
	state_there
	mkdir system/var/lib/vigil/backups/orders
	echo copy >system/var/lib/vigil/backups/orders/orders-20261121T000000Z.db
	run -0 dpkg_there -P vigil
	[[ $output == *"kept /var/lib/vigil"* ]]
	[ "$(cd system/var/lib/vigil && find . -type f)" = ./backups/orders/orders-20261121T000000Z.db ]
	[ ! -e system/etc/vigil ]
}

@test "purge leaves nothing where no backup was made" {
	make_system
	dpkg_there -i "$PACKAGE"
	state_there
	mkdir -p system/var/cache/vigil/vigil-scratch-1
	run -0 dpkg_there -P vigil
	[ ! -e system/var/lib/vigil ]
	[ ! -e system/var/cache/vigil ]
	[ ! -e system/etc/vigil ]
}

@test "cmake --install puts the same files, and keeps a configuration that is there" {
	DESTDIR=$PWD/there cmake --install "$BUILD" --prefix /usr >log
	(cd there && find . -type f | sort) >files
	dpkg-deb -c "$PACKAGE" | awk '/^-/ { print $6 }' | sort | diff - files
	echo "# mine" >there/etc/vigil/vigil.conf
	DESTDIR=$PWD/there cmake --install "$BUILD" --prefix /opt/vigil >>log
	[ "$(cat there/etc/vigil/vigil.conf)" = "# mine" ]
	grep -q '^ExecStart=/opt/vigil/bin/vigil run$' there/opt/vigil/lib/systemd/system/vigil.service
}
