/* operator_certificates.c - `vigil certificates`: deaths, newest first, the clean ones counted; `vigil certificate`: one, whole. */
#include <inttypes.h>
#include <string.h>

#include "report/death.h"
#include "report/operator_private.h"
#include "report/pick.h"

#define INDENT 10

static bool is_clean(const json_t *c)
{
        return strcmp(pick_text(c, "verdict", ""), "clean") == 0;
}

void operator_one_certificate(struct page *p, const json_t *c)
{
        const char *verdict = pick_text(c, "verdict", "unknown"), *incident = pick_text(c, "incident", NULL);
        char loud[16];
        pick_upper(loud, sizeof(loud), verdict);
        page_ink(p, pick_verdict_ink(verdict), loud);
        fputs("  ", p->out);
        page_ink(p, INK_BOLD, pick_text(c, "database", "?"));
        page_line(p);
        death_print(p, c, false, true);
        page_paragraph(p, INK_PLAIN, "certificate", DEATH_LABEL, "%s", pick_text(c, "id", "?"));
        if (incident)
                page_paragraph(p, INK_PLAIN, "incident", DEATH_LABEL, "%s", incident);
}

static void print_row(struct page *p, const struct operator_view *v, const json_t *c)
{
        const json_t *process = json_object_get(c, "process");
        const char *verdict = pick_text(c, "verdict", "unknown");
        char when[PICK_WHEN_LEN], age[PICK_WHEN_LEN], ending[160], reasons[512];
        pick_when(when, c, "ended_at");
        pick_age(age, c, "ended_at", v->now_ns);
        death_ending(ending, sizeof(ending), c);
        pick_join(reasons, sizeof(reasons), json_object_get(c, "reasons"), ", ");
        fputs("  ", p->out);
        page_cell(p, pick_verdict_ink(verdict), INDENT - 2, verdict);
        page_cell(p, INK_BOLD, 30, pick_text(c, "database", "?"));
        page_cell(p, INK_PLAIN, 24, when);
        page_ink(p, INK_PLAIN, pick_text(c, "id", "?"));
        page_line(p);
        page_paragraph(p, INK_PLAIN, "", INDENT, "%s (pid %" PRIu64 ") %s%s%s, %s ago",
                       pick_text(process, "comm", "?"), pick_number(process, "pid"), ending, reasons[0] ? ": " : "",
                       reasons, age);
}

void operator_certificates(struct page *p, const struct operator_view *v)
{
        const json_t *list = json_object_get(v->document, "certificates");
        size_t clean = 0, n = json_array_size(list), i;
        json_t *c;
        json_array_foreach (list, i, c) {
                if (is_clean(c) && !v->verbose)
                        clean++;
                else
                        print_row(p, v, c);
        }
        if (n == 0)
                fputs("No process that used a database has died.\n", p->out);
        else if (clean)
                page_paragraph(p, INK_GOOD, clean == n ? "all clean:" : "and", clean == n ? 13 : 6,
                               "%zu process%s ended clean; -v shows them", clean, clean == 1 ? "" : "es");
        if (json_is_true(json_object_get(v->document, "cut")))
                page_paragraph(p, INK_DIM, "", 4, "and older ones; --since asks for less");
}
