/* adopt.h - how a database, and each of its files, comes under watch. */
#ifndef VIGIL_ADOPT_H
#define VIGIL_ADOPT_H

#include "watch.h"

/* Super block magics (include/uapi/linux/magic.h; fs/nfs, fs/smb): where a sync means nothing, or what a server decides. */
static __always_inline __u32 fs_flags(unsigned long magic)
{
        switch (magic) {
        case 0x01021994: /* tmpfs */
        case 0x858458f6: /* ramfs */
                return VIGIL_LEDGER_VOLATILE;
        case 0x6969:     /* NFS */
        case 0x517b:     /* SMB */
        case 0xff534d42: /* CIFS */
        case 0xfe534d42: /* SMB2 */
        case 0x01021997: /* 9p */
        case 0x65735546: /* FUSE, virtiofs */
                return VIGIL_LEDGER_REMOTE;
        default:
                return 0;
        }
}

/* The name in scratch.name is a file of database @db. */
GLOBAL int name_watch(__u32 db, __u32 role)
{
        struct scratch *s = scratch();
        struct name_ref ref = {.db = db, .role = role};
        struct basename_ref first = {.count = 1, .db = db, .role = role}, *base;

        if (!s)
                return -1;
        if (bpf_map_update_elem(&names, &s->name, &ref, BPF_ANY)) {
                COUNT(full_names);
                return -1;
        }
        bpf_probe_read_kernel(s->base.name, VIGIL_NAME_MAX, s->name.name);
        base = bpf_map_lookup_elem(&basenames, &s->base);
        if (base) {
                __sync_fetch_and_add(&base->count, 1);
                base->db = db;
        } else if (bpf_map_update_elem(&basenames, &s->base, &first, BPF_NOEXIST)) {
                COUNT(full_names);
        }
        return 0;
}

/* Longest suffix that is written after a name: "-journal". */
#define SUFFIX_MAX 8

/* Watches main, -wal, -shm and -journal, whose main name stands in priv->name. */
GLOBAL int names_watch(__u32 db)
{
        static const char suffix[3][SUFFIX_MAX + 1] = {"-wal", "-shm", "-journal"};
        static const __u8 role[3] = {VIGIL_ROLE_WAL, VIGIL_ROLE_SHM, VIGIL_ROLE_JOURNAL};
        struct scratch *s = scratch();
        struct db_priv *priv = db_priv(db);

        if (!s || !priv)
                return -1;
        __u64 len = priv->name_len;
        s->name.dir = priv->dir;
        bpf_probe_read_kernel(s->name.name, VIGIL_NAME_MAX, priv->name);
        if (name_watch(db, VIGIL_ROLE_MAIN))
                return -1;
        if (len >= VIGIL_NAME_MAX - SUFFIX_MAX)
                return 0; /* SQLite could not name its companions either */
        FIX(len);
        for (int i = 0; i < 3; i++) {
                char *end = s->name.name + len;
                __builtin_memcpy(end, suffix[i], SUFFIX_MAX);
                if (name_watch(db, role[i]))
                        return -1;
                __builtin_memset(end, 0, SUFFIX_MAX);
        }
        return 0;
}

/* A free database id, or 0. */
GLOBAL int db_id_take(void)
{
        __u32 id = 0;

        if (bpf_map_pop_elem(&free_dbs, &id)) {
                COUNT(full_dbs);
                return 0;
        }
        return (int)id;
}

static __always_inline void ledger_start(struct vigil_ledger *l, const struct file_key *key, __u32 generation,
                                         __u32 flags)
{
        l->ino = key->ino;
        l->dev = key->dev;
        l->generation = generation;
        l->incarnation++;
        l->flags = flags;
        l->written = 0;
        l->durable = 0;
        l->end = 0;
        l->size = 0;
        l->risk_since_ns = 0;
}

/* True for a file without a name that is still open for writing. */
static __always_inline bool is_orphan(const struct file_ref *ref, const struct file_key *key)
{
        struct inode *inode = (struct inode *)ref->inode;

        return ref->unlinked && inode_is(inode, key) && LOAD(inode, i_nlink) == 0 &&
               LOAD(inode, i_count.counter) > 0 && LOAD(inode, i_writecount.counter) > 0;
}

/* True when @old, which has the file of @key, is the main file of a database other than @id, and still is: then @id is a second
 * name of it. */
static __always_inline bool is_shared(const struct file_ref *old, const struct file_key *key, __u32 id, __u32 role,
                                      __u32 generation)
{
        struct db_priv *first = old && old->db != id ? db_priv(old->db) : NULL;

        return first && role == VIGIL_ROLE_MAIN && old->role == VIGIL_ROLE_MAIN && !old->unlinked &&
               old->generation == generation && first->key[VIGIL_ROLE_MAIN].ino == key->ino &&
               first->key[VIGIL_ROLE_MAIN].dev == key->dev;
}

