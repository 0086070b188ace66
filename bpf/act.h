/* act.h - from a system call that returned to the database it touched: who, which file, which account. */
#ifndef VIGIL_ACT_H
#define VIGIL_ACT_H

#include "taken.h"
#include "uses.h"

/* One act of one process on one file of one database. */
struct act {
        struct vigil_proc *p;
        struct vigil_use *use;
        struct vigil_db *db;
        struct db_priv *priv;
        struct vigil_ledger *ledger; /* of the file in its role */
        struct file *file;
        struct task_struct *task; /* self(), where a descriptor leads to the file */
        __u32 role;
        __u32 was; /* an older file of this role, which has lost its name; else 0 */
        __u32 tid;
        __u32 tgid;
        __u64 ns;
};

/* What it means that @a->use removes, empties or renames the file of @a: enum vigil_taken_flag. Asked before it is accounted.
 * @writers: how often the actor itself has the main file open for writing, by this call. */
static __always_inline __u32 act_takes(struct act *a, bool by_name, __u32 writers)
{
        struct vigil_use *use = a->use;
        __u32 own = use && use->flags & VIGIL_USE_WROTE && a->ledger->last_write_ns >= use->first_ns ? TAKER_WROTE
                                                                                                     : 0;

        return (__u32)taken_flags(a->db->id, a->role, use ? use->flags | TAKER_KNOWN | own : 0,
                                  use ? use->locks : 0, writers | (by_name ? TAKE_BY_NAME : 0));
}

static __always_inline bool act_on_db(struct act *a, __u32 db, __u32 role)
{
        a->db = db_get(db);
        a->priv = db_priv(db);
        if (!a->db || !a->priv)
                return false;
        a->role = role;
        a->ledger = ledger_of(a->db, role);
        return a->ledger != NULL;
}

/* Finds the account of a->file, which is open at descriptor @fd. False when it is not watched. */
static __always_inline bool act_find(struct act *a, int fd)
{
        struct last_file *last = last_file(LAST_USED + ((__u32)fd & (LAST_FDS - 1)));
        struct file *file = a->file;
        struct inode *inode = LOAD(file, f_inode);
        struct file_ref *ref;
        struct file_key key;

        key.ino = LOAD(inode, i_ino);
        if (last && last->epoch == binding_epoch && last->file == (__u64)file && last->inode == (__u64)inode &&
            last->ino == key.ino && last->generation == LOAD(inode, i_generation) &&
            act_on_db(a, last->db, last->role) && a->ledger->incarnation == last->incarnation &&
            !(a->ledger->flags & VIGIL_LEDGER_UNLINKED))
                return true;
        if (last)
                last_file_begin(last);
        key.dev = LOAD2(inode, i_sb, s_dev);
        key.pad = 0;
        ref = file_ref_of(inode, &key);
        if (ref && ref->second) { /* remembered is only what the inode alone tells */
                struct scratch *s = scratch();

                if (!s)
                        return false;
                s->index = (__u64)file; /* through memory: a typed pointer is no number to the verifier */
                return act_on_db(a, (__u32)db_by_name(*(volatile __u64 *)&s->index, ref->db), VIGIL_ROLE_MAIN);
        }
        if (!ref || !act_on_db(a, ref->db, ref->role))
                return false;
        if (a->ledger->incarnation != ref->incarnation) { /* an older file that had this role */
                a->was = ref->role;
                a->role = VIGIL_ROLE_OTHER;
                a->ledger = &a->db->file[VIGIL_ROLE_OTHER];
        } else if (last &&
                   ref->role != VIGIL_ROLE_OTHER) { /* nobody is told that a super-journal has lost its name */
                last->file = (__u64)file;
                last->inode = (__u64)inode;
                last->ino = key.ino;
                last->generation = ref->generation;
                last->db = ref->db;
                last->role = ref->role;
                last->incarnation = ref->incarnation;
        }
        return true;
}

/* Fills @a for a->file, which is open at descriptor @fd. False when the file is not watched, or the process cannot be accounted. */
static __always_inline bool act_on(struct act *a, int fd, struct vigil_proc *p, __u32 tgid)
{
        if (!act_find(a, fd))
                return false;
        if (!p)
                p = part_make(tgid);
        if (!p)
                return false;
        a->p = p;
        a->use = use_get(p, a->db->id);
        if (!a->use && a->role == VIGIL_ROLE_MAIN)
                a->priv->counter_seen = 0; /* what it writes is not accounted */
        return a->use != NULL;
}

/* Who: the current process, when it is a participant or may become one by what it inherited. False for nearly everybody: two
 * failed lookups. */
