#include "cli/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"

/* A worker that hangs in the kernel on a dead disk is not waited for longer. */
#define PATIENCE_MS 5000

static void be_the_child(int (*work)(void *arg), void *arg, pid_t parent, const sigset_t *before)
{
        /* kill -9 of the parent must end the work too. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(CLI_INTERNAL);
        sigprocmask(SIG_SETMASK, before, NULL);
        child_mark();
        int status = work(arg);
        if (fflush(stdout) != 0 || ferror(stdout)) {
                log_error("cannot write to standard output: %m");
                status = status == CLI_OK ? CLI_INTERNAL : status;
        }
        exit(status);
}

/* @return the signal that interrupts the work, 0 when the child has ended by itself */
static int wait_for_end(pid_t child, const sigset_t *signals, int *ret_status)
{
        for (;;) {
                if (waitpid(child, ret_status, WNOHANG) == child)
                        return 0;
                int sig = sigwaitinfo(signals, NULL);
                if (sig > 0 && sig != SIGCHLD)
                        return sig;
        }
}

/* Children of the child come to us when it dies; their locks go with them. */
static void reap_all(void)
{
        struct timespec pause = {.tv_nsec = 5000000};

        for (int waited = 0; waited < PATIENCE_MS; waited += 5) {
                pid_t pid = waitpid(-1, NULL, WNOHANG);
                if (pid < 0 && errno == ECHILD)
                        return;
                if (pid == 0)
                        nanosleep(&pause, NULL);
        }
}

int supervise(int (*work)(void *arg), void (*clean)(void *arg), void *arg)
{
        sigset_t signals, before;
        int status = 0;

        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGHUP);
        sigaddset(&signals, SIGCHLD);
        /* An ignored SIGCHLD would reap the child before it is asked how it ended. */
        signal(SIGCHLD, SIG_DFL);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        sigprocmask(SIG_BLOCK, &signals, &before);
        fflush(stdout);
        pid_t self = getpid(), child = fork();
        if (child < 0)
                return log_error_r(CLI_INTERNAL, "cannot start a process: %m");
        if (child == 0)
                be_the_child(work, arg, self, &before);

        int sig = wait_for_end(child, &signals, &status);
        if (sig == 0 && WIFEXITED(status)) {
                sigprocmask(SIG_SETMASK, &before, NULL);
                return WEXITSTATUS(status);
        }
        if (sig)
                kill(child, SIGKILL);
        reap_all();
        clean(arg);
        sigprocmask(SIG_SETMASK, &before, NULL);
        if (sig == 0)
                sig = WTERMSIG(status);
        log_error("interrupted by %s: what was begun is removed, nothing else was changed", text_signal(sig));
        return 128 + sig;
}
