// SPDX-License-Identifier: GPL-2.0-only
/* opens.bpf.c - opens: the moment a file of a database, or a process, comes under watch. */
#include "act.h"

#include <asm/unistd.h>

char LICENSE[] SEC("license") = "GPL";

#define O_CREAT 0100
#define O_TRUNC 01000
#define O_PATH  010000000

static __always_inline bool has_suffix(const char *name, __u64 len, const char *suffix, __u64 n)
{
        if (len <= n || len >= VIGIL_NAME_MAX)
                return false;
        const char *tail = name + ((len - n) & (VIGIL_NAME_MAX - 1));
        for (__u64 i = 0; i < n; i++)
                if (tail[i] != suffix[i])
                        return false;
        return true;
}

/* The watched name that @dentry is, or NULL. s->name holds it afterwards. */
static __noinline struct name_ref *watched_name(struct scratch *s, struct dentry *dentry)
{
        __builtin_memset(s->name.name, 0, VIGIL_NAME_MAX);
        inode_key(LOAD2(dentry, d_parent, d_inode), &s->name.dir);
        if (!bpf_map_lookup_elem(&dirs, &s->name.dir))
                return NULL;
        if (!dentry_name(dentry, s->name.name))
                return NULL;
        return bpf_map_lookup_elem(&names, &s->name);
}

/* A super-journal, <name>-mjXXXXXXXXX (pager.c, sqlite3PagerCommitPhaseOne; main.c multi-file commit): a companion of the
 * database it is named after. s->name is left cut to that name. */
#define MJ_SUFFIX 12

static __noinline struct name_ref *super_journal(struct scratch *s, struct dentry *dentry)
{
        __u32 len = LOAD(dentry, d_name.len);

        if (len <= MJ_SUFFIX || len >= VIGIL_NAME_MAX)
                return NULL;
        char *tail = s->name.name + ((len - MJ_SUFFIX) & (VIGIL_NAME_MAX - 1) & 0xff);
        if (len > VIGIL_NAME_MAX - MJ_SUFFIX)
                return NULL;
        if (tail[0] != '-' || tail[1] != 'm' || tail[2] != 'j')
                return NULL;
        __builtin_memset(tail, 0, MJ_SUFFIX);
        return bpf_map_lookup_elem(&names, &s->name);
}

/* Who has only read access recovers nothing for others: not a journal, and of a log only into an index of its own. */
static __always_inline __u32 writable_bit(__u32 role, struct file *file)
{
        if (!(LOAD(file, f_mode) & FMODE_WRITE))
                return 0;
        return role == VIGIL_ROLE_MAIN  ? VIGIL_USE_MAIN_WRITABLE
               : role == VIGIL_ROLE_SHM ? VIGIL_USE_SHM_WRITABLE
                                        : 0;
}

static __always_inline void opened(struct act *a, __u64 flags, bool fresh)
{
        __u32 bit = a->role == VIGIL_ROLE_MAIN  ? VIGIL_USE_OPENED
                    : a->role == VIGIL_ROLE_WAL ? VIGIL_USE_OPENED_WAL
                                                : 0;
        bool first = bit && !(a->use->flags & bit);

        __sync_fetch_and_add(&a->ledger->opens, 1);
        flags_set(&a->use->flags, bit);
        a->use->last_ns = a->ns;
        if (fresh && flags & O_CREAT)
                account_dirop(a->priv, a->ns);
        __u32 taken = flags & O_TRUNC ? act_takes(a, false, a->role == VIGIL_ROLE_MAIN) : 0;
        struct scratch *s = scratch();
        if (flags & O_TRUNC)
                account_truncate(a->db, a->priv, a->ledger, a->use, a->role, 0, taken);
        if (s)
                s->taken = taken;
        struct vigil_opent e = {.ns = a->ns,
                                .tid = a->tid,
                                .db = (__u16)a->db->id,
                                .role = (__u8)a->role,
                                .op = VIGIL_OP_OPEN,
                                .bytes = (__u32)flags};
        record_op(a->p, &e);
        if (first || flags & O_TRUNC || cfg_stream_all)
                stream(a->p, &e, VIGIL_OPEN, flags);
}

/* A companion of a database nobody has locked: SQLite without locks (unix-none, unix-dotfile), or opened before the lock. */
GLOBAL int adopt_by_companion(__u64 file_addr)
{
        struct scratch *s = scratch();
        struct file *file = (struct file *)file_addr;
        struct dentry *dentry = file_dentry(file);
        __u64 len = LOAD(dentry, d_name.len), cut;
        struct dir no_ops = {};
        __u32 id;

        if (!s || (LOAD2(file, f_inode, i_mode) & S_IFMT) != S_IFREG)
                return 0;
        __builtin_memset(s->name.name, 0, VIGIL_NAME_MAX);
        if (!dentry_name(dentry, s->name.name))
                return 0;
        if (has_suffix(s->name.name, len, "-journal", 8))
                cut = 8;
        else if (has_suffix(s->name.name, len, "-wal", 4))
                cut = 4;
        else
                return 0;
        id = (__u32)db_id_take();
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);
        if (!id || !db || !priv)
                return 0;
        inode_key(LOAD2(dentry, d_parent, d_inode), &priv->dir);
        len = (len - cut) & (VIGIL_NAME_MAX - 1);
        priv->name_len = (__u32)len;
        bpf_probe_read_kernel(priv->name, len, s->name.name);
        db->flags = VIGIL_DB_ADOPTED;
        bpf_map_update_elem(&dirs, &priv->dir, &no_ops, BPF_NOEXIST);
        names_watch(id);
        db->id = id;
        /* The announced path is the companion's: user space takes its suffix off and finds the main file. */
        db_announce(file_addr, id);
        return (int)id;
}

