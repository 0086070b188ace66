/* operator_latency.c - `vigil summary --latency`: how long operations take beside what is usual; what is slow stands out. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/operator_private.h"
#include "report/pick.h"
#include "report/table.h"
#include "report/time_spent.h"

#define LABEL    16
#define LEAST_US 1 /* the first step of the histograms */

static const struct table_column columns[] = {{.title = "DATABASE"},
                                              {.title = "FILE"},
                                              {.title = "OP"},
                                              {.title = "STATE"},
                                              {.title = "COUNT", .whole = true, .right = true},
                                              {.title = "P50", .whole = true, .right = true, .spare = true},
                                              {.title = "P95", .whole = true, .right = true},
                                              {.title = "MAX", .whole = true, .right = true, .spare = true},
                                              {.title = "USUAL95", .whole = true, .right = true},
                                              {.title = "SLOW AT", .whole = true, .right = true}};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void add_time(struct table *t, const json_t *o, const char *key)
{
        char text[TEXT_DURATION_LEN];

        text_measured(text, pick_number(o, key), 1000);
        table_add(t, INK_PLAIN, json_is_integer(json_object_get(o, key)) ? text : "-");
}

/* What is being learnt is not held against anything yet. A lock for which usually nobody waits has the least time there is. */
static void add_usual(struct table *t, const json_t *row, bool learning)
{
        const json_t *usual = json_object_get(row, "usual");
        bool waits = strcmp(pick_text(row, "op", ""), "lock") == 0;

        if (learning)
                table_add(t, INK_PLAIN, "-");
        else if (waits && json_is_object(usual) && pick_number(usual, "p95_us") <= LEAST_US)
                table_add(t, INK_PLAIN, "none");
        else
                add_time(t, usual, "p95_us");
}

static void add_row(struct table *t, const json_t *row)
{
        const char *state = pick_text(row, "state", "?");
        bool learning = strcmp(state, "learning") == 0;
        char text[32];

        table_add(t, INK_PLAIN, pick_text(row, "db", "?"));
        table_add(t, INK_PLAIN, pick_text(row, "file", "?"));
        table_add(t, INK_PLAIN, pick_text(row, "op", "?"));
        table_add(t, strcmp(state, "slow") == 0 ? INK_BAD : INK_PLAIN, state);
        snprintf(text, sizeof(text), "%" PRIu64, pick_number(row, "count"));
        table_add(t, INK_PLAIN, text);
        add_time(t, row, "p50_us");
        add_time(t, row, "p95_us");
        add_time(t, row, "max_us");
        add_usual(t, row, learning);
        if (learning)
                table_add(t, INK_PLAIN, "-");
        else
                add_time(t, row, "slow_from_us");
}

static void print_rows(struct page *p, const json_t *rows)
{
        struct table t = {.column = columns, .ncolumns = COLUMNS};
        size_t i;
        json_t *row;

        json_array_foreach (rows, i, row)
                add_row(&t, row);
        size_t out = table_fit(&t, p);
        table_print_head(&t, p);
        for (i = 0; i < json_array_size(rows); i++)
                table_print_row(&t, p, i);
        table_print_left_out(p, out);
        table_done(&t);
}

static void print_spike(struct page *p, const struct operator_view *v, const json_t *spike)
{
        char age[PICK_WHEN_LEN], programs[256];

        pick_age(age, spike, "from", v->now_ns);
        pick_join(programs, sizeof(programs), json_object_get(spike, "programs"), ", ");
        page_paragraph(p, INK_BAD, "spike", LABEL, "%s: %s on %s takes %.0f times its usual time, since %s%s%s%s%s",
                       pick_text(spike, "db", "?"), pick_text(spike, "op", "?"), pick_text(spike, "file", "?"),
                       json_number_value(json_object_get(spike, "factor")), age,
                       programs[0] ? "; most of it in " : "", programs,
                       pick_text(spike, "incident", NULL) ? "; incident " : "", pick_text(spike, "incident", ""));
}

static void print_why(struct page *p, const json_t *o)
{
        char span[TEXT_DURATION_LEN];

        text_duration(span, pick_number(o, "span_ms") * 1000000);
        page_line(p);
        fputs("  ", p->out);
        page_ink(p, INK_BOLD, pick_text(o, "db", "?"));
        fprintf(p->out, "%s%s\n", pick_number(o, "span_ms") ? ", in the last " : "",
                pick_number(o, "span_ms") ? span : "");
        if (json_array_size(json_object_get(o, "attribution")) || pick_text(o, "attribution_why_not", NULL))
                time_spent_print(p, o, LABEL);
        else
                page_paragraph(p, INK_PLAIN, "time went to", LABEL, "no commit and no sync in that time");
}

void operator_latency(struct page *p, const struct operator_view *v)
{
        const json_t *rows = json_object_get(v->document, "rows");
        char at[PICK_WHEN_LEN], head[128], off[512];
        unsigned column = 0;
        size_t i;
        json_t *o;

        pick_when(at, v->document, "at");
        snprintf(head, sizeof(head), "How long it takes at %s, and what is usual at this hour of the week", at);
        page_flow(p, &column, "  ", INK_PLAIN, head);
        page_line(p);
        json_array_foreach (json_object_get(v->document, "spikes"), i, o)
                print_spike(p, v, o);
        pick_join(off, sizeof(off), json_object_get(v->document, "not_judged"), ", ");
        if (off[0])
                page_paragraph(p, INK_DIM, "not judged", LABEL, "%s", off);
        if (json_array_size(rows))
                print_rows(p, rows);
        else
                fputs("Nothing has been timed yet.\n", p->out);
        json_array_foreach (json_object_get(v->document, "why"), i, o)
                print_why(p, o);
}
