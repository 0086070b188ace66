/* scribe.c - see scribe.h. */
#include "daemon/scribe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#define NS_PER_MS    1000000ull
#define ANSWER_LIMIT (256 * 1024)
#define PATIENCE_MS  5000
#define HUNG_MS      50

/* What `ps` shows: who wonders what hangs on a disk sees it. 15 characters. */
static const char *const names[] = {[SCRIBE_STORE] = "vigil-store",
                                    [SCRIBE_STATE] = "vigil-state",
                                    [SCRIBE_DISCOVERED] = "vigil-found",
                                    [SCRIBE_RECORDING] = "vigil-recording",
                                    [SCRIBE_SOCKET] = "vigil-socket"};

struct task {
        enum scribe_work work;
        child_fn fn;
        void *arg;
};

struct work {
        struct child *child; /* NULL: not at work */
        uint64_t began_ns;
        scribe_done done;
        void *userdata;
        char died_of[32];
};

struct scribe {
        int epoll, lock;
        struct work work[SCRIBE_WORKS];
};

int scribe_new(int lock, struct scribe **ret)
{
        struct scribe *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->lock = lock;
        s->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (s->epoll < 0) {
                int r = -errno;
                free(s);
                return r;
        }
        *ret = s;
        return 0;
}

void scribe_free(struct scribe *s)
{
        if (!s)
                return;
        for (size_t i = 0; i < SCRIBE_WORKS; i++)
                child_abandon(s->work[i].child);
        cleanup_close_(&s->epoll);
        free(s);
}

static int run(int answer_fd, void *arg)
{
        const struct task *t = arg;

        prctl(PR_SET_NAME, names[t->work]);
        return t->fn(answer_fd, t->arg);
}

int scribe_start(struct scribe *s, enum scribe_work work, child_fn fn, void *arg, scribe_done done, void *userdata)
{
        static const struct child_options how = {.answer_limit = ANSWER_LIMIT, .outlives = true};
        const int keep[] = {s->lock, -1};
        struct epoll_event readable = {.events = EPOLLIN};
        struct task task = {.work = work, .fn = fn, .arg = arg};
        struct work *w = &s->work[work];

        if (w->child)
                return -EALREADY;
        int r = child_start(&how, keep, run, &task, &w->child);
        if (r < 0)
                return r;
        w->began_ns = clock_boottime_ns();
        w->done = done;
        w->userdata = userdata;
        /* Where its descriptor cannot be waited for, turns come each second. */
        (void)epoll_ctl(s->epoll, EPOLL_CTL_ADD, child_fd(w->child), &readable);
        return 0;
}

int scribe_tell(int answer_fd, int error)
{
        return dprintf(answer_fd, "{\"error\":%d}\n", error) < 0;
}

int scribe_fd(const struct scribe *s)
{
        return s->epoll;
}

static void finish(struct work *w)
{
        struct child_result result = {0};
        int r = child_finish(TAKE_PTR(w->child), &result);

        if (r == 0) {
                r = (int)json_integer_value(json_object_get(result.answer, "error"));
        } else {
                r = -ECHILD;
                if (WIFSIGNALED(result.status))
                        snprintf(w->died_of, sizeof(w->died_of), "%s", text_signal(WTERMSIG(result.status)));
                else
                        snprintf(w->died_of, sizeof(w->died_of), "status %d", WEXITSTATUS(result.status));
        }
        w->done(w->userdata, r, r == -ECHILD ? NULL : result.answer);
        child_result_done(&result);
}

void scribe_turn(struct scribe *s)
{
        for (size_t i = 0; i < SCRIBE_WORKS; i++) {
                int wait;
                if (s->work[i].child && child_turn(s->work[i].child, &wait))
                        finish(&s->work[i]);
        }
}

bool scribe_wait(struct scribe *s, enum scribe_work work, unsigned ms)
{
        uint64_t end = clock_boottime_ns() + ms * NS_PER_MS;

        for (;;) {
                scribe_turn(s);
                uint64_t now = clock_boottime_ns();
                if (!s->work[work].child || now >= end)
                        return !s->work[work].child;
                struct pollfd fd = {.fd = s->epoll, .events = POLLIN};
                poll(&fd, 1, (int)((end - now) / NS_PER_MS) + 1);
        }
}

unsigned scribe_patience(const struct scribe *s)
{
        for (size_t i = 0; i < SCRIBE_WORKS; i++)
                if (scribe_since(s, (enum scribe_work)i) > SCRIBE_SILENT_NS)
                        return HUNG_MS;
        return PATIENCE_MS;
}

const char *scribe_died_of(const struct scribe *s, enum scribe_work work)
{
        return s->work[work].died_of;
}

uint64_t scribe_since(const struct scribe *s, enum scribe_work work)
{
        return s->work[work].child ? clock_boottime_ns() - s->work[work].began_ns : 0;
}
