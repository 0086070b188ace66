// SPDX-License-Identifier: GPL-2.0-only
/* locks.bpf.c - POSIX and flock locks: SQLite's transactions seen from outside.
 *
 * This runs for each fcntl lock of the host: it leaves at once for what nobody needs, in WAL mode the four calls of five that set and
 * clear read marks. What a process held at its death is read from the inode's own list (life.bpf.c), not from here. */
#include "lock_effects.h"
#include "lock_ranges.h"
#include "obstacle.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline void lock_note(struct act *a, unsigned char type, long long start, long long end, int ret)
{
        __u8 op = type == F_UNLCK ? VIGIL_OP_UNLOCK : type == F_WRLCK ? VIGIL_OP_LOCK_WR : VIGIL_OP_LOCK_RD;

        __sync_fetch_and_add(&a->ledger->locks, 1);
        if (ret)
                __sync_fetch_and_add(&a->ledger->lock_busy, 1);
        note(a, op, (__u64)start, (__u64)(end - start + 1), ret, false);
}

/* ---- refused ---- */

/* Whether it is a checkpoint that was refused, and by what. */
static __always_inline void checkpoint_refused(struct act *a, __u32 lock, long long start, long long end)
{
        __u32 id = a->db->id;
        struct ckpt_refusals *c = bpf_map_lookup_elem(&ckpts, &id);
        __u64 mark = (__u64)(start - WAL_READ0_BYTE);

        if (!c)
                return;
        if (start == end && mark < VIGIL_READ_MARKS) {
                FIX(mark);
                __sync_fetch_and_add(&c->mark[mark], 1);
                c->last_mark = (__u32)mark;
                c->mark_ns = a->ns;
        } else if (start > WAL_READ0_BYTE && end <= WAL_READ4_BYTE) {
                __sync_fetch_and_add(&c->reset, 1);
        } else if (lock & VIGIL_LOCK_WAL_CKPT) {
                __sync_fetch_and_add(&c->lock, 1);
        }
}

/* The kernel's FILE_LOCK_DEFERRED (include/linux/fs.h): the caller sleeps until it gets the lock. */
#define DEFERRED 1

static __always_inline void refused(struct act *a, unsigned char type, long long start, long long end, int ret)
{
        __u32 lock = wanted_bits(a->role, type, start, end), id = a->db->id;

        if (ret != -EAGAIN && ret != DEFERRED)
                return;
        if (a->role == VIGIL_ROLE_SHM && type == F_WRLCK)
                checkpoint_refused(a, lock, start, end);
        if (!lock)
                return;
        flags_set(&a->use->flags, VIGIL_USE_WAITS);
        wait_refused(a->p->id.tgid, id, lock, ret == DEFERRED);
}

static __always_inline void granted(struct act *a, __u32 bits)
{
        if (wait_over(a->p->id.tgid, a->db->id, bits))
                flags_clear(&a->use->flags, VIGIL_USE_WAITS);
}

/* ---- granted ---- */

/* POSIX locks go with any close() of the file in the process, whoever opened it (howtocorrupt.html, 2.2). SQLite gives its own
 * back before it closes, so a living process that loses a write lock by a close still is in its transaction. */
static __always_inline bool is_cancelled(struct file_lock *fl, __u32 gone)
{
        const __u32 write = VIGIL_LOCK_RESERVED | VIGIL_LOCK_PENDING | VIGIL_LOCK_EXCLUSIVE | VIGIL_LOCK_WAL_WRITE |
                            VIGIL_LOCK_WAL_CKPT;

        if (!(gone & write && lock_flags(fl) & FL_CLOSE))
                return false;
        struct task_struct *task = current_task();
        return !(BPF_CORE_READ(task, flags) & PF_EXITING) && !BPF_CORE_READ_BITFIELD_PROBED(task, in_execve);
}

/* What a lock that was asked for means for the time of a commit. The locks that keep readers apart from a commit are waited for,
 * too; a checkpoint that finds somebody at work is merely put off. */
static __always_inline void lock_span(struct act *a, unsigned char type, long long start, long long end, int ret)
{
        const __u32 first = VIGIL_LOCK_RESERVED | VIGIL_LOCK_WAL_WRITE;
        __u32 bits = lock_bits(a->role, type, start, end);

        if (type == F_UNLCK)
                return;
        if (ret) {
                if (a->role == VIGIL_ROLE_MAIN || bits & first)
                        span_lock_refused(a->db->id, start, end, a->ns);
                return;
        }
        bits &= ~a->use->locks;
        if (bits & VIGIL_LOCK_WAL_RECOVER)
                return;
        if (bits & (first | VIGIL_LOCK_SHARED | VIGIL_LOCK_EXCLUSIVE))
                span_lock_taken(a->db->id, (bits & first) != 0, a->ns);
}