static __always_inline bool act_by_current(struct act *a)
{
        struct mark *m;
        __u64 id;

        a->task = self();
        id = self_id(a->task);
        a->tid = (__u32)id;
        a->tgid = id >> 32;
        a->p = part_of_current(a->tgid);
        if (a->p)
                return !(a->p->flags & VIGIL_PROC_DEAD);
        m = mark_of(a->tgid);
        return m && m->flags & (MARK_INHERITS | MARK_CANARY) && !(m->flags & MARK_OWN);
}

/* What: a->file, which is open at descriptor @fd. False when it is not watched. */
static __always_inline bool act_at_file(struct act *a, int fd, __u32 probe)
{
        struct vigil_proc *p = a->p;

        if (p && p->flags & VIGIL_PROC_CANARY)
                probe_seen(probe);
        if (!a->file || !act_on(a, fd, p, a->tgid))
                return false;
        if (!p)
                a->use->flags |= VIGIL_USE_INHERITED;
        a->ns = bpf_ktime_get_boot_ns();
        return true;
}

/* The same for whatever is open at descriptor @fd. */
static __always_inline bool act_at_fd(struct act *a, int fd, __u32 probe)
{
        a->file = fd_file(a->task, fd);
        return act_at_file(a, fd, probe);
}

static __always_inline bool act_on_fd(struct act *a, int fd, __u32 probe)
{
        return act_by_current(a) && act_at_fd(a, fd, probe);
}

static __always_inline __u32 cap32(__u64 v)
{
        return v > 0xffffffffULL ? 0xffffffffU : (__u32)v;
}

static __always_inline __s32 cap_result(__s64 v)
{
        return v > 0x7fffffffLL ? 0x7fffffff : (__s32)v;
}

static __always_inline void note(struct act *a, __u8 op, __u64 offset, __u64 bytes, __s64 result, bool streamed)
{
        struct vigil_opent e = {
                .ns = a->ns,
                .offset = offset,
                .bytes = cap32(bytes),
                .result = cap_result(result),
                .tid = a->tid,
                .db = (__u16)a->db->id,
                .role = (__u8)a->role,
                .op = op,
        };

        record_op(a->p, &e);
        if (cfg_stream_all || streamed)
                stream(a->p, &e, VIGIL_OP, 0);
}

/* Errors that say nothing about the storage: interrupted, would block, bad arguments. */
static __always_inline bool error_is_harmless(__s64 ret)
{
        return ret == -4 || ret == -11 || ret == -22 || ret == -9 || ret == -512 || ret == -514;
}

/* A write to a WAL without a name: whoever wrote it believes it committed. True the first time that process does it. */
static __always_inline bool is_first_lost(struct act *a, const struct io *io)
{
        bool lost = a->role == VIGIL_ROLE_WAL ? a->ledger->flags & VIGIL_LEDGER_UNLINKED : a->was == VIGIL_ROLE_WAL;
        struct scratch *s;

        if (!lost || io->ret <= 0 || a->use->flags & VIGIL_USE_WRITES_LOST)
                return false;
        a->use->flags |= VIGIL_USE_WRITES_LOST;
        s = scratch();
        if (s)
                s->taken = VIGIL_TAKEN_LOST;
        return true;
}

/* O_SYNC (04010000) and O_DSYNC (010000) as the kernel keeps them in f_flags; a write of such a file returns after its sync. */
#define F_DSYNC   010000
#define RWF_DSYNC 0x2
#define RWF_SYNC  0x4

static __always_inline bool syncs_itself(const struct act *a, __u64 rwf)
{
        struct vigil_ledger *l = a->ledger;
        struct file *file = a->file;

        if (!(rwf & (RWF_DSYNC | RWF_SYNC)) && !(LOAD(file, f_flags) & F_DSYNC))
                return false;
        if (!(l->flags & VIGIL_LEDGER_TAINTED))
                return true;
        flags_set(&l->flags, VIGIL_LEDGER_LIED);
        l->last_sync_ns = a->ns;
        return false;
}

/* @rwf: flags of pwritev2. */
static __always_inline void done_write(struct act *a, struct io *io, __u64 rwf)
{
        io->ns = a->ns;
        if (io->ret > 0) {
                io->synced = syncs_itself(a, rwf);
                account_write(a->db, a->priv, a->ledger, a->p, a->use, a->role, io);
        }
        bool failed = io->ret < 0 && !error_is_harmless(io->ret);
        if (failed) {
                __sync_fetch_and_add(&a->ledger->write_errors, 1);
                ledger_failed(a->ledger, io->ret, a->ns);
        }
        bool lost = is_first_lost(a, io);
        note(a, VIGIL_OP_WRITE, io->offset, io->len, io->ret,
             failed || lost || (io->ret >= 0 && (__u64)io->ret < io->len));
}

#endif
