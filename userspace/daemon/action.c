/* action.c - what waits, what is at work, and what became of it. */
#include "daemon/action.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/action_run.h"
#include "daemon/budget.h"

#define FAILURE_LEN 160

enum lane { LANE_LOOK, LANE_JOBS, LANE_URGENT, LANE_REST, LANES };

/* One action, waiting or at work. */
struct action {
        struct action *next;
        struct action_request r; /* its texts are ours */
        struct config_database policy;
        enum lane lane;
        void *tag;
        struct child *child; /* NULL: waiting, or it could not be started */
        int error;           /* why it could not be started: -errno */
        struct actions *of;
};

/* In the order they came. */
struct queue {
        struct action *first, **end;
        unsigned n;
};

struct actions {
        const struct action_job *jobs;
        action_done done;
        action_progress progress;
        void *userdata;
        struct budget *budget;
        unsigned parallel;
        int epoll;
        int wake; /* eventfd: something was queued */
        struct queue waiting, running;
};

const char *action_name(enum action_kind kind)
{
        return action_jobs[kind].name;
}

/* ---- queues ---- */

static void queue_begin(struct queue *q)
{
        *q = (struct queue){.end = &q->first};
}

static void queue_add(struct queue *q, struct action *x)
{
        x->next = NULL;
        *q->end = x;
        q->end = &x->next;
        q->n++;
}

/* Takes out what @p at points to. */
static struct action *queue_take(struct queue *q, struct action **at)
{
        struct action *x = *at;

        *at = x->next;
        if (!*at)
                q->end = at;
        q->n--;
        return x;
}

/* ---- one action ---- */

#define TEXTS (12 + JOB_FIELDS)

/* Where the texts of a request stand. */
static void texts_of(struct action_request *r, const char **ret[TEXTS])
{
        const char **const texts[] = {&r->database,   &r->path,         &r->directory,  &r->reason,
                                      &r->verdict,    &r->incident,     &r->jobs.path,  &r->jobs.query,
                                      &r->jobs.files, &r->jobs.running, &r->candidates, &r->damage};

        static_assert(sizeof(texts) / sizeof(texts[0]) + JOB_FIELDS == TEXTS, "all of them");
        memcpy(ret, texts, sizeof(texts));
        for (size_t f = 0; f < JOB_FIELDS; f++)
                ret[TEXTS - JOB_FIELDS + f] = &r->jobs.name[f];
}

static void action_free(struct action *x)
{
        const char **texts[TEXTS];

        if (!x)
                return;
        texts_of(&x->r, texts);
        for (size_t i = 0; i < TEXTS; i++)
                free((char *)*texts[i]);
        free(x);
}

static enum lane lane_of(const struct action_request *r)
{
        return r->kind == ACTION_LOOK || r->kind == ACTION_DISCOVER ? LANE_LOOK
               : r->kind == ACTION_JOBS                             ? LANE_JOBS
               : r->urgent                                          ? LANE_URGENT
                                                                    : LANE_REST;
}

static struct action *action_new(const struct action_request *r, void *tag)
{
        struct action *x = calloc(1, sizeof(*x));
        const char **texts[TEXTS];
        bool whole = true;

        if (!x)
                return NULL;
        x->r = *r;
        texts_of(&x->r, texts);
        for (size_t i = 0; i < TEXTS; i++)
                if (*texts[i] && !(*texts[i] = strdup(*texts[i])))
                        whole = false;
        if (!whole) {
                action_free(x);
                return NULL;
        }
        /* The configuration may be another one by the time it starts. */
        if (r->policy) {
                x->policy = (struct config_database){.check = r->policy->check, .backup = r->policy->backup};
                x->r.policy = &x->policy;
        }
        x->tag = tag;
        x->lane = lane_of(r);
        return x;
}

static void end(struct actions *a, struct action *x, const json_t *answer, const char *failure, uint64_t ms)
{
        a->done(a->userdata, &x->r, x->tag, answer, failure, ms);
        action_free(x);
}

