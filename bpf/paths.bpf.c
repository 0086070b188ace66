// SPDX-License-Identifier: GPL-2.0-only
/* paths.bpf.c - unlink, rename, link, mkdir, rmdir, truncate: calls that carry a path and no inode.
 *
 * They are looked at when they return 0: names.h tells which file the path meant, and the remembered inode says whether it was
 * that file (its link count fell, or it is gone). */
#include "names.h"

#include <asm/unistd.h>

char LICENSE[] SEC("license") = "GPL";

/* All of @r but its names, which pathop_emit() fills in. @what: what which_db() answers. */
static __always_inline bool pathop_fill(struct act *a, struct vigil_pathop *r, __u32 what)
{
        __u64 id = bpf_get_current_pid_tgid();
        __u32 tgid = id >> 32, db = what & 0xffff;

        a->p = part_of_current(tgid);
        a->role = what >> 16;
        a->db = db_get(db);
        a->priv = db_priv(db);
        a->ledger = a->db ? ledger_of(a->db, a->role) : NULL;
        if (!db || !a->ledger || !a->priv)
                return false;
        a->tid = (__u32)id;
        a->ns = bpf_ktime_get_boot_ns();
        a->use = a->p && !(a->p->flags & VIGIL_PROC_DEAD) ? use_get(a->p, db) : NULL;
        __builtin_memset(r, 0, __builtin_offsetof(struct vigil_pathop, name));
        r->db = db;
        r->role = (__u8)a->role;
        r->writecount = -1;
        struct inode *inode = inode_of(a->priv, a->role);
        struct file_key *key = key_of(a->priv, a->role);
        /* The number may be another file's by now, even at the same address: then ours is gone. */
        if (key && inode_is(inode, key) && LOAD(inode, i_generation) == a->ledger->generation) {
                r->nlink = LOAD(inode, i_nlink);
                r->writecount = LOAD(inode, i_writecount.counter);
                r->confirmed = r->nlink == 0;
        } else {
                r->confirmed = inode != NULL; /* evicted: its last name and its last user are gone */
        }
        if (a->ledger->flags & VIGIL_LEDGER_UNLINKED)
                r->confirmed = 0; /* it lost its name before: this was another directory's file of that name */
        return true;
}

static __always_inline void pathop_emit(struct act *a, struct scratch *s, __u8 op)
{
        struct vigil_pathop *r = &s->rec.pathop;

        r->op = op;
        bpf_probe_read_kernel(r->name, VIGIL_NAME_MAX, s->base.name);
        if (op == VIGIL_OP_UNLINK || op == VIGIL_OP_TRUNCATE)
                __builtin_memset(r->other, 0, VIGIL_NAME_MAX);
        else
                bpf_probe_read_kernel(r->other, VIGIL_NAME_MAX, s->base2.name);
        hdr_fill(&r->hdr, VIGIL_PATHOP, sizeof(*r));
        ident_fill(&r->id, current_task(), a->tid);
        bool taken = r->taken;
        emit(r, sizeof(*r));
        /* Who took something is asked for, and may be gone by then. */
        if (taken && !a->p)
                part_new((__u64)current_task(), r->id.tgid, 1);
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
        __u32 mark_flags = marks_of_current(bpf_get_current_pid_tgid() >> 32);

        if (mark_flags & MARK_CANARY)
                probe_seen(probe);
        return ret == 0 && !(mark_flags & MARK_OWN);
}

/* The file of @a has lost its last name: removed, or replaced by another one. */
static __always_inline void name_gone(struct act *a, struct vigil_pathop *r)
{
        struct file_key *key = key_of(a->priv, a->role);
        struct file_ref *ref = key ? bpf_map_lookup_elem(&files, key) : NULL;

        /* Its number may be another file's by now, of whoever was quicker than we are. */
        if (ref && ref->db == a->db->id && ref->role == a->role && ref->incarnation == a->ledger->incarnation)
                ref->unlinked = 1;
        binding_changed(a->role, false);
        r->taken = (__u16)act_takes(a, true, 0);
        account_unlink(a->db, a->priv, a->ledger, a->use, a->role, r->taken, a->ns);
}

GLOBAL int unlinked(__u64 path, __s64 ret, __u32 probe)
{
        __u32 tgid = bpf_get_current_pid_tgid() >> 32, own, what;
        struct scratch *s = scratch();
        struct act a = {};

        if (!path_call(ret, probe) || !s)
                return 0;
        own = (__u32)own_journal(path, tgid);
        if (!own && !last_component(path, 0))
                return 0;
        what = own ? own | VIGIL_ROLE_JOURNAL << 16 : (__u32)which_db(tgid);
        struct vigil_pathop *r = &s->rec.pathop;
        if (!pathop_fill(&a, r, what))
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
        if ((is_routine(&a, r) || elsewhere) && !cfg_stream_all)
                return 0;
        if (!own || last_component(path, 0))
                pathop_emit(&a, s, VIGIL_OP_UNLINK);
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
        if (!pathop_fill(&a, r, (__u32)which_db(bpf_get_current_pid_tgid() >> 32)))
                return 0;
        if (op == VIGIL_OP_RENAME && a.use) {
                __sync_fetch_and_add(&a.ledger->renames, 1);
                account_dirop(a.priv, a.ns);
        }
        bool replaced = op == VIGIL_OP_RENAME && is_target && r->confirmed;
        int stands = op == VIGIL_OP_RENAME && !replaced && name_role(r->db) == (int)a.role
                             ? file_stands(r->db, a.role)
                             : STANDS_UNKNOWN;
        if (replaced)
                name_gone(&a, r);
        else if (stands == STANDS_ELSEWHERE)
                name_moved(&a, r);
        else if (stands == STANDS_THERE && is_target)
                a.ledger->flags &= ~VIGIL_LEDGER_UNLINKED; /* it may have its name back */
        pathop_emit(&a, s, (__u8)op);
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
        if (!pathop_fill(&a, r, (__u32)which_db(bpf_get_current_pid_tgid() >> 32)))
                return 0;
        struct inode *inode = inode_of(a.priv, a.role);
        if ((__u64)LOAD(inode, i_size) != size)
                return 0; /* another file of that name */
        r->taken = size < TAKE_EMPTIED ? (__u16)act_takes(&a, false, 0) : 0;
        account_truncate(a.db, a.priv, a.ledger, NULL, a.role, size, r->taken);
        pathop_emit(&a, s, VIGIL_OP_TRUNCATE);
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
