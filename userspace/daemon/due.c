/* due.c - see due.h. */
#include "daemon/due.h"

#include <jansson.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/cases.h"
#include "daemon/core.h"

static json_t *list_of(const struct incident *i)
{
        return json_object_get(i->tag, "due");
}

size_t due_count(const struct incident *i)
{
        return json_array_size(list_of(i));
}

bool due_at(const struct incident *i, size_t n, enum action_kind *ret_kind, const char **ret_database)
{
        static const enum action_kind kinds[] = {ACTION_CHECK, ACTION_BACKUP};
        const json_t *one = json_array_get(list_of(i), n);
        const char *action = json_string_value(json_object_get(one, "action")),
                   *database = json_string_value(json_object_get(one, "database"));

        for (size_t k = 0; action && database && k < sizeof(kinds) / sizeof(kinds[0]); k++) {
                if (strcmp(action, action_name(kinds[k])) != 0)
                        continue;
                *ret_kind = kinds[k];
                *ret_database = database;
                return true;
        }
        return false;
}

/* Index of the debt, or -1. */
static int find(const struct incident *i, enum action_kind kind, const char *database)
{
        enum action_kind its;
        const char *of;

        for (size_t n = 0; n < due_count(i); n++)
                if (due_at(i, n, &its, &of) && its == kind && strcmp(of, database) == 0)
                        return (int)n;
        return -1;
}

bool due_has(const struct incident *i, enum action_kind kind, const char *database)
{
        return find(i, kind, database) >= 0;
}

void due_add(struct daemon *d, struct incident *i, enum action_kind kind, const char *database)
{
        char now[TEXT_TIME_LEN];
        int at = find(i, kind, database);

        if (at < 0 && due_count(i) >= DUE_MAX) {
                log_warn("incident %s: a %s of %s is not kept in mind: too many are due", i->id, action_name(kind),
                         database);
                return;
        }
        text_time(now, daemon_now());
        json_t *list = list_of(i) ? json_copy(list_of(i)) : json_array();
        json_t *one = json_pack("{s:s, s:s, s:s}", "action", action_name(kind), "database", database, "since", now);
        if (at < 0)
                json_array_append_new(list, one);
        else
                json_array_set_new(list, (size_t)at, one);
        incident_owe(i, ENDS_BY_ACTIONS);
        case_set(d, i->id, "due", list);
}

const char *due_since(const struct incident *i, enum action_kind kind, const char *database)
{
        int at = find(i, kind, database);

        return at < 0 ? NULL : json_string_value(json_object_get(json_array_get(list_of(i), (size_t)at), "since"));
}

void due_done(struct daemon *d, struct incident *i, enum action_kind kind, const char *database)
{
        int at = find(i, kind, database);

        if (at < 0)
                return;
        json_t *list = json_copy(list_of(i));
        json_array_remove(list, (size_t)at);
        bool all = json_array_size(list) == 0;
        case_set(d, i->id, "due", list);
        if (all)
                case_fulfil(d, i, ENDS_BY_ACTIONS, "actions", NULL);
}
