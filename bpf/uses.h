/* uses.h - the account that a participant has of each database it uses: found, begun, used again for another. */
#ifndef VIGIL_USES_H
#define VIGIL_USES_H

#include "watch.h"

/* ---- of its threads, one at a time adds to the account of a participant ---- */

#define CLAIM_TRIES 64 /* nobody is at it for longer than that, unless his processor is taken from him */

static long claim_step(__u32 round, void *ctx)
{
        __u32 tgid = *(__u32 *)ctx, one = 1;

        (void)round;
        return !bpf_map_update_elem(&claims, &tgid, &one, BPF_NOEXIST);
}

/* Waits until no other thread adds to the account of participant @tgid; in the end it does no longer. */
GLOBAL int account_claim(__u32 tgid)
{
        repeat(CLAIM_TRIES, claim_step, &tgid);
        return 0;
}

static __always_inline void account_let_go(__u32 tgid)
{
        bpf_map_delete_elem(&claims, &tgid);
}

/* Gives database @db a place in the account of participant @tgid, unless it has one. They are taken in their order. Returns which;
 * VIGIL_USES: none is left. */
GLOBAL int use_take(__u32 tgid, __u32 db)
{
        struct vigil_proc *p = part_of(tgid);
        struct vigil_db *d = db_get(db);
        int place = VIGIL_USES;

        if (!p)
                return VIGIL_USES;
        account_claim(tgid);
        for (int i = 0; i < VIGIL_USES; i++) {
                struct vigil_use *u = &p->use[i];

                if (u->db == 0) {
                        u->first_ns = bpf_ktime_get_boot_ns();
                        u->db = db;
                        p->nuses = (__u32)i + 1;
                        if (d)
                                __sync_fetch_and_add(&d->users, 1);
                }
                if (u->db == db) {
                        place = i;
                        break;
                }
        }
        account_let_go(tgid);
        return place;
}

/* Whether the main file of @db is open in the descriptor table at @files_addr: VIGIL_USE_OPEN_AT_END, VIGIL_USE_FDS_UNKNOWN
 * when the table is too large to tell, or 0. */
GLOBAL int fds_walk(__u64 files_addr, __u32 db)
{
        struct db_priv *priv = db_priv(db);
        struct fd_search q = {.inode = priv ? priv->inode[VIGIL_ROLE_MAIN] : 0};

        if (fd_look(&q, (struct files_struct *)files_addr))
                return VIGIL_USE_OPEN_AT_END;
        return priv && q.max > FDS_LOOKED_AT ? VIGIL_USE_FDS_UNKNOWN : 0;
}

/* 1 when participant @tgid, the current process, has closed its database number @i: no lock, transaction or descriptor. */
GLOBAL int use_is_over(__u32 tgid, __u64 i)
{
        struct vigil_proc *p = part_of(tgid);

        if (!p || i >= VIGIL_USES)
                return 0;
        FIX(i);
        struct vigil_use *use = &p->use[i];
        struct vigil_db *db = db_get(use->db);
        if (!db || use->locks)
                return 0;
        if (db->txn && db->txn_tgid == p->id.tgid && db->txn_start_ns == p->id.start_ns)
                return 0;
        return fds_walk((__u64)BPF_CORE_READ(current_task(), files), use->db) == 0;
}

/* Place @use of @p becomes that of database @db. */
static __always_inline void use_exchange(struct vigil_proc *p, struct vigil_use *use, __u32 db)
{
        struct vigil_db *old = db_get(use->db), *new = db_get(db);

        if (old)
                __sync_fetch_and_add(&old->users, -1);
        if (new)
                __sync_fetch_and_add(&new->users, 1);
        __builtin_memset(use, 0, sizeof(*use));
        use->db = db;
        if (p->uses_lost) /* it may be one that had no place until now */
                use->flags = VIGIL_USE_SEEN_LATE;
        use->first_ns = bpf_ktime_get_boot_ns();
}

/* Gives database @db place number @i in the account of participant @tgid, unless that is no longer the one of @old, or @db has got
 * one meanwhile. Returns the place of @db; VIGIL_USES: none. */