/* What became of a helper that did not answer, in @p ret; false: it answered. */
static bool failed(const struct actions *a, const struct action *x, int err, const struct child_result *c,
                   char ret[FAILURE_LEN])
{
        const struct action_job *job = &a->jobs[x->r.kind];
        char text[TEXT_DURATION_LEN];
        const char *wrong = err == 0 ? job->wrong(&x->r, c->answer) : NULL;

        if (err == 0 && !wrong)
                return false;
        if (wrong)
                snprintf(ret, FAILURE_LEN, "it lied: %s", wrong);
        else if (c->timed_out) {
                text_duration(text, c->ms * 1000000);
                snprintf(ret, FAILURE_LEN, "it hung and was killed after %s", text);
        } else if (c->flooded)
                snprintf(ret, FAILURE_LEN, "it flooded: it said more than %zu bytes", job->answer_limit);
        else if (WIFSIGNALED(c->status))
                snprintf(ret, FAILURE_LEN, "it died of %s", text_signal(WTERMSIG(c->status)));
        else if (WIFEXITED(c->status) && WEXITSTATUS(c->status) != 0)
                snprintf(ret, FAILURE_LEN, "it ended with status %d", WEXITSTATUS(c->status));
        else
                snprintf(ret, FAILURE_LEN, "it gave no answer");
        return true;
}

static void finish(struct actions *a, struct action *x)
{
        struct child_result result = {0};
        char failure[FAILURE_LEN];
        bool bad = true;

        if (x->child)
                bad = failed(a, x, child_finish(TAKE_PTR(x->child), &result), &result, failure);
        else
                snprintf(failure, sizeof(failure), "it could not be started: %s", strerror(-x->error));
        if (bad && budget_failed(a->budget, x->r.kind, x->r.database, clock_boottime_ns()))
                log_warn("%s of %s failed %d times within ten minutes: it rests for an hour",
                         a->jobs[x->r.kind].name, x->r.database, BUDGET_FAILURES);
        end(a, x, bad ? NULL : result.answer, bad ? failure : NULL, result.ms);
        child_result_done(&result);
}

static void on_progress(void *userdata, uint64_t done, uint64_t total)
{
        struct action *x = userdata;

        if (x->of->progress)
                x->of->progress(x->of->userdata, x->tag, done, total);
}

static void start(struct actions *a, struct action *x)
{
        const struct action_job *job = &a->jobs[x->r.kind];
        char name[16]; /* as long as the kernel keeps one */
        struct child_options how = {.name = name,
                                    .deadline_ms = job->deadline_ms(&x->r),
                                    .answer_limit = job->answer_limit,
                                    .on_progress = on_progress,
                                    .userdata = x};
        struct epoll_event readable = {.events = EPOLLIN};

        snprintf(name, sizeof(name), "vigil-%s", job->name);
        x->of = a;
        x->error = child_start(&how, NULL, job->run, &x->r, &x->child);
        /* Where its descriptor cannot be waited for, turns come often enough. */
        if (x->error == 0)
                (void)epoll_ctl(a->epoll, EPOLL_CTL_ADD, child_fd(x->child), &readable);
        else
                (void)eventfd_write(a->wake, 1); /* the next turn says so */
        queue_add(&a->running, x);
}

/* ---- who may start ---- */

static bool may_start(const struct actions *a, const struct action *x)
{
        unsigned busy = 0, places = x->lane == LANE_LOOK   ? ACTIONS_MAX_LOOKS
                                    : x->lane == LANE_JOBS ? ACTIONS_MAX_JOBS
                                                           : a->parallel;

        for (const struct action *o = a->running.first; o; o = o->next) {
                busy += o->lane == x->lane;
                if (o->r.kind != x->r.kind)
                        continue;
                if (strcmp(o->r.database, x->r.database) == 0 ||
                    (x->r.kind == ACTION_CHECK && x->r.device && o->r.device == x->r.device))
                        return false;
        }
        return busy < places;
}

