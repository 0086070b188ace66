/* early.c - see early.h. */
#include "cli/early.h"

#include <time.h>

#include "base/log.h"
#include "base/text.h"

void early_set(sigset_t *ret)
{
        struct sigaction hangup;

        sigemptyset(ret);
        sigaddset(ret, SIGINT);
        sigaddset(ret, SIGTERM);
        if (sigaction(SIGHUP, NULL, &hangup) < 0 || hangup.sa_handler != SIG_IGN)
                sigaddset(ret, SIGHUP);
}

void early_block(sigset_t *ret_before)
{
        sigset_t set;

        early_set(&set);
        sigprocmask(SIG_BLOCK, &set, ret_before);
}

int early_signal(void)
{
        static const int ends[] = {SIGTERM, SIGINT, SIGHUP};
        sigset_t set, pending;

        early_set(&set);
        sigpending(&pending);
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
                if (sigismember(&set, ends[i]) && sigismember(&pending, ends[i]))
                        return ends[i];
        return 0;
}

void early_forget(void)
{
        const struct timespec now = {0};
        sigset_t set;

        early_set(&set);
        while (sigtimedwait(&set, NULL, &now) > 0)
                ;
}

int early_leave(const struct command *command, int sig, const char *what)
{
        return log_error_r(128 + sig, "%s: interrupted by %s: %s", command->name, text_signal(sig), what);
}
