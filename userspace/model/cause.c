/* cause.c - the rules by which a signal tells who ended a process (include/linux/sched/signal.h, kernel/signal.c). */
#include "model/cause.h"

#include <signal.h>

const char *cause_name(enum cause c)
{
        static const char *const names[] = {
                [CAUSE_UNKNOWN] = "unknown",       [CAUSE_EXIT] = "exit",
                [CAUSE_PROCESS] = "process",       [CAUSE_SELF] = "self",
                [CAUSE_KERNEL_OOM] = "kernel-oom", [CAUSE_TIMER] = "timer",
                [CAUSE_RLIMIT] = "rlimit",         [CAUSE_FAULT] = "fault",
        };
        return names[c];
}

#define NOT_REAL (VIGIL_SIG_NOINFO | VIGIL_SIG_PRIV)
#define ANY      INT32_MIN

/* What a signal says that no process sent by kill(2) or its like. First row that fits wins: the signal, what its flags must
 * and must not hold, its si_code, and what that means. */
static const struct kernel_rule {
        int sig; /* 0: any */
        uint32_t with;
        uint32_t without;
        int32_t code;
        enum cause cause;
        const char *how;
} kernel_rules[] = {
        /* ptrace_request(), PTRACE_KILL: send_sig_info(SIGKILL, SEND_SIG_NOINFO, child) */
        {SIGKILL, VIGIL_SIG_NOINFO | VIGIL_SIG_TRACER, VIGIL_SIG_GROUP | VIGIL_SIG_IRQ, ANY, CAUSE_PROCESS,
         "ptrace"},
        /* exit_ptrace(), PTRACE_O_EXITKILL: send_sig_info(SIGKILL, SEND_SIG_PRIV, p) by the tracer while it exits */
        {SIGKILL, VIGIL_SIG_PRIV | VIGIL_SIG_SENDER_EXITING, VIGIL_SIG_GROUP | VIGIL_SIG_IRQ, ANY, CAUSE_PROCESS,
         "tracer-ended"},
        /* cgroup_kill_write(): send_sig(SIGKILL, task, 0), to the thread */
        {SIGKILL, VIGIL_SIG_NOINFO, VIGIL_SIG_GROUP | VIGIL_SIG_IRQ, ANY, CAUSE_PROCESS, "cgroup.kill"},
        /* zap_pid_ns_processes(): SEND_SIG_PRIV to the group, by the namespace's init while it exits */
        {SIGKILL, VIGIL_SIG_PRIV | VIGIL_SIG_SENDER_EXITING | VIGIL_SIG_GROUP, VIGIL_SIG_IRQ, ANY, CAUSE_PROCESS,
         "pid-namespace-ended"},
        /* setrlimit(2): RLIMIT_CPU sends SIGXCPU and, at its hard limit, SIGKILL; RLIMIT_FSIZE sends SIGXFSZ */
        {SIGXCPU, VIGIL_SIG_PRIV, 0, ANY, CAUSE_RLIMIT, "cpu-time-limit"},
        {SIGXFSZ, VIGIL_SIG_NOINFO, 0, ANY, CAUSE_RLIMIT, "file-size-limit"},
        /* it_real_fn(), run_posix_cpu_timers(): alarm(2) and setitimer(2) */
        {SIGALRM, VIGIL_SIG_PRIV, 0, ANY, CAUSE_TIMER, "alarm"},
        {SIGVTALRM, VIGIL_SIG_PRIV, 0, ANY, CAUSE_TIMER, "alarm"},
        {SIGPROF, VIGIL_SIG_PRIV, 0, ANY, CAUSE_TIMER, "alarm"},
        {0, 0, NOT_REAL, SI_TIMER, CAUSE_TIMER, "posix-timer"},
        /* write(2) to a pipe or socket that nobody reads */
        {SIGPIPE, VIGIL_SIG_NOINFO, VIGIL_SIG_IRQ, ANY, CAUSE_SELF, "broken-pipe"},
        /* tty drivers: kill_pgrp(..., priv = 1) */
        {SIGINT, VIGIL_SIG_PRIV, 0, ANY, CAUSE_UNKNOWN, "terminal"},
        {SIGQUIT, VIGIL_SIG_PRIV, 0, ANY, CAUSE_UNKNOWN, "terminal"},
        {SIGHUP, VIGIL_SIG_PRIV, 0, ANY, CAUSE_UNKNOWN, "terminal"},
        /* forget_original_parent(): group_send_sig_info(pdeath_signal, SEND_SIG_NOINFO) by the parent while it exits */
        {0, VIGIL_SIG_NOINFO | VIGIL_SIG_GROUP | VIGIL_SIG_SENDER_EXITING, VIGIL_SIG_IRQ, ANY, CAUSE_PROCESS,
         "parent-death-signal"},
        /* force_sig_fault(), force_sig(): a real siginfo with a positive code, SI_KERNEL (0x80) included */
        {SIGSEGV, 0, NOT_REAL, ANY, CAUSE_FAULT, NULL},
        {SIGBUS, 0, NOT_REAL, ANY, CAUSE_FAULT, NULL},
        {SIGILL, 0, NOT_REAL, ANY, CAUSE_FAULT, NULL},
        {SIGFPE, 0, NOT_REAL, ANY, CAUSE_FAULT, NULL},
        {SIGTRAP, 0, NOT_REAL, ANY, CAUSE_FAULT, NULL},
        {SIGSYS, 0, NOT_REAL, ANY, CAUSE_FAULT, "forbidden-syscall"},
};

