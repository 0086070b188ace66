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
#include "daemon/moments.h"
#include "model/neighbours.h"
#include "model/shares.h"
#include "report/neighbours.h"
#include "report/shares.h"

struct attributions {
        struct moments moments;
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

void attributions_free(struct attributions *a)
{
        if (a)
                moments_done(&a->moments);
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

static int on_record(const struct vigil_hdr *record, void *userdata)
{
        return moment_add(userdata, record);
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
        moments_add(&a->moments, &m);
}

/* ---- spans ---- */

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
        const struct moments *all = &d->attributions->moments;
        const struct moment *first = moments_at(all, from_ns), *last = moments_at(all, UINT64_MAX);
        struct attribution_span *span = first ? calloc(1, sizeof(*span)) : NULL;

        *ret = span;
        if (!span)
                return;
        find_disk(last, g->id, span);
        if (moment_copy(first, g->id, span->disk, &span->from) < 0 ||
            moment_copy(first, g->id, span->disk, &span->to) < 0) {
                attribution_done(span);
                *ret = NULL;
        }
}

void attribution_extend(struct daemon *d, const struct guard *g, struct attribution_span *span)
{
        const struct moment *last = moments_at(&d->attributions->moments, UINT64_MAX);

        /* Out of memory: it ends earlier. */
        if (span && last)
                moment_copy(last, g->id, span->disk, &span->to);
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

/* Valid until it is called again. */
static const char *cgroup_of(uint64_t id, const void *userdata)
{
        static char path[VIGIL_PATH_MAX];

        (void)userdata;
        return sensor_cgroup(id, path, sizeof(path)) < 0 ? NULL : path;
}

static json_t *neighbours_of(const struct attribution_span *span, uint32_t db)
{
        size_t room = span->to.nneighbours;
        _cleanup_free_ struct vigil_neighbour *list = calloc(room ? room : 1, sizeof(*list));

        if (!list)
                return json_null();
        size_t n = neighbours_between(span->from.neighbour, span->from.nneighbours, span->to.neighbour, room, list);
        return neighbours_json(list, n, db, span->disk, span->disk_name, cgroup_of, NULL);
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
