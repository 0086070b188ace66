/* compat.h - every kernel difference in one place: accessor, reason, what to delete when. */
#ifndef VIGIL_COMPAT_H
#define VIGIL_COMPAT_H

#include "kernel.h"

/* struct file_lock: the common part moved into struct file_lock_core in 6.9 (upstream a69ce85ec9af "filelock: split common
 * fields into struct file_lock_core"). Delete the ___pre69 half once 6.9 is the baseline. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct file_lock_core {
        struct list_head flc_list;
        void *flc_owner;
        unsigned int flc_flags;
        unsigned char flc_type;
        int flc_pid;
        struct file *flc_file;
};

struct file_lock {
        struct file_lock_core c;
        long long fl_start;
        long long fl_end;
};

struct file_lock___pre69 {
        struct list_head fl_list;
        void *fl_owner;
        unsigned int fl_flags;
        unsigned char fl_type;
        unsigned int fl_pid;
        struct file *fl_file;
        long long fl_start;
        long long fl_end;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
        unsigned long di;
        unsigned long si;
        unsigned long dx;
        unsigned long r10;
        unsigned long r8;
        unsigned long r9;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
        __u64 regs[31];
        __u64 orig_x0;
};
#else
#error "compat.h: no syscall registers for this architecture"
#endif

#pragma clang attribute pop

static __always_inline bool has_lock_core(void)
{
        return bpf_core_field_exists(((struct file_lock *)0)->c);
}

/* Loads of a pointer that the verifier knows (tp_btf arguments): no helper call. */
static __always_inline unsigned char lock_type(struct file_lock *fl)
{
        if (has_lock_core())
                return fl->c.flc_type;
        return ((struct file_lock___pre69 *)fl)->fl_type;
}

static __always_inline unsigned int lock_flags(struct file_lock *fl)
{
        if (has_lock_core())
                return fl->c.flc_flags;
        return ((struct file_lock___pre69 *)fl)->fl_flags;
}

/* As a number: it goes to a function of its own, which takes no typed pointers. */
static __always_inline __u64 lock_file(struct file_lock *fl)
{
        if (has_lock_core())
                return (__u64)BPF_CORE_READ(fl, c.flc_file);
        return (__u64)BPF_CORE_READ((struct file_lock___pre69 *)fl, fl_file);
}

#define LOCKS_WALKED 64 /* of a file, in search of those of one process */

/* One entry of inode->i_flctx->flc_posix, read through its list node. */
struct lock_view {
        void *owner;
        unsigned char type;
        long long start;
        long long end;
};

static __always_inline void lock_view_read(struct lock_view *v, struct list_head *node)
{
        if (has_lock_core()) {
                struct file_lock *fl = (void *)node - bpf_core_field_offset(struct file_lock, c.flc_list);
                v->owner = BPF_CORE_READ(fl, c.flc_owner);
                v->type = BPF_CORE_READ(fl, c.flc_type);
                v->start = BPF_CORE_READ(fl, fl_start);
                v->end = BPF_CORE_READ(fl, fl_end);
        } else {
                struct file_lock___pre69 *fl = (void *)node -
                                               bpf_core_field_offset(struct file_lock___pre69, fl_list);
                v->owner = BPF_CORE_READ(fl, fl_owner);
                v->type = BPF_CORE_READ(fl, fl_type);
                v->start = BPF_CORE_READ(fl, fl_start);
                v->end = BPF_CORE_READ(fl, fl_end);
        }
}

/* The process that took it, by its tgid; not one: an open file description did. */
static __always_inline __u32 lock_node_tgid(struct list_head *node)
{
        int pid;

        if (has_lock_core()) {
                struct file_lock *fl = (void *)node - bpf_core_field_offset(struct file_lock, c.flc_list);
                pid = BPF_CORE_READ(fl, c.flc_pid);
        } else {
                struct file_lock___pre69 *fl = (void *)node -
                                               bpf_core_field_offset(struct file_lock___pre69, fl_list);
                pid = (int)BPF_CORE_READ(fl, fl_pid);
        }
        return pid > 0 ? (__u32)pid : 0;
}

