/* tree.c - see tree.h. Orphans of the tree come to us: we are their subreaper (prctl(2)), so that waiting for our children
 * is waiting for the whole tree. */
#include "cli/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/early.h"

static void own_signals(sigset_t *set)
{
        sigemptyset(set);
        sigaddset(set, SIGCHLD);
        sigaddset(set, SIGINT);
        sigaddset(set, SIGTERM);
        sigaddset(set, SIGHUP);
        sigaddset(set, SIGQUIT);
}

/* The child: waits for the word, then becomes the command. With our end of the pipe it would wait for itself when its parent is
 * gone, or does not let it go. */
static void become(char **argv, const int go[2], int report, const sigset_t *mask, const struct rlimit *memlock,
                   bool stdout_to_stderr)
{
        char byte;

        close(go[1]);
        if (read(go[0], &byte, 1) != 1)
                _exit(70);
        setrlimit(RLIMIT_MEMLOCK, memlock); /* libbpf raises ours on kernels that need it */
        sigprocmask(SIG_SETMASK, mask, NULL);
        if (stdout_to_stderr)
                dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[0], argv);
        int error = errno;
        (void)!write(report, &error, sizeof(error));
        _exit(error == ENOENT ? 127 : 126);
}

static int identify(struct tree *t, struct session *s, const char *name)
{
        int r = sensor_mark(s->sensor, t->pid, SENSOR_TREE | SENSOR_CMD);

        if (r == 0)
                r = sensor_mark(s->sensor, getpid(), SENSOR_OWN | SENSOR_RELAY);
        if (r < 0)
                return r;
        t->id.tgid = (uint32_t)t->pid;
        t->id.tid = t->id.tgid;
        const char *base = strrchr(name, '/');
        strncpy(t->id.comm, base ? base + 1 : name, sizeof(t->id.comm) - 1);
        uint64_t start = 0;
        r = sensor_identify(s->sensor, t->pid, &start);
        t->id.start_ns = start;
        return r == -ESRCH ? 0 : r;
}

int tree_start(struct tree *t, struct session *s, char **argv, bool stdout_to_stderr)
{
        int go[2], report[2], error = 0;
        sigset_t set;
        struct rlimit memlock;

        *t = (struct tree){.pid = -1, .signals = -1};
        getrlimit(RLIMIT_MEMLOCK, &memlock);
        own_signals(&set);
        sigprocmask(SIG_BLOCK, &set, NULL);
        t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (t->signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || pipe2(go, O_CLOEXEC) < 0)
                return -errno;
        if (pipe2(report, O_CLOEXEC) < 0) {
                error = errno;
                close(go[0]);
                close(go[1]);
                return -error;
        }
        t->pid = fork();
        if (t->pid == 0)
                become(argv, go, report[1], &s->mask, &memlock, stdout_to_stderr);
        close(go[0]);
        close(report[1]);
        int r = t->pid < 0 ? -errno : identify(t, s, argv[0]);
        /* From a terminal the child gets a signal, too; one from before the fork would reach nobody. */
        t->interrupted = r == 0 && early_signal() != 0;
        if (r == 0 && !t->interrupted && write(go[1], "g", 1) != 1)
                r = -errno;
        close(go[1]);
        if (r == 0 && !t->interrupted && read(report[0], &error, sizeof(error)) == sizeof(error))
                t->exec_error = -error;
        t->started = r == 0 && !t->exec_error && !t->interrupted;
        close(report[0]);
        if (t->pid > 0 && (r < 0 || t->interrupted))
                waitpid(t->pid, NULL, 0);
        return r;
}

/* From a terminal the whole foreground group has got the signal already: only what was sent to us alone is passed on. */
static void forward(const struct tree *t, const struct signalfd_siginfo *si)
{
        if (si->ssi_code != SI_KERNEL && !t->reaped)
                kill(t->pid, (int)si->ssi_signo);
}

static void reap(struct tree *t)
{
        for (;;) {
                int status;
                pid_t pid = waitpid(-1, &status, WNOHANG);

                if (pid == t->pid) {
                        t->status = status;
                        t->reaped = true;
                }
                if (pid == 0 || (pid < 0 && errno != ECHILD && errno != EINTR))
                        return;
                if (pid < 0 && errno == ECHILD) {
                        t->empty = true;
                        return;
                }
        }
}

int tree_turn(struct tree *t, struct session *s, int timeout_ms)
{
        struct pollfd fds[] = {{.fd = sensor_fd(s->sensor), .events = POLLIN},
                               {.fd = t->signals, .events = POLLIN}};
        struct signalfd_siginfo si;

        if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
                return -errno;
        while (read(t->signals, &si, sizeof(si)) == sizeof(si))
                if (si.ssi_signo != SIGCHLD)
                        forward(t, &si);
        int r = session_poll(s, 0);
        reap(t);
        return r;
}

void tree_done(struct tree *t)
{
        sigset_t set;

        if (t->signals >= 0)
                close(t->signals);
        /* What is left is our own work. The others wait for supervise(), which ends it in good order. */
        sigemptyset(&set);
        sigaddset(&set, SIGQUIT);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
}
