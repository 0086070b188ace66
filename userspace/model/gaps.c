/* gaps.c - one sliding window of seen numbers per cpu. */
#include "model/gaps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct gaps_cpu {
        uint32_t cpu;
        uint64_t first; /* the oldest that came: what lies before it was never ours to see */
        uint64_t next;  /* one above the youngest */
        uint64_t seen[GAPS_WINDOW / 64];
};

static bool is_seen(const struct gaps_cpu *c, uint64_t seq)
{
        return (c->seen[seq / 64 % (GAPS_WINDOW / 64)] >> (seq % 64)) & 1;
}

static void set_seen(struct gaps_cpu *c, uint64_t seq, bool seen)
{
        uint64_t bit = 1ull << (seq % 64);
        uint64_t *word = &c->seen[seq / 64 % (GAPS_WINDOW / 64)];
        *word = seen ? *word | bit : *word & ~bit;
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
        *c = (struct gaps_cpu){.cpu = cpu, .first = seq, .next = seq};
        return c;
}

/* The window moves up to @p seq: what is skipped is missing until it comes. */
static void advance(struct gaps *g, struct gaps_cpu *c, uint64_t seq)
{
        uint64_t skipped = seq - c->next;
        uint64_t sum = g->missing + skipped;
        g->missing = sum < skipped ? UINT64_MAX : sum;
        if (skipped >= GAPS_WINDOW)
                memset(c->seen, 0, sizeof(c->seen));
        else
                for (uint64_t s = c->next; s < seq; s++)
                        set_seen(c, s, false);
        set_seen(c, seq, true);
        c->next = seq + 1;
}

int gaps_note(struct gaps *g, uint32_t cpu, uint64_t seq)
{
        struct gaps_cpu *c = find(g, cpu);
        if (!c && g->ncpus == GAPS_MAX_CPUS) {
                g->unfollowed++;
                return 1;
        }
        if (!c)
                c = add(g, cpu, seq);
        if (!c)
                return -ENOMEM;
        if (seq >= c->next) {
                advance(g, c, seq);
                return 1;
        }
        if (c->next - seq > GAPS_WINDOW) {
                g->too_late++;
                return 1;
        }
        if (is_seen(c, seq)) {
                g->duplicates++;
                return 0;
        }
        set_seen(c, seq, true);
        if (seq < c->first) {
                g->missing += c->first - seq - 1;
                c->first = seq;
        } else if (g->missing > 0) {
                g->missing--;
        }
        return 1;
}

void gaps_done(struct gaps *g)
{
        free(g->cpu);
        *g = (struct gaps){0};
}
