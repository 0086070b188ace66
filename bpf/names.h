/* names.h - from the path of a call to the file of a database that it means.
 *
 * The last component is matched against the watched names. The path is read from the caller's memory after the call; a caller
 * that changes it meanwhile deceives only itself: nothing is done by name alone. */
#ifndef VIGIL_NAMES_H
#define VIGIL_NAMES_H

#include "act.h"

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
        return !inode_is(inode, key) || LOAD(inode, i_nlink) == 0;
}

#define JOURNAL_SUFFIX     8                     /* "-journal" */
#define JOURNAL_SUFFIX_INT 0x6c616e72756f6a2dULL /* the same, as a little-endian load reads it */

struct name_comparison {
        const char *path; /* scratch.path */
        const char *name; /* db_priv.name, which ends with zeros */
        __u64 at, len;
        __u64 differ;
};

/* Eight characters. */
static long name_step(__u32 i, void *ctx)
{
        struct name_comparison *c = ctx;
        __u64 done = (__u64)i * 8, left = c->len - done, a, b;

        if (done >= c->len)
                return 1;
        __builtin_memcpy(&a, c->path + ((c->at + done) & (VIGIL_PATH_MAX - 1)), 8);
        __builtin_memcpy(&b, c->name + (done & (VIGIL_NAME_MAX - 8)), 8);
        c->differ = left < 8 ? (a ^ b) << (8 - left) * 8 : a ^ b;
        return c->differ != 0;
}

/* The first database that participant @tgid uses, when its -journal has just lost its name and path @user names that; else 0, and
 * which_db() must look. Nearly each call that removes a watched name is one of these. */
GLOBAL int own_journal(__u64 user, __u32 tgid)
{
        struct vigil_proc *p = part_of_current(tgid);
        struct scratch *s = scratch();
        __u32 id = p ? p->use[0].db : 0;
        struct db_priv *priv = db_priv(id);
        struct file_ref *ref;
        __u64 end, suffix;
        long n;

        if (!s || !id || !priv || !is_gone(id, VIGIL_ROLE_JOURNAL))
                return 0;
        ref = bpf_map_lookup_elem(&files, &priv->key[VIGIL_ROLE_JOURNAL]);
        if (!ref || ref->db != id || ref->role != VIGIL_ROLE_JOURNAL) /* the database is watched no more */
                return 0;
        struct name_comparison c = {.path = s->path, .name = priv->name, .len = priv->name_len};
        n = bpf_probe_read_user_str(s->path, VIGIL_PATH_MAX, (void *)user);
        if (n <= 1 || n >= VIGIL_PATH_MAX)
                return 0;
        end = (__u64)n - 1;
        if (!c.len || end < c.len + JOURNAL_SUFFIX)
                return 0;
        __builtin_memcpy(&suffix, s->path + ((end - JOURNAL_SUFFIX) & (VIGIL_PATH_MAX - 1)), JOURNAL_SUFFIX);
        c.at = end - JOURNAL_SUFFIX - c.len;
        if (suffix != JOURNAL_SUFFIX_INT || (c.at && s->path[(c.at - 1) & (VIGIL_PATH_MAX - 1)] != '/'))
                return 0;
        repeat(VIGIL_NAME_MAX / 8, name_step, &c);
        return c.differ ? 0 : (int)id;
}

/* Which database a path operation on the name in scratch.base meant, as id | role << 16: one that this process uses, else the
 * only one with such a file, else the last that came under watch; the caller's `confirmed` says whether its inode agrees. */
GLOBAL int which_db(__u32 tgid)
{
        struct scratch *s = scratch();
        struct basename_ref *base;
        struct vigil_proc *p;

        if (!s)
                return 0;
        base = bpf_map_lookup_elem(&basenames, &s->base);
        if (!base)
                return 0;
        p = base->count > 1 ? part_of(tgid) : NULL;
        for (int i = 0; p && i < VIGIL_USES; i++) {
                __u32 id = p->use[i].db;
                __u32 role = id ? (__u32)name_role(id) : 0;

                if (role && is_gone(id, role))
                        return (int)(id | role << 16);
        }
        return (int)(base->db | base->role << 16);
}

#endif
