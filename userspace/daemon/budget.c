#include "daemon/budget.h"

#include <stdlib.h>
#include <string.h>

/* As in the configuration: names have at most 64 bytes, with a file of a glob behind a slash. */
#define NAME_BYTES 330

struct pair {
        unsigned kind;
        char database[NAME_BYTES];
        uint64_t failed_ns[BUDGET_FAILURES]; /* newest first; 0: none */
        uint64_t rests_until;
};

struct budget {
        struct pair *pair;
        size_t n;
};

struct budget *budget_new(void)
{
        return calloc(1, sizeof(struct budget));
}

void budget_free(struct budget *b)
{
        if (!b)
                return;
        free(b->pair);
        free(b);
}

static struct pair *find(const struct budget *b, unsigned kind, const char *database)
{
        for (size_t i = 0; i < b->n; i++)
                if (b->pair[i].kind == kind && strncmp(b->pair[i].database, database, NAME_BYTES - 1) == 0)
                        return &b->pair[i];
        return NULL;
}

/* A place for another one: a new one, or that of the one which failed longest ago. NULL: out of memory */
static struct pair *place(struct budget *b)
{
        struct pair *oldest = NULL;

        if (b->n < BUDGET_PAIRS) {
                struct pair *more = realloc(b->pair, (b->n + 1) * sizeof(*more));
                if (more) {
                        b->pair = more;
                        return &b->pair[b->n++];
                }
        }
        for (size_t i = 0; i < b->n; i++)
                if (!oldest || b->pair[i].failed_ns[0] < oldest->failed_ns[0])
                        oldest = &b->pair[i];
        return oldest;
}

bool budget_failed(struct budget *b, unsigned kind, const char *database, uint64_t now_ns)
{
        struct pair *p = find(b, kind, database);

        if (!p) {
                p = place(b);
                if (!p)
                        return false;
                *p = (struct pair){.kind = kind};
                strncpy(p->database, database, NAME_BYTES - 1);
        }
        memmove(&p->failed_ns[1], &p->failed_ns[0], sizeof(p->failed_ns) - sizeof(p->failed_ns[0]));
        p->failed_ns[0] = now_ns;
        uint64_t oldest = p->failed_ns[BUDGET_FAILURES - 1];
        if (!oldest || now_ns - oldest > BUDGET_WINDOW_NS || now_ns < p->rests_until)
                return false;
        p->rests_until = now_ns + BUDGET_REST_NS;
        return true;
}

bool budget_rests(const struct budget *b, unsigned kind, const char *database, uint64_t now_ns)
{
        const struct pair *p = find(b, kind, database);

        return p && now_ns < p->rests_until;
}
