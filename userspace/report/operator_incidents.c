/* operator_incidents.c - `vigil incidents`: what fires, worst first; then what somebody looks after; then what is over. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/operator_private.h"
#include "report/pick.h"
#include "report/table.h"

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

static const struct table_column columns[] = {{.title = "", .whole = true},
                                              {.title = "", .whole = true},
                                              {.title = ""},
                                              {.title = "", .whole = true},
                                              {.title = "", .whole = true}};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void add_row(struct table *t, const json_t *incident)
{
        const char *severity = pick_text(incident, "severity", "P?");
        bool over = is(incident, "status", "resolved");
        table_add(t, over ? INK_PLAIN : pick_severity_ink(severity), severity);
        table_add(t, over ? INK_PLAIN : INK_BOLD, pick_text(incident, "code", "?"));
        table_add(t, INK_PLAIN, pick_text(incident, "database", "-"));
        table_add(t, INK_PLAIN, pick_text(incident, "status", "?"));
        table_add(t, INK_PLAIN, pick_text(incident, "id", "?"));
}

static void print_details(struct page *p, const struct operator_view *v, const json_t *incident)
{
        char when[PICK_WHEN_LEN], age[PICK_WHEN_LEN];
        bool over = is(incident, "status", "resolved");
        page_paragraph(p, INK_PLAIN, "", INDENT, "%s", pick_text(incident, "summary", ""));
        const char *key = over ? "resolved_at" : "started_at";
        pick_when(when, incident, key);
        pick_age(age, incident, key, v->now_ns);
        page_paragraph(p, INK_PLAIN, "", INDENT, "%s %s, %s ago%s", over ? "resolved" : "since", when, age,
                       over ? operator_resolved_by(incident) : operator_recovered_since(incident));
        operator_reopened(p, incident, "", INDENT);
        if (!over || v->verbose)
                operator_data_line(p, incident, INDENT);
}

/* What fires, then what somebody looks after, each by severity; then the first that are over. @return how many */
static size_t choose(const json_t *list, bool verbose, const json_t **ret, size_t *ret_hidden)
{
        static const char *const severities[] = {"P0", "P1", "P2", "P3"};
        size_t n = 0, over = 0, i;
        json_t *incident;
        for (size_t k = 0; k + 1 < STATUSES; k++)
                for (size_t s = 0; s < 4; s++)
                        json_array_foreach (list, i, incident)
                                if (is(incident, "status", statuses[k]) && is(incident, "severity", severities[s]))
                                        ret[n++] = incident;
        json_array_foreach (list, i, incident) {
                if (!is(incident, "status", "resolved"))
                        continue;
                if (over++ < SHOWN_RESOLVED || verbose)
                        ret[n++] = incident;
                else
                        ++*ret_hidden;
        }
        return n;
}

static void print_list(struct page *p, const struct operator_view *v, const json_t *list)
{
        _cleanup_free_ const json_t **shown = calloc(json_array_size(list) + 1, sizeof(void *));
        size_t hidden = 0, n = shown ? choose(list, v->verbose, shown, &hidden) : 0;
        struct table t = {.column = columns, .ncolumns = COLUMNS};
        for (size_t i = 0; i < n; i++)
                add_row(&t, shown[i]);
        table_fit(&t, p);
        for (size_t i = 0; i < n; i++) {
                page_line(p);
                table_print_row(&t, p, i);
                print_details(p, v, shown[i]);
        }
        if (hidden)
                page_paragraph(p, INK_DIM, "", 4, "and %zu more that are resolved; -v shows all", hidden);
        table_done(&t);
}

void operator_incidents(struct page *p, const struct operator_view *v)
{
        const json_t *list = json_object_get(v->document, "incidents");
        if (json_object_get(v->document, "finding_details")) {
                operator_incident(p, v, json_array_get(list, 0));
                return;
        }
        print_count(p, list);
        print_list(p, v, list);
        if (json_is_true(json_object_get(v->document, "cut")))
                page_paragraph(p, INK_DIM, "", 4, "and older ones; --since asks for less");
}
