/* attribution.c - see attribution.h. */
#include "daemon/attribution.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "model/neighbours.h"
#include "model/shares.h"
#include "report/neighbours.h"
#include "report/shares.h"

/* The longest window, and a turn before it. Turns are 1 to 5 s: of many, every second of the older ones goes. */
#define KEPT_NS 130000000000ull
#define MOMENTS 32

/* What had been counted at one instant. */
struct moment {
        uint64_t ns;
        struct vigil_attribution *shares; /* commits and syncs of each database that had any */
        size_t nshares;
        struct vigil_neighbour *neighbour;
        size_t nneighbours;
};

struct attributions {
        struct moment moment[MOMENTS]; /* oldest first */
        size_t n;
        char failed[128]; /* why the last turn could not be taken; empty: it was */
};

/* Of one database: what had been counted at its beginning, and at its end. */
struct attribution_span {
        struct moment from, to;
        uint32_t disk; /* that it lies on, as was known at the beginning; 0: not known */
        char disk_name[32];
};

int attributions_new(struct attributions **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

static void moment_done(struct moment *m)
{
        free(m->shares);
        free(m->neighbour);
        *m = (struct moment){0};
}

void attributions_free(struct attributions *a)
{
        for (size_t i = 0; a && i < a->n; i++)
                moment_done(&a->moment[i]);
        free(a);
}

const char *attribution_why_not(const struct daemon *d)
{
        const char *why = sensor_not_attributed(d->sensor);

        if (!why)
                return d->attributions->failed[0] ? d->attributions->failed : NULL;
        if (why[0])
                return why;
        return d->config->attribution ? "attribution is off until the next start" : "attribution is off";
}

const char *attribution_state(const struct daemon *d)
{
        const char *why = sensor_not_attributed(d->sensor);

        return !why ? "on" : why[0] ? "refused" : "off";
}

/* ---- turns ---- */

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

static int on_record(const struct vigil_hdr *record, void *userdata)
{
        if (record->type == VIGIL_ATTRIBUTION)
                return add_shares(userdata, (const struct vigil_attribution *)record);
        return record->type == VIGIL_NEIGHBOUR ? add_neighbour(userdata, (const struct vigil_neighbour *)record)
                                               : 0;
}

static void drop(struct attributions *a, size_t i)
{
        moment_done(&a->moment[i]);
        memmove(&a->moment[i], &a->moment[i + 1], (a->n - i - 1) * sizeof(a->moment[0]));
        a->n--;
}

/* Of those that are closest together the later goes, never the newest: whatever begins there begins a little earlier. */
static void make_room(struct attributions *a, uint64_t now_ns)
{
        while (a->n > 1 && a->moment[1].ns + KEPT_NS < now_ns)
                drop(a, 0);
        if (a->n < MOMENTS)
                return;
        size_t victim = 1;
        for (size_t i = 2; i + 1 < a->n; i++)
                if (a->moment[i].ns - a->moment[i - 1].ns < a->moment[victim].ns - a->moment[victim - 1].ns)
                        victim = i;
        drop(a, victim);
}

void attribution_turn(struct daemon *d, uint64_t now_ns)
{
        struct attributions *a = d->attributions;
        struct moment m = {.ns = now_ns};

        if (sensor_not_attributed(d->sensor))
                return;
        int r = sensor_attribution(d->sensor, on_record, &m);
        if (r == 0)
                r = sensor_neighbours(d->sensor, on_record, &m);
        if (r < 0) {
                if (!a->failed[0])
                        log_error("where the time of slow operations goes cannot be read: %s", strerror(-r));
                snprintf(a->failed, sizeof(a->failed), "it cannot be read: %s", strerror(-r));
                moment_done(&m);
                return;
        }
        a->failed[0] = 0;
        make_room(a, now_ns);
        a->moment[a->n++] = m;
}

/* ---- spans ---- */

/* Copies what @from has of database @db and of @disk. */
static int copy_of(const struct moment *from, uint32_t db, uint32_t disk, struct moment *ret)
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

static void find_disk(const struct moment *m, uint32_t db, struct attribution_span *span)
{
        for (size_t i = 0; i < m->nshares; i++)
                if (m->shares[i].db == db && m->shares[i].disk) {
                        span->disk = m->shares[i].disk;
                        memcpy(span->disk_name, m->shares[i].disk_name, sizeof(span->disk_name));
                }
}

void attribution_begin(struct daemon *d, const struct guard *g, uint64_t from_ns, struct attribution_span **ret)
{
        const struct attributions *a = d->attributions;
        struct attribution_span *span = a->n ? calloc(1, sizeof(*span)) : NULL;
        size_t i = a->n;

        *ret = span;
        if (!span)
                return;
        while (i > 1 && a->moment[i - 1].ns > from_ns)
                i--;
        find_disk(&a->moment[a->n - 1], g->id, span);
        if (copy_of(&a->moment[i - 1], g->id, span->disk, &span->from) < 0 ||
            copy_of(&a->moment[i - 1], g->id, span->disk, &span->to) < 0) {
                attribution_done(span);
                *ret = NULL;
        }
}

void attribution_extend(struct daemon *d, const struct guard *g, struct attribution_span *span)
{
        const struct attributions *a = d->attributions;

        /* Out of memory: it ends earlier. */
        if (span && a->n)
                copy_of(&a->moment[a->n - 1], g->id, span->disk, &span->to);
}

uint64_t attribution_length_ns(const struct attribution_span *span)
{
        return span->to.ns - span->from.ns;
}

void attribution_done(struct attribution_span *span)
{
        if (!span)
                return;
        moment_done(&span->from);
        moment_done(&span->to);
        free(span);
}

/* ---- JSON ---- */

static const struct vigil_attribution *shares_of(const struct moment *m, uint32_t op)
{
        static const struct vigil_attribution none;

        for (size_t i = 0; i < m->nshares; i++)
                if (m->shares[i].op == op)
                        return &m->shares[i];
        return &none;
}

static json_t *shares_array(const struct attribution_span *span)
{
        json_t *array = json_array();

        for (size_t i = 0; i < span->to.nshares; i++) {
                const struct vigil_attribution *now = &span->to.shares[i];
                struct vigil_attribution a;
                shares_between(shares_of(&span->from, now->op), now, &a);
                if (a.total_ns)
                        json_array_append_new(array, shares_json(&a));
        }
        return array;
}

static json_t *neighbours_of(const struct attribution_span *span, uint32_t db)
{
        size_t room = span->to.nneighbours;
        _cleanup_free_ struct vigil_neighbour *list = calloc(room ? room : 1, sizeof(*list));

        if (!list)
                return json_null();
        size_t n = neighbours_between(span->from.neighbour, span->from.nneighbours, span->to.neighbour, room, list);
        return neighbours_json(list, n, db, span->disk, span->disk_name);
}

void attribution_put(struct daemon *d, const struct guard *g, const struct attribution_span *span, json_t *o)
{
        const char *why = attribution_why_not(d);

        if (!span && !why)
                why = "nothing had been counted yet";
        json_object_set_new(o, "attribution", span ? shares_array(span) : json_null());
        json_object_set_new(o, "neighbours", span ? neighbours_of(span, g->id) : json_null());
        json_object_set_new(o, "attribution_why_not", !span ? json_string(why) : json_null());
}