/* Flags of one entry of that list. */
static __always_inline unsigned int lock_node_flags(struct list_head *node)
{
        if (has_lock_core()) {
                struct file_lock *fl = (void *)node - bpf_core_field_offset(struct file_lock, c.flc_list);
                return BPF_CORE_READ(fl, c.flc_flags);
        }
        struct file_lock___pre69 *fl = (void *)node - bpf_core_field_offset(struct file_lock___pre69, fl_list);
        return BPF_CORE_READ(fl, fl_flags);
}

/* bpf_get_current_task_btf came with 5.11 (3ca1032ab7ab), bpf_task_pt_regs with 5.15 (dd6e10fbd9fb). Delete the other
 * halves once 5.15 is the baseline. */
static __always_inline bool has_current_btf(void)
{
        return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf);
}

static __always_inline bool has_task_pt_regs(void)
{
        return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

/* Calls @step with 0, 1, … and @ctx until it returns 1, @rounds times at most. bpf_loop (5.17, e6f2dd0f8067) lets the verifier
 * look at a step once instead of once for each round, which was half the time of loading. Delete the loop once 5.17 is the
 * baseline. */
static __always_inline void repeat(__u32 rounds, long (*step)(__u32 round, void *ctx), void *ctx)
{
        if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {
                bpf_loop(rounds, step, ctx, 0);
                return;
        }
        for (__u32 i = 0; i < rounds; i++)
                if (step(i, ctx))
                        break;
}

/* The current task: its fields are plain loads, or, before 5.11, an address to read from. */
static __always_inline struct task_struct *self(void)
{
        if (has_current_btf())
                return (struct task_struct *)bpf_get_current_task_btf();
        return (struct task_struct *)bpf_get_current_task();
}

/* tgid << 32 | tid of @task, which is self(). */
static __always_inline __u64 self_id(struct task_struct *task)
{
        if (has_current_btf())
                return (__u64)(__u32)task->tgid << 32 | (__u32)task->pid;
        return bpf_get_current_pid_tgid();
}

/* bpf_rdonly_cast (6.2, a35b9af4ec2c) makes a typed pointer of an address: its loads need no helper call, which is a third of
 * what a write costs otherwise. The loader tries it and, where the kernel refuses, loads again with cfg_casts off. Delete the
 * other halves once 6.2 is the baseline. */
const volatile bool cfg_casts __weak = true;

/* bpftool before 7.2 cannot link two objects that both list a kernel function in .ksyms; a bare declaration it resolves by what
 * another object lists (libbpf's linker.c, "free-floating extern"). One object lists it. */
#ifdef VIGIL_KSYMS
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;
#else
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __weak;
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct hlist_head { /* of the kernel's types one that is a single pointer: it loads a pointer from an address */
        void *first;
};
#pragma clang attribute pop

#define CAST(type, address) ((type *)bpf_rdonly_cast(address, bpf_core_type_id_kernel(type)))

/* Field @field of what @p points to. A pointer that is read so is a typed one, and no number: what goes to a function of its own,
 * which takes numbers, is read by BPF_CORE_READ. */
#define LOAD(p, field)                                                                                             \
        ({                                                                                                         \
                __typeof__(p) from_ = (p);                                                                         \
                __typeof__(from_->field) load_;                                                                    \
                if (cfg_casts)                                                                                     \
                        load_ = CAST(__typeof__(*from_), from_)->field;                                            \
                else                                                                                               \
                        load_ = BPF_CORE_READ(from_, field);                                                       \
                load_;                                                                                             \
        })

/* Field @field of what field @first of what @p points to points to. */
#define LOAD2(p, first, field)                                                                                     \
        ({                                                                                                         \
                __typeof__(p) from_ = (p);                                                                         \
                __typeof__(from_->first->field) load_;                                                             \
                if (cfg_casts)                                                                                     \
                        load_ = CAST(__typeof__(*from_), from_)->first->field;                                     \
                else                                                                                               \
                        load_ = BPF_CORE_READ(from_, first, field);                                                \
                load_;                                                                                             \
        })

static __always_inline struct file *slot_file(struct file **slot)
{
        struct file *file = NULL;

        if (cfg_casts)
                return CAST(struct hlist_head, slot)->first;
        bpf_probe_read_kernel(&file, sizeof(file), slot);
        return file;
}

/* The same as a number. */
static __always_inline __u64 slot_address(struct file **slot)
{
        __u64 file = 0;

        bpf_probe_read_kernel(&file, sizeof(file), slot);
        return file;
}

/* Arguments of the system call that @task, which is self(), is returning from. The kernel keeps the argument registers in pt_regs
 * until the return to user space (x86: arch/x86/entry/calling.h; arm64 keeps x0 in orig_x0). Before 5.15 pt_regs are found
 * at the top of the kernel stack: 16 KiB, no padding (TOP_OF_KERNEL_STACK_PADDING is 0 without FRED, which is 6.9). */
struct args {
        __u64 a[6];
};

/* From the lowest address of a kernel stack to the registers on it: the same for every task, so that one is asked and the others are
 * spared the call of a helper. */
__u64 regs_distance __weak = 0;

static __always_inline struct pt_regs *user_regs(struct task_struct *task)
{
        __u64 distance = regs_distance;

        if (cfg_casts && distance)
                return CAST(struct pt_regs, task->stack + distance);
        struct pt_regs *r = (struct pt_regs *)bpf_task_pt_regs((void *)task);
        void *typed[] = {r, task->stack};
        __u64 number[] = {0, 0}; /* the verifier subtracts no typed pointers */
        if (cfg_casts && !bpf_probe_read_kernel(number, sizeof(number), typed))
                regs_distance = number[0] - number[1];
        return r;
}

#if defined(__TARGET_ARCH_x86)
#define KERNEL_STACK_SIZE 16384
static __always_inline void args_read(struct task_struct *task, struct args *out)
{
        if (has_task_pt_regs()) {
                struct pt_regs *r = user_regs(task);
                out->a[0] = r->di;
                out->a[1] = r->si;
                out->a[2] = r->dx;
                out->a[3] = r->r10;
                out->a[4] = r->r8;
                out->a[5] = r->r9;
        } else {
                struct pt_regs *r = BPF_CORE_READ(task, stack) + KERNEL_STACK_SIZE -
                                    bpf_core_type_size(struct pt_regs);
                out->a[0] = BPF_CORE_READ(r, di);
                out->a[1] = BPF_CORE_READ(r, si);
                out->a[2] = BPF_CORE_READ(r, dx);
                out->a[3] = BPF_CORE_READ(r, r10);
                out->a[4] = BPF_CORE_READ(r, r8);
                out->a[5] = BPF_CORE_READ(r, r9);
        }
}
#elif defined(__TARGET_ARCH_arm64)
static __always_inline void args_read(struct task_struct *task, struct args *out)
{
        struct pt_regs *r = user_regs(task);
        out->a[0] = r->orig_x0;
        for (int i = 1; i < 6; i++)
                out->a[i] = r->regs[i];
}
#endif

/* Whether @task may not run because its cgroup has used up its processor time. Up to 6.17 the whole queue of the cgroup is set
 * aside; since 6.18 each task is when it returns to user space (e1fad12dcb66 "sched/fair: Switch to task based throttle model").
 * @task is a typed pointer. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct task_struct___throttled {
        bool throttled;
};
#pragma clang attribute pop

static __always_inline bool is_throttled(struct task_struct *task)
{
        if (bpf_core_field_exists(((struct task_struct___throttled *)0)->throttled))
                return BPF_CORE_READ((struct task_struct___throttled *)task, throttled);
        if (bpf_core_field_exists(((struct cfs_rq *)0)->throttle_count))
                return BPF_CORE_READ(task, se.cfs_rq, throttle_count) > 0;
        return false;
}

/* mark_victim: (pid) up to 6.7, (task, uid) since 6.8 (72ba14deb40a "mm: update mark_victim tracepoints fields"). A pid is a
 * small number, a task a kernel address. */
static __always_inline bool is_kernel_pointer(__u64 value)
{
        return value >> 63;
}

#endif
