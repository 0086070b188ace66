/* operator_summary.c - `vigil summary`: what was done, how often, how long it took; errors stand out. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/lock_rows.h"
#include "report/operator_private.h"
#include "report/pick.h"
#include "report/table.h"

#define SHOWN_ROWS 60

static const struct {
        const char *key;
        struct table_column column;
} names[] = {{"db", {.title = "DATABASE"}},
             {"file", {.title = "FILE"}},
             {"process", {.title = "PROCESS"}},
             {"op", {.title = "OP"}}};
#define NAMES (sizeof(names) / sizeof(names[0]))

static const struct table_column counts[] = {{.title = "COUNT", .whole = true, .right = true},
                                             {.title = "BYTES", .whole = true, .right = true},
                                             {.title = "ERRORS", .whole = true, .right = true}};
#define COUNTS (sizeof(counts) / sizeof(counts[0]))

static const struct {
        const char *key;
        struct table_column column;
} times[] = {{"p50_us", {.title = "P50", .whole = true, .right = true, .spare = true}},
             {"p95_us", {.title = "P95", .whole = true, .right = true, .spare = true}},
             {"p99_us", {.title = "P99", .whole = true, .right = true}},
             {"max_us", {.title = "MAX", .whole = true, .right = true}}};
#define TIMES (sizeof(times) / sizeof(times[0]))

/* A column that is null in every row was not asked for. */
static bool has_column(const json_t *rows, const char *key)
{
        size_t i;
        json_t *row;
        json_array_foreach (rows, i, row)
                if (json_is_string(json_object_get(row, key)))
                        return true;
        return false;
}

static void add_row(struct table *t, const json_t *row, const bool *shown)
{
        char text[64];
        uint64_t errors = pick_number(row, "errors");
        for (size_t k = 0; k < NAMES; k++)
                if (shown[k])
                        table_add(t, INK_PLAIN, pick_text(row, names[k].key, "-"));
        snprintf(text, sizeof(text), "%" PRIu64, pick_number(row, "count"));
        table_add(t, INK_PLAIN, text);
        text_bytes(text, pick_number(row, "bytes"));
        table_add(t, INK_PLAIN, pick_number(row, "bytes") ? text : "-");
        snprintf(text, sizeof(text), "%" PRIu64, errors);
        table_add(t, errors ? INK_BAD : INK_PLAIN, errors ? text : "-");
        for (size_t k = 0; k < TIMES; k++) {
                const json_t *us = json_object_get(row, times[k].key);
                text_measured(text, pick_number(row, times[k].key), 1000);
                table_add(t, INK_PLAIN, json_is_integer(us) ? text : "-");
        }
}

/* @return how many there are */
static size_t columns_of(const bool *shown, struct table_column ret[TABLE_COLUMNS])
{
        size_t n = 0;
        for (size_t k = 0; k < NAMES; k++)
                if (shown[k])
                        ret[n++] = names[k].column;
        for (size_t k = 0; k < COUNTS; k++)
                ret[n++] = counts[k];
        for (size_t k = 0; k < TIMES; k++)
                ret[n++] = times[k].column;
        return n;
}

static void print_rows(struct page *p, const struct operator_view *v, const json_t *rows)
{
        struct table_column column[TABLE_COLUMNS];
        size_t printed = 0, n = json_array_size(rows), i;
        bool shown[NAMES];
        json_t *row;

        for (size_t k = 0; k < NAMES; k++)
                shown[k] = has_column(rows, names[k].key);
        struct table t = {.column = column, .ncolumns = columns_of(shown, column)};
        json_array_foreach (rows, i, row) {
                if (printed >= SHOWN_ROWS && !v->verbose && !pick_number(row, "errors"))
                        continue;
                add_row(&t, row, shown);
                printed++;
        }
        size_t out = table_fit(&t, p);
        table_print_head(&t, p);
        for (i = 0; i < printed; i++)
                table_print_row(&t, p, i);
        if (printed < n)
                page_paragraph(p, INK_DIM, "", 4, "and %zu more; -v shows all, --by db,op asks for less",
                               n - printed);
        table_print_left_out(p, out);
        table_done(&t);
}

void operator_summary(struct page *p, const struct operator_view *v)
{
        json_t *rows = lock_rows_apart(json_object_get(v->document, "rows"));
        char since[PICK_WHEN_LEN], until[PICK_WHEN_LEN];
        pick_when(since, v->document, "since");
        pick_when(until, v->document, "until");
        fprintf(p->out, "From %s to %s%s\n", since, until,
                json_is_string(json_object_get(v->document, "asked_since")) ? ", in whole minutes" : "");
        if (json_array_size(rows))
                print_rows(p, v, rows);
        else
                fputs("Nothing was done to a guarded database.\n", p->out);
        json_decref(rows);
}
