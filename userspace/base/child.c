/* child.c - the parent's side of a worker: fork, deadline, bounded answer, reaping. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/answer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sandbox.h"

#define DEFAULT_ANSWER_LIMIT (64 * 1024)
#define NS_PER_MS            1000000

/* How long a killed child may take to go. One that hangs in the kernel (a dead disk) is left to itself after that. */
#define KILL_GRACE_MS 5000

/* Longer deadlines are none: 146 years. */
#define FOREVER_MS (UINT64_MAX / NS_PER_MS / 4)

struct worker {
        const struct child_options *options;
        struct child_result *result;
        pid_t pid;
        int pidfd;
        int pipe;
        uint64_t deadline; /* CLOCK_BOOTTIME; 0: none */
        struct answer *answer;
};

void child_result_done(struct child_result *r)
{
        json_decref(r->answer);
        r->answer = NULL;
}

/* Reads what is there. Returns false at the end of the answer. */
static bool read_some(struct worker *w)
{
        char bytes[16384];
        ssize_t n = read(w->pipe, bytes, sizeof(bytes));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return true;
        if (n <= 0)
                return false;
        answer_feed(w->answer, bytes, (size_t)n);
        return !w->answer->flooded;
}

static int remaining_ms(const struct worker *w)
{
        if (!w->deadline)
                return -1;
        uint64_t now = clock_boottime_ns();
        if (now >= w->deadline)
                return 0;
        uint64_t ms = (w->deadline - now) / NS_PER_MS + 1;
        return ms > 3600000 ? 3600000 : (int)ms;
}

/* Until the child is dead, its time is up or it has flooded. The answer may end before the child does. */
static void converse(struct worker *w)
{
        bool reading = true;
        for (;;) {
                struct pollfd fds[] = {{.fd = w->pidfd, .events = POLLIN},
                                       {.fd = reading ? w->pipe : -1, .events = POLLIN}};
                int left = remaining_ms(w);
                if (left == 0) {
                        w->result->timed_out = true;
                        return;
                }
                if (poll(fds, 2, left) <= 0)
                        continue;
                if (fds[1].revents)
                        reading = read_some(w);
                if (w->answer->flooded)
                        return;
                /* The pipe is looked at once more after the death: the answer was written before it. */
                if (fds[0].revents && (!reading || !fds[1].revents))
                        return;
        }
}

/* Collects this child and no other. */
static void reap(struct worker *w, bool by_force)
{
        if (by_force)
                kill(w->pid, SIGKILL); /* not reaped yet, so the pid is still this child's */
        uint64_t give_up = clock_boottime_ns() + (uint64_t)KILL_GRACE_MS * NS_PER_MS;
        for (;;) {
                pid_t got = waitpid(w->pid, &w->result->status, WNOHANG);
                if (got == w->pid || (got < 0 && errno != EINTR) || clock_boottime_ns() > give_up)
                        return;
                struct pollfd fd = {.fd = w->pidfd, .events = POLLIN};
                poll(&fd, 1, 100);
        }
}

static int verdict(const struct child_result *r)
{
        if (r->timed_out)
                return -ETIME;
        if (r->flooded)
                return -EMSGSIZE;
        if (!WIFEXITED(r->status) || WEXITSTATUS(r->status) != 0)
                return -ECHILD;
        return r->answer ? 0 : -EBADMSG;
}

static int supervise(struct worker *w)
{
        uint64_t start = clock_boottime_ns();
        if (w->options->deadline_ms && w->options->deadline_ms < FOREVER_MS)
                w->deadline = start + w->options->deadline_ms * NS_PER_MS;
        /* A status that nothing has overwritten reads as "killed", never as success. */
        w->result->status = SIGKILL;
        converse(w);
        w->result->flooded = w->answer->flooded;
        reap(w, w->result->timed_out || w->result->flooded);
        w->result->answer = answer_end(w->answer);
        w->result->ms = (clock_boottime_ns() - start) / NS_PER_MS;
        return verdict(w->result);
}

static _Noreturn void run_worker(const struct child_options *options, const int *keep_fds, pid_t parent,
                                 int answer_fd, child_fn fn, void *arg)
{
        int r = sandbox_enter(options, keep_fds, parent, answer_fd);
        if (r < 0) {
                dprintf(answer_fd, "{\"sandbox\":%d}\n", r);
                _exit(CHILD_NO_SANDBOX);
        }
        /* _exit: what the parent has left in its stdio buffers is not ours to write a second time. */
        _exit(fn(answer_fd, arg));
}

int child_run(const struct child_options *options, const int *keep_fds, child_fn fn, void *arg,
              struct child_result *ret)
{
        *ret = (struct child_result){.status = SIGKILL};
        if (options->sandbox)
                ret->unconfined = sandbox_lacks(options);

        _cleanup_(answer_done) struct answer answer = {
                .limit = options->answer_limit ? options->answer_limit : DEFAULT_ANSWER_LIMIT,
                .on_progress = options->on_progress,
                .userdata = options->userdata,
        };
        struct worker w = {.options = options, .result = ret, .answer = &answer};
        int ends[2], r = answer_begin(&answer);
        if (r < 0)
                return r;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int reader = w.pipe = ends[0];
        _cleanup_close_ int writer = ends[1];
        if (fcntl(reader, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        pid_t parent = getpid();
        w.pid = fork();
        if (w.pid < 0)
                return -errno;
        if (w.pid == 0)
                run_worker(options, keep_fds, parent, writer, fn, arg);
        close(TAKE_FD(writer));

        _cleanup_close_ int pidfd = w.pidfd = pidfd_open(w.pid, 0);
        if (pidfd < 0) {
                r = -errno;
                reap(&w, true);
                return r;
        }
        return supervise(&w);
}
