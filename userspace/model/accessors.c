/* accessors.c - what others may ask of a model. */
#include <string.h>

#include "model/model_private.h"

size_t model_n_databases(const struct model *m)
{
        return m->ngroups;
}

const struct model_database *model_database(const struct model *m, size_t i)
{
        return i < m->ngroups ? &m->group[i]->pub : NULL;
}

size_t model_database_by_id(const struct model *m, uint32_t id)
{
        return id < VIGIL_MAX_DBS ? m->slot[id].database : SIZE_MAX;
}

size_t model_n_deaths(const struct model *m)
{
        return m->ndeaths;
}

const struct model_death *model_death(const struct model *m, size_t i)
{
        return i < m->ndeaths ? m->death[i] : NULL;
}

size_t model_n_living(const struct model *m)
{
        return m->nliving;
}

const struct model_death *model_living(const struct model *m, size_t i)
{
        return i < m->nliving ? m->living[i] : NULL;
}

size_t model_n_troubles(const struct model *m)
{
        return m->ntroubles;
}

const struct model_trouble *model_trouble(const struct model *m, size_t i)
{
        return i < m->ntroubles ? &m->trouble[i] : NULL;
}

size_t model_n_shares(const struct model *m)
{
        return m->nshares;
}

const struct vigil_neighbour *model_neighbours(const struct model *m, size_t *ret_n)
{
        *ret_n = m->nneighbours;
        return m->neighbour;
}

const struct model_shares *model_shares(const struct model *m, size_t i)
{
        return &m->shares[i];
}

size_t model_n_hists(const struct model *m)
{
        return m->nhists;
}

const struct model_hist *model_hist(const struct model *m, size_t i)
{
        return i < m->nhists ? &m->hist[i] : NULL;
}

const struct vigil_sig *model_fatal_signal(const struct model *m, uint64_t start_ns, uint32_t tgid)
{
        const struct vigil_sig *last = NULL;
        for (size_t i = 0; i < m->nsignals; i++) {
                const struct vigil_signal *s = &m->signal[i];
                if (s->id.tgid == tgid && s->id.start_ns == start_ns && (!last || s->sig.ns >= last->ns))
                        last = &s->sig;
        }
        return last;
}

const struct vigil_sig *model_signal_before(const struct model *m, uint64_t start_ns, uint32_t tgid, int sig,
                                            uint64_t ns)
{
        const struct vigil_sig *last = NULL;

        for (size_t i = 0; i < m->nsignals; i++) {
                const struct vigil_signal *s = &m->signal[i];
                if (s->id.tgid == tgid && s->id.start_ns == start_ns && s->sig.sig == sig && s->sig.ns <= ns &&
                    (!last || s->sig.ns >= last->ns))
                        last = &s->sig;
        }
        return last;
}

const char *model_cgroup(const struct model *m, uint64_t cgroup_id)
{
        for (size_t i = 0; i < m->ncgroups; i++)
                if (m->cgroup[i].id == cgroup_id)
                        return m->cgroup[i].text;
        return NULL;
}

bool model_probe_attached(const struct model *m, const char *part)
{
        for (size_t i = 0; i < m->nprobes; i++)
                if (m->probe[i].attached && strstr(m->probe[i].name, part))
                        return true;
        return false;
}

const struct vigil_session *model_session(const struct model *m)
{
        return m->session;
}

const struct vigil_end *model_end(const struct model *m)
{
        return m->end;
}

const struct vigil_stats *model_stats(const struct model *m)
{
        return m->stats;
}

uint64_t model_records(const struct model *m)
{
        return m->records;
}

uint64_t model_gaps(const struct model *m)
{
        uint64_t told = m->stats ? m->stats->gaps : 0, seen = gaps_missing(&m->gaps);
        return told > seen ? told : seen;
}

uint64_t model_lost(const struct model *m)
{
        if (!m->stats)
                return 0;
        /* Deaths that found their ring full stay in their map and are collected: they are counted, but not lost. */
        const struct vigil_counters *c = &m->stats->c;
        return c->lost > c->lost_deaths ? c->lost - c->lost_deaths : 0;
}

const struct trust *model_trust(const struct model *m)
{
        return &m->trust;
}

bool model_blind(const struct model *m, const char **ret_reason)
{
        if (m->blind)
                *ret_reason = m->blind;
        return m->blind != NULL;
}

int64_t model_realtime(const struct model *m, uint64_t ns)
{
        /* Unsigned: a fuzzed offset must not overflow. */
        return m->session ? (int64_t)(ns + (uint64_t)m->session->realtime_offset_ns) : 0;
}
