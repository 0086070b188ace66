/* scribe.c - see scribe.h. */
#include "daemon/scribe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
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
        int before; /* pidfd of the one whose end it waits for; -1: none */
        child_fn fn;
        void *arg;
};

#define DIED_OF_LEN 32

struct work {
        struct child *child; /* NULL: not at work */
        enum scribe_work kind;
        uint64_t number;   /* in the order of their beginning */
        uint64_t began_ns; /* when nothing of its kind was before it any more */
        scribe_done done;
        void *userdata;
        char died_of[DIED_OF_LEN]; /* in the place of its kind: of that kind */
};

enum { PLACES = SCRIBE_WORKS + SCRIBE_BEHIND };

struct scribe {
        int epoll, lock;
        uint64_t begun;
        struct work work[PLACES]; /* one of each kind, and those behind */
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
        for (size_t i = 0; i < PLACES; i++)
                child_abandon(s->work[i].child);
        cleanup_close_(&s->epoll);
        free(s);
}

static int run(int answer_fd, void *arg)
{
        const struct task *t = arg;
        struct pollfd before = {.fd = t->before, .events = POLLIN};
        while (t->before >= 0 && poll(&before, 1, -1) < 0 && errno == EINTR)
                ;
        return t->fn(answer_fd, t->arg);
}

/* The place of the one of that kind that was begun first, or last; PLACES: none is at work. */
static size_t at_work(const struct scribe *s, enum scribe_work kind, bool last)
{
        size_t found = PLACES;

        for (size_t i = 0; i < PLACES; i++) {
                const struct work *w = &s->work[i];
                if (w->child && w->kind == kind && (found == PLACES || (w->number > s->work[found].number) == last))
                        found = i;
        }
        return found;
}

static int begin(struct scribe *s, struct work *w, struct task *task, scribe_done done, void *userdata)
{
        const struct child_options how = {
                .name = names[task->work], .answer_limit = ANSWER_LIMIT, .outlives = true};
        int keep[3] = {-1, -1, -1}, n = 0;
        struct epoll_event readable = {.events = EPOLLIN};

        if (s->lock >= 0)
                keep[n++] = s->lock;
        keep[n] = task->before;
        int r = child_start(&how, keep, run, task, &w->child);
        if (r < 0)
                return r;
        w->kind = task->work;
        w->number = ++s->begun;
        w->began_ns = clock_boottime_ns();
        w->done = done;
        w->userdata = userdata;
        /* Where its descriptor cannot be waited for, turns come each second. */
        (void)epoll_ctl(s->epoll, EPOLL_CTL_ADD, child_fd(w->child), &readable);
        return 0;
}

int scribe_start(struct scribe *s, enum scribe_work work, child_fn fn, void *arg, scribe_done done, void *userdata)
{
        struct task task = {.work = work, .before = -1, .fn = fn, .arg = arg};

        return at_work(s, work, false) < PLACES ? -EALREADY : begin(s, &s->work[work], &task, done, userdata);
}

int scribe_start_behind(struct scribe *s, enum scribe_work work, child_fn fn, void *arg, scribe_done done,
                        void *userdata)
{
        struct task task = {.work = work, .fn = fn, .arg = arg};
        size_t before = at_work(s, work, true);

        if (before == PLACES)
                return scribe_start(s, work, fn, arg, done, userdata);
        task.before = child_pidfd(s->work[before].child);
        for (size_t i = SCRIBE_WORKS; i < PLACES; i++)
                if (!s->work[i].child)
                        return begin(s, &s->work[i], &task, done, userdata);
        return -EALREADY;
}

int scribe_tell(int answer_fd, int error)
{
        return dprintf(answer_fd, "{\"error\":%d}\n", error) < 0;
}

int scribe_fd(const struct scribe *s)
{
        return s->epoll;
}

static void finish(struct scribe *s, struct work *w)
{
        struct child_result result = {0};
        int r = child_finish(TAKE_PTR(w->child), &result);
        size_t next = at_work(s, w->kind, false);

        if (next < PLACES)
                s->work[next].began_ns = clock_boottime_ns();
        if (r == 0) {
                r = (int)json_integer_value(json_object_get(result.answer, "error"));
        } else {
                r = -ECHILD;
                char *of = s->work[w->kind].died_of;
                if (WIFSIGNALED(result.status))
                        snprintf(of, DIED_OF_LEN, "%s", text_signal(WTERMSIG(result.status)));
                else
                        snprintf(of, DIED_OF_LEN, "status %d", WEXITSTATUS(result.status));
        }
        w->done(w->userdata, r, r == -ECHILD ? NULL : result.answer);
        child_result_done(&result);
}

void scribe_turn(struct scribe *s)
{
        for (size_t i = 0; i < PLACES; i++) {
                int wait;
                if (s->work[i].child && child_turn(s->work[i].child, &wait))
                        finish(s, &s->work[i]);
        }
}

bool scribe_wait(struct scribe *s, enum scribe_work work, unsigned ms)
{
        uint64_t end = clock_boottime_ns() + ms * NS_PER_MS;

        for (;;) {
                scribe_turn(s);
                uint64_t now = clock_boottime_ns();
                bool busy = at_work(s, work, false) < PLACES;
                if (!busy || now >= end)
                        return !busy;
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
        size_t at = at_work(s, work, false);

        return at < PLACES ? clock_boottime_ns() - s->work[at].began_ns : 0;
}
