/* proclocks.c - see proclocks.h. */
#include "sensor/proclocks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "bpf/abi.h"

static bool parse_line(const char *line, struct proc_lock *ret)
{
        char kind[16], mode[16], access[16], end[32];
        unsigned major, minor;
        unsigned long long ino, start;
        int tgid, behind = 0;

        /* "1: POSIX  ADVISORY  WRITE 123 08:01:4711 1073741825 1073741825"; a waiter has "->" behind its number */
        if (sscanf(line, "%*[0-9]: %n", &behind) < 0 || !behind)
                return false;
        bool waits = strncmp(line + behind, "-> ", 3) == 0;
        if (sscanf(line + behind + (waits ? 3 : 0), "%15s %15s %15s %d %x:%x:%llu %llu %31s", kind, mode, access,
                   &tgid, &major, &minor, &ino, &start, end) != 9)
                return false;
        if (strcmp(kind, "POSIX") != 0 && strcmp(kind, "OFDLCK") != 0)
                return false;
        *ret = (struct proc_lock){.tgid = tgid > 0 ? (uint32_t)tgid : 0,
                                  .dev = major << 20 | minor,
                                  .ino = ino,
                                  .start = start,
                                  .end = strcmp(end, "EOF") ? strtoull(end, NULL, 10) : UINT64_MAX,
                                  .write = strcmp(access, "WRITE") == 0,
                                  .waits = waits};
        return true;
}

int proclocks_parse(const char *text, struct proc_lock **ret, size_t *ret_n, int *ret_cut)
{
        _cleanup_free_ struct proc_lock *list = NULL;
        size_t n = 0, room = 0;

        *ret_cut = 0;
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                struct proc_lock one;

                if (!parse_line(line, &one))
                        continue;
                if (n == PROC_LOCKS_MAX) {
                        *ret_cut = 1;
                        break;
                }
                if (n == room) {
                        room = room ? 2 * room : 64;
                        struct proc_lock *grown = realloc(list, room * sizeof(*list));
                        if (!grown)
                                return -ENOMEM;
                        list = grown;
                }
                list[n++] = one;
        }
        *ret = TAKE_PTR(list);
        *ret_n = n;
        return 0;
}

int proclocks_read(struct proc_lock **ret, size_t *ret_n, int *ret_cut)
{
        _cleanup_free_ char *text = NULL;
        int r = io_read_file("/proc/locks", 16 << 20, &text, NULL);

        return r < 0 ? r : proclocks_parse(text, ret, ret_n, ret_cut);
}

/* The bytes of SQLite's unix VFS: os_unix.c, wal.c. */
static const struct {
        uint64_t first, last;
        uint32_t role;
        uint32_t read, write;
} lock_byte[] = {
        {0x40000000, 0x40000000, VIGIL_ROLE_MAIN, 0, VIGIL_LOCK_PENDING},
        {0x40000001, 0x40000001, VIGIL_ROLE_MAIN, 0, VIGIL_LOCK_RESERVED},
        {0x40000002, 0x400001ff, VIGIL_ROLE_MAIN, VIGIL_LOCK_SHARED, VIGIL_LOCK_EXCLUSIVE},
        {120, 120, VIGIL_ROLE_SHM, 0, VIGIL_LOCK_WAL_WRITE},
        {121, 121, VIGIL_ROLE_SHM, 0, VIGIL_LOCK_WAL_CKPT},
        {122, 122, VIGIL_ROLE_SHM, 0, VIGIL_LOCK_WAL_RECOVER},
        {123, 123, VIGIL_ROLE_SHM, VIGIL_LOCK_WAL_READ0, VIGIL_LOCK_WAL_READ0_WR},
        {124, 124, VIGIL_ROLE_SHM, VIGIL_LOCK_WAL_READ1, VIGIL_LOCK_WAL_RESET},
        {125, 125, VIGIL_ROLE_SHM, VIGIL_LOCK_WAL_READ2, VIGIL_LOCK_WAL_RESET},
        {126, 126, VIGIL_ROLE_SHM, VIGIL_LOCK_WAL_READ3, VIGIL_LOCK_WAL_RESET},
        {127, 127, VIGIL_ROLE_SHM, VIGIL_LOCK_WAL_READ4, VIGIL_LOCK_WAL_RESET},
        {128, 128, VIGIL_ROLE_SHM, VIGIL_LOCK_DMS, VIGIL_LOCK_DMS},
};

uint32_t proclocks_bits(const struct proc_lock *lock, uint32_t role)
{
        uint32_t bits = 0;

        for (size_t i = 0; i < sizeof(lock_byte) / sizeof(lock_byte[0]); i++)
                if (lock_byte[i].role == role && lock->start <= lock_byte[i].last &&
                    lock->end >= lock_byte[i].first)
                        bits |= lock->write ? lock_byte[i].write : lock_byte[i].read;
        return bits;
}