static void start_what_may(struct actions *a)
{
        for (struct action **at = &a->waiting.first; *at;) {
                if (may_start(a, *at))
                        start(a, queue_take(&a->waiting, at));
                else
                        at = &(*at)->next;
        }
}

/* ---- the set ---- */

struct actions *actions_new(unsigned parallel, action_done done, void *userdata)
{
        return actions_with(action_jobs, parallel, done, userdata);
}

struct actions *actions_with(const struct action_job *jobs, unsigned parallel, action_done done, void *userdata)
{
        struct actions *a = calloc(1, sizeof(*a));

        if (!a)
                return NULL;
        a->jobs = jobs;
        a->done = done;
        a->userdata = userdata;
        a->parallel = parallel ? parallel : 1;
        queue_begin(&a->waiting);
        queue_begin(&a->running);
        a->budget = budget_new();
        a->epoll = epoll_create1(EPOLL_CLOEXEC);
        a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        struct epoll_event readable = {.events = EPOLLIN};
        if (!a->budget || a->epoll < 0 || a->wake < 0 ||
            epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->wake, &readable) < 0) {
                actions_free(a);
                return NULL;
        }
        return a;
}

void actions_on_progress(struct actions *a, action_progress progress)
{
        a->progress = progress;
}

void actions_free(struct actions *a)
{
        if (!a)
                return;
        /* All at once, so that their ends overlap. */
        for (struct action *x = a->running.first; x; x = x->next)
                if (x->child)
                        child_kill(x->child);
        while (a->running.first) {
                struct action *x = queue_take(&a->running, &a->running.first);
                struct child_result result = {0};
                if (x->child)
                        (void)child_finish(TAKE_PTR(x->child), &result);
                end(a, x, NULL, "it was killed: Vigil ends", result.ms);
                child_result_done(&result);
        }
        while (a->waiting.first)
                end(a, queue_take(&a->waiting, &a->waiting.first), NULL, "it was not begun: Vigil ends", 0);
        budget_free(a->budget);
        cleanup_close_(&a->epoll);
        cleanup_close_(&a->wake);
        free(a);
}

bool actions_rest(const struct actions *a, enum action_kind kind, const char *database)
{
        return budget_rests(a->budget, kind, database, clock_boottime_ns());
}

int actions_start(struct actions *a, const struct action_request *r, void *tag)
{
        if (actions_rest(a, r->kind, r->database))
                return -EAGAIN;
        if (a->waiting.n >= ACTIONS_MAX_WAITING)
                return -ENOBUFS;
        struct action *x = action_new(r, tag);
        if (!x)
                return -ENOMEM;
        queue_add(&a->waiting, x);
        (void)eventfd_write(a->wake, 1);
        return 0;
}

int actions_fd(const struct actions *a)
{
        return a->epoll;
}

int actions_turn(struct actions *a)
{
        struct queue over;
        eventfd_t queued;
        int least = -1;

        (void)eventfd_read(a->wake, &queued);
        queue_begin(&over);
        for (struct action **at = &a->running.first; *at;) {
                int wait = -1;
                if (!(*at)->child || child_turn((*at)->child, &wait)) {
                        queue_add(&over, queue_take(&a->running, at));
                        continue;
                }
                if (wait >= 0 && (least < 0 || wait < least))
                        least = wait;
                at = &(*at)->next;
        }
        /* done() may queue more; it may start in this turn. */
        while (over.first)
                finish(a, queue_take(&over, &over.first));
        start_what_may(a);
        return a->running.first && least < 0 ? 1000 : least;
}

bool actions_at_work_on(const struct actions *a, const char *database)
{
        for (const struct action *x = a->running.first; x; x = x->next)
                if (x->r.kind != ACTION_LOOK && strcmp(x->r.database, database) == 0)
                        return true;
        return false;
}

unsigned actions_running(const struct actions *a)
{
        return a->running.n;
}

unsigned actions_waiting(const struct actions *a)
{
        return a->waiting.n;
}
