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

/* What each process holds. A process may have as many lines as it likes; of processes beyond these nothing is said. */
#define PROCESSES 1024

struct held {
        uint32_t tgid;
        uint32_t bits;
};

/* Its lines are likely to follow one another: the newest first. */
static void add(struct held *held, size_t *n, uint32_t tgid, uint32_t bits)
{
        for (size_t i = *n; i-- > 0;)
                if (held[i].tgid == tgid) {
                        held[i].bits |= bits;
                        return;
                }
        if (*n < PROCESSES)
                held[(*n)++] = (struct held){.tgid = tgid, .bits = bits};
}

void holders_find(const struct proc_lock *lock, size_t n, const struct lock_files *files, uint32_t tgid,
                  struct evidence_wait *w)
{
        uint32_t conflict = holders_conflict(w->lock);
        struct held held[PROCESSES];
        size_t nheld = 0;

        for (size_t i = 0; i < n; i++) {
                uint32_t bits = bits_of(&lock[i], files);
                if (bits && (lock[i].tgid != tgid || !tgid))
                        add(held, &nheld, lock[i].tgid, bits);
        }
        w->nholders = 0;
        for (size_t i = 0; i < nheld; i++) {
                if (!(held[i].bits & conflict))
                        continue;
                if (w->nholders < EVIDENCE_HOLDERS)
                        w->holder[w->nholders] = (struct evidence_holder){.id = {.tgid = held[i].tgid},
                                                                          .locks = held[i].bits,
                                                                          .conflicting = held[i].bits & conflict};
                w->nholders++;
        }
}