static __always_inline void share(struct file_ref *ref, struct vigil_db *db, __u32 id)
{
        struct vigil_db *first = db_get(ref->db);

        ref->second = (__u16)id;
        db->flags |= VIGIL_DB_SHARED_MAIN;
        if (first)
                first->flags |= VIGIL_DB_SHARED_MAIN;
}

/* Database @id has another main file from here on: the one of @was goes to the database that shares it, if there is one.
 * Returns 1 when it does. */
GLOBAL int hand_over(__u64 ino, __u32 dev)
{
        struct file_key key = {.ino = ino, .dev = dev};
        struct file_ref *was = bpf_map_lookup_elem(&files, &key);
        struct vigil_db *next = was && was->second ? db_get(was->second) : NULL;

        if (!next || next->file[VIGIL_ROLE_MAIN].ino != ino)
                return 0;
        was->incarnation = next->file[VIGIL_ROLE_MAIN].incarnation;
        was->db = was->second;
        was->second = 0;
        return 1;
}

/* Two processes that open a new file at one moment both bind it, and the first of them may be the last to write to the map: the map and
 * @l must mean the same incarnation, else nothing that is done to the file is charged to its role. */
static __always_inline void agree(const struct vigil_ledger *l, const struct file_key *key, __u32 id, __u32 role)
{
        struct file_ref *ref = bpf_map_lookup_elem(&files, key);

        if (ref && ref->db == id && ref->role == role && ref->incarnation != l->incarnation)
                ref->incarnation = l->incarnation;
}

static __always_inline void keep_inode(struct db_priv *priv, __u64 role, __u64 inode_addr)
{
        FIX(role);
        if (role < VIGIL_ROLES) {
                FIX(role);
                priv->inode[role] = inode_addr;
        }
}

/* It is bound already. The kernel may have dropped the inode while nobody had the file open, and read it anew to another place. */
static __always_inline void found_at(struct db_priv *priv, struct file_ref *ref, __u64 role, __u64 inode_addr)
{
        if (ref->inode != inode_addr)
                ref->inode = inode_addr;
        if ((__u64)inode_of(priv, role) != inode_addr)
                keep_inode(priv, role, inode_addr);
}

/* The inode at @inode_addr stands where database @id looks for its file of @role. Returns 1 when it is the one that is bound, and where
 * it is is known from now on; another one comes under watch when somebody opens it. */
GLOBAL int file_renew(__u64 inode_addr, __u32 id, __u32 role)
{
        struct inode *inode = (struct inode *)inode_addr;
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);
        struct file_ref *ref;
        struct file_key key;

        inode_key(inode, &key);
        ref = bpf_map_lookup_elem(&files, &key);
        if (!db || !priv || !ref || ref->role != role || ref->unlinked ||
            ref->generation != LOAD(inode, i_generation))
                return 0;
        struct vigil_ledger *l = ledger_of(db, role);
        bool bound = ref->db == id && l && ref->incarnation == l->incarnation;
        if (!bound && !(role == VIGIL_ROLE_MAIN && ref->second == id))
                return 0;
        found_at(priv, ref, role, inode_addr);
        return 1;
}

/* Binds the inode to its role in @db: a new incarnation unless it is the file that is bound already.
 * Returns 1 when it is a new one. */
GLOBAL int file_bind(__u64 inode_addr, __u32 id, __u32 role)
{
        struct inode *inode = (struct inode *)inode_addr;
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);
        __u32 generation = LOAD(inode, i_generation);
        struct file_ref *old, ref = {};
        struct file_key key;

        inode_key(inode, &key);
        old = bpf_map_lookup_elem(&files, &key);
        if (!db || !priv)
                return 0;
        struct vigil_ledger *l = ledger_of(db, role);
        struct file_key *bound = key_of(priv, role);
        if (!l || !bound)
                return 0;
        if (old && old->db == id && old->role == role && old->generation == generation && !old->unlinked &&
            old->incarnation == l->incarnation) {
                found_at(priv, old, role, inode_addr);
                return 0;
        }
        bool unseen = old && !old->unlinked; /* how the file ended that had this number: it may be remembered */
        bool shared = is_shared(old, &key, id, role, generation);
        if (shared && bound->ino == key.ino && bound->dev == key.dev && l->generation == generation) {
                found_at(priv, old, role, inode_addr);
                return 0;
        }
        if (l->ino && (bound->ino != key.ino || bound->dev != key.dev)) {
                struct file_key gone = *bound;
                struct file_ref *was = bpf_map_lookup_elem(&files, &gone);
                /* Unless another database's file has got that number meanwhile, or somebody still has it open for writing: an
                 * inherited connection goes on in the file of a database that its other users have closed. */
                if (was && was->db == id && was->role == role && !is_orphan(was, &gone) &&
                    !hand_over(gone.ino, gone.dev))
                        bpf_map_delete_elem(&files, &gone);
        }
        ledger_start(l, &key, generation, fs_flags(LOAD2(inode, i_sb, s_magic)));
        l->size = (__u64)LOAD(inode, i_size);
        ref.inode = inode_addr;
        ref.db = id;
        ref.generation = generation;
        ref.incarnation = l->incarnation;
        ref.role = (__u8)role;
        if (shared) {
                share(old, db, id);
        } else {
                if (bpf_map_update_elem(&files, &key, &ref, BPF_ANY))
                        COUNT(full_files);
                agree(l, &key, id, role);
        }
        *bound = key;
        if (role == VIGIL_ROLE_MAIN) {
                priv->last_commit_main = 0;
                priv->main_synced = 0;
                priv->wal_base = 0;
                priv->counter_seen = 0;
        }
        binding_changed(role, unseen);
        keep_inode(priv, role, inode_addr);
        return 1;
}

