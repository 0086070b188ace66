/* test_cause.c - who ended it: each row that the kernel can give. */
#include "model/cause.h"

#include <signal.h>

#include "suite.h"

/* What the process of pid 10 that died of @p s is told to have died of. */
static struct ending end(struct vigil_sig s, bool oom)
{
        static struct vigil_sig kept;
        struct model_death d = {.id = {.tgid = 10, .start_ns = 1},
                                .exit_code = s.sig,
                                .nsignals = 1,
                                .nkept = 1,
                                .signal = &kept,
                                .oom = oom};
        kept = s;
        kept.sender_tgid = kept.sender_tgid ? kept.sender_tgid : 20;
        kept.sender_start_ns = kept.sender_tgid == 10 ? 1 : 2;
        return ending_of(NULL, &d);
}

static void says(struct vigil_sig s, const char *cause, const char *how, bool named)
{
        struct ending e = end(s, false);
        ck_assert_str_eq(cause_name(e.cause), cause);
        ck_assert_str_eq(e.how ? e.how : "", how);
        ck_assert_int_eq(e.sender_named, named);
}

#define GROUP VIGIL_SIG_GROUP

START_TEST(three_calls_name_their_sender)
{
        says((struct vigil_sig){.sig = SIGKILL, .code = 0, .flags = GROUP}, "process", "kill", true);
        says((struct vigil_sig){.sig = SIGTERM, .code = -6}, "process", "tgkill", true);
        says((struct vigil_sig){.sig = SIGUSR1, .code = -1, .flags = GROUP}, "process", "sigqueue", true);
        says((struct vigil_sig){.sig = SIGABRT, .code = -6, .flags = VIGIL_SIG_SELF, .sender_tgid = 10}, "self",
             "tgkill", true);
}
END_TEST

START_TEST(a_kill_with_the_number_of_a_fault_is_a_kill)
{
        says((struct vigil_sig){.sig = SIGSEGV, .code = 0, .flags = GROUP}, "process", "kill", true);
        says((struct vigil_sig){.sig = SIGSEGV, .code = 1, .flags = VIGIL_SIG_SELF}, "fault", "", false);
        says((struct vigil_sig){.sig = SIGSEGV, .code = 0x80, .flags = VIGIL_SIG_SELF}, "fault", "", false);
        says((struct vigil_sig){.sig = SIGBUS, .code = 2, .flags = VIGIL_SIG_SELF}, "fault", "", false);
}
END_TEST

START_TEST(signals_of_the_kernel_have_no_sender)
{
        says((struct vigil_sig){.sig = SIGKILL, .flags = VIGIL_SIG_NOINFO}, "process", "cgroup.kill", false);
        says((struct vigil_sig){.sig = SIGKILL,
                                .code = 0x80,
                                .flags = VIGIL_SIG_PRIV | GROUP | VIGIL_SIG_SENDER_EXITING},
             "process", "pid-namespace-ended", false);
        says((struct vigil_sig){.sig = SIGKILL, .code = 0x80, .flags = VIGIL_SIG_PRIV | VIGIL_SIG_SENDER_EXITING},
             "process", "tracer-ended", false);
        says((struct vigil_sig){.sig = SIGKILL, .flags = VIGIL_SIG_NOINFO | VIGIL_SIG_TRACER}, "process", "ptrace",
             false);
        says((struct vigil_sig){.sig = SIGTERM, .flags = VIGIL_SIG_NOINFO | GROUP | VIGIL_SIG_SENDER_EXITING},
             "process", "parent-death-signal", false);
        says((struct vigil_sig){.sig = SIGALRM, .code = 0x80, .flags = VIGIL_SIG_PRIV | GROUP | VIGIL_SIG_IRQ},
             "timer", "alarm", false);
        says((struct vigil_sig){.sig = SIGUSR2, .code = -2, .flags = GROUP | VIGIL_SIG_IRQ}, "timer", "posix-timer",
             false);
        says((struct vigil_sig){.sig = SIGXCPU, .code = 0x80, .flags = VIGIL_SIG_PRIV}, "rlimit", "cpu-time-limit",
             false);
        says((struct vigil_sig){.sig = SIGXFSZ, .flags = VIGIL_SIG_NOINFO | VIGIL_SIG_SELF}, "rlimit",
             "file-size-limit", false);
        says((struct vigil_sig){.sig = SIGPIPE, .flags = VIGIL_SIG_NOINFO | VIGIL_SIG_SELF}, "self", "broken-pipe",
             false);
        says((struct vigil_sig){.sig = SIGINT, .code = 0x80, .flags = VIGIL_SIG_PRIV | GROUP}, "unknown",
             "terminal", false);
}
END_TEST

START_TEST(a_kernel_sigkill_is_oom_only_with_the_victim_mark)
{
        struct vigil_sig s = {.sig = SIGKILL, .code = 0x80, .flags = VIGIL_SIG_PRIV | GROUP | VIGIL_SIG_SELF};
        ck_assert_str_eq(cause_name(end(s, true).cause), "kernel-oom");
        ck_assert_str_eq(cause_name(end(s, false).cause), "unknown");
        /* A kill(2) that came first is not made an OOM kill by the mark. */
        s = (struct vigil_sig){.sig = SIGKILL, .flags = GROUP};
        ck_assert_str_eq(cause_name(end(s, true).cause), "process");
}
END_TEST

START_TEST(a_signal_in_an_interrupt_names_no_bystander)
{
        ck_assert(!end((struct vigil_sig){.sig = SIGTERM, .code = 0, .flags = VIGIL_SIG_IRQ | GROUP}, false)
                           .sender_named);
}
END_TEST

START_TEST(the_first_delivered_signal_of_that_number_counts)
{
        struct vigil_sig s[3] = {{.sig = SIGTERM, .sender_tgid = 1},
                                 {.sig = SIGKILL, .sender_tgid = 2, .result = 2},
                                 {.sig = SIGKILL, .sender_tgid = 3}};
        struct model_death d = {.id = {.tgid = 10}, .exit_code = SIGKILL, .nkept = 3, .signal = s};
        ck_assert_uint_eq(ending_of(NULL, &d).by->sender_tgid, 3);
        d.exit_code = SIGUSR1 | 0x80;
        struct ending e = ending_of(NULL, &d);
        ck_assert_str_eq(cause_name(e.cause), "unknown");
        ck_assert(e.core && !e.by);
        d.exit_code = 7 << 8;
        e = ending_of(NULL, &d);
        ck_assert_str_eq(cause_name(e.cause), "exit");
        ck_assert_int_eq(e.status, 7);
}
END_TEST

SUITE("cause", three_calls_name_their_sender, a_kill_with_the_number_of_a_fault_is_a_kill,
      signals_of_the_kernel_have_no_sender, a_kernel_sigkill_is_oom_only_with_the_victim_mark,
      a_signal_in_an_interrupt_names_no_bystander, the_first_delivered_signal_of_that_number_counts)
