// SPDX-License-Identifier: GPL-2.0-only
/* paths.bpf.c - unlink, rename, link, mkdir, rmdir, truncate: calls that carry a path and no inode.
 *
 * They are looked at when they return 0: the last component is matched against the watched names, and the remembered inode
 * says whether it was that file (its link count fell, or it is gone). The path is read from the caller's memory after the
 * call; a caller that changes it meanwhile deceives only itself: nothing is done by name alone. */
#include "act.h"

#include <asm/unistd.h>

char LICENSE[] SEC("license") = "GPL";

struct component {
        struct scratch *s;
        __u64 end, len;
};

/* One character backwards. */
static long component_step(__u32 i, void *ctx)
{
        struct component *c = ctx;

        c->len = i;
        return c->end <= i || c->s->path[(c->end - 1 - i) & (VIGIL_PATH_MAX - 1)] == '/';
}

/* Last component of the user's path into scratch.base, or scratch.base2. Returns its length, 0 when there is none. */
GLOBAL int last_component(__u64 user, int second)
{
        struct scratch *s = scratch();
        __u64 start, end, len;
        long n;

        if (!s)
                return 0;
        char *base = second ? s->base2.name : s->base.name;
        __builtin_memset(base, 0, VIGIL_NAME_MAX);
        n = bpf_probe_read_user_str(s->path, VIGIL_PATH_MAX, (void *)user);
        if (n <= 1 || n >= VIGIL_PATH_MAX) {
                if (n != 1)
                        COUNT(read_faults); /* a longer path is not matched: trust shows it */
                return 0;
        }
        end = (__u64)n - 1;
        if (s->path[(end - 1) & (VIGIL_PATH_MAX - 1)] == '/') /* "name/" of mkdir and rmdir */
                end--;
        struct component c = {.s = s, .end = end};
        repeat(VIGIL_NAME_MAX + 1, component_step, &c);
        len = c.len;
        if (len == 0 || len >= VIGIL_NAME_MAX)
                return 0;
        start = (end - len) & (VIGIL_PATH_MAX - 1);
        FIX(len);
        len &= VIGIL_NAME_MAX - 1;
        bpf_probe_read_kernel(base, len, s->path + start);
        return (int)len;
}

/* The role that the name in scratch.base has in database @id; 0: none. */
GLOBAL int name_role(__u32 id)
{
        struct scratch *s = scratch();
        struct db_priv *priv = db_priv(id);
        struct name_ref *ref;

        if (!priv || !s)
                return 0;
        s->name.dir = priv->dir;
        bpf_probe_read_kernel(s->name.name, VIGIL_NAME_MAX, s->base.name);
        ref = bpf_map_lookup_elem(&names, &s->name);
        return ref && ref->db == id ? (int)ref->role : 0;
}

/* True when the file that has @role in database @id has lost its last name, and nobody has been told of it yet. */
GLOBAL int is_gone(__u32 id, __u32 role)
{
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);
        struct vigil_ledger *l = db ? ledger_of(db, role) : NULL;
        struct inode *inode = priv ? inode_of(priv, role) : NULL;
        struct file_key *key = priv ? key_of(priv, role) : NULL;

        if (!l || !inode || !key || l->flags & VIGIL_LEDGER_UNLINKED)
                return 0;
        return !inode_is(inode, key) || BPF_CORE_READ(inode, i_nlink) == 0;
}

/* Which database a path operation on the name in scratch.base meant, as id | role << 16: one that this process uses, else the
 * only one with such a file, else the last that came under watch; the caller's `confirmed` says whether its inode agrees. */
GLOBAL int which_db(__u32 tgid)
{
        struct vigil_proc *p = part_of(tgid);
        struct scratch *s = scratch();
        struct basename_ref *base;

        if (!s)
                return 0;
        base = bpf_map_lookup_elem(&basenames, &s->base);
        if (!base)
                return 0;
        for (int i = 0; p && base->count > 1 && i < VIGIL_USES; i++) {
                __u32 id = p->use[i].db;
                __u32 role = id ? (__u32)name_role(id) : 0;

                if (role && is_gone(id, role))
                        return (int)(id | role << 16);
        }
        return (int)(base->db | base->role << 16);
}

