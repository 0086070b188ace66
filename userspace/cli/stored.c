/* stored.c - see stored.h. */
#include "cli/stored.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/store.h"

/* A daemon writes for milliseconds; an operator in a shell may take longer. */
#define PATIENCE_MS 2000

static void close_store(struct store **s)
{
        store_close(*s);
}

static int summary(struct store *s, const struct store_query *q, const json_t *args, json_t **ret)
{
        static const struct {
                const char *name;
                unsigned by;
        } names[] = {
                {"db", STORE_BY_DB}, {"file", STORE_BY_FILE}, {"process", STORE_BY_PROCESS}, {"op", STORE_BY_OP}};
        unsigned by = 0;
        size_t i;
        json_t *name;
        json_array_foreach (json_object_get(args, "by"), i, name)
                for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
                        if (json_is_string(name) && strcmp(json_string_value(name), names[k].name) == 0)
                                by |= names[k].by;
        return store_summary_rows(s, q, by, NULL, 0, ret);
}

struct page {
        json_t *list;
        int64_t seq;
};

static int add_event(void *userdata, int64_t seq, const char *line)
{
        struct page *p = userdata;
        json_t *event = json_loads(line, 0, NULL);
        p->seq = seq;
        return event && json_array_append_new(p->list, event) < 0 ? -ENOMEM : 0;
}

static int events(struct store *s, const struct store_query *q, const json_t *args, json_t **ret)
{
        struct page p = {.list = json_array(), .seq = json_integer_value(json_object_get(args, "after"))};
        int r = p.list ? store_events(s, q, p.seq, add_event, &p) : -ENOMEM;
        if (r < 0) {
                json_decref(p.list);
                return r;
        }
        *ret = json_pack("{s:s, s:o, s:I}", "schema", "vigil.events/1", "events", p.list, "seq", (json_int_t)p.seq);
        return *ret ? 0 : -ENOMEM;
}

static int incidents(struct store *s, const struct store_query *q, const json_t *args, json_t **ret)
{
        (void)args;
        return store_incidents(s, q, ret);
}

static int incident(struct store *s, const struct store_query *q, const json_t *args, json_t **ret)
{
        (void)args;
        return store_incident(s, q, ret);
}

static int certificates(struct store *s, const struct store_query *q, const json_t *args, json_t **ret)
{
        (void)args;
        return store_certificates(s, q, ret);
}

static const struct {
        const char *command;
        int (*answer)(struct store *s, const struct store_query *q, const json_t *args, json_t **ret);
} questions[] = {
        {"incidents", incidents},      {"incident", incident}, {"certificates", certificates},
        {"certificate", certificates}, {"summary", summary},   {"events", events},
};

static struct store_query query_of(const json_t *args)
{
        return (struct store_query){.since_ns = json_integer_value(json_object_get(args, "since_ns")),
                                    .status = json_string_value(json_object_get(args, "status")),
                                    .database = json_string_value(json_object_get(args, "database")),
                                    .id = json_string_value(json_object_get(args, "id"))};
}

int stored_answer(const char *state_dir, const char *command, const json_t *args, char ret_nearest[STORED_NAME],
                  json_t **ret)
{
        for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
                if (strcmp(questions[i].command, command) != 0)
                        continue;
                _cleanup_(close_store) struct store *s = NULL;
                const struct store_query q = query_of(args);
                int r = store_open_to_read(state_dir, PATIENCE_MS, &s);
                if (r < 0)
                        return r;
                if (q.database && store_knows_database(s, q.database, ret_nearest, STORED_NAME) == 0)
                        return -ENXIO;
                r = questions[i].answer(s, &q, args, ret);
                return r == -ENOENT ? -ENOKEY : r;
        }
        return -ENOSYS;
}
