/* kernel.h - the few kernel types that the probes read, by CO-RE. No generated vmlinux.h in the tree.
 *
 * Only the fields that are read are named; the loader relocates each to where the running kernel has it
 * (preserve_access_index). Fields that moved or changed are in compat.h. */
#ifndef VIGIL_KERNEL_H
#define VIGIL_KERNEL_H

#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* A function the verifier checks once by itself, for any arguments, instead of at each call with all its callers' state:
 * what is rare or long is one of these. Arguments are scalars (5.10 knows no others); weak, because each object brings it. */
#define GLOBAL __weak __attribute__((noinline))

#define ENOENT 2
#define EAGAIN 11
#define EEXIST 17

#define S_IFMT  0170000
#define S_IFDIR 0040000
#define S_IFREG 0100000

#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000

#define F_RDLCK   0
#define F_WRLCK   1
#define F_UNLCK   2
#define FL_FLOCK  2
#define FL_CLOSE  64
#define FL_OFDLCK 1024

#define FMODE_WRITE 0x2
#define FMODE_PATH  0x4000 /* opened with O_PATH (include/linux/fs.h) */

#define SIGNAL_GROUP_EXIT 0x00000004
#define SIGNAL_UNKILLABLE 0x00000040 /* init of a PID namespace */

typedef struct {
        int counter;
} atomic_t;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
        struct list_head *next;
};

struct hlist_node {
        struct hlist_node *next;
};

struct hlist_head___names {
        struct hlist_node *first;
};

struct gendisk {
        int major;
        int first_minor;
};

struct block_device {
        struct gendisk *bd_disk;
};

struct bvec_iter {
        unsigned int bi_size;
};

struct bio {
        struct block_device *bi_bdev;
        unsigned int bi_opf;
        struct bvec_iter bi_iter;
};

struct request_queue {
        struct gendisk *disk;
};

struct request {
        struct request_queue *q;
        unsigned int __data_len;
};

struct cfs_rq {
        int throttle_count;
};

struct sched_info {
        unsigned long long run_delay; /* ns, cumulative */
};

struct sched_entity {
        struct cfs_rq *cfs_rq;
};

struct super_block {
        __u32 s_dev;
        struct block_device *s_bdev;
        unsigned long s_magic;
};

struct file_lock_context {
        struct list_head flc_posix;
};

typedef struct {
        __u32 val;
} kuid_t;

struct inode {
        __u16 i_mode;
        kuid_t i_uid;
        unsigned int i_nlink;
        unsigned long i_ino;
        long long i_size;
        __u32 i_generation;
        atomic_t i_count;
        atomic_t i_writecount;
        struct super_block *i_sb;
        struct file_lock_context *i_flctx;
        struct hlist_head___names i_dentry;
};

struct qstr {
        const unsigned char *name;
        __u32 len;
};

struct dentry {
        struct dentry *d_parent;
        struct qstr d_name;
        struct inode *d_inode;
        union {
                struct hlist_node d_alias;
        } d_u;
};

struct vfsmount {
        struct dentry *mnt_root;
};

struct mount {
        struct mount *mnt_parent;
        struct dentry *mnt_mountpoint;
        struct vfsmount mnt;
};

struct path {
        struct vfsmount *mnt;
        struct dentry *dentry;
};

struct file {
        struct path f_path;
        struct inode *f_inode;
        long long f_pos;
        unsigned int f_flags;
        unsigned int f_mode;
        __u32 f_wb_err;
};

struct address_space {
        struct inode *host;
};

struct fdtable {
        unsigned int max_fds;
        struct file **fd;
};

struct files_struct {
        atomic_t count;
        struct fdtable *fdt;
};

struct fs_struct {
        struct path pwd;
};

struct mm_struct {
        unsigned long arg_start;
        unsigned long arg_end;
        struct file *exe_file;
};

struct rlimit {
        unsigned long rlim_cur;
        unsigned long rlim_max;
};

struct signal_struct {
        atomic_t live;
        int nr_threads;
        int group_exit_code;
        unsigned int flags;
        struct rlimit rlim[16];
};

struct sigaction {
        void *sa_handler;
};

struct k_sigaction {
        struct sigaction sa;
};

struct sighand_struct {
        struct k_sigaction action[64];
};

struct kernfs_node {
        __u64 id;
};

struct cgroup {
        struct kernfs_node *kn;
};

struct css_set {
        struct cgroup *dfl_cgrp;
};

struct ns_common {
        unsigned int inum;
};

struct pid_namespace {
        struct ns_common ns;
};

struct nsproxy {
        struct pid_namespace *pid_ns_for_children;
};

struct cred {
        kuid_t uid;
        kuid_t gid;
};

struct task_struct {
        unsigned int flags;
        int exit_code;
        unsigned int in_execve : 1;
        int pid;
        int tgid;
        unsigned int ptrace;
        struct task_struct *real_parent;
        struct task_struct *parent; /* who traces it, if anybody does */
        struct task_struct *group_leader;
        __u64 start_boottime;
        __u64 timer_slack_ns;
        const struct cred *real_cred;
        char comm[16];
        struct fs_struct *fs;
        struct files_struct *files;
        struct nsproxy *nsproxy;
        struct signal_struct *signal;
        struct sighand_struct *sighand;
        struct mm_struct *mm;
        struct css_set *cgroups;
        void *stack;
        struct sched_entity se;
        struct sched_info sched_info;
};

struct kernel_siginfo {
        int si_code;
};

struct seq_file;

struct bpf_iter_meta {
        struct seq_file *seq;
};

struct bpf_iter__task_file {
        struct bpf_iter_meta *meta;
        struct task_struct *task;
        __u32 fd;
        struct file *file;
};

#pragma clang attribute pop

/* Contexts of classic syscall tracepoints (struct syscall_tp_t in kernel/trace/trace_syscalls.c). What follows the number is
 * not initialised there. */
struct sys_exit {
        __u64 common;
        __s32 nr;
        __u32 garbage;
        __s64 ret;
};

struct sys_enter {
        __u64 common;
        __s32 nr;
        __u32 garbage;
        __u64 args[6];
};

#endif
