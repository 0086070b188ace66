# kernel.bash - Debian kernels for vm.sh: finds packages, keeps them unpacked in the cache.

kernel_cache() {
	echo "${XDG_CACHE_HOME:-$HOME/.cache}/vigil"
}

# Options of apt for lists of our own, under the cache: nothing of the system's apt is changed.
apt_own=()

# apt_own_lists: those of Debian 11, which has 5.10, from the mirror that this system takes Debian 12 from; a day old at most.
apt_own_lists() {
	local dir uri suite key=/usr/share/keyrings/debian-archive-keyring.gpg
	dir=$(kernel_cache)/apt
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	apt_own=(-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$dir/lists"
		-o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root)
	[ -z "$(find "$dir/fresh" -mtime -1 2>/dev/null)" ] || return 0
	# What is supported no longer is valid no longer, either; it is signed all the same.
	apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | sort -u |
		while read -r suite uri; do
			case $suite in
			bookworm | bookworm-security) echo "deb [signed-by=$key check-valid-until=no] $uri bullseye${suite#bookworm} main" ;;
			esac
		done >"$dir/sources.list"
	apt-get "${apt_own[@]}" -qq update >"$dir/log" 2>&1 && touch "$dir/fresh"
}

# Kernel packages of a series that apt offers, newest first. Cloud kernels: small, virtio inside, and with BTF.
kernel_offered() {
	apt-cache "${apt_own[@]}" search --names-only "^linux-image-${1//./\\.}\\.[0-9][^ ]*-cloud-amd64\$" | cut -d' ' -f1 | sort -rV
}

# kernel_packages SERIES: the same, into the array `packages`; where the system's lists have none, of our own ones.
kernel_packages() {
	packages=()
	command -v apt-cache >/dev/null || return 0
	apt_own=()
	mapfile -t packages < <(kernel_offered "$1")
	[ ${#packages[@]} -eq 0 ] && apt_own_lists || return 0
	mapfile -t packages < <(kernel_offered "$1")
}

# Directory of the newest kernel of a series in the cache.
kernel_cached() {
	local found
	found=$(find "$(kernel_cache)/kernels" -maxdepth 1 -name "linux-image-$1.*" ! -name '*.part' 2>/dev/null | sort -V | tail -n1)
	[ -n "$found" ] && echo "$found"
}

# Takes one package into the cache; a directory there is always whole.
kernel_take() {
	local package=$1 cache part
	cache=$(kernel_cache)/kernels
	part=$(mktemp -d "$cache/$package.XXXXXX.part")
	if (cd "$part" && apt-get -qq -o APT::Sandbox::User=root "${apt_own[@]}" download "$package") >"$part/log" 2>&1 &&
		dpkg-deb -x "$part"/*.deb "$part/root" 2>>"$part/log"; then
		# Another run may have been faster: then its copy is as good.
		mv -T "$part/root" "$cache/$package" 2>/dev/null || true
	else
		echo "vm.sh: $package: $(tail -n1 "$part/log")" >&2
	fi
	rm -rf "$part"
	[ -d "$cache/$package" ]
}

# kernel_image KERNEL: path of its vmlinuz, fetched when needed. The newest package may already be gone from the mirror: then
# the next one is tried, and at last what the cache holds. @return 126 when there is none.
kernel_image() {
	local kernel=$1 package packages dir=""
	if [ -f "$kernel" ]; then
		realpath "$kernel"
		return
	fi
	if ! [[ $kernel =~ ^[0-9]+\.[0-9]+$ ]]; then
		echo "vm.sh: $kernel is neither a file nor a series like 6.1" >&2
		return 126
	fi
	mkdir -p "$(kernel_cache)/kernels"
	kernel_packages "$kernel"
	for package in "${packages[@]:0:3}"; do
		if [ -d "$(kernel_cache)/kernels/$package" ] || kernel_take "$package"; then
			dir=$(kernel_cache)/kernels/$package
			break
		fi
	done
	[ -n "$dir" ] || dir=$(kernel_cached "$kernel") || {
		echo "vm.sh: Debian offers no cloud kernel $kernel to this machine; give the path of a vmlinuz" >&2
		return 126
	}
	find "$dir/boot" -name 'vmlinuz-*' | head -n1
}

# Release of an image as its header has it (Linux boot protocol: at 0x20e, offset of the text less 0x200).
kernel_release() {
	local at
	at=$(od -An -tu2 -j $((0x20e)) -N2 "$1")
	tail -c +$((at + 0x200 + 1)) "$1" | head -c 128 | tr '\0' '\n' | head -n1 | cut -d' ' -f1
}

# kernel_modules IMAGE: the directory of its modules, or nothing: beside an unpacked package, or of this system.
kernel_modules() {
	local release dir
	release=$(kernel_release "$1")
	for dir in "$(dirname "$1")/../lib/modules/$release" "/lib/modules/$release"; do
		[ ! -d "$dir/kernel" ] || {
			realpath "$dir"
			return
		}
	done
}

# kernel_module DIR NAME TARGET: copies a module and those it needs into TARGET, and appends their names in the order of
# loading to TARGET/order. What is built in, or already there, is passed over.
kernel_module() {
	local dir=$1 name=${2//-/_} target=$3 file need
	[ ! -e "$target/$name.ko" ] || return 0
	file=$(find "$dir/kernel" -name "${name//_/[_-]}.ko*" | head -n1)
	[ -n "$file" ] || return 0
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -dqc "$file" ;;
	*.gz) gzip -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$target/$name.ko"
	for need in $(tr '\0' '\n' <"$target/$name.ko" | sed -n 's/^depends=//p' | tr ',' ' '); do
		kernel_module "$dir" "$need" "$target"
	done
	echo "$name" >>"$target/order"
}
