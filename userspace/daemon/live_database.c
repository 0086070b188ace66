/* live_database.c - see live_database.h. */
#include "daemon/live_database.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "daemon/core.h"
#include "daemon/dirty.h"
#include "daemon/discovery.h"
#include "daemon/guard.h"
#include "daemon/unproven.h"
#include "detect/wording.h"
#include "incident/incident.h"
#include "report/build.h"

/* ---- who uses it ---- */

struct users {
        struct daemon *d;
        json_t *of[VIGIL_MAX_DBS]; /* arrays, by kernel id */
};

static json_t *exe_of(uint32_t pid)
{
        char path[64], exe[PATH_MAX];

        snprintf(path, sizeof(path), "/proc/%u/exe", pid);
        ssize_t n = readlink(path, exe, sizeof(exe));
        return n > 0 ? text_json(exe, (size_t)n) : json_null();
}

static json_t *user_json(const struct vigil_proc *p, const struct vigil_use *u)
{
        char since[TEXT_TIME_LEN];

        text_time(since, daemon_realtime(u->first_ns));
        return json_pack("{s:I, s:I, s:o, s:o, s:I, s:o, s:s, s:I}", "pid", (json_int_t)p->id.tgid, "start_ns",
                         (json_int_t)p->id.start_ns, "comm",
                         text_json(p->id.comm, strnlen(p->id.comm, VIGIL_COMM_LEN)), "exe", exe_of(p->id.tgid),
                         "uid", (json_int_t)p->uid, "locks", lock_names(u->locks | u->locks_at_end), "since", since,
                         "commits", (json_int_t)u->commits);
}

static int on_living(const struct vigil_hdr *record, void *userdata)
{
        const struct vigil_proc *p = (const struct vigil_proc *)record;
        struct users *users = userdata;

        if (record->type != VIGIL_LIVE)
                return 0;
        for (uint32_t i = 0; i < p->nuses && i < VIGIL_USES; i++) {
                uint32_t db = p->use[i].db;
                if (db >= VIGIL_MAX_DBS || !guards_by_id(users->d->guards, db))
                        continue;
                if (!users->of[db])
                        users->of[db] = json_array();
                json_array_append_new(users->of[db], user_json(p, &p->use[i]));
        }
        return 0;
}

/* ---- one database ---- */

static void put_at_risk(struct daemon *d, const struct guard *g, const struct vigil_db *a, json_t *o)
{
        bool known = !unproven_left(g->unproven, guard_path(d, g), a);
        json_t *bytes = known ? json_integer((json_int_t)dirty_bytes_at_risk(a)) : json_null();
        json_t *commits = known ? json_integer((json_int_t)dirty_commits_at_risk(a)) : json_null();

        json_object_set_new(o, "bytes_at_risk", bytes);
        json_object_set_new(o, "commits_at_risk", commits);
}

void live_put_account(struct daemon *d, const struct guard *g, json_t *o)
{
        struct model_database shown = {0};
        struct vigil_db a;

        if (g->state != GUARD_WATCHED || sensor_account(d->sensor, g->id, &a) < 0) {
                json_object_set_new(o, "journal_mode", json_string("unknown"));
                json_object_set_new(o, "users", json_integer(0));
                json_object_set_new(o, "in_transaction", json_false());
                json_object_set_new(o, "bytes_at_risk", json_null());
                json_object_set_new(o, "commits_at_risk", json_null());
                return;
        }
        shown.flags = a.flags;
        json_object_set_new(o, "journal_mode", json_string(journal_mode(&shown)));
        json_object_set_new(o, "users", json_integer(a.users));
        json_object_set_new(o, "in_transaction", json_boolean(dirty_in_transaction(&a)));
        put_at_risk(d, g, &a, o);
}

static json_t *check_json_of(const struct guard *g)
{
        char at[TEXT_TIME_LEN];

        if (!g->checked_ns)
                return json_null();
        text_time(at, g->checked_ns);
        return json_pack("{s:s, s:s}", "result", g->check_result, "at", at);
}

static json_t *backup_json_of(const struct guard *g)
{
        char at[TEXT_TIME_LEN];

        if (!g->backup_ns)
                return json_null();
        text_time(at, g->backup_ns);
        return json_pack("{s:s, s:s, s:b}", "id", g->backup_id, "created_at", at, "verified", 1);
}

static json_t *next_check(const struct guard *g)
{
        char at[TEXT_TIME_LEN];

        if (!g->check_due)
                return json_null();
        text_time(at, daemon_realtime(g->check_due));
        return json_string(at);
}

const char *live_state(const struct daemon *d, const struct guard *g)
{
        if (g->state != GUARD_WATCHED)
                return "waiting";
        return g->seen_file && access(guard_path(d, g), F_OK) < 0 ? "gone" : "watched";
}

static json_t *database_json(struct daemon *d, struct guard *g, json_t *users)
{
        json_t *o = json_object();

        if (access(guard_path(d, g), F_OK) == 0)
                g->seen_file = true;
        text_json_set(o, "name", g->name, strlen(g->name));
        text_json_set(o, "path", g->path, strlen(g->path));
        json_object_set_new(o, "state", json_string(live_state(d, g)));
        json_object_set_new(o, "problem", g->state == GUARD_WATCHED ? json_null() : json_string(g->why));
        json_object_set_new(o, "discovered", json_boolean(discovery_has(d, g->of)));
        live_put_account(d, g, o);
        json_object_set_new(o, "processes", users ? users : json_array());
        json_object_set_new(o, "last_check", check_json_of(g));
        json_object_set_new(o, "last_backup", backup_json_of(g));
        json_object_set_new(o, "next_check", next_check(g));
        return o;
}

/* ---- all of them ---- */

/* One entry on its way into the list. */
struct entry {
        bool trouble;
        const char *name;
        json_t *json;
};

/* It is not watched, its file is gone, or an incident worse than P3 on it is not over. */
static bool in_trouble(const struct daemon *d, const struct guard *g)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        if (strcmp(live_state(d, g), "watched") != 0)
                return true;
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < list[i]->ndatabases; k++)
                        if (list[i]->status != INCIDENT_RESOLVED && list[i]->severity < SEVERITY_P3 &&
                            strcmp(list[i]->databases[k].name, g->name) == 0)
                                return true;
        return false;
}

static int by_trouble_and_name(const void *a, const void *b)
{
        const struct entry *x = a, *y = b;

        return x->trouble != y->trouble ? y->trouble - x->trouble : strcmp(x->name, y->name);
}

json_t *live_databases(struct daemon *d)
{
        struct users users = {.d = d};
        size_t n = guards_count(d->guards);
        _cleanup_free_ struct entry *entry = calloc(n ? n : 1, sizeof(*entry));
        json_t *array = json_array();

        sensor_living(d->sensor, 0, on_living, &users);
        for (size_t i = 0; entry && i < n; i++) {
                struct guard *g = guards_at(d->guards, i);
                json_t *of = g->state == GUARD_WATCHED ? users.of[g->id] : NULL;
                json_t *json = database_json(d, g, json_incref(of));
                entry[i] = (struct entry){.trouble = in_trouble(d, g), .name = g->name, .json = json};
        }
        if (entry)
                qsort(entry, n, sizeof(*entry), by_trouble_and_name);
        for (size_t i = 0; entry && i < n; i++)
                json_array_append_new(array, entry[i].json);
        for (size_t i = 0; i < VIGIL_MAX_DBS; i++)
                json_decref(users.of[i]);
        return array;
}
