/* taking.c - which deaths are whole, which troubles are due. */
#include "daemon/taking.h"

#include <errno.h>

static uint64_t age(uint64_t now_ns, uint64_t ns)
{
        return now_ns > ns ? now_ns - ns : 0;
}

static unsigned ms_left(uint64_t wait_ns, uint64_t waited_ns)
{
        return waited_ns < wait_ns ? (unsigned)((wait_ns - waited_ns) / 1000000) + 1 : 1;
}

static void sooner(unsigned *wait_ms, unsigned ms)
{
        if (!*wait_ms || ms < *wait_ms)
                *wait_ms = ms;
}

static void find_last(struct memory *m)
{
        m->last = &m->first;
        while (*m->last)
                m->last = &(*m->last)->next;
}

struct death *take_deaths(struct memory *m, uint64_t now_ns, unsigned *wait_ms)
{
        struct death *taken = NULL, **tail = &taken, **link = &m->first;
        size_t n = 0;

        while (*link && n < EPISODE_DEATHS) {
                struct death *d = *link;
                uint64_t waited = age(now_ns, d->proc.hdr.ns);
                if (!memory_death_is_whole(d) && waited < EPISODE_WAIT_NS) {
                        sooner(wait_ms, ms_left(EPISODE_WAIT_NS, waited));
                        link = &d->next;
                        continue;
                }
                *link = d->next;
                d->next = NULL;
                *tail = d;
                tail = &d->next;
                m->ndeaths--;
                n++;
        }
        find_last(m);
        return taken;
}

void put_deaths_back(struct memory *m, struct death *deaths)
{
        struct death *old = m->first, **link = &m->first;

        for (*link = deaths; *link; link = &(*link)->next)
                m->ndeaths++;
        *link = old;
        find_last(m);
}

/* The account that an earlier episode told of had this error in it. */
static bool was_told(const struct told *told, const struct trouble *t)
{
        bool in_account = t->hdr.type == VIGIL_WBERR || t->op.e.op == VIGIL_OP_SYNC;

        return in_account && t->hdr.ns <= told->account_ns;
}

/* Troubles of one kind: what was done to which file, and how it failed. Two may share a bit: then one of them waits. */
static uint32_t kind_of(const struct trouble *t)
{
        bool op = t->hdr.type == VIGIL_OP;
        uint32_t what = op ? t->op.e.op : 0x80u | t->wberr.consumed, role = op ? t->op.e.role : t->wberr.role;
        uint32_t error = op && t->op.e.result < 0 ? 0u - (uint32_t)t->op.e.result : 0;

        return 1u << (((what << 16 ^ role << 12 ^ error) * 0x9e3779b1u) >> 27);
}

/* A disk that is full stays full, and each write says so: what goes on is told ever more rarely, what is new at once. */
static bool is_due(const struct told *told, const struct trouble *t, uint64_t now_ns, unsigned *wait_ms)
{
        uint64_t waited = age(now_ns, told->trouble_ns);

        if (!(told->kinds & kind_of(t)) || waited >= told->pause_ns)
                return true;
        sooner(wait_ms, ms_left(told->pause_ns, waited));
        return false;
}

static void note_told(struct told *told, const struct trouble *t, uint64_t now_ns)
{
        uint64_t waited = age(now_ns, told->trouble_ns);

        if (!told->trouble_ns || waited >= 2 * told->pause_ns) {
                told->pause_ns = EPISODE_PAUSE_NS;
                told->kinds = 0;
        } else if (waited >= told->pause_ns) {
                told->pause_ns = 2 * told->pause_ns < EPISODE_PAUSE_MAX_NS ? 2 * told->pause_ns
                                                                           : EPISODE_PAUSE_MAX_NS;
        }
        told->trouble_ns = now_ns;
        told->kinds |= kind_of(t);
}

int take_troubles(struct memory *m, uint64_t now_ns, struct trouble *ret, unsigned *wait_ms)
{
        bool due[VIGIL_MAX_DBS] = {false};
        size_t n = 0, left = 0;

        for (size_t i = 0; i < m->ntroubles; i++) {
                const struct trouble *t = &m->trouble[i];
                const struct told *told = memory_told(m, t->db);
                if (!told)
                        return -ENOMEM;
                if (!due[t->db] && !was_told(told, t))
                        due[t->db] = is_due(told, t, now_ns, wait_ms);
        }
        for (size_t i = 0; i < m->ntroubles; i++) {
                const struct trouble *t = &m->trouble[i];
                if (was_told(m->told[t->db], t))
                        continue;
                if (due[t->db])
                        ret[n++] = *t;
                else
                        m->trouble[left++] = *t;
        }
        m->ntroubles = left;
        for (size_t i = 0; i < n; i++)
                note_told(m->told[ret[i].db], &ret[i], now_ns);
        return (int)n;
}
