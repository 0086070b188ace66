# pins.bash - where a daemon leaves its watch for the next one; sourced by daemon.bash and scripts/leftovers.bash.

# pins_of DIRECTORY: the one for that state directory, an absolute path as the daemon names it: FNV-1a of it.
pins_of() {
	local LC_ALL=C hash=$((0xcbf29ce484222325)) i byte

	for ((i = 0; i < ${#1}; i++)); do
		printf -v byte %d "'${1:i:1}"
		hash=$(((hash ^ byte) * 0x100000001b3))
	done
	printf '/sys/fs/bpf/vigil/%016x\n' "$hash"
}
