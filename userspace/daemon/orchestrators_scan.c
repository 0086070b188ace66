/* orchestrators_scan.c - every process of the host: which belong to whom. What is known of one is kept until it ends or becomes
 * another program. Of those that belong to nobody most scans read the number alone, the seldomer the older they are: to read one small file of
 * each is what a scan costs. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "daemon/core.h"
#include "daemon/orchestrators_private.h"

static_assert(CONFIG_MAX_ORCHESTRATORS <= 64, "a bit for each");

/* Those who may still give themselves another name, or be put into another cgroup. */
#define YOUNG_NS 60000000000ull

/* The others are read so often: whether an old one has become another program, or its number another's. */
#define ALL_NS 30000000000ull

static int by_pid(const void *a, const void *b)
{
        const struct host_process *x = a, *y = b;

        return (x->stat.pid > y->stat.pid) - (x->stat.pid < y->stat.pid);
}

static struct host_process *find(struct host_process *list, size_t n, uint32_t pid)
{
        const struct host_process key = {.stat = {.pid = pid}};

        return n ? bsearch(&key, list, n, sizeof(key), by_pid) : NULL;
}

struct listing {
        struct host_process *list;
        size_t n, room;
        const struct orchestrators *known; /* of the last scan; NULL: everybody is read */
        uint64_t now;
};

/* It is twice as old as it was when its rules were looked at: it may have changed by now. */
static bool is_due(const struct host_process *p, uint64_t now)
{
        uint64_t start = procinfo_start_ns(p->stat.ticks);

        return now - start >= 2 * (p->judged_ns - start);
}

/* Somebody who has just begun is about to become what he is, by exec or by another name. */
static bool may_change(const struct host_process *p, uint64_t now)
{
        bool young = now - procinfo_start_ns(p->stat.ticks) < YOUNG_NS;

        return young && (!p->judged || !p->stat.image || is_due(p, now));
}

/* From the last scan, if it need not be read again. That its number be another's by now takes a round through all numbers. */
static bool as_before(const struct listing *l, uint32_t pid, struct procinfo_stat *ret)
{
        const struct host_process *p = l->known ? find(l->known->host, l->known->nhost, pid) : NULL;

        if (!p || p->member || may_change(p, l->now))
                return false;
        *ret = p->stat;
        return true;
}

