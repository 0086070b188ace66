/* neighbours.h - who had to do with the time of a database's operations: who held the lock that others waited for, who used its
 * disk. Only with cfg_attribution, as span.h, which it is a part of. */
#ifndef VIGIL_NEIGHBOURS_H
#define VIGIL_NEIGHBOURS_H

#include "txn.h"

/* Beyond that whoever was waited for longest ago goes. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 1024);
        __type(key, struct lock_holder_key);
        __type(value, struct lock_holder);
} lock_holders __weak SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 256);
        __type(key, __u64); /* address of the gendisk */
        __type(value, struct disk);
} disks __weak SEC(".maps");

/* Beyond that whoever used it longest ago goes. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 1024);
        __type(key, struct disk_user_key);
        __type(value, struct disk_user);
} disk_users __weak SEC(".maps");

/* ---- locks ---- */

static __always_inline struct lock_holder *lock_holder(const struct lock_holder_key *key)
{
        struct lock_holder *h = bpf_map_lookup_elem(&lock_holders, key);
        struct lock_holder new = {};
        struct vigil_proc *p;

        if (h)
                return h;
        p = part_of(key->tgid);
        if (p && p->id.start_ns == key->start_ns) {
                __builtin_memcpy(new.comm, p->id.comm, sizeof(new.comm));
                new.cgroup_id = p->cgroup_id;
        }
        bpf_map_update_elem(&lock_holders, key, &new, BPF_NOEXIST);
        return bpf_map_lookup_elem(&lock_holders, key);
}

/* Somebody waited so long for @key. */
static __always_inline void holder_waited_for(const struct lock_holder_key *key, __u64 ns)
{
        struct lock_holder *h = lock_holder(key);

        if (h)
                __sync_fetch_and_add(&h->waited_ns, ns);
}

/* Who has the transaction of database @id; tgid 0: nobody. */
static __always_inline void holder_now(__u32 id, struct lock_holder_key *ret)
{
        struct vigil_db *db = db_get(id);

        ret->db = id;
        ret->tgid = db && db->txn != VIGIL_TXN_NONE ? db->txn_tgid : 0;
        ret->start_ns = db ? db->txn_start_ns : 0;
}

struct blocker_walk {
        struct list_head *node, *head;
        void *own;
        long long start, end;
        __u32 tgid;
};

static long blocker_step(__u32 i, void *ctx)
{
        struct blocker_walk *w = ctx;
        struct list_head *node = w->node;
        struct lock_view v;

        (void)i;
        if (!node || node == w->head)
                return 1;
        lock_view_read(&v, node);
        if (v.owner != w->own && v.start <= w->end && v.end >= w->start)
                w->tgid = lock_node_tgid(node);
        w->node = BPF_CORE_READ(node, next);
        return w->tgid ? 1 : 0;
}

/* The process that keeps the current one from locking @start to @end of the main file of database @id for itself, the first one of
 * several; 0: none, any more. The list is not locked while it is walked: whoever is found in it was in the way a moment ago. */
GLOBAL int lock_blocker(__u32 id, __s64 start, __s64 end)
{
        struct db_priv *priv = db_priv(id);
        struct inode *inode = priv ? (void *)priv->inode[VIGIL_ROLE_MAIN] : NULL;
        struct blocker_walk w = {.start = start, .end = end};

        if (!priv || !inode_is(inode, &priv->key[VIGIL_ROLE_MAIN]))
                return 0;
        struct file_lock_context *flctx = BPF_CORE_READ(inode, i_flctx);
        if (!flctx)
                return 0;
        struct list_head *head = (void *)flctx + bpf_core_field_offset(struct file_lock_context, flc_posix);
        w.own = BPF_CORE_READ(current_task(), files);
        w.head = head;
        w.node = BPF_CORE_READ(head, next);
        repeat(LOCKS_WALKED, blocker_step, &w);
        return (int)w.tgid;
}

/* The participant with number @tgid. */
static __always_inline void holder_is(__u32 id, __u32 tgid, struct lock_holder_key *ret)
{
        struct vigil_proc *p = tgid ? part_of(tgid) : NULL;

        ret->db = id;
        ret->tgid = p ? tgid : 0;
        ret->start_ns = p ? p->id.start_ns : 0;
}

/* ---- disks ---- */

static __always_inline __u32 disk_dev(struct gendisk *disk)
{
        return (__u32)BPF_CORE_READ(disk, major) << 20 | (__u32)BPF_CORE_READ(disk, first_minor);
}

/* The entry of the current process among the users of a disk, if a database lies on it. */
static __always_inline struct disk_user *disk_user(struct gendisk *disk)
{
        __u64 address = (__u64)disk;
        struct disk *d = bpf_map_lookup_elem(&disks, &address);
        struct task_struct *task = self();
        struct disk_user_key key = {};
        struct disk_user new = {}, *u;

        if (!d)
                return NULL;
        key.disk = d->dev;
        if (!(BPF_CORE_READ(task, flags) & PF_KTHREAD)) {
                key.tgid = self_id(task) >> 32;
                key.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
        }
        u = bpf_map_lookup_elem(&disk_users, &key);
        if (u)
                return u;
        if (key.tgid) {
                BPF_CORE_READ_STR_INTO(&new.comm, task, group_leader, comm);
                new.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
        }
        bpf_map_update_elem(&disk_users, &key, &new, BPF_NOEXIST);
        return bpf_map_lookup_elem(&disk_users, &key);
}

static __always_inline void disk_user_uses(struct disk_user *u)
{
        struct vigil_proc *p = part_of_current(bpf_get_current_pid_tgid() >> 32);

        for (int i = 0; p && i < VIGIL_USES; i++)
                if (p->use[i].db)
                        u->uses[i] = p->use[i].db;
}

/* Anybody enters a sync of @file. */
static __always_inline void disk_user_syncs(struct file *file)
{
        struct gendisk *disk = file ? BPF_CORE_READ(file, f_inode, i_sb, s_bdev, bd_disk) : NULL;
        struct disk_user *u = disk ? disk_user(disk) : NULL;

        if (!u)
                return;
        __sync_fetch_and_add(&u->syncs, 1);
        disk_user_uses(u);
}

#endif
