// SPDX-License-Identifier: GPL-2.0-only
/* locks.bpf.c - POSIX and flock locks: SQLite's transactions seen from outside.
 *
 * The bytes are those of SQLite's unix VFS (os_unix.c: PENDING_BYTE 0x40000000; wal.c: WAL_WRITE_LOCK at 120). This runs
 * for each fcntl lock of the host: it leaves at once for what nobody needs, in WAL mode the four calls of five that set and
 * clear read marks. What a process held at its death is read from the inode's own list (life.bpf.c), not from here. */
#include "act.h"
#include "hist.h"
#include "obstacle.h"
#include "span.h"

char LICENSE[] SEC("license") = "GPL";

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

/* ---- what the locks mean ---- */

static __always_inline void write_locked(struct act *a)
{
        a->use->write_lock_ns = a->ns;
        a->use->lock_tid = a->tid;
        a->priv->commits_at_lock = a->use->commits;
}

/* Whether the open transaction of @kind is another process's, though it is this one that gives the write lock back: before 6.10
 * (1b3ec4f7c03d "filelock: fix potential use-after-free in posix_lock_inode") that is told when the lock is free already, and whoever
 * got it next may be heard of first. */
static __always_inline bool is_overtaken(const struct act *a, __u32 kind)
{
        return a->db->txn == kind && (a->db->txn_tgid != a->tgid || a->db->txn_start_ns != a->p->id.start_ns);
}

/* The write lock is given back. A transaction that was rolled back, or that changed nothing, is no commit; nor is the write lock under
 * which a connection looks whether the index of the WAL must be made anew. */
static __always_inline void write_unlocked(struct act *a, __u32 role)
{
        bool committed = a->use->commits != a->priv->commits_at_lock;

        if (cfg_attribution) {
                commit_close(a->priv->commit_tid, a->db->id, a->ns, committed);
                a->priv->commit_tid = 0;
        }
        if (a->use->write_lock_ns && committed)
                hist_add(a->p, a->db->id, role, VIGIL_OP_COMMIT, a->ns - a->use->write_lock_ns, false);
        a->use->write_lock_ns = 0;
}

/* The same, when the account of the database is the next one's already: what that has begun goes on. Whether this one committed, the
 * next one has wiped. */
static __always_inline void write_overtaken(struct act *a)
{
        if (cfg_attribution)
                commit_leave(a->use->lock_tid, a->db->id, a->ns);
        a->use->write_lock_ns = 0;
}

static __always_inline void shm_locked(struct act *a, __u32 bits)
{
        if (bits & VIGIL_LOCK_WAL_RECOVER && !(a->use->locks & VIGIL_LOCK_WAL_RECOVER)) {
                a->db->wal_recoveries++;
                flags_set(&a->db->flags, VIGIL_DB_RECOVERED);
        }
        if (bits & VIGIL_LOCK_WAL_WRITE && !(bits & VIGIL_LOCK_WAL_RECOVER)) {
                txn_begin(a->db, a->p, VIGIL_TXN_WAL, a->ns);
                a->priv->wal_txn_end = a->db->wal_commit_end;
                a->priv->wal_frame_commit = 0;
                write_locked(a);
        }
        if (bits & VIGIL_LOCK_WAL_CKPT && !(bits & VIGIL_LOCK_WAL_RECOVER)) {
                a->db->ckpt_db_writes = 0;
                a->db->checkpoints++;
                a->use->ckpt_lock_ns = a->ns;
        }
}

static __always_inline void shm_unlocked(struct act *a, __u32 bits)
{
        if (bits & VIGIL_LOCK_WAL_WRITE && is_overtaken(a, VIGIL_TXN_WAL)) {
                write_overtaken(a);
        } else if (bits & VIGIL_LOCK_WAL_WRITE) {
                write_unlocked(a, VIGIL_ROLE_WAL);
                if (a->db->txn == VIGIL_TXN_WAL)
                        txn_end(a->db);
                a->priv->wal_txn_end = a->db->wal_commit_end; /* what was not committed was rolled back */
        }
        if (bits & VIGIL_LOCK_WAL_CKPT) {
                if (a->use->ckpt_lock_ns)
                        hist_add(a->p, a->db->id, VIGIL_ROLE_MAIN, VIGIL_OP_CHECKPOINT,
                                 a->ns - a->use->ckpt_lock_ns, false);
                a->use->ckpt_lock_ns = 0;
        }
}

static __always_inline void main_locked(struct act *a, __u32 bits)
{
        if (bits & VIGIL_LOCK_RESERVED) {
                flags_clear(&a->db->flags, VIGIL_DB_EXCLUSIVE); /* who keeps the lock does not ask for it */
                rollback_begin(a->db, a->priv, a->p, VIGIL_TXN_ROLLBACK, a->ns, TXN_FROM_LOCK);
                write_locked(a);
        }
}

static __always_inline void main_unlocked(struct act *a, __u32 gone, bool by_close)
{
        if (gone & (VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE) && a->db->txn != VIGIL_TXN_WAL &&
            a->db->txn_start_ns == a->p->id.start_ns) {
                /* journal_mode MEMORY and OFF have no journal whose end marks the commit: the unlock does. */
                if (!by_close && a->db->txn == VIGIL_TXN_ROLLBACK && a->db->txn_db_writes && !a->db->journal_hot)
                        unjournaled_end(a->db, a->priv, a->use);
                else
                        txn_end(a->db);
        }
        if (gone & VIGIL_LOCK_RESERVED && is_overtaken(a, VIGIL_TXN_ROLLBACK))
                write_overtaken(a);
        else if (gone & VIGIL_LOCK_RESERVED)
                write_unlocked(a, VIGIL_ROLE_MAIN);
}

static __always_inline void lock_note(struct act *a, unsigned char type, long long start, long long end, int ret)
{
        __u8 op = type == F_UNLCK ? VIGIL_OP_UNLOCK : type == F_WRLCK ? VIGIL_OP_LOCK_WR : VIGIL_OP_LOCK_RD;

        __sync_fetch_and_add(&a->ledger->locks, 1);
        if (ret)
                __sync_fetch_and_add(&a->ledger->lock_busy, 1);
        note(a, op, (__u64)start, (__u64)(end - start + 1), ret, false);
}

/* ---- refused ---- */

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
                if (lock_flags(fl) & FL_CLOSE && BPF_CORE_READ_BITFIELD_PROBED(current_task(), in_execve))
                        a->use->locks_at_end |= gone; /* exec closed it: abandoned, not closed by the program */
                a->use->locks &= ~gone;
                if (a->role == VIGIL_ROLE_SHM)
                        shm_unlocked(a, gone);
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
