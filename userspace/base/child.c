/* child.c - the parent's side of a worker: fork, deadline, bounded answer, reaping. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/answer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sandbox.h"

#define DEFAULT_ANSWER_LIMIT (64 * 1024)
#define NS_PER_MS            1000000

/* How long a killed child may take to go. One that hangs in the kernel (a dead disk) is left to itself after that. */
#define KILL_GRACE_MS 5000

/* Between two looks at a child that was killed and has not gone yet. */
#define KILL_LOOK_MS 100

/* Reads of one turn: a child that never stops talking must not keep its parent from everything else. */
#define READS_PER_TURN 64

/* Longer deadlines are none: 146 years. */
#define FOREVER_MS (UINT64_MAX / NS_PER_MS / 4)

enum stage { WORKING, ENDING, OVER };

struct child {
        struct child_options options; /* its texts are not to be used after the start */
        struct child_result result;
        struct answer answer;
        enum stage stage;
        pid_t pid;
        int pidfd;
        int pipe;
        int epoll; /* over both; the pipe until the answer has ended */
        bool reading;
        uint64_t started;  /* CLOCK_BOOTTIME, as all of these */
        uint64_t deadline; /* 0: none */
        uint64_t give_up;  /* ENDING: when it is left to itself */
};

void child_result_done(struct child_result *r)
{
        json_decref(r->answer);
        r->answer = NULL;
}

static int until_ms(uint64_t when)
{
        uint64_t now = clock_boottime_ns();
        if (now >= when)
                return 0;
        uint64_t ms = (when - now) / NS_PER_MS + 1;
        return ms > 3600000 ? 3600000 : (int)ms;
}

static void stop_reading(struct child *c)
{
        if (c->reading)
                epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->pipe, NULL);
        c->reading = false;
}

/* It is dead, or is to be. */
static void begin_end(struct child *c, bool by_force)
{
        if (by_force)
                kill(c->pid, SIGKILL); /* not reaped yet, so the pid is still this child's */
        stop_reading(c);
        c->stage = ENDING;
        c->give_up = clock_boottime_ns() + (uint64_t)KILL_GRACE_MS * NS_PER_MS;
}

/* Reads what is there. */
static void read_some(struct child *c)
{
        char bytes[16384];
        ssize_t n = read(c->pipe, bytes, sizeof(bytes));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) {
                stop_reading(c);
                return;
        }
        answer_feed(&c->answer, bytes, (size_t)n);
        if (c->answer.flooded)
                begin_end(c, true);
}

/* Until nothing more is to be done now, the child is dead, its time is up or it has flooded. The answer may end before the
 * child does. */
static void converse(struct child *c)
{
        for (int reads = 0; reads < READS_PER_TURN && c->stage == WORKING; reads++) {
                struct pollfd fds[] = {{.fd = c->pidfd, .events = POLLIN},
                                       {.fd = c->reading ? c->pipe : -1, .events = POLLIN}};
                if (c->deadline && until_ms(c->deadline) == 0) {
                        c->result.timed_out = true;
                        begin_end(c, true);
                        return;
                }
                if (poll(fds, 2, 0) <= 0)
                        return;
                if (fds[1].revents)
                        read_some(c);
                /* The pipe is looked at once more after the death: the answer was written before it. */
                else if (fds[0].revents)
                        begin_end(c, false);
        }
}

/* Collects this child and no other. */
static void collect(struct child *c)
{
        pid_t got = waitpid(c->pid, &c->result.status, WNOHANG);
        if (got == 0 || (got < 0 && errno == EINTR)) {
                struct pollfd fd = {.fd = c->pidfd, .events = POLLIN};
                /* Dead, but a tracer keeps it: its descriptor says nothing new from now on. */
                if (poll(&fd, 1, 0) > 0)
                        epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->pidfd, NULL);
                if (clock_boottime_ns() <= c->give_up)
                        return;
        }
        c->stage = OVER;
        c->result.ms = (clock_boottime_ns() - c->started) / NS_PER_MS;
}

bool child_turn(struct child *c, int *ret_wait_ms)
{
        if (c->stage == WORKING)
                converse(c);
        if (c->stage == ENDING)
                collect(c);
        *ret_wait_ms = c->stage == ENDING                   ? KILL_LOOK_MS
                       : c->stage == WORKING && c->deadline ? until_ms(c->deadline)
                                                            : -1;
        return c->stage == OVER;
}

int child_fd(const struct child *c)
{
        return c->epoll;
}

int child_pidfd(const struct child *c)
{
        return c->pidfd;
}