/* kill(2), tgkill(2), sigqueue(3): user space's own codes are zero or negative (sigaction(2)). */
static const char *call_of(int32_t code)
{
        switch (code) {
        case SI_USER:
                return "kill";
        case SI_TKILL:
                return "tgkill";
        case SI_QUEUE:
                return "sigqueue";
        default:
                return NULL;
        }
}

/* Delivered, and the number it died of: results other than 0 are duplicates and ignored signals. */
static const struct vigil_sig *fatal_signal(const struct model_death *d, int sig)
{
        for (uint32_t i = 0; i < d->nkept; i++)
                if (d->signal[i].sig == sig && d->signal[i].result == 0)
                        return &d->signal[i];
        return NULL;
}

/* A PID namespace ends with its init: whoever killed that one is the origin. */
static const struct vigil_sig *origin_of(const struct ending *e, const struct model *m)
{
        if (e->cause != CAUSE_PROCESS || !e->by->sender_tgid)
                return NULL;
        const struct vigil_sig *killer = m && e->by->flags & VIGIL_SIG_SENDER_EXITING
                                                 ? model_fatal_signal(m, e->by->sender_start_ns, e->by->sender_tgid)
                                                 : NULL;
        bool real = killer && !(killer->flags & (NOT_REAL | VIGIL_SIG_IRQ)) && call_of(killer->code);
        return real ? killer : e->by;
}

/* Who was sent the same signal just before passes it on, as `vigil exec` does to its command. */
static const struct vigil_sig *passed_on_of(const struct ending *e, const struct model *m)
{
        const struct vigil_sig *s = m && e->by->sender_tgid
                                            ? model_signal_before(m, e->by->sender_start_ns, e->by->sender_tgid,
                                                                  e->by->sig, e->by->ns)
                                            : NULL;

        return s && s->sender_tgid && !(s->flags & (NOT_REAL | VIGIL_SIG_IRQ | VIGIL_SIG_SELF)) && call_of(s->code)
                       ? s
                       : NULL;
}

static void by_kernel(struct ending *e, const struct model *m, const struct model_death *d)
{
        const struct vigil_sig *s = e->by;
        /* Both an OOM kill and the hard RLIMIT_CPU are SEND_SIG_PRIV: only the victim mark tells them apart, and its absence
         * only where it would have been seen. */
        if (s->sig == SIGKILL && (s->flags & VIGIL_SIG_PRIV) && d->oom) {
                e->cause = CAUSE_KERNEL_OOM;
                e->oom = true;
                return;
        }
        for (size_t i = 0; i < sizeof(kernel_rules) / sizeof(kernel_rules[0]); i++) {
                const struct kernel_rule *k = &kernel_rules[i];
                if ((k->sig && k->sig != s->sig) || (s->flags & k->with) != k->with || (s->flags & k->without) ||
                    (k->code != ANY && k->code != s->code))
                        continue;
                e->cause = k->cause;
                e->how = k->how;
                e->origin = origin_of(e, m);
                return;
        }
        /* bpf_send_signal(3) looks the same: only who has a limit can have met it. */
        if (s->sig == SIGKILL && (s->flags & VIGIL_SIG_PRIV) && !(s->flags & VIGIL_SIG_NO_CPU_LIMIT) && m &&
            model_probe_attached(m, "mark_victim")) {
                e->cause = CAUSE_RLIMIT;
                e->how = "cpu-time-limit";
        }
}

struct ending ending_of(const struct model *m, const struct model_death *d)
{
        struct ending e = {.cause = CAUSE_EXIT, .status = -1};
        if (d->by_exec)
                return e;
        e.signal = d->exit_code & 0x7f;
        e.core = (d->exit_code & 0x80) != 0;
        if (e.signal == 0) {
                e.status = (d->exit_code >> 8) & 0xff;
                return e;
        }
        e.cause = CAUSE_UNKNOWN;
        e.by = fatal_signal(d, e.signal);
        if (!e.by)
                return e;

        const char *call = e.by->flags & (NOT_REAL | VIGIL_SIG_IRQ) ? NULL : call_of(e.by->code);
        if (!call) {
                by_kernel(&e, m, d);
                return e;
        }
        bool self = e.by->flags & VIGIL_SIG_SELF ||
                    (e.by->sender_tgid == d->id.tgid && e.by->sender_start_ns == d->id.start_ns);
        e.cause = self ? CAUSE_SELF : CAUSE_PROCESS;
        e.how = call;
        e.sender_named = e.by->sender_tgid != 0;
        e.origin = e.cause == CAUSE_PROCESS ? passed_on_of(&e, m) : NULL;
        return e;
}