GLOBAL int db_announce(__u64 file_addr, __u32 id)
{
        struct scratch *s = scratch();
        struct file *file = (struct file *)file_addr;
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);

        if (!s || !db || !priv)
                return 0;
        struct vigil_database *r = &s->rec.database;
        zero(r, sizeof(*r));
        hdr_fill(&r->hdr, VIGIL_DATABASE, sizeof(*r));
        ident_fill(&r->id, current_task(), (__u32)bpf_get_current_pid_tgid());
        r->db = id;
        r->flags = db->flags;
        r->ino = db->file[VIGIL_ROLE_MAIN].ino;
        r->dev = db->file[VIGIL_ROLE_MAIN].dev;
        r->dir_ino = priv->dir.ino;
        r->dir_dev = priv->dir.dev;
        r->fs_magic = BPF_CORE_READ(file, f_inode, i_sb, s_magic);
        if (path_of(file_path(file)))
                r->path_flags |= VIGIL_PATH_CUT;
        bpf_probe_read_kernel(r->path, sizeof(r->path), s->text);
        emit_urgent(r, sizeof(*r)); /* user space must reach the file while its process lives */
        return 0;
}

/* Gives database @id the name by which @file was opened, with all that are derived from it. */
static __always_inline void name_after(struct db_priv *priv, struct file *file, __u32 id)
{
        struct dentry *dentry = file_dentry(file);
        struct dir no_ops = {};

        priv->name_len = dentry_name(dentry, priv->name);
        inode_key(LOAD2(dentry, d_parent, d_inode), &priv->dir);
        bpf_map_update_elem(&dirs, &priv->dir, &no_ops, BPF_NOEXIST);
        file_bind((__u64)BPF_CORE_READ(file, f_inode), id, VIGIL_ROLE_MAIN);
        names_watch(id);
}

/* @file is a watched main file and was opened by a name that is not: journal and WAL are called after that name, so it is a
 * database of its own, which shares the file. Returns its id, 0 when there is none left. */
GLOBAL int db_adopt_name(__u64 file_addr)
{
        __u32 id = (__u32)db_id_take();
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);

        if (!id || !db || !priv)
                return 0;
        db->flags = VIGIL_DB_ADOPTED;
        name_after(priv, (struct file *)file_addr, id);
        db->id = id; /* last: from here on it counts */
        db_announce(file_addr, id);
        return (int)id;
}

/* Which of the databases that share the main file behind @file_addr was opened: the one of the name it was opened by, else
 * @first. */
GLOBAL int db_by_name(__u64 file_addr, __u32 first)
{
        struct dentry *dentry = file_dentry((struct file *)file_addr);
        struct scratch *s = scratch();
        struct name_ref *name;

        if (!s)
                return (int)first;
        __builtin_memset(s->name.name, 0, VIGIL_NAME_MAX);
        inode_key(LOAD2(dentry, d_parent, d_inode), &s->name.dir);
        if (!dentry_name(dentry, s->name.name))
                return (int)first;
        name = bpf_map_lookup_elem(&names, &s->name);
        return name && name->role == VIGIL_ROLE_MAIN ? (int)name->db : (int)first;
}

/* A process of the tree locked SQLite's bytes of @file: from here on it is a database. Its header is checked in user space,
 * which keeps silent about it if it is none. Returns its id, 0 when it could not be adopted. */
GLOBAL int db_adopt(__u64 file_addr, __u64 ino, __u32 dev)
{
        struct scratch *s = scratch();
        struct file *file = (struct file *)file_addr;
        struct file_key key = {.ino = ino, .dev = dev};
        struct file_ref pending = {};
        __u32 id;

        if (!s)
                return 0;
        if (bpf_map_update_elem(&files, &key, &pending, BPF_NOEXIST))
                return 0; /* another CPU is at it, or the map is full */
        id = (__u32)db_id_take();
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);
        if (!id || !db || !priv) {
                bpf_map_delete_elem(&files, &key);
                return 0;
        }
        db->flags = VIGIL_DB_ADOPTED;
        name_after(priv, file, id);
        db->id = id; /* last: from here on it counts */
        db_announce(file_addr, id);
        return (int)id;
}

#endif
