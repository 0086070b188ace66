/* orchestrators.c - see orchestrators.h. */
#include "daemon/orchestrators.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/core.h"
#include "daemon/orchestrators_private.h"

int orchestrators_new(struct orchestrators **ret)
{
        struct orchestrators *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (s->epoll < 0) {
                free(s);
                return -errno;
        }
        *ret = s;
        return 0;
}

/* ---- members ---- */

static void unwatch(struct orchestrators *s, struct member *m)
{
        if (m->pidfd < 0)
                return;
        epoll_ctl(s->epoll, EPOLL_CTL_DEL, m->pidfd, NULL); /* helpers hold a copy: closing it is not enough */
        close(m->pidfd);
        m->pidfd = -1;
        s->watched--;
}

static void watch(struct orchestrators *s, struct member *m)
{
        struct epoll_event readable = {.events = EPOLLIN};
        struct procinfo_stat now;

        if (s->watched >= ORCHESTRATOR_WATCHED)
                return;
        m->pidfd = pidfd_open((pid_t)m->id.tgid, 0);
        if (m->pidfd < 0)
                return;
        s->watched++;
        /* It may have become another's number before it was opened. */
        if (procinfo_stat(m->id.tgid, &now) < 0 || now.ticks != m->ticks ||
            epoll_ctl(s->epoll, EPOLL_CTL_ADD, m->pidfd, &readable) < 0)
                unwatch(s, m);
}

static void drop(struct orchestrators *s, struct orchestrator *o, size_t i)
{
        unwatch(s, &o->member[i]);
        o->member[i] = o->member[--o->n];
}

static void orchestrator_done(struct orchestrators *s, struct orchestrator *o)
{
        while (o->n)
                drop(s, o, o->n - 1);
        free(o->member);
        free(o->name);
        *o = (struct orchestrator){0};
}

void orchestrators_free(struct orchestrators *s)
{
        if (!s)
                return;
        for (size_t i = 0; i < s->n; i++)
                orchestrator_done(s, &s->one[i]);
        free(s->one);
        free(s->host);
        cleanup_close_(&s->epoll);
        free(s);
}

static void forget_longest_dead(struct orchestrators *s, struct orchestrator *o)
{
        size_t dead = o->n - o->living, oldest = SIZE_MAX;

        if (dead <= ORCHESTRATOR_DEAD)
                return;
        for (size_t i = 0; i < o->n; i++)
                if (o->member[i].ended_ns &&
                    (oldest == SIZE_MAX || o->member[i].ended_ns < o->member[oldest].ended_ns))
                        oldest = i;
        drop(s, o, oldest);
}

static void end_member(struct orchestrators *s, struct orchestrator *o, struct member *m)
{
        m->ended_ns = clock_boottime_ns();
        unwatch(s, m);
        o->living--;
        if (m->root) {
                o->last_end_ns = m->ended_ns;
                o->unreplaced++;
        }
        forget_longest_dead(s, o);
}

/* A root in the place of one that ended is a restart. */
static void note_start(struct orchestrator *o, uint64_t start_ns)
{
        if (!o->unreplaced)
                return;
        o->unreplaced--;
        o->start_ns[o->restarts++ % ORCHESTRATOR_STARTS] = start_ns;
}

bool orchestrator_known(struct orchestrator *o, const struct procinfo_stat *p)
{
        for (size_t i = 0; i < o->n; i++) {
                if (o->member[i].id.tgid != p->pid || o->member[i].ticks != p->ticks)
                        continue;
                memcpy(o->member[i].id.comm, p->comm, sizeof(p->comm)); /* an exec changes it */
                return true;
        }
        return false;
}

/* Whoever is in a group and does not lead it descends from its leader, or has the same ancestor as all of it: one whose parent is not
 * that of the root has lost a parent of its own. */
