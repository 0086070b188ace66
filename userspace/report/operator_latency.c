/* operator_latency.c - `vigil summary --latency`: how long operations take beside what is usual; what is slow stands out. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/operator_private.h"
#include "report/pick.h"
#include "report/time_spent.h"

#define LABEL 13

static void number_cell(struct page *p, const json_t *o, const char *key)
{
        char text[TEXT_DURATION_LEN];

        text_duration(text, pick_number(o, key) * 1000);
        fprintf(p->out, "%9s", json_is_integer(json_object_get(o, key)) ? text : "-");
}

static void print_row(struct page *p, const json_t *row)
{
        const char *state = pick_text(row, "state", "?");
        char text[32];

        fputs("  ", p->out);
        page_cell(p, INK_PLAIN, 19, pick_text(row, "db", "?"));
        page_cell(p, INK_PLAIN, 10, pick_text(row, "file", "?"));
        page_cell(p, INK_PLAIN, 11, pick_text(row, "op", "?"));
        page_cell(p, strcmp(state, "slow") == 0 ? INK_BAD : INK_PLAIN, 9, state);
        snprintf(text, sizeof(text), "%" PRIu64, pick_number(row, "count"));
        fprintf(p->out, "%7s", text);
        number_cell(p, row, "p50_us");
        number_cell(p, row, "p95_us");
        number_cell(p, row, "max_us");
        number_cell(p, json_object_get(row, "usual"), "p95_us");
        number_cell(p, row, "slow_from_us");
        page_line(p);
}

static void print_head(struct page *p)
{
        page_line(p);
        fputs("  ", p->out);
        page_cell(p, INK_DIM, 19, "DATABASE");
        page_cell(p, INK_DIM, 10, "FILE");
        page_cell(p, INK_DIM, 11, "OP");
        page_cell(p, INK_DIM, 9, "STATE");
        fprintf(p->out, "%7s%9s%9s%9s%9s%9s\n", "COUNT", "P50", "P95", "MAX", "USUAL95", "SLOW AT");
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
        page_paragraph(p, INK_BOLD, "", 2, "%s%s%s", pick_text(o, "db", "?"),
                       pick_number(o, "span_ms") ? ", in the last " : "", pick_number(o, "span_ms") ? span : "");
        if (json_array_size(json_object_get(o, "attribution")) || pick_text(o, "attribution_why_not", NULL))
                time_spent_print(p, o, LABEL);
        else
                page_paragraph(p, INK_PLAIN, "time went to", LABEL, "no commit and no sync in that time");
}

void operator_latency(struct page *p, const struct operator_view *v)
{
        const json_t *rows = json_object_get(v->document, "rows");
        char at[PICK_WHEN_LEN], off[512];
        size_t i;
        json_t *o;

        pick_when(at, v->document, "at");
        fprintf(p->out, "How long it takes at %s, and what is usual at this hour of the week\n", at);
        json_array_foreach (json_object_get(v->document, "spikes"), i, o)
                print_spike(p, v, o);
        pick_join(off, sizeof(off), json_object_get(v->document, "not_judged"), ", ");
        if (off[0])
                page_paragraph(p, INK_DIM, "not judged", LABEL, "%s", off);
        if (json_array_size(rows))
                print_head(p);
        else
                fputs("Nothing has been timed yet.\n", p->out);
        json_array_foreach (rows, i, o)
                print_row(p, o);
        json_array_foreach (json_object_get(v->document, "why"), i, o)
                print_why(p, o);
}