GLOBAL int use_replace(__u32 tgid, __u64 i, __u32 old, __u32 db)
{
        struct vigil_proc *p = part_of(tgid);
        int place = VIGIL_USES;

        if (!p || i >= VIGIL_USES)
                return VIGIL_USES;
        account_claim(tgid);
        for (int k = 0; k < VIGIL_USES; k++)
                if (p->use[k].db == db)
                        place = k;
        FIX(i);
        if (place == VIGIL_USES && i < VIGIL_USES && p->use[i].db == old) {
                use_exchange(p, &p->use[i], db);
                place = (int)i;
        }
        account_let_go(tgid);
        return place;
}

/* A place for database @db in the account of participant @tgid, which has none left: that of a database it has closed, which
 * ends without a certificate and owes none. Returns VIGIL_USES when each is still in use. */
GLOBAL int use_reuse(__u32 tgid, __u32 db)
{
        struct vigil_proc *p = part_of(tgid);

        if (!p || tgid != bpf_get_current_pid_tgid() >> 32)
                return VIGIL_USES;
        for (__u64 i = 0; i < VIGIL_USES; i++) {
                __u32 old = p->use[i].db;
                int place = use_is_over(tgid, i) ? use_replace(tgid, i, old, db) : VIGIL_USES;

                if (place != VIGIL_USES)
                        return place;
        }
        return VIGIL_USES;
}

/* Writes into scratch.index where participant @tgid keeps its account of database @db; VIGIL_USES: nowhere. */
GLOBAL int use_find(__u32 tgid, __u32 db)
{
        struct vigil_proc *p = part_of(tgid);
        struct scratch *s = scratch();

        if (!s)
                return 0;
        s->index = VIGIL_USES;
        if (!p)
                return 0;
        for (__u32 i = 0; i < VIGIL_USES; i++) {
                struct vigil_use *u = &p->use[i];

                if (u->db == 0) {
                        s->index = (__u64)use_take(tgid, db);
                        return 0;
                }
                if (u->db == db) {
                        s->index = i;
                        return 0;
                }
        }
        return 0;
}

/* The account that use_find() or use_reuse() has found; NULL and counted when there is none. The index comes out of memory, so
 * that the verifier follows one path from here on and not one for each index. */
static __always_inline struct vigil_use *use_found(struct vigil_proc *p)
{
        struct scratch *s = scratch();

        if (!s)
                return NULL;
        __u64 i = *(volatile __u64 *)&s->index;
        if (i >= VIGIL_USES) {
                p->uses_lost++;
                COUNT(uses_lost);
                return NULL;
        }
        FIX(i);
        return &p->use[i];
}

/* Where @p keeps its account of database @db; NULL when it uses too many. Most processes use one. */
static __always_inline struct vigil_use *use_get(struct vigil_proc *p, __u32 db)
{
        if (p->use[0].db == db)
                return &p->use[0];
        use_find(p->id.tgid, db);
        return use_found(p);
}

/* The same where a process begins to use a database, by an open or a lock: the account of one that it has closed is used again
 * when there is no other place. */
static __always_inline struct vigil_use *use_begin(struct vigil_proc *p, __u32 db)
{
        struct scratch *s = scratch();

        if (p->use[0].db == db)
                return &p->use[0];
        use_find(p->id.tgid, db);
        if (s && *(volatile __u64 *)&s->index >= VIGIL_USES)
                s->index = (__u64)use_reuse(p->id.tgid, db);
        return use_found(p);
}

static __always_inline bool main_fd_known(const struct vigil_use *use, __s32 fd)
{
        for (int i = 0; i < VIGIL_MAIN_FDS; i++)
                if (i < (int)use->main_opens && use->main_fd[i] == fd)
                        return true;
        return false;
}

/* Remembers that @fd was opened on the main file by participant @tgid. A program that opens and closes again and again reuses one
 * number. */
static __always_inline void main_fd_add(__u32 tgid, struct vigil_use *use, __s32 fd)
{
        if (main_fd_known(use, fd))
                return;
        account_claim(tgid);
        use->main_fd[use->main_opens & (VIGIL_MAIN_FDS - 1)] = fd;
        use->main_opens++;
        account_let_go(tgid);
}

#endif