static __always_inline bool pathop_fill(struct act *a, struct scratch *s, struct vigil_pathop *r)
{
        __u64 id = bpf_get_current_pid_tgid();
        __u32 tgid = id >> 32, what = (__u32)which_db(tgid), db = what & 0xffff;

        a->p = part_of(tgid);
        a->role = what >> 16;
        a->db = db_get(db);
        a->priv = db_priv(db);
        a->ledger = a->db ? ledger_of(a->db, a->role) : NULL;
        if (!db || !a->ledger || !a->priv)
                return false;
        a->tid = (__u32)id;
        a->ns = bpf_ktime_get_boot_ns();
        a->use = a->p && !(a->p->flags & VIGIL_PROC_DEAD) ? use_get(a->p, db) : NULL;
        __builtin_memset(r, 0, sizeof(*r));
        r->db = db;
        r->role = (__u8)a->role;
        r->writecount = -1;
        struct inode *inode = inode_of(a->priv, a->role);
        struct file_key *key = key_of(a->priv, a->role);
        /* The number may be another file's by now, even at the same address: then ours is gone. */
        if (key && inode_is(inode, key) && BPF_CORE_READ(inode, i_generation) == a->ledger->generation) {
                r->nlink = BPF_CORE_READ(inode, i_nlink);
                r->writecount = BPF_CORE_READ(inode, i_writecount.counter);
                r->confirmed = r->nlink == 0;
        } else {
                r->confirmed = inode != NULL; /* evicted: its last name and its last user are gone */
        }
        if (a->ledger->flags & VIGIL_LEDGER_UNLINKED)
                r->confirmed = 0; /* it lost its name before: this was another directory's file of that name */
        bpf_probe_read_kernel(r->name, VIGIL_NAME_MAX, s->base.name);
        return true;
}

static __always_inline void pathop_emit(struct act *a, struct vigil_pathop *r, __u8 op)
{
        r->op = op;
        hdr_fill(&r->hdr, VIGIL_PATHOP, sizeof(*r));
        ident_fill(&r->id, current_task(), a->tid);
        emit(r, sizeof(*r));
}

/* SQLite's own unlinks of its journal are one per commit: counted, and streamed only under `record`. */
static __always_inline bool is_routine(struct act *a, struct vigil_pathop *r)
{
        return a->use && a->use->flags & VIGIL_USE_LOCKED && a->role != VIGIL_ROLE_MAIN && r->writecount <= 1 &&
               !r->taken;
}

/* What every call begins with: true when it succeeded and whoever made it is not Vigil itself. */
static __always_inline bool path_call(__s64 ret, __u32 probe)
{
        struct mark *m = mark_of(bpf_get_current_pid_tgid() >> 32);

        if (m && m->flags & MARK_CANARY)
                probe_seen(probe);
        return ret == 0 && !(m && m->flags & MARK_OWN);
}

/* The file of @a has lost its last name: removed, or replaced by another one. */
static __always_inline void name_gone(struct act *a, struct vigil_pathop *r)
{
        struct file_key *key = key_of(a->priv, a->role);
        struct file_ref *ref = key ? bpf_map_lookup_elem(&files, key) : NULL;

        /* Its number may be another file's by now, of whoever was quicker than we are. */
        if (ref && ref->db == a->db->id && ref->role == a->role && ref->incarnation == a->ledger->incarnation)
                ref->unlinked = 1;
        __sync_fetch_and_add(&binding_epoch, 1);
        r->taken = (__u16)act_takes(a, true, 0);
        account_unlink(a->db, a->priv, a->ledger, a->use, a->role, r->taken);
}

GLOBAL int unlinked(__u64 path, __s64 ret, __u32 probe)
{
        struct scratch *s = scratch();
        struct act a = {};

        if (!path_call(ret, probe) || !s || !last_component(path, 0))
                return 0;
        struct vigil_pathop *r = &s->rec.pathop;
        if (!pathop_fill(&a, s, r))
                return 0;
        bool owner = a.use && (a.use->flags & VIGIL_USE_LOCKED || (a.db->txn && txn_is_mine(a.db)));
        if (r->confirmed && !owner && is_being_ended(a.db->id, a.role))
                r->confirmed = 0;
        if (r->confirmed)
                name_gone(&a, r);
        if (a.use) {
                struct vigil_opent e = {.ns = a.ns,
                                        .tid = a.tid,
                                        .db = (__u16)a.db->id,
                                        .role = (__u8)a.role,
                                        .op = VIGIL_OP_UNLINK};
                a.use->flags |= VIGIL_USE_UNLINKED;
                record_op(a.p, &e);
        }
        /* Of a name that is watched elsewhere nobody needs to hear: `app.db-journal` is unlinked by somebody all the time. */
        bool elsewhere = !a.use && !r->confirmed;
        if ((!is_routine(&a, r) && !elsewhere) || cfg_stream_all)
                pathop_emit(&a, r, VIGIL_OP_UNLINK);
        return 0;
}

/* The file of @a stands under another name, where no companion of its database is looked for. */
static __always_inline void name_moved(struct act *a, struct vigil_pathop *r)
{
        r->taken = (__u16)act_takes(a, true, 0);
        if (r->taken)
                account_taken(a->db, a->role, r->taken);
        if (a->role != VIGIL_ROLE_MAIN)
                a->ledger->flags |= VIGIL_LEDGER_UNLINKED;
}