/* SQLite opens for reading and writing unless it is told otherwise: who only reads, as programs that copy do, makes none. */
static __always_inline int second_name(struct file *file, const struct file_ref *ref)
{
        if (!cfg_second_names || ref->role != VIGIL_ROLE_MAIN || !(LOAD(file, f_mode) & FMODE_WRITE))
                return 0;
        return db_adopt_name((__u64)file);
}

#define BY_OTHER_NAME (1 << 24) /* in the answer of opened_what() */

/* Which database @file belongs to, as id | role << 16; 0: to none. With BY_OTHER_NAME it was opened by a name that is not
 * watched: a link, a mount of the file, or what it was renamed to. */
GLOBAL int opened_what(__u64 file_addr, __u32 mark_flags)
{
        struct scratch *s = scratch();
        struct file *file = (struct file *)file_addr;
        struct dentry *dentry = file_dentry(file);
        struct inode *inode = LOAD(file, f_inode);
        struct name_ref *name;
        struct file_ref *ref;
        struct file_key key;

        if (!s)
                return 0;
        name = watched_name(s, dentry);
        if (name)
                return (int)(name->db | name->role << 16);
        inode_key(inode, &key);
        ref = file_ref_of(inode, &key);
        if (ref) {
                __u32 second = (__u32)second_name(file, ref);
                if (second)
                        return (int)(second | VIGIL_ROLE_MAIN << 16);
                return (int)(ref->db | (__u32)ref->role << 16 | BY_OTHER_NAME);
        }
        if (s->name.name[0] && (name = super_journal(s, dentry)))
                return (int)(name->db | VIGIL_ROLE_OTHER << 16);
        if (cfg_adopt && mark_flags & MARK_TREE && adopt_by_companion(file_addr)) {
                name = watched_name(s, dentry);
                if (name)
                        return (int)(name->db | name->role << 16);
        }
        return 0;
}

/* The current process has got descriptor @fd of the file at @file_addr, which is @what: see opened_what(). */
GLOBAL int account_open(__u64 file_addr, int fd, __u64 flags, __u32 what)
{
        struct file *file = (struct file *)file_addr;
        __u64 id = bpf_get_current_pid_tgid();
        __u32 tgid = id >> 32, db = what & 0xffff;
        struct act a = {.tid = (__u32)id, .role = what >> 16 & 0xff};

        a.db = db_get(db);
        a.priv = db_priv(db);
        a.ledger = a.db ? ledger_of(a.db, a.role) : NULL;
        if (!db || !a.ledger || !a.priv)
                return 0;
        int fresh = file_bind((__u64)BPF_CORE_READ(file, f_inode), db, a.role);
        a.p = part_make(tgid);
        if (!a.p)
                return 0;
        a.use = use_begin(a.p, db);
        if (!a.use)
                return 0;
        a.ns = bpf_ktime_get_boot_ns();
        if (a.role == VIGIL_ROLE_MAIN) {
                main_fd_add(tgid, a.use, fd);
                if (what & BY_OTHER_NAME)
                        flags_set(&a.use->flags, VIGIL_USE_SECOND_NAME);
        } else if (!a.use->main_opens) { /* perhaps before the watch of it began: use_end() looks */
                flags_set(&a.use->flags, VIGIL_USE_FDS_UNKNOWN);
        }
        flags_set(&a.use->flags, writable_bit(a.role, file));
        opened(&a, flags, fresh);
        return 0;
}

static __always_inline int open_exit(struct task_struct *task, __s64 ret, __u64 flags, __u32 probe)
{
        __u32 mark_flags = marks_of_current(self_id(task) >> 32), what;
        struct file **slot;
        __u64 file;

        if (ret < 0 || mark_flags & MARK_OWN)
                return 0;
        slot = fd_slot(task, (int)ret);
        file = slot ? slot_address(slot) : 0;
        if (!file)
                return 0;
        if (mark_flags & MARK_CANARY)
                probe_seen(probe);
        if (!is_regular((struct file *)file))
                return 0;
        what = (__u32)opened_what(file, mark_flags);
        return what ? account_open(file, (int)ret, flags, what) : 0;
}

/* struct open_how begins with its flags (include/uapi/linux/openat2.h). */
static __always_inline __u64 open_how_flags(__u64 how)
{
        __u64 flags = 0;

        if (bpf_probe_read_user(&flags, sizeof(flags), (void *)how))
                COUNT(read_faults);
        return flags;
}

SEC("tp")
int tp__open_exit(struct sys_exit *ctx)
{
        __u64 flags = 0;
        __u32 probe = 0;
        struct task_struct *task = self();
        struct args r;

        args_read(task, &r);
        switch (ctx->nr) {
        case __NR_openat:
                flags = r.a[2];
                probe = PROBE_OPENAT;
                break;
        case __NR_openat2:
                flags = open_how_flags(r.a[2]);
                probe = PROBE_OPENAT2;
                break;
        case __NR_open_by_handle_at:
                flags = r.a[2];
                probe = PROBE_OPEN_BY_HANDLE;
                break;
#ifdef __NR_open
        case __NR_open:
                flags = r.a[1];
                probe = PROBE_OPEN;
                break;
        case __NR_creat:
                flags = O_CREAT | O_TRUNC;
                probe = PROBE_CREAT;
                break;
#endif
        default:
                return 0;
        }
        if (flags & O_PATH) /* a name, not an open file: it cannot be read, written or locked */
                return 0;
        return open_exit(task, ctx->ret, flags, probe);
}
