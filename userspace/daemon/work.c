/* work.c - see work.h. */
#include "daemon/work.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/core.h"
#include "detect/detect.h"

#define NS_PER_S 1000000000ull

struct work *work_new(struct daemon *d, enum action_kind kind, const char *database, const char *reason,
                      const char *verdict)
{
        struct work *w = calloc(1, sizeof(*w));

        if (!w)
                return NULL;
        w->d = d;
        w->kind = kind;
        w->tries = 1;
        w->method = -1;
        w->since_ns = clock_boottime_ns();
        w->database = strdup(database);
        w->reason = strdup(reason);
        w->verdict = verdict ? strdup(verdict) : NULL;
        w->incidents = json_array();
        if (!w->database || !w->reason || (verdict && !w->verdict) || !w->incidents) {
                work_free(w);
                return NULL;
        }
        return w;
}

struct work *work_again(const struct work *w)
{
        /* What killed it may be over in a moment, or in some. */
        static const uint64_t pause_ns[] = {1 * NS_PER_S, 5 * NS_PER_S};
        struct work *n = work_new(w->d, w->kind, w->database, w->reason, w->verdict);
        size_t last = sizeof(pause_ns) / sizeof(pause_ns[0]) - 1;

        if (!n)
                return NULL;
        n->urgent = w->urgent;
        n->method = w->method;
        n->tries = w->tries + 1;
        n->not_before_ns = n->since_ns + pause_ns[w->tries - 1 < last ? w->tries - 1 : last];
        n->directory = w->directory ? strdup(w->directory) : NULL;
        if ((w->directory && !n->directory) || json_array_extend(n->incidents, w->incidents) < 0) {
                work_free(n);
                return NULL;
        }
        return n;
}

void work_free(struct work *w)
{
        if (!w)
                return;
        free(w->database);
        free(w->reason);
        free(w->verdict);
        free(w->directory);
        json_decref(w->incidents);
        json_decref(w->ticket);
        free(w);
}

bool work_is_for(const struct work *w, const char *id)
{
        json_t *its;
        size_t i;

        json_array_foreach (w->incidents, i, its)
                if (strcmp(json_string_value(its), id) == 0)
                        return true;
        return false;
}

const char *work_first_incident(const struct work *w)
{
        return json_string_value(json_array_get(w->incidents, 0));
}

const char *work_damage(const struct work *w)
{
        const char *damage = NULL;
        json_t *id;
        size_t i;

        json_array_foreach (w->incidents, i, id) {
                const struct incident *of = incidents_find(w->d->incidents, json_string_value(id));
                if (of && !damage)
                        damage = detect_damage(of->code);
        }
        return damage;
}

int64_t work_oldest_open(const struct daemon *d, const char *database)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);
        int64_t oldest = 0;

        for (size_t i = 0; i < n; i++) {
                const struct incident *c = list[i];
                bool concerned = c->more_databases;
                for (size_t k = 0; k < c->ndatabases && !concerned; k++)
                        concerned = strcmp(c->databases[k].name, database) == 0;
                if (concerned && c->status != INCIDENT_RESOLVED && (!oldest || c->started_ns < oldest))
                        oldest = c->started_ns;
        }
        return oldest;
}
