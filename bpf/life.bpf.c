// SPDX-License-Identifier: GPL-2.0-only
/* life.bpf.c - fork, exec, exit, signals with their sender, OOM: how processes come and go. */
#include "death.h"
#include "obstacle.h"

char LICENSE[] SEC("license") = "GPL";

/* ---- fork: the tree grows, descriptors are inherited ---- */

static __always_inline void fork_emit(struct task_struct *parent, struct task_struct *child, __u32 inherits)
{
        struct scratch *s = scratch();

        if (!s)
                return;
        struct vigil_fork *r = &s->rec.fork;
        __builtin_memset(r, 0, sizeof(*r));
        hdr_fill(&r->hdr, VIGIL_FORK, sizeof(*r));
        ident_fill(&r->parent, parent, 0);
        ident_fill(&r->child, child, 0);
        r->inherits = inherits;
        emit(r, sizeof(*r));
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(tp_btf__sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
        __u32 ptgid = (__u32)parent->tgid, ctgid = (__u32)child->tgid;
        struct mark *m, new = {};
        struct vigil_proc *p;

        if (ptgid == ctgid) /* a thread */
                return 0;
        m = mark_of(ptgid);
        p = part_of(ptgid);
        FIX(m); /* two pointers must not be tested as one */
        if (!m) {
                if (!p)
                        return 0;
        }
        new.flags = m ? m->flags & ~(MARK_CMD | MARK_RELAY) : 0;
        if (p)
                new.flags |= MARK_INHERITS;
        if (new.flags & MARK_CANARY)
                probe_seen(PROBE_FORK);
        if (bpf_map_update_elem(&marks, &ctgid, &new, BPF_ANY))
                COUNT(full_procs);
        if (p && cfg_stream_all)
                fork_emit(parent, child, 1);
        return 0;
}

/* Thread @tid is gone, or has another number from here on. */
static __always_inline void sync_forget(__u32 tgid, __u32 tid)
{
        __u64 id = (__u64)tgid << 32 | tid;

        if (bpf_map_lookup_elem(&syncs, &id))
                bpf_map_delete_elem(&syncs, &id);
}

/* ---- exec: the program is replaced, its connections are gone ---- */

/* @tid: the thread that called it, which is the first of its process from here on. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(tp_btf__sched_process_exec, struct task_struct *task, int tid)
{
        __u32 tgid = (__u32)task->tgid;
        struct mark *m = mark_of(tgid);
        struct vigil_proc *p = part_of(tgid);

        sync_forget(tgid, (__u32)tid);
        if (m && m->flags & MARK_CANARY)
                probe_seen(PROBE_EXEC);
        if (!p || p->flags & VIGIL_PROC_DEAD)
                return 0;
        exec_look(tgid, (__u64)BPF_CORE_READ(task, files));
        part_end(tgid, VIGIL_EXEC);
        if (m)
                m->flags |= MARK_INHERITS; /* what was not close-on-exec is still there */
        struct scratch *s = scratch();
        for (int i = 0; s && i < VIGIL_USES; i++)
                if (s->kept[i].locks)
                        exec_keep(tgid, s->kept[i].db, s->kept[i].locks);
        return 0;
}

/* ---- exit: once per process, at its last thread ---- */

SEC("tp_btf/sched_process_exit")
int BPF_PROG(tp_btf__sched_process_exit, struct task_struct *task)
{
        __u32 tgid = (__u32)task->tgid, one = 1;
        struct signal_struct *signal = task->signal;
        struct vigil_proc *p;
        struct mark *m;

        sync_forget(tgid, (__u32)task->pid);
        if (signal->live.counter != 0)
                return 0;
        m = mark_of(tgid);
        p = part_of(tgid);
        FIX(m); /* two pointers must not be tested as one */
        if (!m) {
                if (!p)
                        return 0;
        }
        /* Two threads that leave together can both see 0: the first to set this handles the death. */
        if (bpf_map_update_elem(&dying, &tgid, &one, BPF_NOEXIST))
                return 0;
        if (m && m->flags & MARK_CANARY)
                probe_seen(PROBE_EXIT);
        if (p && !(p->flags & VIGIL_PROC_DEAD)) {
                p->exit_code = signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : task->exit_code;
                __u64 files_addr = (__u64)BPF_CORE_READ(task, files);
                if (files_addr)
                        part_look(tgid, files_addr);
                part_end(tgid, VIGIL_EXIT);
        }
        if (m)
                bpf_map_delete_elem(&marks, &tgid);
        bpf_map_delete_elem(&dying, &tgid);
        return 0;
}

