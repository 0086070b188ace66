/* holders.c - see holders.h. */
#include "sensor/holders.h"

#include <stdbool.h>

#include "bpf/abi.h"

#define READ_MARKS                                                                                                 \
        (VIGIL_LOCK_WAL_READ0 | VIGIL_LOCK_WAL_READ1 | VIGIL_LOCK_WAL_READ2 | VIGIL_LOCK_WAL_READ3 |               \
         VIGIL_LOCK_WAL_READ4)

uint32_t holders_conflict(uint32_t wanted)
{
        /* sqlite.org/lockingv3.html, 3.0; sqlite.org/walformat.html, 2.3 */
        static const struct {
                uint32_t wanted, held;
        } conflict[] = {
                {VIGIL_LOCK_SHARED, VIGIL_LOCK_PENDING | VIGIL_LOCK_EXCLUSIVE},
                {VIGIL_LOCK_RESERVED, VIGIL_LOCK_RESERVED},
                {VIGIL_LOCK_PENDING, VIGIL_LOCK_PENDING},
                {VIGIL_LOCK_EXCLUSIVE, VIGIL_LOCK_SHARED | VIGIL_LOCK_EXCLUSIVE},
                {VIGIL_LOCK_WAL_WRITE, VIGIL_LOCK_WAL_WRITE},
                {VIGIL_LOCK_WAL_CKPT, VIGIL_LOCK_WAL_CKPT},
                {VIGIL_LOCK_WAL_RECOVER, VIGIL_LOCK_WAL_RECOVER},
                {VIGIL_LOCK_WAL_READ0, VIGIL_LOCK_WAL_READ0 | VIGIL_LOCK_WAL_READ0_WR},
                {READ_MARKS & ~VIGIL_LOCK_WAL_READ0, VIGIL_LOCK_WAL_RESET},
        };
        uint32_t held = wanted & READ_MARKS;

        for (size_t i = 0; i < sizeof(conflict) / sizeof(conflict[0]); i++)
                if (conflict[i].wanted & wanted)
                        held |= conflict[i].held;
        return held;
}

static uint32_t bits_of(const struct proc_lock *lock, const struct lock_files *files)
{
        static const uint32_t role[2] = {VIGIL_ROLE_MAIN, VIGIL_ROLE_SHM};

        for (int i = 0; i < 2 && !lock->waits; i++)
                if (files->ino[i] && lock->ino == files->ino[i] && lock->dev == files->dev[i])
                        return proclocks_bits(lock, role[i]);
        return 0;
}

/* All that the process of @lock holds; @first: whether @lock is its first line. */
static uint32_t all_of(const struct proc_lock *lock, size_t n, size_t which, const struct lock_files *files,
                       bool *first)
{
        uint32_t all = 0;

        *first = true;
        for (size_t i = 0; i < n; i++) {
                uint32_t bits = lock[i].tgid == lock[which].tgid ? bits_of(&lock[i], files) : 0;
                if (bits && i < which)
                        *first = false;
                all |= bits;
        }
        return all;
}

void holders_find(const struct proc_lock *lock, size_t n, const struct lock_files *files, uint32_t tgid,
                  struct evidence_wait *w)
{
        uint32_t conflict = holders_conflict(w->lock);

        w->nholders = 0;
        for (size_t i = 0; i < n; i++) {
                bool first;

                if (!bits_of(&lock[i], files) || (lock[i].tgid == tgid && tgid))
                        continue;
                uint32_t all = all_of(lock, n, i, files, &first);
                if (!first || !(all & conflict))
                        continue;
                if (w->nholders < EVIDENCE_HOLDERS)
                        w->holder[w->nholders] = (struct evidence_holder){.id = {.tgid = lock[i].tgid},
                                                                          .locks = all};
                w->nholders++;
        }
}
