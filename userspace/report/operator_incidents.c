/* operator_incidents.c - `vigil incidents`: what fires, worst first; then what somebody looks after; then what is over. */
#include <string.h>

#include "report/operator_private.h"
#include "report/pick.h"

#define INDENT         6
#define SHOWN_RESOLVED 10

static const char *const statuses[] = {"firing", "acknowledged", "resolved"};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static bool is(const json_t *o, const char *key, const char *text)
{
        return strcmp(pick_text(o, key, ""), text) == 0;
}

/* Only what is there: a list may have been asked for by its status. */
static void print_count(struct page *p, const json_t *list)
{
        size_t n[STATUSES] = {0}, used = 0, i;
        json_t *incident;
        char text[96] = "No incident.";
        json_array_foreach (list, i, incident)
                for (size_t k = 0; k < STATUSES; k++)
                        n[k] += is(incident, "status", statuses[k]);
        for (size_t k = 0; k < STATUSES; k++)
                if (n[k])
                        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%zu %s", used ? ", " : "",
                                                 n[k], statuses[k]);
        page_ink(p, n[0] ? INK_BAD : INK_GOOD, text);
        page_line(p);
}

static void print_incident(struct page *p, const struct operator_view *v, const json_t *incident)
{
        const char *severity = pick_text(incident, "severity", "P?");
        char when[PICK_WHEN_LEN], age[PICK_WHEN_LEN];
        bool over = is(incident, "status", "resolved");
        page_line(p);
        fputs("  ", p->out);
        page_cell(p, over ? INK_PLAIN : pick_severity_ink(severity), 4, severity);
        page_cell(p, over ? INK_PLAIN : INK_BOLD, 24, pick_text(incident, "code", "?"));
        page_cell(p, INK_PLAIN, 20, pick_text(incident, "database", "-"));
        page_cell(p, INK_PLAIN, 14, pick_text(incident, "status", "?"));
        page_ink(p, INK_PLAIN, pick_text(incident, "id", "?"));
        page_line(p);
        page_paragraph(p, INK_PLAIN, "", INDENT, "%s", pick_text(incident, "summary", ""));
        const char *key = over ? "resolved_at" : "started_at";
        pick_when(when, incident, key);
        pick_age(age, incident, key, v->now_ns);
        page_paragraph(p, INK_PLAIN, "", INDENT, "%s %s, %s ago%s%s", over ? "resolved" : "since", when, age,
                       over                              ? " by "
                       : operator_is_recovered(incident) ? "; the database has been recovered since"
                                                         : "",
                       over ? pick_text(incident, "resolved_by", "?") : "");
        operator_reopened(p, incident, "", INDENT);
        if (!over || v->verbose)
                operator_data_line(p, incident, INDENT);
}

void operator_incidents(struct page *p, const struct operator_view *v)
{
        static const char *const severities[] = {"P0", "P1", "P2", "P3"};
        const json_t *list = json_object_get(v->document, "incidents");
        size_t shown = 0, hidden = 0, i;
        json_t *incident;
        if (json_object_get(v->document, "finding_details")) {
                operator_incident(p, v, json_array_get(list, 0));
                return;
        }
        print_count(p, list);
        for (size_t k = 0; k + 1 < STATUSES; k++)
                for (size_t s = 0; s < 4; s++)
                        json_array_foreach (list, i, incident)
                                if (is(incident, "status", statuses[k]) && is(incident, "severity", severities[s]))
                                        print_incident(p, v, incident);
        json_array_foreach (list, i, incident) {
                if (!is(incident, "status", "resolved"))
                        continue;
                if (shown++ < SHOWN_RESOLVED || v->verbose)
                        print_incident(p, v, incident);
                else
                        hidden++;
        }
        if (hidden)
                page_paragraph(p, INK_DIM, "", 4, "and %zu more that are resolved; -v shows all", hidden);
        if (json_is_true(json_object_get(v->document, "cut")))
                page_paragraph(p, INK_DIM, "", 4, "and older ones; --since asks for less");
}