void child_kill(struct child *c)
{
        if (c->stage == WORKING)
                begin_end(c, true);
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

static void release(struct child *c)
{
        answer_done(&c->answer);
        cleanup_close_(&c->pidfd);
        cleanup_close_(&c->pipe);
        cleanup_close_(&c->epoll);
        free(c);
}

void child_abandon(struct child *c)
{
        if (!c)
                return;
        json_decref(answer_end(&c->answer));
        release(c);
}

int child_finish(struct child *c, struct child_result *ret)
{
        child_kill(c);
        for (int wait; !child_turn(c, &wait);) {
                struct pollfd fd = {.fd = c->epoll, .events = POLLIN};
                poll(&fd, 1, wait);
        }
        *ret = c->result;
        ret->flooded = c->answer.flooded;
        ret->answer = answer_end(&c->answer);
        release(c);
        return verdict(ret);
}

void child_mark(void)
{
        prctl(PR_SET_TIMERSLACK, CHILD_TIMER_SLACK_NS); /* it cannot fail */
}

static _Noreturn void run_worker(const struct child_options *options, const int *keep_fds, pid_t parent,
                                 int answer_fd, child_fn fn, void *arg)
{
        child_mark();
        if (options->name)
                prctl(PR_SET_NAME, options->name);
        int r = sandbox_enter(options, keep_fds, parent, answer_fd);
        if (r < 0) {
                dprintf(answer_fd, "{\"sandbox\":%d}\n", r);
                _exit(CHILD_NO_SANDBOX);
        }
        /* _exit: what the parent has left in its stdio buffers is not ours to write a second time. */
        _exit(fn(answer_fd, arg));
}

/* What needs no child yet: all that can fail before there is one. @return the end for the child, or -errno */
static int prepare(struct child *c)
{
        int ends[2], r = answer_begin(&c->answer);
        if (r < 0)
                return r;
        c->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (c->epoll < 0 || pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        c->pipe = ends[0];
        struct epoll_event readable = {.events = EPOLLIN};
        if (fcntl(c->pipe, F_SETFL, O_NONBLOCK) < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->pipe, &readable) < 0) {
                r = -errno;
                close(ends[1]);
                return r;
        }
        c->reading = true;
        return ends[1];
}

/* From here on there is a child, which must not outlive a failure. */
static int attend(struct child *c)
{
        struct epoll_event readable = {.events = EPOLLIN};
        c->pidfd = pidfd_open(c->pid, 0);
        if (c->pidfd >= 0 && epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->pidfd, &readable) == 0)
                return 0;
        int r = -errno;
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return r;
}

static int start(struct child *c, const int *keep_fds, child_fn fn, void *arg)
{
        _cleanup_close_ int writer = prepare(c);
        if (writer < 0)
                return writer;
        pid_t parent = getpid();
        c->pid = fork();
        if (c->pid < 0)
                return -errno;
        if (c->pid == 0)
                run_worker(&c->options, keep_fds, parent, writer, fn, arg);
        return attend(c);
}

int child_start(const struct child_options *options, const int *keep_fds, child_fn fn, void *arg,
                struct child **ret)
{
        struct child *c = malloc(sizeof(*c));
        if (!c)
                return -ENOMEM;
        *c = (struct child){
                .options = *options,
                /* A status that nothing has overwritten reads as "killed", never as success. */
                .result = {.status = SIGKILL, .unconfined = options->sandbox ? sandbox_lacks(options) : NULL},
                .answer = {.limit = options->answer_limit ? options->answer_limit : DEFAULT_ANSWER_LIMIT,
                           .on_progress = options->on_progress,
                           .userdata = options->userdata},
                .pidfd = -1,
                .pipe = -1,
                .epoll = -1,
                .started = clock_boottime_ns(),
        };
        if (options->deadline_ms && options->deadline_ms < FOREVER_MS)
                c->deadline = c->started + options->deadline_ms * NS_PER_MS;
        int r = start(c, keep_fds, fn, arg);
        if (r < 0) {
                release(c);
                return r;
        }
        *ret = c;
        return 0;
}

int child_run(const struct child_options *options, const int *keep_fds, child_fn fn, void *arg,
              struct child_result *ret)
{
        struct child *c;
        *ret = (struct child_result){.status = SIGKILL};
        int wait, r = child_start(options, keep_fds, fn, arg, &c);
        if (r < 0)
                return r;
        while (!child_turn(c, &wait)) {
                struct pollfd fd = {.fd = child_fd(c), .events = POLLIN};
                poll(&fd, 1, wait);
        }
        return child_finish(c, ret);
}
