/* finish.c - the stream has ended: its records find each other. */
#include <stdlib.h>

#include "model/model_private.h"

static int by_time(const void *a, const void *b)
{
        const struct model_death *x = *(struct model_death *const *)a;
        const struct model_death *y = *(struct model_death *const *)b;
        if (x->ns != y->ns)
                return x->ns < y->ns ? -1 : 1;
        if (x->id.start_ns != y->id.start_ns)
                return x->id.start_ns < y->id.start_ns ? -1 : 1;
        return x->id.tgid < y->id.tgid ? -1 : x->id.tgid > y->id.tgid;
}

static int by_identity(const void *a, const void *b)
{
        const struct model_process *x = a, *y = b;
        if (x->id.start_ns != y->id.start_ns)
                return x->id.start_ns < y->id.start_ns ? -1 : 1;
        if (x->id.tgid != y->id.tgid)
                return x->id.tgid < y->id.tgid ? -1 : 1;
        return x->ns < y->ns ? -1 : x->ns > y->ns;
}

const struct model_process *model_process_at(const struct model *m, uint64_t start_ns, uint32_t tgid, uint64_t ns)
{
        /* The last entry that is not above (start, tgid, ns); its first record may be younger than the event. */
        struct model_process key = {.id = {.start_ns = start_ns, .tgid = tgid}, .ns = ns};
        size_t low = 0, high = m->nprocesses;
        while (low < high) {
                size_t mid = low + (high - low) / 2;
                if (by_identity(&m->process[mid], &key) <= 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        if (low > 0 && same_process(&m->process[low - 1].id, &key.id))
                return &m->process[low - 1];
        if (low < m->nprocesses && same_process(&m->process[low].id, &key.id))
                return &m->process[low];
        return NULL;
}

static void join_deaths(struct model *m, struct model_death **list, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct model_death *d = list[i];
                d->process = model_process_at(m, d->id.start_ns, d->id.tgid, d->ns);
                for (uint32_t k = 0; k < d->nuses; k++)
                        d->use[k].database = model_database_by_id(m, d->use[k].use.db);
                /* Older kernels name the victim by its pid alone; deaths are rare enough to look at all of them. */
                for (size_t k = 0; k < m->nooms; k++)
                        if (m->oom[k].tgid == d->id.tgid &&
                            (!m->oom[k].start_ns || m->oom[k].start_ns == d->id.start_ns))
                                d->oom = true;
        }
}

int model_finish(struct model *m)
{
        int r = attach_orphans(m);
        if (r < 0)
                return r;
        if (m->nprocesses)
                qsort(m->process, m->nprocesses, sizeof(*m->process), by_identity);
        if (m->ndeaths)
                qsort(m->death, m->ndeaths, sizeof(struct model_death *), by_time);
        join_deaths(m, m->death, m->ndeaths);
        join_deaths(m, m->living, m->nliving);
        for (size_t i = 0; i < m->ntroubles; i++)
                m->trouble[i].database = model_database_by_id(m, (uint32_t)m->trouble[i].database);
        for (size_t i = 0; i < m->ncopies; i++)
                m->copy[i].database = model_database_by_id(m, (uint32_t)m->copy[i].database);
        for (size_t i = 0; i < m->ntakings; i++)
                m->taking[i].database = model_database_by_id(m, m->taking[i].db);
        for (size_t i = 0; i < m->nhists; i++)
                m->hist[i].database = model_database_by_id(m, (uint32_t)m->hist[i].database);
        for (size_t i = 0; i < m->nshares; i++)
                m->shares[i].database = model_database_by_id(m, m->shares[i].a.db);
        databases_settle(m);
        afterlife_settle(m);
        trust_settle(m);
        r = unindexed_settle(m);
        return r < 0 ? r : living_settle(m);
}