/* An exec has closed the main file, and @gone with it: abandoned, not given back by the program. The transaction that they were for stands
 * until the exec is told of, a moment later. */
static __always_inline void main_abandoned(struct act *a, __u32 gone)
{
        bool open = a->db->txn && txn_is_of(a->db, a->p);

        if (open)
                flags_set(&a->db->flags, VIGIL_DB_ABANDONED);
        /* Whoever gets the lock next may begin another one before: rather one too many. */
        if (open ? a->db->txn == VIGIL_TXN_ROLLBACK
                 : gone & VIGIL_LOCK_RESERVED && is_overtaken(a, VIGIL_TXN_ROLLBACK))
                flags_set(&a->use->flags, VIGIL_USE_ABANDONED);
        if (gone & VIGIL_LOCK_RESERVED)
                write_unlocked(a, VIGIL_ROLE_MAIN);
}

/* What is locked no longer. True when an exec has done it. */
static __always_inline bool exec_released(struct act *a, struct file_lock *fl, __u32 gone)
{
        if (!(lock_flags(fl) & FL_CLOSE) || !BPF_CORE_READ_BITFIELD_PROBED(current_task(), in_execve))
                return false;
        a->use->locks_at_end |= gone;
        return true;
}

static __always_inline void lock_apply(struct act *a, struct file_lock *fl, unsigned char type, long long start,
                                       long long end)
{
        __u32 bits = lock_bits(a->role, type, start, end);

        if (a->use->flags & VIGIL_USE_WAITS && (type != F_UNLCK || bits & VIGIL_LOCK_WAL_CKPT))
                granted(a, type != F_UNLCK ? bits : WAL_READ_MARKS); /* a checkpoint is over: no mark is wanted */
        if (type == F_UNLCK) {
                __u32 gone = a->use->locks & (bits | lock_bits(a->role, F_RDLCK, start, end));

                if (is_cancelled(fl, gone))
                        return;
                bool exec = exec_released(a, fl, gone);

                a->use->locks &= ~gone;
                if (a->role == VIGIL_ROLE_SHM)
                        shm_unlocked(a, gone);
                else if (exec && gone & (VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE))
                        main_abandoned(a, gone);
                else
                        main_unlocked(a, gone, lock_flags(fl) & FL_CLOSE);
                return;
        }
        if (a->role == VIGIL_ROLE_SHM)
                shm_locked(a, type == F_WRLCK ? bits : 0);
        else if (type == F_WRLCK)
                main_locked(a, bits & ~a->use->locks);
        if (a->role != VIGIL_ROLE_SHM && type == F_RDLCK && bits & VIGIL_LOCK_SHARED) {
                __u32 down = a->use->locks & VIGIL_LOCK_EXCLUSIVE; /* a read lock over a write lock replaces it */
                a->use->locks &= ~VIGIL_LOCK_EXCLUSIVE;
                if (down && !(a->use->locks & VIGIL_LOCK_RESERVED))
                        main_unlocked(a, down, false);
        }
        a->use->locks |= bits;
        flags_set(&a->use->flags, VIGIL_USE_LOCKED);
        flags_clear(&a->use->flags, VIGIL_USE_UNLOCKED | VIGIL_USE_KEPT);
}

/* Finds the descriptor that participant @tgid has open on the main file of @db, for one that was opened before the watch of it
 * began, or inherited: at its death it tells whether the connection was left open. */
GLOBAL int main_fd_find(__u32 tgid, __u32 db, __u64 file_addr)
{
        struct vigil_proc *p = part_of(tgid);
        struct vigil_use *use = p ? use_get(p, db) : NULL;
        struct fd_search q = {.file = file_addr};

        if (!use)
                return 0;
        if (fd_look(&q, BPF_CORE_READ(current_task(), files)))
                main_fd_add(tgid, use, (__s32)q.fd);
        else
                use->flags |= VIGIL_USE_FDS_UNKNOWN; /* and do not search at every lock */
        return 0;
}

/* ---- attachments ---- */

static __always_inline bool may_adopt(long long start, unsigned char type, int ret, __u32 tgid)
{
        struct mark *m;

        if (!cfg_adopt || ret || type == F_UNLCK || start < PENDING_BYTE || start > SHARED_LAST)
                return false;
        m = mark_of(tgid);
        return m && m->flags & MARK_TREE;
}

/* True when @ref is that of a deleted file whose number @inode has now. */
static __always_inline bool is_number_reused(const struct file_ref *ref, struct inode *inode)
{
        return ref->db && (ref->generation != inode->i_generation || (ref->unlinked && inode->i_nlink));
}

