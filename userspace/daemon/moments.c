/* moments.c - see moments.h. */
#include "daemon/moments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An array doubles when its length is a power of two. */
static void *grow(void *array, size_t n, size_t size)
{
        return n & (n - 1) ? array : reallocarray(array, n ? 2 * n : 1, size);
}

static int add_shares(struct moment *m, const struct vigil_attribution *a)
{
        struct vigil_attribution *grown = grow(m->shares, m->nshares, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        m->shares = grown;
        grown[m->nshares++] = *a;
        return 0;
}

static int add_neighbour(struct moment *m, const struct vigil_neighbour *n)
{
        struct vigil_neighbour *grown = grow(m->neighbour, m->nneighbours, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        m->neighbour = grown;
        grown[m->nneighbours++] = *n;
        return 0;
}

int moment_add(struct moment *m, const struct vigil_hdr *record)
{
        if (record->type == VIGIL_ATTRIBUTION)
                return add_shares(m, (const struct vigil_attribution *)record);
        return record->type == VIGIL_NEIGHBOUR ? add_neighbour(m, (const struct vigil_neighbour *)record) : 0;
}

int moment_copy(const struct moment *from, uint32_t db, uint32_t disk, struct moment *ret)
{
        struct moment m = {.ns = from->ns};
        int r = 0;

        for (size_t i = 0; r == 0 && i < from->nshares; i++)
                if (from->shares[i].db == db)
                        r = add_shares(&m, &from->shares[i]);
        for (size_t i = 0; r == 0 && i < from->nneighbours; i++) {
                const struct vigil_neighbour *n = &from->neighbour[i];
                if (n->db == db || (disk && n->disk == disk))
                        r = add_neighbour(&m, n);
        }
        if (r < 0) {
                moment_done(&m);
                return r;
        }
        moment_done(ret);
        *ret = m;
        return 0;
}

void moment_done(struct moment *m)
{
        free(m->shares);
        free(m->neighbour);
        *m = (struct moment){0};
}

static void drop(struct moments *a, size_t i)
{
        moment_done(&a->moment[i]);
        memmove(&a->moment[i], &a->moment[i + 1], (a->n - i - 1) * sizeof(a->moment[0]));
        a->n--;
}

/* Of those that are closest together the later goes, never the newest: whatever would begin there begins a little earlier. */
static void make_room(struct moments *a, uint64_t now_ns)
{
        while (a->n > 1 && a->moment[1].ns + MOMENTS_NS < now_ns)
                drop(a, 0);
        if (a->n < MOMENTS)
                return;
        size_t victim = 1;
        for (size_t i = 2; i + 1 < a->n; i++)
                if (a->moment[i].ns - a->moment[i - 1].ns < a->moment[victim].ns - a->moment[victim - 1].ns)
                        victim = i;
        drop(a, victim);
}

void moments_add(struct moments *a, const struct moment *m)
{
        make_room(a, m->ns);
        a->moment[a->n++] = *m;
}

const struct moment *moments_at(const struct moments *a, uint64_t ns)
{
        size_t i = a->n;

        while (i > 1 && a->moment[i - 1].ns > ns)
                i--;
        return i ? &a->moment[i - 1] : NULL;
}

void moments_done(struct moments *a)
{
        for (size_t i = 0; i < a->n; i++)
                moment_done(&a->moment[i]);
        a->n = 0;
}