/* ---- signals ---- */

#define SIGHUP   1
#define SIGINT   2
#define SIGQUIT  3
#define SIGKILL  9
#define SIGTERM  15
#define SIGCHLD  17
#define SIGCONT  18
#define SIGSTOP  19
#define SIGTSTP  20
#define SIGTTIN  21
#define SIGTTOU  22
#define SIGURG   23
#define SIGWINCH 28
#define SIGRTMIN 32

/* Signals whose default action does not end a process (signal(7)). */
#define HARMLESS_SIGNALS                                                                                           \
        ((1ULL << SIGCHLD) | (1ULL << SIGCONT) | (1ULL << SIGSTOP) | (1ULL << SIGTSTP) | (1ULL << SIGTTIN) |       \
         (1ULL << SIGTTOU) | (1ULL << SIGURG) | (1ULL << SIGWINCH))

/* True when @sig would end @task: no handler of its own is installed. */
static __always_inline bool is_fatal(struct task_struct *task, int sig)
{
        struct sighand_struct *sighand = BPF_CORE_READ(task, sighand);
        struct k_sigaction *action;

        if (sig == SIGKILL)
                return true;
        if (sig < 1 || sig > 64 || (sig < 64 && HARMLESS_SIGNALS >> sig & 1))
                return false;
        action = (void *)sighand + bpf_core_field_offset(struct sighand_struct, action) +
                 (__u32)(sig - 1) * bpf_core_type_size(struct k_sigaction);
        return BPF_CORE_READ(action, sa.sa_handler) == NULL;
}

#define RLIMIT_CPU    0
#define RLIM_INFINITY (~0UL)

static __always_inline void sender_fill(struct vigil_sig *s, struct task_struct *sender, struct task_struct *target)
{
        struct task_struct *leader = BPF_CORE_READ(sender, group_leader), *up;

        s->sender_tgid = (__u32)BPF_CORE_READ(sender, tgid);
        s->sender_uid = BPF_CORE_READ(sender, real_cred, uid.val);
        s->sender_start_ns = BPF_CORE_READ(leader, start_boottime);
        BPF_CORE_READ_STR_INTO(&s->sender_comm, leader, comm);
        if (BPF_CORE_READ(sender, flags) & PF_EXITING)
                s->flags |= VIGIL_SIG_SENDER_EXITING;
        if (s->sender_tgid == (__u32)BPF_CORE_READ(target, tgid))
                s->flags |= VIGIL_SIG_SELF;
        if (BPF_CORE_READ(target, ptrace) && BPF_CORE_READ(target, parent, tgid) == (__s32)s->sender_tgid)
                s->flags |= VIGIL_SIG_TRACER;
        if (BPF_CORE_READ(target, signal, rlim[RLIMIT_CPU].rlim_max) == RLIM_INFINITY)
                s->flags |= VIGIL_SIG_NO_CPU_LIMIT;
        up = leader;
        for (int i = 0; i < VIGIL_ANCESTORS; i++) {
                struct vigil_ancestor *a = &s->ancestor[i];

                up = BPF_CORE_READ(up, real_parent, group_leader);
                a->tgid = (__u32)BPF_CORE_READ(up, tgid);
                if (!a->tgid)
                        break;
                a->start_ns = BPF_CORE_READ(up, start_boottime);
                a->uid = BPF_CORE_READ(up, real_cred, uid.val);
                BPF_CORE_READ_STR_INTO(&a->comm, up, comm);
                s->ancestors++;
                if (a->tgid == 1)
                        break;
        }
}

