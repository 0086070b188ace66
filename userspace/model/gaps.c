/* gaps.c - one sliding window of seen numbers per cpu. */
#include "model/gaps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct gaps_cpu {
        uint32_t cpu;
        uint64_t first;             /* the oldest that came: what lies before it was never ours to see */
        uint64_t next;              /* one above the youngest */
        uint32_t mark[GAPS_WINDOW]; /* of the record that came with a number; 0: none did */
};

/* Enough of a record to tell it from another one with the same number; never 0. */
static uint32_t mark_of(const struct vigil_hdr *h)
{
        uint64_t x = (h->ns ^ ((uint64_t)h->type << 48) ^ ((uint64_t)h->size << 32)) * 0x9e3779b97f4a7c15ull;
        return (uint32_t)(x >> 32) | 1;
}

static struct gaps_cpu *find(const struct gaps *g, uint32_t cpu)
{
        for (uint32_t i = 0; i < g->ncpus; i++)
                if (g->cpu[i].cpu == cpu)
                        return &g->cpu[i];
        return NULL;
}

static struct gaps_cpu *add(struct gaps *g, uint32_t cpu, uint64_t seq)
{
        struct gaps_cpu *grown = realloc(g->cpu, (g->ncpus + 1) * sizeof(*grown));
        if (!grown)
                return NULL;
        g->cpu = grown;
        struct gaps_cpu *c = &grown[g->ncpus++];
        memset(c, 0, sizeof(*c));
        c->cpu = cpu;
        c->first = c->next = seq;
        return c;
}

static void add_holes(struct gaps *g, uint64_t n)
{
        g->holes = n > UINT64_MAX - g->holes ? UINT64_MAX : g->holes + n;
}

/* The window moves up to @p seq: what is skipped is a hole until it comes. */
static void advance(struct gaps *g, struct gaps_cpu *c, uint64_t seq)
{
        uint64_t skipped = seq - c->next;
        add_holes(g, skipped);
        if (skipped >= GAPS_WINDOW)
                memset(c->mark, 0, sizeof(c->mark));
        else
                for (uint64_t s = c->next; s < seq; s++)
                        c->mark[s % GAPS_WINDOW] = 0;
        c->next = seq + 1;
}

int gaps_note(struct gaps *g, const struct vigil_hdr *h)
{
        struct gaps_cpu *c = find(g, h->cpu);
        if (!c && g->ncpus == GAPS_MAX_CPUS) {
                g->unfollowed++;
                return 1;
        }
        if (!c)
                c = add(g, h->cpu, h->seq);
        if (!c)
                return -ENOMEM;

        uint32_t *mark = &c->mark[h->seq % GAPS_WINDOW];
        if (h->seq >= c->next) {
                advance(g, c, h->seq);
        } else if (c->next - h->seq > GAPS_WINDOW) {
                g->too_late++;
                return 1;
        } else if (*mark == mark_of(h)) {
                g->duplicates++;
                return 0;
        } else if (*mark) {
                g->shared++;
                return 1;
        } else if (h->seq < c->first) {
                add_holes(g, c->first - h->seq - 1);
                c->first = h->seq;
        } else if (g->holes > 0) {
                g->holes--;
        }
        *mark = mark_of(h);
        return 1;
}

uint64_t gaps_missing(const struct gaps *g)
{
        return g->holes > g->shared ? g->holes - g->shared : 0;
}

void gaps_done(struct gaps *g)
{
        free(g->cpu);
        *g = (struct gaps){0};
}