bool orchestrator_is_left_behind(const struct orchestrator *o, const struct procinfo_stat *p)
{
        uint64_t start = procinfo_start_ns(p->ticks);

        for (size_t i = 0; p->group && p->group != p->pid && i < o->n; i++) {
                const struct member *m = &o->member[i];
                bool leads = m->id.tgid == m->group;
                if (!m->root || m->group != p->group || p->ticks < m->ticks || (m->ended_ns && start > m->ended_ns))
                        continue;
                if (leads || (m->ended_ns && m->ppid != p->ppid))
                        return true;
        }
        return false;
}

/* The start as the kernel has it; one that cannot be read is tried again by the next scan. */
static void learn_start(struct daemon *d, struct member *m)
{
        uint64_t start_ns;

        if (sensor_identify(d->sensor, (pid_t)m->id.tgid, &start_ns) == 0 && procinfo_ticks(start_ns) == m->ticks)
                m->id.start_ns = start_ns;
}

void orchestrator_add(struct daemon *d, struct orchestrator *o, const struct procinfo_stat *p, bool root)
{
        struct orchestrators *s = d->orchestrators;

        if (orchestrator_known(o, p))
                return;
        if (o->n == ORCHESTRATOR_MEMBERS) {
                o->left_out++;
                return;
        }
        struct member *grown = reallocarray(o->member, o->n + 1, sizeof(*grown));
        if (!grown) {
                o->left_out++;
                return;
        }
        o->member = grown;
        struct member *m = &o->member[o->n++];
        *m = (struct member){.id = {.tgid = p->pid},
                             .ticks = p->ticks,
                             .ppid = p->ppid,
                             .group = p->group,
                             .root = root,
                             .pidfd = -1};
        memcpy(m->id.comm, p->comm, sizeof(m->id.comm));
        o->living++;
        o->ever = true;
        watch(s, m);
        learn_start(d, m);
        if (procinfo_own_pid(p->pid, &m->own_pid) < 0)
                m->own_pid = 0; /* it has just ended */
        if (root)
                note_start(o, procinfo_start_ns(p->ticks));
}

void orchestrator_identify(struct daemon *d, struct orchestrator *o)
{
        for (size_t i = 0; i < o->n; i++)
                if (!o->member[i].ended_ns && !o->member[i].id.start_ns)
                        learn_start(d, &o->member[i]);
}

/* ---- who has ended ---- */

/* Sets @p ended of each orchestrator to be told. */
void orchestrators_tell(struct daemon *d, const bool *changed,
                        void (*ended)(struct daemon *d, struct orchestrator *o))
{
        for (size_t i = 0; i < d->orchestrators->n; i++)
                if (changed[i])
                        ended(d, &d->orchestrators->one[i]);
}

/* @others: those without a pidfd, too, each of which costs a look at /proc. */
static bool is_over(const struct member *m, bool others)
{
        struct pollfd end = {.fd = m->pidfd, .events = POLLIN};
        struct procinfo_stat now;

        if (m->pidfd >= 0 || !others)
                return m->pidfd >= 0 && poll(&end, 1, 0) > 0;
        int r = procinfo_stat(m->id.tgid, &now);
        return r == -ESRCH || (r == 0 && (now.ticks != m->ticks || procinfo_is_over(&now)));
}

bool orchestrator_end_dead(struct orchestrators *s, struct orchestrator *o, bool others)
{
        bool any = false;

        for (size_t i = o->n; i-- > 0;) {
                if (i >= o->n || o->member[i].ended_ns || !is_over(&o->member[i], others))
                        continue;
                end_member(s, o, &o->member[i]);
                any = true;
        }
        return any;
}

bool orchestrators_turn(struct daemon *d, void (*ended)(struct daemon *d, struct orchestrator *o))
{
        struct orchestrators *s = d->orchestrators;
        bool changed[CONFIG_MAX_ORCHESTRATORS] = {false}, any = false;
        struct epoll_event event;

        if (epoll_wait(s->epoll, &event, 1, 0) <= 0)
                return false;
        for (size_t i = 0; i < s->n; i++) {
                changed[i] = orchestrator_end_dead(s, &s->one[i], false);
                any = any || changed[i];
        }
        orchestrators_tell(d, changed, ended);
        return any;
}

