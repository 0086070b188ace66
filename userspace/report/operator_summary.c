/* operator_summary.c - `vigil summary`: what was done, how often, how long it took; errors stand out. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/operator_private.h"
#include "report/pick.h"

#define SHOWN_ROWS 60

static const struct {
        const char *key, *title;
        unsigned width;
} names[] = {{"db", "DATABASE", 19}, {"file", "FILE", 10}, {"process", "PROCESS", 17}, {"op", "OP", 10}};
#define NAMES (sizeof(names) / sizeof(names[0]))

static const struct {
        const char *key, *title;
} times[] = {{"p50_us", "P50"}, {"p95_us", "P95"}, {"p99_us", "P99"}, {"max_us", "MAX"}};
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

static void print_row(struct page *p, const json_t *row, const bool *shown)
{
        char text[64];
        uint64_t errors = pick_number(row, "errors");
        fputs("  ", p->out);
        for (size_t k = 0; k < NAMES; k++)
                if (shown[k])
                        page_cell(p, INK_PLAIN, names[k].width, pick_text(row, names[k].key, "-"));
        snprintf(text, sizeof(text), "%" PRIu64, pick_number(row, "count"));
        page_number(p, 10, text);
        text_bytes(text, pick_number(row, "bytes"));
        page_number(p, 8, pick_number(row, "bytes") ? text : "-");
        snprintf(text, sizeof(text), "%6" PRIu64, errors);
        page_ink(p, errors ? INK_BAD : INK_PLAIN, errors ? text : "     -");
        for (size_t k = 0; k < TIMES; k++) {
                const json_t *us = json_object_get(row, times[k].key);
                text_duration(text, pick_number(row, times[k].key) * 1000);
                fprintf(p->out, "%8s", json_is_integer(us) ? text : "-");
        }
        page_line(p);
}

static void print_head(struct page *p, const bool *shown)
{
        page_line(p);
        fputs("  ", p->out);
        for (size_t k = 0; k < NAMES; k++)
                if (shown[k])
                        page_cell(p, INK_DIM, names[k].width, names[k].title);
        page_number(p, 10, "COUNT");
        page_number(p, 8, "BYTES");
        fputs("ERRORS", p->out);
        for (size_t k = 0; k < TIMES; k++)
                fprintf(p->out, "%8s", times[k].title);
        page_line(p);
}

void operator_summary(struct page *p, const struct operator_view *v)
{
        const json_t *rows = json_object_get(v->document, "rows");
        size_t printed = 0, n = json_array_size(rows), i;
        json_t *row;
        bool shown[NAMES];
        char since[PICK_WHEN_LEN], until[PICK_WHEN_LEN];
        pick_when(since, v->document, "since");
        pick_when(until, v->document, "until");
        fprintf(p->out, "From %s to %s%s\n", since, until,
                json_is_string(json_object_get(v->document, "asked_since")) ? ", in whole minutes" : "");
        for (size_t k = 0; k < NAMES; k++)
                shown[k] = has_column(rows, names[k].key);
        if (n)
                print_head(p, shown);
        else
                fputs("Nothing was done to a guarded database.\n", p->out);
        json_array_foreach (rows, i, row) {
                if (printed >= SHOWN_ROWS && !v->verbose && !pick_number(row, "errors"))
                        continue;
                print_row(p, row, shown);
                printed++;
        }
        if (printed < n)
                page_paragraph(p, INK_DIM, "", 4, "and %zu more; -v shows all, --by db,op asks for less",
                               n - printed);
}
