/* model.c - takes records, and answers. */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "model/model_private.h"

void *model_grow(void *p, size_t n, size_t size)
{
        if (n & (n - 1))
                return p;
        return realloc(p, (n ? n * 2 : 1) * size);
}

void *model_copy(const void *p, size_t n)
{
        void *copy = malloc(n);
        if (copy)
                memcpy(copy, p, n);
        return copy;
}

struct model *model_new(void)
{
        struct model *m = calloc(1, sizeof(*m));
        for (size_t i = 0; m && i < VIGIL_MAX_DBS; i++)
                m->slot[i].database = SIZE_MAX;
        return m;
}

void model_free(struct model *m)
{
        if (!m)
                return;
        for (size_t i = 0; i < VIGIL_MAX_DBS; i++) {
                free(m->slot[i].db);
                free(m->slot[i].observed);
        }
        for (size_t i = 0; i < m->ngroups; i++) {
                free(m->group[i]->path);
                free(m->group[i]);
        }
        for (size_t i = 0; i < m->nprocesses; i++) {
                free((char *)m->process[i].exe);
                free((char *)m->process[i].argv);
        }
        for (size_t i = 0; i < m->ndeaths; i++)
                death_free(m->death[i]);
        for (size_t i = 0; i < m->nliving; i++)
                death_free(m->living[i]);
        for (size_t i = 0; i < m->ncgroups; i++)
                free(m->cgroup[i].text);
        for (size_t i = 0; i < m->norphans; i++)
                free(m->orphan[i]);
        free(m->process);
        free(m->death);
        free(m->living);
        free(m->trouble);
        free(m->copy);
        free(m->taking);
        free(m->hist);
        free(m->shares);
        free(m->neighbour);
        free(m->probe);
        free(m->oom);
        free(m->signal);
        free(m->session);
        free(m->end);
        free(m->stats);
        gaps_done(&m->gaps);
        free(m);
}

int model_feed(struct model *m, const struct vigil_hdr *h)
{
        if (h->cpu != VIGIL_CPU_USER) {
                int fresh = gaps_note(&m->gaps, h);
                if (fresh <= 0)
                        return fresh;
        }
        m->records++;
        return feed_known(m, h);
}