static int list_one(uint32_t pid, void *userdata)
{
        struct listing *l = userdata;
        struct procinfo_stat stat;

        if (!as_before(l, pid, &stat) && (procinfo_stat(pid, &stat) < 0 || procinfo_is_over(&stat)))
                return 0;
        if (l->n == l->room) {
                size_t room = l->room ? 2 * l->room : 256;
                struct host_process *grown = reallocarray(l->list, room, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                l->list = grown;
                l->room = room;
        }
        l->list[l->n++] = (struct host_process){.stat = stat};
        return 0;
}

/* An exec is seen when it is read next. For anything else a young one is judged again when it is twice as old as it was then. */
static bool is_as_judged(const struct host_process *before, const struct procinfo_stat *is, uint64_t now)
{
        uint64_t start = procinfo_start_ns(is->ticks);
        bool was_young = before->judged_ns - start < YOUNG_NS;

        if (!before->judged || before->stat.image != is->image || strcmp(before->stat.comm, is->comm) != 0)
                return false;
        return !was_young || (is->image && !is_due(before, now));
}

/* What was known of a process that is still the same one, and runs the same program. */
static void carry_over(struct orchestrators *s, struct host_process *p, uint64_t now)
{
        const struct host_process *before = find(s->host, s->nhost, p->stat.pid);

        if (!before || before->stat.ticks != p->stat.ticks)
                return;
        p->member = before->member;
        p->judged = is_as_judged(before, &p->stat, now);
        p->judged_ns = before->judged_ns;
}

static uint32_t pid_of_file(const char *path)
{
        _cleanup_free_ char *text = NULL;

        return io_read_regular_file(path, 64, &text, NULL) == 0 ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

static bool own(const struct procinfo_stat *p)
{
        return p->pid == (uint32_t)getpid() || p->ppid == (uint32_t)getpid();
}

/* Which rules it fulfils by itself: a bit for each. */
static uint64_t rules_of(const struct orchestrators *s, const struct host_process *p, const uint32_t *pid_file)
{
        struct procinfo info;
        unsigned parts = 0;
        uint64_t bits = 0;

        for (size_t i = 0; i < s->n; i++)
                parts |= belongs_parts(&s->one[i].of->match);
        if (own(&p->stat) || procinfo_read(&p->stat, parts, &info) < 0)
                return 0;
        for (size_t i = 0; i < s->n; i++) {
                const struct config_match *rule = &s->one[i].of->match;
                if (rule->pid_file && pid_file[i] != p->stat.pid)
                        continue;
                /* A kernel thread, or one that has just ended, has no command line: only then is it nobody's. */
                if (info.cmdline[0] && belongs(rule, &info))
                        bits |= 1ull << i;
        }
        return bits && procinfo_is_still(&p->stat) ? bits : 0;
}

/* A file may name a process that has been there for long. */
static bool in_pid_file(const struct orchestrators *s, uint32_t pid, const uint32_t *pid_file)
{
        for (size_t i = 0; i < s->n; i++)
                if (pid_file[i] == pid)
                        return true;
        return false;
}

/* A process that began later than its child has the number of the one that was its parent. */
static const struct host_process *parent_of(const struct listing *l, const struct host_process *p)
{
        const struct host_process *parent = find(l->list, l->n, p->stat.ppid);

        return parent && parent->stat.ticks <= p->stat.ticks ? parent : NULL;
}

void orchestrators_recall(const struct orchestrators *s, struct host_process *list, size_t n)
{
        for (size_t i = 0; i < s->n; i++)
                for (size_t k = 0; k < s->one[i].n; k++) {
                        const struct member *m = &s->one[i].member[k];
                        struct host_process *p = m->ended_ns ? NULL : find(list, n, m->id.tgid);
                        if (p && p->stat.ticks == m->ticks)
                                p->member |= 1ull << i;
                }
}

/* Parents first, whatever their numbers: until nothing changes any more, which the depth of the tree bounds. */
static void inherit(struct listing *l)
{
        bool any = true;

        while (any) {
                any = false;
                for (size_t i = 0; i < l->n; i++) {
                        const struct host_process *parent = parent_of(l, &l->list[i]);
                        if (!parent || !(parent->member & ~l->list[i].member) || own(&l->list[i].stat))
                                continue;
                        l->list[i].member |= parent->member;
                        any = true;
                }
        }
}

static void note_care(struct orchestrator *o, struct listing *l, const struct host_process *p)
{
        struct procinfo info;
        const struct host_process *up = p;

        o->care[0] = '\0';
        for (int depth = 0; depth < 32 && (up = parent_of(l, up)); depth++)
                if (*care_of_ancestor(up->stat.comm))
                        snprintf(o->care, sizeof(o->care), "%s", care_of_ancestor(up->stat.comm));
        if (!o->care[0] && procinfo_read(&p->stat, PROCINFO_GROUP, &info) == 0 && procinfo_is_still(&p->stat))
                care_of_cgroup(info.cgroup, o->care);
}

static void take_members(struct daemon *d, struct listing *l, const uint64_t *ruled)
{
        struct orchestrators *s = d->orchestrators;

        for (size_t i = 0; i < s->n; i++)
                s->one[i].left_out = 0;
        for (size_t k = 0; k < l->n; k++) {
                const struct host_process *p = &l->list[k], *parent = parent_of(l, p);
                for (size_t i = 0; i < s->n; i++) {
                        uint64_t bit = 1ull << i;
                        if (!(p->member & bit) || orchestrator_known(&s->one[i], &p->stat))
                                continue;
                        bool root = ruled[k] & bit && !(parent && parent->member & bit) &&
                                    !orchestrator_is_left_behind(&s->one[i], &p->stat);
                        orchestrator_add(d, &s->one[i], &p->stat, root);
                        if (root)
                                note_care(&s->one[i], l, p);
                }
        }
}

void orchestrators_scan(struct daemon *d, void (*ended)(struct daemon *d, struct orchestrator *o))
{
        struct orchestrators *s = d->orchestrators;
        uint32_t pid_file[CONFIG_MAX_ORCHESTRATORS] = {0};
        bool changed[CONFIG_MAX_ORCHESTRATORS] = {false};
        uint64_t began = clock_boottime_ns();
        bool all = !s->host || began >= s->all_ns + ALL_NS;
        struct listing l = {.known = all ? NULL : s, .now = began};

        if (!s->n || procinfo_each(list_one, &l) < 0) {
                free(l.list);
                return;
        }
        uint64_t now = clock_boottime_ns(); /* all of the list have begun by now */
        _cleanup_free_ uint64_t *ruled = calloc(l.n + 1, sizeof(*ruled));
        qsort(l.list, l.n, sizeof(*l.list), by_pid);
        for (size_t i = 0; i < s->n; i++) {
                if (s->one[i].of->match.pid_file)
                        pid_file[i] = pid_of_file(s->one[i].of->match.pid_file);
                changed[i] = orchestrator_end_dead(s, &s->one[i], true);
        }
        for (size_t k = 0; ruled && k < l.n; k++) {
                carry_over(s, &l.list[k], now);
                if (!l.list[k].judged || in_pid_file(s, l.list[k].stat.pid, pid_file)) {
                        ruled[k] = rules_of(s, &l.list[k], pid_file);
                        l.list[k].member |= ruled[k];
                        l.list[k].judged = true;
                        l.list[k].judged_ns = now;
                }
        }
        orchestrators_recall(s, l.list, l.n);
        inherit(&l);
        if (ruled)
                take_members(d, &l, ruled);
        for (size_t i = 0; i < s->n; i++)
                orchestrator_identify(d, &s->one[i]);
        if (all)
                s->all_ns = now;
        free(s->host);
        s->host = l.list;
        s->nhost = l.n;
        orchestrators_tell(d, changed, ended);
}
