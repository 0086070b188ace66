/* guard.c - see guard.h. */
#include "daemon/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/deaths.h"
#include "daemon/discovery.h"
#include "daemon/latencies.h"
#include "daemon/removals.h"

#define NS_PER_S 1000000000ull

/* How long a database may be waited for before that is a finding: it may be made at any moment after a start. */
#define UNWATCHED_S 60

struct guards {
        struct guard **item;
        size_t n, room;
};

int guards_new(struct guards **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

static void guard_free(struct guard *g)
{
        if (!g)
                return;
        latencies_forget(g);
        free(g->name);
        free(g->path);
        free(g);
}

void guards_free(struct guards *g)
{
        if (!g)
                return;
        for (size_t i = 0; i < g->n; i++)
                guard_free(g->item[i]);
        free(g->item);
        free(g);
}

/* ---- finding ---- */

size_t guards_count(const struct guards *g)
{
        return g->n;
}

struct guard *guards_at(const struct guards *g, size_t i)
{
        return g->item[i];
}

struct guard *guards_by_id(const struct guards *g, unsigned id)
{
        for (size_t i = 0; i < g->n; i++)
                if (g->item[i]->state == GUARD_WATCHED && g->item[i]->id == id)
                        return g->item[i];
        return NULL;
}

struct guard *guards_by_name(const struct guards *g, const char *name)
{
        for (size_t i = 0; name && i < g->n; i++)
                if (strcmp(g->item[i]->name, name) == 0)
                        return g->item[i];
        return NULL;
}

static const char *name_of(unsigned db, const void *userdata)
{
        const struct daemon *d = userdata;
        const struct guard *g = guards_by_id(d->guards, db);

        return g ? g->name : NULL;
}

struct database_names guard_names(const struct daemon *d)
{
        return (struct database_names){name_of, d};
}

static struct guard *by_path(const struct guards *g, const char *path)
{
        for (size_t i = 0; i < g->n; i++)
                if (strcmp(g->item[i]->path, path) == 0)
                        return g->item[i];
        return NULL;
}

const char *guard_path(const struct daemon *d, const struct guard *g)
{
        const char *path = g->state == GUARD_WATCHED ? sensor_path(d->sensor, g->id) : NULL;

        return path ? path : g->path;
}

/* ---- watching ---- */

static void wait_for(struct guard *g, const char *why)
{
        bool news = g->state != GUARD_WAITING || strcmp(g->why, why) != 0;

        if (g->state != GUARD_WAITING || !g->since_ns)
                g->since_ns = clock_boottime_ns();
        g->state = GUARD_WAITING;
        g->id = 0;
        snprintf(g->why, sizeof(g->why), "%s", why);
        if (news)
                log_warn("database %s: %s cannot be watched yet: %s; tried again every 10 s", g->name, g->path,
                         g->why);
}

static bool try_watch(struct daemon *d, struct guard *g)
{
        unsigned id;
        int r = sensor_watch(d->sensor, g->path, &id);

        if (r == -EEXIST && !guards_by_id(d->guards, id))
                r = 0;
        if (r < 0) {
                wait_for(g, r == -EISDIR   ? "it is a directory; name the database file in it"
                            : r == -EINVAL ? "it is no regular file"
                            : r == -ENOENT ? "its directory does not exist"
                            : r == -EEXIST ? "the same file is guarded under another name"
                            : r == -E2BIG  ? "there is no room for another one"
                                           : strerror(-r));
                return false;
        }
        g->state = GUARD_WATCHED;
        g->id = id;
        g->dirty = true; /* until the accounts say otherwise */
        g->since_ns = clock_boottime_ns();
        if (g->told_unwatched)
                cases_over(d, "database-unwatched", g->name, "over");
        g->told_unwatched = false;
        log_debug("database %s: %s is watched", g->name, g->path);
        return true;
}

/* Whoever has a new one open already becomes a participant that was seen late. */
static void seed(struct daemon *d)
{
        int r = sensor_seed(d->sensor, deaths_record, d);

        if (r < 0)
                log_error("the processes that have databases open already cannot be found: %s; they are seen from "
                          "their "
                          "next use on",
                          strerror(-r));
}

static void let_go(struct daemon *d, struct guard *g)
{
        if (g->state != GUARD_WATCHED)
                return;
        sensor_unwatch(d->sensor, g->id);
        memory_forget_database(d->memory, g->id);
}

static void tell_unwatched(struct daemon *d, struct guard *g, uint64_t now)
{
        char text[256];

        if (g->told_unwatched || now < g->since_ns + UNWATCHED_S * NS_PER_S)
                return;
        snprintf(text, sizeof(text), "%s is not watched: %s", g->name, g->why);
        case_raise(d, "database-unwatched", g, text, NULL);
        g->told_unwatched = true;
}

void guards_turn(struct daemon *d)
{
        uint64_t now = clock_boottime_ns();
        bool added = false;

        for (size_t i = 0; i < d->guards->n; i++) {
                struct guard *g = d->guards->item[i];

                if (g->state == GUARD_WATCHED) {
                        int moved = sensor_moved(d->sensor, g->id, g->path);
                        if (moved == 0)
                                sensor_renew(d->sensor, g->id);
                        if (moved == 0 || removals_wait(d->memory, g->id)) /* who took it is told of first */
                                continue;
                        log_note("database %s: %s leads elsewhere now%s%s; it is watched anew", g->name, g->path,
                                 moved < 0 ? ": " : "", moved < 0 ? strerror(-moved) : "");
                        let_go(d, g);
                        wait_for(g, "its directory has moved");
                }
                if (try_watch(d, g))
                        added = true;
                else
                        tell_unwatched(d, g, now);
        }
        if (added)
                seed(d);
}

/* ---- the configuration ---- */

static int add(struct guards *gs, const struct config_target *t)
{
        struct guard *g = NULL;

        if (gs->n == gs->room) {
                size_t room = gs->room ? 2 * gs->room : 16;
                struct guard **more = reallocarray(gs->item, room, sizeof(struct guard *));
                if (!more)
                        return -ENOMEM;
                gs->item = more;
                gs->room = room;
        }
        g = calloc(1, sizeof(*g));
        if (!g || !(g->name = strdup(t->name)) || !(g->path = strdup(t->path))) {
                guard_free(g);
                return -ENOMEM;
        }
        g->of = t->of;
        g->marked = true;
        gs->item[gs->n++] = g;
        return 0;
}

/* A new name or policy; its watch and its accounts stay. */
static int change(struct guard *g, const struct config_target *t)
{
        if (strcmp(g->name, t->name) != 0) {
                char *name = strdup(t->name);
                if (!name)
                        return -ENOMEM;
                free(g->name);
                g->name = name;
        }
        g->of = t->of;
        g->marked = true;
        return 0;
}

static void sweep(struct daemon *d)
{
        struct guards *gs = d->guards;
        size_t kept = 0;

        for (size_t i = 0; i < gs->n; i++) {
                struct guard *g = gs->item[i];
                if (g->marked) {
                        gs->item[kept++] = g;
                        continue;
                }
                log_note("database %s: %s is no longer guarded", g->name, g->path);
                latencies_stop(d, g);
                let_go(d, g);
                guard_free(g);
        }
        gs->n = kept;
}

int guards_apply(struct daemon *d)
{
        struct config_target *target = NULL;
        size_t n = 0;
        int r = config_targets(d->config, &target, &n);

        if (r == 0)
                r = discovery_targets(d, &target, &n);
        if (r < 0) {
                config_targets_free(target, n);
                return r;
        }
        for (size_t i = 0; i < d->guards->n; i++)
                d->guards->item[i]->marked = false;
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct guard *g = by_path(d->guards, target[i].path);
                r = g ? change(g, &target[i]) : add(d->guards, &target[i]);
        }
        config_targets_free(target, n);
        if (r < 0)
                return r;
        sweep(d);
        guards_turn(d);
        return 0;
}

void guards_rescan(struct daemon *d)
{
        int r = 0;

        for (size_t i = 0; i < d->config->ndatabases; i++)
                if (d->config->database[i].glob) {
                        r = guards_apply(d);
                        break;
                }
        if (r < 0)
                log_error("the globs of the configuration cannot be expanded: %s",
                          r == -E2BIG ? "they come to too many databases" : strerror(-r));
}