/* The database and role of the file that is being locked, into @a; adopts it if it should be. False: not watched. */
static __always_inline bool lock_find(struct act *a, struct inode *inode, struct file_lock *fl, int ret,
                                      unsigned char type, long long start)
{
        struct last_file *last = last_file(LAST_LOCKED);
        struct file_key key = {.ino = inode->i_ino};
        struct file_ref *ref;

        if (last && last->epoch == binding_epoch && last->inode == (__u64)inode && last->ino == key.ino &&
            last->generation == inode->i_generation)
                return act_on_db(a, last->db, last->role);
        if (last)
                last_file_begin(last);
        key.dev = inode->i_sb->s_dev;
        ref = bpf_map_lookup_elem(&files, &key);
        if (ref && is_number_reused(ref, inode)) {
                if (!may_adopt(start, type, ret, a->tgid))
                        return false;
                bpf_map_delete_elem(&files, &key);
                ref = NULL;
        }
        if (!ref) {
                if (!may_adopt(start, type, ret, a->tgid) || !db_adopt(lock_file(fl), key.ino, key.dev))
                        return false;
                ref = bpf_map_lookup_elem(&files, &key);
        }
        if (!ref || !ref->db || (ref->role != VIGIL_ROLE_MAIN && ref->role != VIGIL_ROLE_SHM))
                return false;
        if (ref->second) /* remembered is only what the inode alone tells */
                return act_on_db(a, (__u32)db_by_name(lock_file(fl), ref->db), VIGIL_ROLE_MAIN);
        if (last) {
                last->inode = (__u64)inode;
                last->ino = key.ino;
                last->generation = inode->i_generation;
                last->db = ref->db;
                last->role = ref->role;
        }
        return act_on_db(a, ref->db, ref->role);
}

static __always_inline int posix_lock(struct inode *inode, struct file_lock *fl, int ret, unsigned char type,
                                      long long start, long long end)
{
        __u64 id = self_id(self());
        struct act a = {.tid = (__u32)id, .tgid = id >> 32};
        __u32 tgid = a.tgid;

        if (!lock_find(&a, inode, fl, ret, type, start))
                return 0;
        a.p = part_of_current(tgid);
        if (!a.p) {
                struct mark *m = mark_of(tgid);
                if (m && m->flags & MARK_OWN)
                        return 0;
                if (type == F_UNLCK) /* closing what was never used: a child gives back what it inherited */
                        return 0;
                a.p = part_make(tgid);
        }
        if (!a.p || a.p->flags & VIGIL_PROC_DEAD)
                return 0;
        if (a.p->flags & VIGIL_PROC_CANARY)
                probe_seen(PROBE_POSIX_LOCK);
        a.use = use_begin(a.p, a.db->id);
        if (!a.use)
                return 0;
        if (a.role == VIGIL_ROLE_MAIN && type != F_UNLCK && !a.use->main_opens &&
            !(a.use->flags & VIGIL_USE_FDS_UNKNOWN))
                main_fd_find(tgid, a.db->id, lock_file(fl));
        a.ns = bpf_ktime_get_boot_ns();
        a.use->last_ns = a.ns;
        lock_note(&a, type, start, end, ret);
        if (cfg_attribution)
                lock_span(&a, type, start, end, ret);
        if (!ret)
                lock_apply(&a, fl, type, start, end);
        else
                refused(&a, type, start, end, ret);
        return 0;
}

SEC("tp_btf/posix_lock_inode")
int BPF_PROG(tp_btf__posix_lock_inode, struct inode *inode, struct file_lock *fl, int ret)
{
        if (!inode || !fl)
                return 0;
        unsigned char type = lock_type(fl);
        long long start = fl->fl_start, end = fl->fl_end;
        if (range_is_idle(type, start, end) && (!ret || !is_obstacle(type, start, end)))
                return 0; /* before anything else: four of five calls end here */
        return posix_lock(inode, fl, ret, type, start, end);
}

/* flock(2): not SQLite's unix VFS, but its unix-flock VFS, and other programs on its files. */
SEC("tp_btf/flock_lock_inode")
int BPF_PROG(tp_btf__flock_lock_inode, struct inode *inode, struct file_lock *fl, int ret)
{
        struct file_key key = {};
        struct file_ref *ref;
        __u32 tgid = bpf_get_current_pid_tgid() >> 32;
        struct vigil_proc *p;

        if (!inode || !fl)
                return 0;
        key.ino = inode->i_ino;
        key.dev = inode->i_sb->s_dev;
        ref = bpf_map_lookup_elem(&files, &key);
        if (!ref || !ref->db)
                return 0;
        p = part_of(tgid);
        if (!p || p->flags & VIGIL_PROC_DEAD)
                return 0;
        if (p->flags & VIGIL_PROC_CANARY)
                probe_seen(PROBE_FLOCK);
        struct vigil_use *use = use_get(p, ref->db);
        if (!use || ret)
                return 0;
        if (lock_type(fl) == F_UNLCK)
                use->locks &= ~VIGIL_LOCK_FLOCK;
        else
                use->locks |= VIGIL_LOCK_FLOCK;
        return 0;
}
