/* lock_ranges.h - SQLite's lock bytes: what a range means to those who read, write and checkpoint.
 *
 * The bytes are those of SQLite's unix VFS (os_unix.c: PENDING_BYTE 0x40000000; wal.c: WAL_WRITE_LOCK at 120). */
#ifndef VIGIL_LOCK_RANGES_H
#define VIGIL_LOCK_RANGES_H

#include "act.h"

#define PENDING_BYTE     0x40000000LL
#define RESERVED_BYTE    0x40000001LL
#define SHARED_FIRST     0x40000002LL
#define SHARED_LAST      0x400001ffLL
#define WAL_WRITE_BYTE   120
#define WAL_CKPT_BYTE    121
#define WAL_RECOVER_BYTE 122
#define WAL_READ0_BYTE   123
#define WAL_READ4_BYTE   127
#define WAL_DMS_BYTE     128

#define WAL_READ_MARKS                                                                                             \
        (VIGIL_LOCK_WAL_READ0 | VIGIL_LOCK_WAL_READ1 | VIGIL_LOCK_WAL_READ2 | VIGIL_LOCK_WAL_READ3 |               \
         VIGIL_LOCK_WAL_READ4)

static __always_inline bool covers(long long start, long long end, long long first, long long last)
{
        return start <= last && end >= first;
}

/* Bits of the mask that a lock of this range sets on a file of @role. SQLite's bytes merge into one range in the kernel, so
 * ranges are decoded by overlap. */
static __always_inline __u32 lock_bits(__u32 role, unsigned char type, long long start, long long end)
{
        __u32 bits = 0;
        bool wr = type != F_RDLCK;

        if (role == VIGIL_ROLE_SHM) {
                if (covers(start, end, WAL_WRITE_BYTE, WAL_WRITE_BYTE))
                        bits |= VIGIL_LOCK_WAL_WRITE;
                if (covers(start, end, WAL_CKPT_BYTE, WAL_CKPT_BYTE))
                        bits |= VIGIL_LOCK_WAL_CKPT;
                if (covers(start, end, WAL_RECOVER_BYTE, WAL_RECOVER_BYTE))
                        bits |= VIGIL_LOCK_WAL_RECOVER;
                if (covers(start, end, WAL_DMS_BYTE, WAL_DMS_BYTE))
                        bits |= VIGIL_LOCK_DMS;
                return bits;
        }
        if (covers(start, end, RESERVED_BYTE, RESERVED_BYTE) && wr)
                bits |= VIGIL_LOCK_RESERVED;
        if (covers(start, end, PENDING_BYTE, PENDING_BYTE) && wr)
                bits |= VIGIL_LOCK_PENDING;
        if (covers(start, end, SHARED_FIRST, SHARED_LAST))
                bits |= wr ? VIGIL_LOCK_EXCLUSIVE : VIGIL_LOCK_SHARED;
        return bits;
}

/* Ranges that no account needs: read marks of the WAL index, PENDING as readers take it, and files that are no SQLite lock page
 * at all. A reader has PENDING for reading while it takes SHARED, and lets go of that byte alone; a writer of it and RESERVED together
 * (os_unix.c, unixLock and posixUnlock). */
static __always_inline bool range_is_idle(unsigned char type, long long start, long long end)
{
        if (start == PENDING_BYTE && end == PENDING_BYTE)
                return type != F_WRLCK;
        if (start >= WAL_READ0_BYTE && end <= WAL_READ4_BYTE)
                return type != F_WRLCK || start == end;
        if (start >= PENDING_BYTE && end <= SHARED_LAST)
                return false;
        if (start >= WAL_WRITE_BYTE && end <= WAL_DMS_BYTE)
                return false;
        return type != F_UNLCK || !(start <= WAL_WRITE_BYTE && end >= SHARED_LAST);
}

/* True for a lock that takes one read mark of the WAL index for oneself: a checkpoint asks for it, and for what it means when it is
 * refused. */
static __always_inline bool is_one_mark(unsigned char type, long long start, long long end)
{
        return type == F_WRLCK && start == end && start >= WAL_READ0_BYTE && end <= WAL_READ4_BYTE;
}

/* True for what of these must be known when it is refused: where a checkpoint meets a reader, and a reader a writer. */
static __always_inline bool is_obstacle(unsigned char type, long long start, long long end)
{
        return is_one_mark(type, start, end) || (start == PENDING_BYTE && end == PENDING_BYTE);
}

/* What somebody wants who asks for this range: enum vigil_lock; 0: nothing that is waited for. */
static __always_inline __u32 wanted_bits(__u32 role, unsigned char type, long long start, long long end)
{
        if (role == VIGIL_ROLE_SHM) {
                if (is_one_mark(type, start, end))
                        return VIGIL_LOCK_WAL_READ0 << ((__u32)(start - WAL_READ0_BYTE) & 7);
                return lock_bits(role, type, start, end) & ~(__u32)VIGIL_LOCK_DMS;
        }
        /* A reader passes PENDING first: it waits for whoever is about to write the main file. */
        return type == F_RDLCK ? VIGIL_LOCK_SHARED : lock_bits(role, type, start, end);
}

#endif
