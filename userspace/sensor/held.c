/* held.c - what the living hold locked. The kernel's own list of each file tells, as it does at a death; /proc/locks where that
 * list is longer than a program walks. */
#include "base/cleanup.h"
#include "sensor/internal.h"
#include "sensor/proclocks.h"

#define LOOKS 3 /* at a list that changed under our eyes */

/* Out of /proc/locks: no bound, but it is read in pieces, and may miss a lock while others come and go. */
static uint32_t look_in_proc(const struct seed_entry *e)
{
        _cleanup_free_ struct proc_lock *lock = NULL;
        size_t n = 0;
        uint32_t bits = 0;
        int cut;

        if (proclocks_read(&lock, &n, &cut) < 0)
                return LOCKS_CUT;
        for (size_t i = 0; i < n; i++)
                if (!lock[i].waits && lock[i].tgid == e->tgid && lock[i].ino == e->ino && lock[i].dev == e->dev)
                        bits |= proclocks_bits(&lock[i], e->role);
        return bits | (cut ? LOCKS_CUT : 0);
}

/* Bits of enum vigil_lock; with LOCKS_CUT when the list could not be walked whole. */
static uint32_t look(struct bpf_program *program, const uint64_t *args, size_t n)
{
        int r = -1;

        for (int i = 0; i < LOOKS && (r < 0 || r & LOCKS_CUT); i++)
                r = control_run(program, args, n);
        return r < 0 ? LOCKS_CUT : (uint32_t)r;
}

static bool can_be_locked(const struct seed_entry *e)
{
        return e->role == VIGIL_ROLE_MAIN || e->role == VIGIL_ROLE_SHM;
}

void held_seed(struct sensor *s, const struct seed_entry *e)
{
        uint64_t args[] = {e->tgid, e->db, e->files, 0};

        if (!can_be_locked(e) || !(look(s->skeleton->progs.raw_tp__seed_locks, args, 4) & LOCKS_CUT))
                return;
        args[3] = look_in_proc(e) & ~(uint32_t)LOCKS_CUT;
        control_run(s->skeleton->progs.raw_tp__seed_locks, args, 4);
}

static void fill_use(struct sensor *s, const struct vigil_ident *id, struct vigil_use *use,
                     const struct seed_entry *entry, size_t n)
{
        uint32_t bits = 0;

        for (size_t i = 0; i < n; i++) {
                const struct seed_entry *e = &entry[i];
                uint64_t args[] = {e->db, e->files};
                if (!can_be_locked(e) || e->db != use->db || e->tgid != id->tgid || e->start_ns != id->start_ns)
                        continue;
                uint32_t one = look(s->skeleton->progs.raw_tp__look_locks, args, 2);
                bits |= one & LOCKS_CUT ? (one & ~(uint32_t)LOCKS_CUT) | look_in_proc(e) : one;
        }
        if (bits & LOCKS_CUT)
                use->flags |= VIGIL_USE_LOCKS_UNKNOWN;
        /* Of flock(2) only the calls are followed. */
        use->locks_at_end = (bits & ~(uint32_t)LOCKS_CUT) | (use->locks & VIGIL_LOCK_FLOCK);
}

void held_fill(struct sensor *s, struct vigil_proc *p)
{
        _cleanup_free_ struct seed_entry *entry = NULL;
        size_t n = 0;
        int r = seed_read(s, SEED_LOOK, (pid_t)p->id.tgid, &entry, &n);

        for (size_t i = 0; i < VIGIL_USES && p->use[i].db; i++) {
                if (r == 0)
                        fill_use(s, &p->id, &p->use[i], entry, n);
                else
                        p->use[i].flags |= VIGIL_USE_LOCKS_UNKNOWN;
        }
}