/* Keeps one signal of each number; the last slot goes to the newest, so that the one that kills is kept. Of a standard signal that is
 * the last one: the kernel takes another only when the one before is no longer pending, so that was not what ended it (blocked, and
 * read by sigwait(3) or signalfd(2), or ignored later). Those of real time are queued: it dies of the first. */
static __noinline int signal_keep(struct vigil_proc *p, const struct vigil_sig *s)
{
        __u32 n = p->nsignals, at = n < VIGIL_SIGNALS ? n : VIGIL_SIGNALS - 1;
        bool known = false;

        for (__u32 i = 0; i < VIGIL_SIGNALS; i++) {
                if (i < n && p->signal[i].sig == s->sig) {
                        at = i;
                        known = true;
                }
        }
        if (known && s->sig >= SIGRTMIN)
                return 0;
        p->signal[at & (VIGIL_SIGNALS - 1)] = *s;
        if (known)
                return 0;
        p->nsignals++;
        return 1;
}

/* The verifier takes a typed argument for a pointer that is never 0, and removes what is done if it is (6.18): through memory it is
 * a number. */
static __always_inline __u64 as_number(struct vigil_sig *s, __u64 info)
{
        s->ns = info;
        return *(volatile __u64 *)&s->ns;
}

/* @info is 0 or 1 (SEND_SIG_NOINFO, SEND_SIG_PRIV) or an address: compared unsigned. Who is `current` is the sender only in
 * task context; si_code tells which of the kernel's ways it was (include/uapi/asm-generic/siginfo.h). */
static __always_inline void signal_fill(struct vigil_sig *s, int sig, __u64 info, struct task_struct *task,
                                        int group)
{
        info = as_number(s, info);
        s->ns = bpf_ktime_get_boot_ns();
        s->sig = sig;
        s->flags = group ? VIGIL_SIG_GROUP : 0;
        if (info == 0) {
                s->flags |= VIGIL_SIG_NOINFO;
        } else if (info == 1) {
                s->flags |= VIGIL_SIG_PRIV;
                s->code = 0x80; /* SI_KERNEL */
        } else {
                bpf_probe_read_kernel(&s->code, sizeof(s->code),
                                      (void *)info + bpf_core_field_offset(struct kernel_siginfo, si_code));
        }
        sender_fill(s, current_task(), task);
}

/* A signal that stops participant @tgid, or lets it go on. */
static __always_inline void stop_note(__u32 tgid, int sig, __u64 info, struct task_struct *task, int group)
{
        __u32 zero = 0;
        struct vigil_signal *r = bpf_map_lookup_elem(&signal_scratches, &zero);
        struct obstacle *o = obstacle_of(tgid);

        if (!r || !o)
                return;
        o->stop_ns = 0;
        if (sig == SIGCONT)
                return;
        __builtin_memset(r, 0, sizeof(*r));
        signal_fill(&r->sig, sig, info, task, group);
        /* Of others, as of those that a terminal sends, `current` is no sender (model/cause.c). */
        bool named = !(r->sig.flags & (VIGIL_SIG_NOINFO | VIGIL_SIG_PRIV)) &&
                     (r->sig.code == 0 || r->sig.code == -1 || r->sig.code == -6);
        o->stop_sig = sig;
        o->stop_sender_tgid = named ? r->sig.sender_tgid : 0;
        o->stop_sender_start_ns = named ? r->sig.sender_start_ns : 0;
        __builtin_memcpy(o->stop_sender_comm, r->sig.sender_comm, sizeof(o->stop_sender_comm));
        o->stop_ns = r->sig.ns;
}

