/* top_rows.c - see top_rows.h. */
#include "report/top_rows.h"

#include <stdlib.h>
#include <string.h>

#include "report/pick.h"
#include "report/top_waits.h"

double top_factor(const json_t *entry)
{
        double spike = json_number_value(json_object_get(json_object_get(entry, "spike"), "factor"));
        double p95 = json_number_value(json_object_get(entry, "p95_us"));
        double usual = json_number_value(json_object_get(entry, "usual_p95_us"));

        return spike > 0 ? spike : usual > 0 && p95 > usual ? p95 / usual : 0;
}

static bool is_of(const json_t *row, enum top_view view)
{
        return json_is_string(json_object_get(row, view == TOP_PROGRAMS ? "process" : "file"));
}

/* ---- order ---- */

static double number(const json_t *o, const char *key)
{
        return json_number_value(json_object_get(o, key));
}

static int more(double a, double b)
{
        return a > b ? -1 : a < b;
}

/* An entry of either kind has one of the two members. */
static double either(const json_t *o, const char *of_row, const char *of_database)
{
        return json_object_get(o, of_row) ? number(o, of_row) : number(o, of_database);
}

static bool is_in_trouble(const json_t *o)
{
        const char *state = pick_text(o, "state", NULL);

        return state && strcmp(state, "watched") != 0;
}

static int by_time(const json_t *a, const json_t *b)
{
        return more(either(a, "p99_us", "commit_p99_us"), either(b, "p99_us", "commit_p99_us"));
}

static int by_name(const json_t *a, const json_t *b)
{
        static const char *const keys[] = {"db", "file", "process", "op"};
        int r = 0;

        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && r == 0; i++)
                r = strcmp(pick_text(a, keys[i], ""), pick_text(b, keys[i], ""));
        return r;
}

static int by_worst(const json_t *a, const json_t *b)
{
        int r = is_in_trouble(b) - is_in_trouble(a);

        if (r == 0)
                r = json_is_object(json_object_get(b, "spike")) - json_is_object(json_object_get(a, "spike"));
        if (r == 0)
                r = top_waits_long(b) - top_waits_long(a);
        if (r == 0)
                r = more(number(a, "errors"), number(b, "errors"));
        if (r == 0)
                r = more(top_factor(a), top_factor(b));
        return r ? r : by_time(a, b);
}

static int by_rate(const json_t *a, const json_t *b)
{
        return more(either(a, "per_s", "commits_per_s"), either(b, "per_s", "commits_per_s"));
}

static int by_bytes(const json_t *a, const json_t *b)
{
        return more(either(a, "bytes_per_s", "write_bytes_per_s"), either(b, "bytes_per_s", "write_bytes_per_s"));
}

/* What is equal stays in the order of its names: nothing jumps about between two frames. */
static int compare(const void *a, const void *b, void *userdata)
{
        static int (*const orders[])(const json_t *, const json_t *) = {[TOP_WORST] = by_worst,
                                                                        [TOP_RATE] = by_rate,
                                                                        [TOP_BYTES] = by_bytes,
                                                                        [TOP_TIME] = by_time,
                                                                        [TOP_NAME] = by_name};
        const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
        int r = orders[*(enum top_sort *)userdata](x, y);

        return r ? r : by_name(x, y);
}

size_t top_rows(const json_t *document, enum top_view view, enum top_sort sort, const json_t ***ret)
{
        json_t *row;
        const json_t *from = json_object_get(document, view == TOP_DATABASES ? "databases" : "rows");
        size_t n = json_array_size(from), kept = 0, i;
        const size_t each = sizeof(void *);
        const json_t **list = calloc(n ? n : 1, each);
        *ret = list;
        if (!list)
                return 0;
        json_array_foreach (from, i, row)
                if (view == TOP_DATABASES || is_of(row, view))
                        list[kept++] = row;
        qsort_r(list, kept, each, compare, &sort);
        return kept;
}
