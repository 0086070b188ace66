/* operator_incident.c - `vigil incident show`: one incident with everything that belongs to it, and what to do. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/advice.h"
#include "report/advice_stuck.h"
#include "report/death.h"
#include "report/findings.h"
#include "report/operator_private.h"
#include "report/pick.h"
#include "report/time_spent.h"

#define LABEL          DEATH_LABEL
#define SHOWN_FINDINGS 12
#define SHOWN_DEATHS   5

static void print_time(struct page *p, const struct operator_view *v, const json_t *incident, const char *label,
                       const char *key, const char *how)
{
        char when[PICK_WHEN_LEN], age[PICK_WHEN_LEN];
        pick_when(when, incident, key);
        pick_age(age, incident, key, v->now_ns);
        if (json_is_string(json_object_get(incident, key)))
                page_paragraph(p, INK_PLAIN, label, LABEL, "%s, %s ago%s", when, age, how);
}

void operator_reopened(struct page *p, const json_t *incident, const char *label, unsigned indent)
{
        const json_t *o = json_object_get(incident, "reopened");
        char at[PICK_WHEN_LEN], seen[PICK_WHEN_LEN];

        if (!json_is_object(o))
                return;
        pick_when(at, o, "at");
        pick_when(seen, o, "acknowledged_at");
        page_paragraph(p, INK_WARN, label, indent, "fired again at %s: it had been acknowledged by %s at %s as %s",
                       at, pick_text(o, "acknowledged_by", "somebody"), seen,
                       pick_text(o, "acknowledged_severity", "P?"));
}

/* A program that died more than once may do so again, however whole its database is. */
static bool is_loop(const json_t *incident)
{
        return pick_number(json_object_get(incident, "deaths"), "count") > 1;
}

/* What has to be seen for that, where the code alone tells it. */
static const char *seen_over(const json_t *incident)
{
        return strcmp(pick_text(incident, "code", ""), "job-orphaned") == 0
                       ? "no row says any more that a job runs for which nobody works"
                       : "it is seen to be over";
}

/* What it waits for. */
static void print_ends(struct page *p, const json_t *incident)
{
        const struct {
                const char *word, *text;
        } ends[] = {
                {"recovery", "the next opener who may write has recovered the database, or had nothing to recover"},
                {"check", "an integrity check is ok"},
                {"backup", "a verified backup is there"},
                {"quiet", "nothing like it is seen for a while"},
                {"over", seen_over(incident)},
                {"actions", "the check and the backup that it is owed have been made"},
                {"operator", "you say so: `vigil incident resolve` it"},
        };
        bool first = true;
        size_t i;
        json_t *word;
        if (json_is_string(json_object_get(incident, "resolved_at")))
                return;
        json_array_foreach (json_object_get(incident, "ends_by"), i, word)
                for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++)
                        if (json_is_string(word) && strcmp(json_string_value(word), ends[k].word) == 0) {
                                bool again = is_loop(incident) && strcmp(ends[k].word, "quiet") == 0;
                                page_paragraph(p, INK_PLAIN, first ? "ends when" : "and", LABEL, "%s",
                                               again ? "the program has not died again for ten minutes"
                                                     : ends[k].text);
                                first = false;
                        }
}

/* What `latency-spike` has measured. */
static void print_latency(struct page *p, const json_t *incident)
{
        const json_t *latency = json_object_get(incident, "latency");
        char slow[TEXT_DURATION_LEN], longest[TEXT_DURATION_LEN], usual[TEXT_DURATION_LEN];
        size_t i;
        json_t *o;

        json_array_foreach (json_object_get(latency, "operations"), i, o) {
                text_duration(slow, pick_number(o, "p95_us") * 1000);
                text_measured(longest, pick_number(o, "max_us"), 1000);
                text_duration(usual, pick_number(json_object_get(o, "usual"), "p95_us") * 1000);
                page_paragraph(p, INK_PLAIN, i ? "" : "latency", LABEL,
                               "%s on %s: 95 of 100 within %s, the longest %s; usually within %s",
                               pick_text(o, "op", "?"), pick_text(o, "file", "?"), slow, longest, usual);
        }
        time_spent_print(p, latency, LABEL);
}

static void print_deaths(struct page *p, const struct operator_view *v, const json_t *incident)
{
        const json_t *told = json_object_get(v->document, "certificate_details");
        size_t n = json_array_size(json_object_get(incident, "certificates")), shown = 0;
        bool over = strcmp(pick_text(incident, "status", ""), "resolved") == 0;
        /* The newest first: that is how it stands now. */
        for (size_t i = json_array_size(told); i-- > 0 && (shown < SHOWN_DEATHS || v->verbose); shown++) {
                const json_t *c = json_array_get(told, i);
                death_print(p, c, over, v->verbose);
                page_paragraph(p, INK_PLAIN, "certificate", LABEL, "%s", pick_text(c, "id", "?"));
        }
        if (n > shown)
                page_paragraph(p, INK_PLAIN, "", LABEL, "%s%zu certificate%s", shown ? "and " : "", n - shown,
                               n - shown == 1 ? "" : "s");
}