/* ---- configuration ---- */

static bool same_text(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_rule(const struct config_match *a, const struct config_match *b)
{
        return same_text(a->cmdline, b->cmdline) && same_text(a->comm, b->comm) && same_text(a->exe, b->exe) &&
               same_text(a->pid_file, b->pid_file) && same_text(a->systemd_unit, b->systemd_unit) &&
               same_text(a->cgroup, b->cgroup) && same_text(a->container, b->container) && a->uid == b->uid;
}

int orchestrators_apply(struct daemon *d, void (*gone)(struct daemon *d, struct orchestrator *o))
{
        struct orchestrators *s = d->orchestrators;
        const struct config *c = d->config;
        struct orchestrator *now = calloc(c->norchestrators + 1, sizeof(*now));

        for (size_t i = 0; now && i < c->norchestrators; i++) {
                now[i].of = &c->orchestrator[i];
                now[i].name = strdup(c->orchestrator[i].name);
                if (now[i].name)
                        continue;
                while (i-- > 0)
                        free(now[i].name);
                free(now);
                now = NULL;
        }
        if (!now)
                return -ENOMEM;
        for (size_t i = 0; i < s->n; i++) {
                size_t k = 0;
                while (k < c->norchestrators && strcmp(now[k].name, s->one[i].name) != 0)
                        k++;
                /* s->one[i].of is of the configuration before, which is still there. */
                if (k < c->norchestrators && same_rule(&s->one[i].of->match, &now[k].of->match)) {
                        const struct config_orchestrator *of = now[k].of;
                        free(now[k].name);
                        now[k] = s->one[i];
                        now[k].of = of;
                        continue;
                }
                gone(d, &s->one[i]);
                orchestrator_done(s, &s->one[i]);
        }
        free(s->one);
        s->one = now;
        s->n = c->norchestrators;
        free(s->host); /* its bits are places in the old list */
        s->host = NULL;
        s->nhost = 0;
        return 0;
}

/* ---- questions ---- */

int orchestrators_fd(const struct orchestrators *s)
{
        return s->epoll;
}

size_t orchestrators_count(const struct orchestrators *s)
{
        return s->n;
}

struct orchestrator *orchestrators_at(const struct orchestrators *s, size_t i)
{
        return &s->one[i];
}

const struct member *orchestrator_member(const struct orchestrator *o, uint32_t pid)
{
        const struct member *best = NULL;

        for (size_t i = 0; i < o->n; i++) {
                const struct member *m = &o->member[i];
                if (m->id.tgid != pid)
                        continue;
                if (!m->ended_ns)
                        return m;
                if (!best || m->ended_ns > best->ended_ns)
                        best = m;
        }
        return best;
}

bool orchestrator_is_contained(const struct orchestrator *o)
{
        for (size_t i = 0; i < o->n; i++)
                if (o->member[i].own_pid && o->member[i].own_pid != o->member[i].id.tgid)
                        return true;
        return false;
}

unsigned orchestrator_restarts(const struct orchestrator *o, uint64_t now)
{
        unsigned n = 0;

        for (size_t i = 0; i < ORCHESTRATOR_STARTS; i++)
                n += o->start_ns[i] && now - o->start_ns[i] < CRASH_LOOP_NS;
        return n;
}

json_t *orchestrator_json(const struct orchestrator *o, uint64_t now)
{
        unsigned restarts = orchestrator_restarts(o, now);
        bool loop = restarts >= CRASH_LOOP_RESTARTS;

        return json_pack("{s:s, s:I, s:I, s:s?, s:I, s:o}", "name", o->name, "processes", (json_int_t)o->living,
                         "left_out", (json_int_t)o->left_out, "supervisor", o->care[0] ? o->care : NULL, "restarts",
                         (json_int_t)o->restarts, "crash_loop",
                         loop ? json_pack("{s:I, s:I}", "restarts", (json_int_t)restarts, "within_ms",
                                          (json_int_t)(CRASH_LOOP_NS / 1000000))
                              : json_null());
}