/* One end of a rename or a link that succeeded, in scratch.base; the other one is in scratch.base2. @is_target: it is the new
 * name. Nothing happens when it is not watched. Returns 1 when it is. */
GLOBAL int renamed_end(__u32 op, __u32 is_target)
{
        struct scratch *s = scratch();
        struct act a = {};

        if (!s || !bpf_map_lookup_elem(&basenames, &s->base))
                return 0;
        struct vigil_pathop *r = &s->rec.pathop;
        if (!pathop_fill(&a, s, r))
                return 0;
        bpf_probe_read_kernel(r->other, VIGIL_NAME_MAX, s->base2.name);
        if (op == VIGIL_OP_RENAME && a.use) {
                __sync_fetch_and_add(&a.ledger->renames, 1);
                account_dirop(a.priv);
        }
        if (op == VIGIL_OP_RENAME && is_target && r->confirmed)
                name_gone(&a, r);
        else if (op == VIGIL_OP_RENAME && !is_target && name_role(r->db) == (int)a.role && is_moved(r->db, a.role))
                name_moved(&a, r);
        pathop_emit(&a, r, (__u8)op);
        return 1;
}

/* A watched name is the old or the new name of a rename or a link, or that of a directory made or removed. */
GLOBAL int renamed(__u64 from, __u64 to, __s64 ret, __u32 op_probe)
{
        struct scratch *s = scratch();
        __u32 op = op_probe & 0xff;

        if (!path_call(ret, op_probe >> 8) || !s)
                return 0;
        if (to)
                last_component(to, 1);
        else
                __builtin_memset(s->base2.name, 0, VIGIL_NAME_MAX);
        last_component(from, 0);
        int known = renamed_end(op, 0);
        if (!to || (known && op != VIGIL_OP_RENAME))
                return 0;
        bpf_probe_read_kernel(s->text, VIGIL_NAME_MAX, s->base.name);
        bpf_probe_read_kernel(s->base.name, VIGIL_NAME_MAX, s->base2.name);
        bpf_probe_read_kernel(s->base2.name, VIGIL_NAME_MAX, s->text);
        renamed_end(op, 1);
        return 0;
}

GLOBAL int truncated_by_path(__u64 path, __u64 size, __s64 ret)
{
        struct scratch *s = scratch();
        struct act a = {};

        if (!path_call(ret, PROBE_TRUNCATE) || !s || !last_component(path, 0))
                return 0;
        struct vigil_pathop *r = &s->rec.pathop;
        if (!pathop_fill(&a, s, r))
                return 0;
        struct inode *inode = inode_of(a.priv, a.role);
        if ((__u64)BPF_CORE_READ(inode, i_size) != size)
                return 0; /* another file of that name */
        r->taken = size < TAKE_EMPTIED ? (__u16)act_takes(&a, false, 0) : 0;
        account_truncate(a.db, a.priv, a.ledger, NULL, a.role, size, r->taken);
        pathop_emit(&a, r, VIGIL_OP_TRUNCATE);
        return 0;
}

SEC("tp")
int tp__path_exit(struct sys_exit *ctx)
{
        __s64 ret = ctx->ret;
        struct args r;

        args_read(self(), &r);
        switch (ctx->nr) {
        case __NR_unlinkat:
                return unlinked(r.a[1], ret, PROBE_UNLINKAT);
        case __NR_renameat2:
                return renamed(r.a[1], r.a[3], ret, VIGIL_OP_RENAME | PROBE_RENAMEAT2 << 8);
        case __NR_linkat:
                return renamed(r.a[1], r.a[3], ret, VIGIL_OP_LINK | PROBE_LINKAT << 8);
        case __NR_mkdirat:
                return renamed(r.a[1], 0, ret, VIGIL_OP_MKDIR | PROBE_MKDIRAT << 8);
        case __NR_truncate:
                return truncated_by_path(r.a[0], r.a[1], ret);
#ifdef __NR_renameat
        case __NR_renameat:
                return renamed(r.a[1], r.a[3], ret, VIGIL_OP_RENAME | PROBE_RENAMEAT << 8);
#endif
#ifdef __NR_unlink
        case __NR_unlink:
                return unlinked(r.a[0], ret, PROBE_UNLINK);
        case __NR_rename:
                return renamed(r.a[0], r.a[1], ret, VIGIL_OP_RENAME | PROBE_RENAME << 8);
        case __NR_link:
                return renamed(r.a[0], r.a[1], ret, VIGIL_OP_LINK | PROBE_LINK << 8);
        case __NR_mkdir:
                return renamed(r.a[0], 0, ret, VIGIL_OP_MKDIR | PROBE_MKDIR << 8);
        case __NR_rmdir:
                return renamed(r.a[0], 0, ret, VIGIL_OP_RMDIR | PROBE_RMDIR << 8);
#endif
        }
        return 0;
}
