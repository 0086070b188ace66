/* evidence_proc.c - what procfs says of one process: proc(5). */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "sensor/cgroups.h"
#include "sensor/evidence_private.h"
#include "sensor/proctext.h"

#define PROC_TEXT 65536

static char *read_proc(uint32_t tgid, uint32_t tid, const char *file)
{
        char path[96], *text = NULL;

        if (tid)
                snprintf(path, sizeof(path), "/proc/%u/task/%u/%s", tgid, tid, file);
        else
                snprintf(path, sizeof(path), "/proc/%u/%s", tgid, file);
        return io_read_file(path, PROC_TEXT, &text, NULL) == 0 ? text : NULL;
}

static uint64_t tick_ns(void)
{
        return 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* 0 when the process of this number is still the one that is meant: procfs tells its start in ticks, cut off. One whose first
 * thread alone has ended lives on. */
static int stat_of(const struct vigil_ident *id, struct proc_stat *ret)
{
        _cleanup_free_ char *text = read_proc(id->tgid, 0, "stat");

        if (!text || proctext_stat(text, ret) < 0 || ret->start_ticks != id->start_ns / tick_ns())
                return -ESRCH;
        return (ret->state == 'Z' || ret->state == 'X') && ret->threads <= 1 ? -ESRCH : 0;
}

bool evidence_lives(const struct vigil_ident *id)
{
        struct proc_stat st;

        return stat_of(id, &st) == 0;
}

void evidence_comm(struct vigil_ident *id)
{
        struct proc_stat st;

        if (stat_of(id, &st) == 0)
                memcpy(id->comm, st.comm, sizeof(id->comm));
}

/* ---- threads ---- */

/* How much a thread tells of why its process does not go on. */
static int rank(const struct process_evidence *e, uint32_t tid, char state)
{
        if (state == 'D')
                return 5;
        if (e->sync.since_ns && e->sync.tid == tid)
                return 4;
        for (size_t i = 0; i < e->nwaits; i++)
                if (e->wait[i].tid == tid)
                        return 3;
        if (state == 'R')
                return 2;
        return tid == e->id.tgid ? 1 : 0;
}

static void add_thread(struct process_evidence *e, uint32_t tid, int *best)
{
        _cleanup_free_ char *stat = read_proc(e->id.tgid, tid, "stat");
        _cleanup_free_ char *sched = read_proc(e->id.tgid, tid, "schedstat");
        _cleanup_free_ char *status = read_proc(e->id.tgid, tid, "status");
        struct proc_stat st;
        uint64_t run, delay, n;

        if (!stat || proctext_stat(stat, &st) < 0)
                return; /* it has ended meanwhile */
        e->running += st.state == 'R';
        e->uninterruptible += st.state == 'D';
        int r = rank(e, tid, st.state);
        if (r > *best) {
                *best = r;
                e->tid = tid;
                e->state = st.state;
        }
        if (sched && proctext_schedstat(sched, &run, &delay) == 0)
                e->run_delay_ns += delay;
        else
                e->missing |= EVIDENCE_NO_DELAYS;
        if (status && proctext_number(status, "voluntary_ctxt_switches:", &n))
                e->voluntary += n;
        if (status && proctext_number(status, "nonvoluntary_ctxt_switches:", &n))
                e->involuntary += n;
}

static int threads_fill(struct process_evidence *e)
{
        char path[64];
        unsigned looked = 0;
        int best = -1;

        snprintf(path, sizeof(path), "/proc/%u/task", e->id.tgid);
        _cleanup_closedir_ DIR *dir = opendir(path);
        if (!dir)
                return -ESRCH;
        for (struct dirent *d = readdir(dir); d; d = readdir(dir)) {
                if (!isdigit((unsigned char)d->d_name[0]))
                        continue;
                if (looked++ == EVIDENCE_THREADS) {
                        e->missing |= EVIDENCE_NO_THREADS;
                        break;
                }
                add_thread(e, (uint32_t)strtoul(d->d_name, NULL, 10), &best);
        }
        return best < 0 ? -ESRCH : 0;
}

/* Where that thread sleeps. wchan is "0" for one that does not, or that must not be looked at. */
static void place_fill(struct process_evidence *e)
{
        _cleanup_free_ char *wchan = read_proc(e->id.tgid, e->tid, "wchan");
        _cleanup_free_ char *stack = read_proc(e->id.tgid, e->tid, "stack");

        if (!wchan)
                e->missing |= EVIDENCE_NO_WCHAN;
        else if (strcmp(wchan, "0") != 0)
                snprintf(e->wchan, sizeof(e->wchan), "%s", wchan);
        if (!stack)
                e->missing |= EVIDENCE_NO_STACK;
        else
                snprintf(e->stack, sizeof(e->stack), "%s", stack);
}

/* ---- counters of the process ---- */

static void io_fill(struct process_evidence *e)
{
        _cleanup_free_ char *io = read_proc(e->id.tgid, 0, "io");
        const struct {
                const char *key;
                uint64_t *to;
        } field[] = {
                {"rchar:", &e->read_chars},  {"wchar:", &e->write_chars},     {"syscr:", &e->read_calls},
                {"syscw:", &e->write_calls}, {"read_bytes:", &e->read_bytes}, {"write_bytes:", &e->write_bytes},
        };

        for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
                if (!io || !proctext_number(io, field[i].key, field[i].to))
                        e->missing |= EVIDENCE_NO_IO;
}

/* Where cgroups are mounted changes once in the life of a host: not read for each sample. */
#define MOUNTS_NS 60000000000ull

static const struct mounts *mounts_of(struct sensor *s, uint64_t now)
{
        struct mounts m;

        if (s->mounts.n && now < s->mounts_ns + MOUNTS_NS)
                return &s->mounts;
        if (mounts_read(-1, &m) == 0) {
                mounts_done(&s->mounts);
                s->mounts = m;
                s->mounts_ns = now;
        }
        return &s->mounts;
}

static void cgroup_fill(struct sensor *s, struct process_evidence *e)
{
        _cleanup_free_ char *memberships = read_proc(e->id.tgid, 0, "cgroup");
        struct cgroup_state st;

        if (!memberships || cgroups_look(memberships, mounts_of(s, e->at_ns), &st) < 0) {
                e->missing |= EVIDENCE_NO_CGROUP;
                return;
        }
        e->cgroup.frozen = st.frozen;
        e->cgroup.throttled_us = st.throttled_us;
}

int evidence_proc(struct sensor *s, struct process_evidence *e)
{
        struct proc_stat st, again;

        if (stat_of(&e->id, &st) < 0)
                return -ESRCH;
        memcpy(e->id.comm, st.comm, sizeof(e->id.comm));
        int r = threads_fill(e);
        if (r < 0)
                return r;
        place_fill(e);
        evidence_sleep_fill(e);
        io_fill(e);
        cgroup_fill(s, e);
        /* All of this was read by a number: it must have been one process from the beginning to the end. */
        if (stat_of(&e->id, &again) < 0)
                return -ESRCH;
        e->cpu_ns = again.cpu_ticks * tick_ns();
        e->threads = again.threads;
        e->stop.stopped = again.state == 'T';
        e->stop.traced = again.state == 't';
        return 0;
}
