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
        if (p && p->id.start_ns == key->start_ns)
                __builtin_memcpy(new.comm, p->id.comm, sizeof(new.comm));
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
        if (key.tgid)
                BPF_CORE_READ_STR_INTO(&new.comm, task, group_leader, comm);
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