static void print_advice(struct page *p, const struct operator_view *v, const json_t *incident)
{
        const char *advice[ADVICE_MAX], *id = pick_text(incident, "id", "ID");
        char stuck[STUCK_ADVICE_MAX][STUCK_ADVICE_LEN];
        /* The table of advice knows the members of a report. */
        json_t *as_report = json_pack("{s:O?, s:O?, s:O?}", "findings",
                                      json_object_get(v->document, "finding_details"), "certificates",
                                      json_object_get(v->document, "certificate_details"), "integrity",
                                      json_object_get(incident, "integrity"));
        size_t n = as_report ? advice_for(as_report, advice) : 0,
               nstuck = advice_stuck(json_object_get(v->document, "finding_details"), stuck);
        bool over = strcmp(pick_text(incident, "status", ""), "resolved") == 0;
        page_line(p);
        for (size_t i = 0; i < n && !over; i++)
                page_paragraph(p, INK_PLAIN, i ? "" : "what to do", LABEL, "%s", advice[i]);
        for (size_t i = 0; i < nstuck && !over; i++)
                page_paragraph(p, INK_PLAIN, n + i ? "" : "what to do", LABEL, "%s", stuck[i]);
        if (strcmp(pick_text(incident, "status", ""), "firing") == 0)
                page_paragraph(p, INK_PLAIN, n + nstuck ? "" : "what to do", LABEL,
                               "`vigil incident ack %s` says that you look after it.", id);
        page_paragraph(p, INK_DIM, "for the record", LABEL, "`vigil incident report %s` writes it down.", id);
        json_decref(as_report);
}

void operator_incident(struct page *p, const struct operator_view *v, const json_t *incident)
{
        const char *severity = pick_text(incident, "severity", "P?"),
                   *status = pick_text(incident, "status", "unknown");
        const json_t *trust = json_object_get(incident, "trust");
        char loud[16], words[512];
        bool over = strcmp(status, "resolved") == 0;
        pick_upper(loud, sizeof(loud), status);
        page_ink(p, over ? INK_GOOD : pick_severity_ink(severity), severity);
        fputs("  ", p->out);
        page_ink(p, over ? INK_GOOD : pick_severity_ink(severity), loud);
        fputs("  ", p->out);
        page_ink(p, INK_BOLD, pick_text(incident, "code", "?"));
        fputs("  ", p->out);
        page_ink(p, INK_PLAIN, pick_text(incident, "id", "?"));
        page_line(p);
        page_paragraph(p, INK_PLAIN, "", 4, "%s", pick_text(incident, "summary", ""));
        page_line(p);
        pick_join(words, sizeof(words), json_object_get(incident, "databases"), ", ");
        page_paragraph(p, INK_PLAIN, "database", LABEL, "%s%s%s",
                       words[0] ? words : pick_text(incident, "database", "-"),
                       pick_text(incident, "path", NULL) ? ": " : "", pick_text(incident, "path", ""));
        print_time(p, v, incident, "since", "started_at", "");
        snprintf(words, sizeof(words), " by %s", pick_text(incident, "acknowledged_by", "somebody"));
        print_time(p, v, incident, "acknowledged", "acknowledged_at", words);
        operator_reopened(p, incident, "reopened", LABEL);
        print_time(p, v, incident, "resolved", "resolved_at", operator_resolved_by(incident));
        operator_recovered(p, incident, LABEL);
        print_ends(p, incident);
        if (operator_has_data(incident)) {
                operator_integrity(p, incident, LABEL);
                operator_backup(p, incident, LABEL);
        }
        operator_due(p, incident, LABEL);
        if (pick_text(incident, "evidence", NULL))
                page_paragraph(p, INK_PLAIN, "evidence", LABEL, "%s", pick_text(incident, "evidence", ""));
        pick_join(words, sizeof(words), json_object_get(trust, "reasons"), ", ");
        if (strcmp(pick_text(trust, "level", "none"), "full") != 0)
                page_paragraph(p, INK_WARN, "trust", LABEL, "%s: %s", pick_text(trust, "level", "none"), words);
        print_latency(p, incident);
        findings_print(p, json_object_get(v->document, "finding_details"), SHOWN_FINDINGS, v->verbose);
        print_deaths(p, v, incident);
        print_advice(p, v, incident);
}