/* Signals that stop a process, and the one that ends that. */
#define STOP_SIGNALS                                                                                               \
        ((1ULL << SIGCONT) | (1ULL << SIGSTOP) | (1ULL << SIGTSTP) | (1ULL << SIGTTIN) | (1ULL << SIGTTOU))

static __always_inline bool is_stop(int sig)
{
        return sig > 0 && sig < 64 && STOP_SIGNALS >> sig & 1;
}

/* Whose end ends others: the init of a PID namespace, and any process of the tree. Their own killer is told, so that a death
 * that the kernel brought on their behalf leads back to it. */
static __always_inline bool ends_others(struct task_struct *task, struct mark *m)
{
        return (m && m->flags & MARK_TREE) || BPF_CORE_READ(task, signal, flags) & SIGNAL_UNKILLABLE;
}

/* What vigil exec passes on to its command (cli/tree.c). */
#define RELAYED_SIGNALS ((1ULL << SIGHUP) | (1ULL << SIGINT) | (1ULL << SIGQUIT) | (1ULL << SIGTERM))

static __u32 relayed = 0;

static __always_inline bool is_relayed(struct mark *m, int sig)
{
        return m->flags & MARK_RELAY && sig > 0 && sig < 64 && RELAYED_SIGNALS >> sig & 1 &&
               relayed < RELAYED_MAX && ++relayed;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(tp_btf__signal_generate, int sig, struct kernel_siginfo *info, struct task_struct *task, int group,
             int result)
{
        __u32 tgid = (__u32)task->tgid, zero = 0;
        struct vigil_proc *p = part_of(tgid);
        struct mark *m = p ? NULL : mark_of(tgid);
        struct vigil_signal *r;

        if (m && m->flags & MARK_CANARY)
                probe_seen(PROBE_SIGNAL);
        if (p && result == 0 && is_stop(sig)) {
                stop_note(tgid, sig, (__u64)info, task, group);
                return 0;
        }
        if (result != 0 || (p && p->flags & VIGIL_PROC_DEAD))
                return 0;
        if (m && m->flags & MARK_OWN) {
                if (!is_relayed(m, sig))
                        return 0;
        } else if (!is_fatal(task, sig) || (!p && !ends_others(task, m))) {
                return 0;
        }
        r = bpf_map_lookup_elem(&signal_scratches, &zero);
        if (!r)
                return 0;
        __builtin_memset(r, 0, sizeof(*r));
        signal_fill(&r->sig, sig, (__u64)info, task, group);
        if (p) {
                if (p->flags & VIGIL_PROC_CANARY)
                        probe_seen(PROBE_SIGNAL);
                r->sig.syncs_in_flight = p->syncs_in_flight;
                if (!signal_keep(p, &r->sig))
                        return 0;
                r->id = p->id;
        } else {
                ident_fill(&r->id, task, 0);
        }
        hdr_fill(&r->hdr, VIGIL_SIGNAL, sizeof(*r));
        emit_urgent(r, sizeof(*r));
        return 0;
}

/* mark_victim(pid) or mark_victim(task, uid): see compat.h. */
SEC("raw_tp/mark_victim")
int raw_tp__mark_victim(struct bpf_raw_tracepoint_args *ctx)
{
        __u64 arg = ctx->args[0];
        struct vigil_proc *p;
        __u32 tgid;

        tgid = is_kernel_pointer(arg) ? (__u32)BPF_CORE_READ((struct task_struct *)arg, tgid) : (__u32)arg;
        p = part_of(tgid);
        if (!p)
                return 0;
        p->flags |= VIGIL_PROC_OOM;
        struct scratch *s = scratch();
        if (!s)
                return 0;
        struct vigil_oom *r = &s->rec.oom;
        __builtin_memset(r, 0, sizeof(*r));
        hdr_fill(&r->hdr, VIGIL_OOM, sizeof(*r));
        r->id = p->id;
        emit_urgent(r, sizeof(*r));
        return 0;
}
