/* watch.h - who and what is watched: participants, databases, their names, and how new ones come under watch. */
#ifndef VIGIL_WATCH_H
#define VIGIL_WATCH_H

#include "resolve.h"

static __always_inline struct mark *mark_of(__u32 tgid)
{
        return bpf_map_lookup_elem(&marks, &tgid);
}

/* Flags that several processors change. What is stored is all of them, and would undo what another one has changed meanwhile: so nothing
 * is stored that stands there already, which is nearly always. An atomic or needs 5.12. */
static __always_inline void flags_set(__u32 *flags, __u32 bits)
{
        if ((*flags & bits) != bits)
                *flags |= bits;
}

static __always_inline void flags_clear(__u32 *flags, __u32 bits)
{
        if (*flags & bits)
                *flags &= ~bits;
}

/* ---- participants: found ---- */

static __always_inline struct vigil_proc *part_of(__u32 tgid)
{
        __u32 *slot = bpf_map_lookup_elem(&part_slots, &tgid);

        return slot ? bpf_map_lookup_elem(&parts, slot) : NULL;
}

/* The current process, if it is the participant that this CPU saw last. An entry that was given to somebody else since carries
 * another tgid. */
static __always_inline struct vigil_proc *part_seen(const struct last_part *last, __u32 tgid)
{
        struct vigil_proc *p;

        if (!last || last->tgid != tgid)
                return NULL;
        p = bpf_map_lookup_elem(&parts, &last->slot);
        return p && p->id.tgid == tgid ? p : NULL;
}

/* The participant that the current process is, or NULL. */
static __always_inline struct vigil_proc *part_of_current(__u32 tgid)
{
        __u32 zero = 0, *slot;
        struct last_part *last = bpf_map_lookup_elem(&last_parts, &zero);
        struct vigil_proc *p = part_seen(last, tgid);

        if (p)
                return p;
        slot = bpf_map_lookup_elem(&part_slots, &tgid);
        if (!slot)
                return NULL;
        if (last) {
                last->tgid = tgid;
                last->slot = *slot;
        }
        return bpf_map_lookup_elem(&parts, slot);
}

/* Whether the current process is of the tree, the canary's, or Vigil's own: these of enum mark_flag. A living participant knows of the
 * first two, and is not the third. */
static __always_inline __u32 marks_of_current(__u32 tgid)
{
        __u32 zero = 0;
        struct vigil_proc *p = part_seen(bpf_map_lookup_elem(&last_parts, &zero), tgid);
        struct mark *m;

        if (p && !(p->flags & VIGIL_PROC_DEAD))
                return (p->flags & VIGIL_PROC_TREE ? MARK_TREE : 0) |
                       (p->flags & VIGIL_PROC_CANARY ? MARK_CANARY : 0);
        m = mark_of(tgid);
        return m ? m->flags : 0;
}

/* The canary's own process proves that a probe fires. */
static __always_inline void probe_seen(__u32 probe)
{
        __u64 *n = bpf_map_lookup_elem(&seen, &probe);

        if (n)
                __sync_fetch_and_add(n, 1);
}

static __always_inline struct vigil_db *db_get(__u32 id)
{
        return bpf_map_lookup_elem(&dbs, &id);
}

static __always_inline struct db_priv *db_priv(__u32 id)
{
        return bpf_map_lookup_elem(&dbp, &id);
}

static __always_inline struct vigil_ledger *ledger_of(struct vigil_db *db, __u64 role)
{
        FIX(role);
        if (role >= VIGIL_ROLES)
                return NULL;
        FIX(role);
        return &db->file[role];
}

static __always_inline struct inode *inode_of(struct db_priv *priv, __u64 role)
{
        FIX(role);
        if (role >= VIGIL_ROLES)
                return NULL;
        FIX(role);
        return (struct inode *)priv->inode[role];
}

static __always_inline struct file_key *key_of(struct db_priv *priv, __u64 role)
{
        FIX(role);
        if (role >= VIGIL_ROLES)
                return NULL;
        FIX(role);
        return &priv->key[role];
}

/* The account that (dev, ino) of @inode stands for. File systems give the number of a deleted file to the next one at once:
 * it must be the same generation (0 on overlayfs), and a file that has lost its name never has one again. */
