/* lock_rows.c - see lock_rows.h. */
#include "report/lock_rows.h"

#include <string.h>

#include "report/pick.h"

/* As a summary counts, and as `vigil top` does. */
static const struct shape {
        const char *count, *timed, *refused;
} shapes[] = {{"count", "timed", "refused"}, {"per_s", "timed_per_s", "refused_per_s"}};

static const char *const times[] = {"p50_us", "p95_us", "p99_us", "max_us", "usual_p95_us"};
#define TIMES (sizeof(times) / sizeof(times[0]))

/* NULL: it has no such numbers, as in the first seconds of a daemon. */
static const struct shape *shape_of(const json_t *row)
{
        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
                if (json_is_number(json_object_get(row, shapes[i].refused)))
                        return &shapes[i];
        return NULL;
}

static json_t *untimed(const json_t *row, const char *op)
{
        json_t *o = json_copy((json_t *)row);

        json_object_set_new(o, "op", json_string(op));
        json_object_set_new(o, "errors", json_integer(0));
        for (size_t i = 0; i < TIMES; i++)
                json_object_set_new(o, times[i], json_null());
        return o;
}

/* One of the kind: its number of times is @p of of the row; nothing where it is zero. */
static void append(json_t *list, json_t *o, const json_t *row, const struct shape *s, const char *of)
{
        json_t *n = json_object_get(row, of);

        if (json_number_value(n) > 0) {
                json_object_set(o, s->count, n);
                json_array_append(list, o);
        }
        json_decref(o);
}

static void take_apart(json_t *list, const json_t *row, const struct shape *s)
{
        json_t *waits = json_copy((json_t *)row);

        json_object_set_new(waits, "op", json_string("lock-wait"));
        json_object_set_new(waits, "errors", json_integer(0));
        if (!json_is_string(json_object_get(row, "process"))) { /* of programs only waits are counted */
                append(list, untimed(row, "lock"), row, s, s->count);
                append(list, untimed(row, "lock-busy"), row, s, s->refused);
        }
        append(list, waits, row, s, s->timed);
}

json_t *lock_rows_apart(const json_t *rows)
{
        json_t *list = json_array(), *row;
        size_t i;

        json_array_foreach (rows, i, row) {
                const struct shape *s = shape_of(row);
                if (s && strcmp(pick_text(row, "op", ""), "lock") == 0) {
                        take_apart(list, row, s);
                } else if (s == &shapes[0]) { /* of several operations together */
                        json_t *o = json_copy(row);
                        uint64_t errors = pick_number(row, "errors"), refused = pick_number(row, "refused");
                        json_object_set_new(o, "errors",
                                            json_integer((json_int_t)(errors > refused ? errors - refused : 0)));
                        json_array_append_new(list, o);
                } else {
                        json_array_append(list, row);
                }
        }
        return list;
}