static __always_inline struct file_ref *file_ref_of(struct inode *inode, const struct file_key *key)
{
        struct file_ref *ref = bpf_map_lookup_elem(&files, key);

        if (!ref || !ref->db || ref->generation != LOAD(inode, i_generation))
                return NULL;
        if (ref->unlinked && LOAD(inode, i_nlink) != 0)
                return NULL;
        return ref;
}

/* ---- participants: new and gone ---- */

static __always_inline void part_announce(struct vigil_proc *p, struct task_struct *task, struct scratch *s)
{
        struct vigil_process *r = &s->rec.process;
        struct mm_struct *mm = BPF_CORE_READ(task, mm);
        unsigned long start = BPF_CORE_READ(mm, arg_start);
        __u64 len = BPF_CORE_READ(mm, arg_end) - start;
        struct file *exe = BPF_CORE_READ(mm, exe_file);

        zero(r, sizeof(*r));
        hdr_fill(&r->hdr, VIGIL_PROCESS, sizeof(*r));
        r->id = p->id;
        r->ppid = p->ppid;
        r->uid = p->uid;
        r->gid = p->gid;
        r->flags = p->flags;
        r->cgroup_id = p->cgroup_id;
        r->pidns_ino = p->pidns_ino;
        if (len > VIGIL_ARGV_MAX) {
                len = VIGIL_ARGV_MAX;
                r->argv_cut = 1;
        }
        if (len > 0 && !bpf_probe_read_user(r->argv, len, (void *)start))
                r->argv_len = (__u32)len;
        if (exe) {
                path_of(file_path(exe));
                bpf_probe_read_kernel(r->exe, sizeof(r->exe), s->text);
        }
        emit(r, sizeof(*r));
}

static __always_inline void part_fill(struct vigil_proc *p, struct task_struct *task, __u32 flags)
{
        struct task_struct *leader = BPF_CORE_READ(task, group_leader);

        ident_fill(&p->id, task, 0);
        p->ppid = (__u32)BPF_CORE_READ(leader, real_parent, tgid);
        p->uid = BPF_CORE_READ(task, real_cred, uid.val);
        p->gid = BPF_CORE_READ(task, real_cred, gid.val);
        p->flags = flags;
        p->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
        p->pidns_ino = BPF_CORE_READ(task, nsproxy, pid_ns_for_children, ns.inum);
        p->first_ns = bpf_ktime_get_boot_ns();
}

static __always_inline __u32 part_flags(struct mark *m)
{
        __u32 flags = 0;

        if (m && m->flags & MARK_TREE)
                flags |= VIGIL_PROC_TREE;
        if (m && m->flags & MARK_CMD)
                flags |= VIGIL_PROC_CMD;
        if (m && m->flags & MARK_CANARY)
                flags |= VIGIL_PROC_CANARY;
        return flags;
}

/* A worker of another build: a program called vigil that is root's, with a timer slack that nobody else has. The one is no accident,
 * and only root can make the other. */
static __always_inline bool is_other_vigil(struct task_struct *task, struct file *exe)
{
        char name[8] = {};

        if (!cfg_own_slack_ns || BPF_CORE_READ(task, timer_slack_ns) != cfg_own_slack_ns ||
            BPF_CORE_READ(exe, f_inode, i_uid.val) != 0)
                return false;
        bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(exe, f_path.dentry, d_name.name));
        return name[0] == 'v' && name[1] == 'i' && name[2] == 'g' && name[3] == 'i' && name[4] == 'l' && !name[5];
}

static __always_inline bool is_vigil(struct task_struct *task)
{
        struct file *exe = BPF_CORE_READ(task, mm, exe_file);
        struct file_key key;

        if (!exe || !own_exe_ino)
                return false;
        inode_key(BPF_CORE_READ(exe, f_inode), &key);
        return (key.ino == own_exe_ino && key.dev == own_exe_dev) || is_other_vigil(task, exe);
}

static __always_inline void first_sync_forget(__u32 slot)
{
        struct sync_flight *f = bpf_map_lookup_elem(&first_syncs, &slot);

        if (f) {
                f->entered_ns = 0;
                f->db = 0;
        }
}

/* Fills a free entry of `parts` for @task and publishes it as that of @tgid. NULL: none is left, or another thread was first. */
static __always_inline struct vigil_proc *part_take(struct task_struct *task, __u32 tgid)
{
        __u32 slot, first = 0;
        struct vigil_proc *blank = bpf_map_lookup_elem(&blank_part, &first), *p;

        if (!blank)
                return NULL;
        if (bpf_map_pop_elem(&free_parts, &slot)) {
                COUNT(full_parts);
                return NULL;
        }
        bpf_map_update_elem(&parts, &slot, blank, BPF_ANY);
        first_sync_forget(slot);
        p = bpf_map_lookup_elem(&parts, &slot);
        if (!p)
                return NULL;
        part_fill(p, task, part_flags(mark_of(tgid)));
        if (bpf_map_update_elem(&part_slots, &tgid, &slot, BPF_NOEXIST)) {
                p->id.tgid = 0;
                bpf_map_push_elem(&free_parts, &slot, BPF_ANY);
                return NULL;
        }
        return p;
}

static __always_inline void part_give_back(__u32 tgid)
{
        __u32 *slot = bpf_map_lookup_elem(&part_slots, &tgid), free;
        struct vigil_proc *p;

        if (!slot)
                return;
        free = *slot;
        p = bpf_map_lookup_elem(&parts, &free);
        bpf_map_delete_elem(&part_slots, &tgid);
        if (p)
                p->id.tgid = 0;
        bpf_map_push_elem(&free_parts, &free, BPF_ANY);
}

/* A new participant; with @announce its VIGIL_PROCESS record is sent (the task must be the current one). */
GLOBAL int part_new(__u64 task_addr, __u32 tgid, int announce)
{
        struct task_struct *task = (struct task_struct *)task_addr;
        struct vigil_proc *p = part_of(tgid);
        struct scratch *s = scratch();

        if (p) {
                if (p->flags & VIGIL_PROC_DEAD)
                        COUNT(collisions); /* its dead predecessor waits to be collected */
                return 0;
        }
        struct mark *m = mark_of(tgid);
        if (!(m && m->flags & MARK_CANARY) && is_vigil(task)) {
                struct mark own = {.flags = MARK_OWN};
                bpf_map_update_elem(&marks, &tgid, &own, BPF_ANY);
                return 0;
        }
        p = part_take(task, tgid);
        if (p && announce && s)
                part_announce(p, task, s);
        return 0;
}

/* The participant that the current process is, or becomes. NULL: it cannot be kept. */
static __always_inline struct vigil_proc *part_make(__u32 tgid)
{
        struct vigil_proc *p = part_of_current(tgid);

        if (!p) {
                part_new((__u64)current_task(), tgid, 1);
                p = part_of(tgid);
        }
        return p && !(p->flags & VIGIL_PROC_DEAD) ? p : NULL;
}

static __always_inline void record_op(struct vigil_proc *p, const struct vigil_opent *e)
{
        struct vigil_opent *slot = &p->op[p->nops & (VIGIL_OPS - 1)];

        p->nops++;
        *slot = *e;
}

/* Streams the operation in scratch.ent: one that is rare or went wrong; under `record`, every one. */
GLOBAL int stream_op(__u32 tgid, __u32 type, __u64 extra)
{
        struct vigil_proc *p = part_of(tgid);
        struct scratch *s = scratch();

        if (!s || !p)
                return 0;
        struct vigil_op *r = &s->rec.op;
        __builtin_memset(r, 0, sizeof(*r));
        hdr_fill(&r->hdr, (__u16)type, sizeof(*r));
        r->id = p->id;
        r->id.tid = s->ent.tid;
        r->e = s->ent;
        struct vigil_db *d = db_get(s->ent.db);
        struct vigil_ledger *l = d ? ledger_of(d, s->ent.role) : NULL;
        if (l) {
                r->ino = l->ino;
                r->incarnation = l->incarnation;
                r->file_writes = l->writes;
                r->txn_db_writes = d->txn_db_writes;
        }
        r->taken = (__u32)s->taken;
        s->taken = 0;
        if (type == VIGIL_OPEN)
                r->open_flags = (__u32)extra;
        else
                r->duration_ns = extra;
        emit(r, sizeof(*r));
        return 0;
}

static __always_inline void stream(struct vigil_proc *p, const struct vigil_opent *e, __u32 type, __u64 extra)
{
        struct scratch *s = scratch();

        if (!s)
                return;
        s->ent = *e;
        stream_op(p->id.tgid, type, extra);
}

#endif
