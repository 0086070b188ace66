/* incident_markdown.c - `vigil incident report`: the report that people write after an incident, begun by what is known. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report/advice.h"
#include "report/advice_stuck.h"
#include "report/death.h"
#include "report/operator_private.h"
#include "report/pick.h"

#define TEXT_MAX 600

/* Text of processes and paths in Markdown: no control characters, no markup, no end of a cell. */
static void put(FILE *out, const char *text)
{
        char clean[TEXT_MAX];
        text_printable(clean, sizeof(clean), text);
        for (const char *at = clean; *at; at++) {
                if (strchr("\\`*_[]<>|#", *at))
                        fputc('\\', out);
                fputc(*at, out);
        }
}

static void line(FILE *out, const char *label, const char *text)
{
        fprintf(out, "**%s**: ", label);
        put(out, text);
        fputs("  \n", out);
}

/* ---- timeline -------------------------------------------------------------------------------------------------------- */

struct moment {
        const char *at; /* borrowed from the document */
        size_t order;   /* in which it was added */
        char text[TEXT_MAX];
};

struct timeline {
        struct moment *item;
        size_t n, size;
        bool failed;
};

static void timeline_done(struct timeline *t)
{
        free(t->item);
}

/* The text of a new moment; NULL where there is no time. */
static char *add(struct timeline *t, const json_t *o, const char *key)
{
        const char *at = pick_text(o, key, NULL);
        if (!at)
                return NULL;
        if (t->n == t->size) {
                size_t size = t->size ? t->size * 2 : 32;
                struct moment *grown = realloc(t->item, size * sizeof(*grown));
                if (!grown) {
                        t->failed = true;
                        return NULL;
                }
                t->item = grown;
                t->size = size;
        }
        t->item[t->n].at = at;
        t->item[t->n].order = t->n;
        t->item[t->n].text[0] = '\0';
        return t->item[t->n++].text;
}

/* Times of the Contract sort as text; what happened at the same time stays in the order in which it was added. */
static int by_time(const void *a, const void *b)
{
        const struct moment *x = a, *y = b;
        int r = strcmp(x->at, y->at);
        return r ? r : (x->order > y->order) - (x->order < y->order);
}

static void add_life(struct timeline *t, const json_t *incident)
{
        static const struct {
                const char *key, *text;
        } steps[] = {
                {"started_at", "Incident begun"}, {"acknowledged_at", "Acknowledged"}, {"resolved_at", "Resolved"}};
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                char *text = add(t, incident, steps[i].key);
                if (!text)
                        continue;
                snprintf(text, TEXT_MAX, "%s%s", steps[i].text, i == 2 ? operator_resolved_by(incident) : "");
        }
        const json_t *reopened = json_object_get(incident, "reopened");
        char *text = json_is_object(reopened) ? add(t, reopened, "acknowledged_at") : NULL;
        if (text)
                snprintf(text, TEXT_MAX, "Acknowledged by %s as %s",
                         pick_text(reopened, "acknowledged_by", "somebody"),
                         pick_text(reopened, "acknowledged_severity", "P?"));
        if (text && (text = add(t, reopened, "at")))
                snprintf(text, TEXT_MAX, "Fires again: it is worse than what was acknowledged");
}

static void add_all(struct timeline *t, const json_t *document, const json_t *incident)
{
        size_t i;
        json_t *o;
        json_array_foreach (json_object_get(document, "certificate_details"), i, o) {
                char ending[160], *text = add(t, o, "ended_at");
                const json_t *process = json_object_get(o, "process");
                death_ending(ending, sizeof(ending), o);
                if (text)
                        snprintf(text, TEXT_MAX, "%s (pid %" PRIu64 ") %s: %s", pick_text(process, "comm", "?"),
                                 pick_number(process, "pid"), ending, pick_text(o, "verdict", "unknown"));
        }
        json_array_foreach (json_object_get(document, "finding_details"), i, o) {
                char *text = add(t, o, "at");
                if (text)
                        snprintf(text, TEXT_MAX, "%s %s: %s", pick_text(o, "severity", "?"),
                                 pick_text(o, "code", "?"), pick_text(o, "detail", ""));
        }
        json_array_foreach (json_object_get(incident, "backups"), i, o) {
                char *text = add(t, o, "created_at");
                if (text)
                        snprintf(text, TEXT_MAX, "Backup %s, %s", pick_text(o, "id", "?"),
                                 json_is_true(json_object_get(o, "verified")) ? "verified" : "not verified");
        }
        add_life(t, incident);
}

static void print_timeline(const json_t *document, const json_t *incident, FILE *out)
{
        _cleanup_(timeline_done) struct timeline t = {0};
        add_all(&t, document, incident);
        if (t.n)
                qsort(t.item, t.n, sizeof(t.item[0]), by_time);
        fputs("\n## Timeline (UTC)\n\n| Time | Event |\n|------|-------|\n", out);
        for (size_t i = 0; i < t.n; i++) {
                fprintf(out, "| %.19sZ | ", t.item[i].at);
                put(out, t.item[i].text);
                fputs(" |\n", out);
        }
        if (t.failed)
                fputs("| | out of memory: more is known than stands here |\n", out);
        fputs("| [HH:MM] | [What people did] |\n", out);
}

/* ---- sections -------------------------------------------------------------------------------------------------------- */

static void print_head(const json_t *incident, FILE *out)
{
        char from[PICK_WHEN_LEN], to[PICK_WHEN_LEN], text[128];
        pick_when(from, incident, "started_at");
        pick_when(to, incident, "resolved_at");
        fputs("# Incident Report: ", out);
        put(out, pick_text(incident, "code", "?"));
        fputs(" on ", out);
        put(out, pick_text(incident, "database", "[what]"));
        fprintf(out, "\n\n**Date**: %.10s  \n", from);
        line(out, "Severity", pick_text(incident, "severity", "?"));
        snprintf(text, sizeof(text), "%s - %s", from, strcmp(to, "-") == 0 ? "not over" : to);
        line(out, "Duration", text);
        line(out, "Incident", pick_text(incident, "id", "?"));
        fputs("**Author**: [Name]\n\n## Summary\n\n", out);
        put(out, pick_text(incident, "summary", "[What happened]"));
        fputs("\n\n[Impact and resolution, in a sentence or two]\n", out);
}

static const char *age_of(const json_t *incident, const json_t *found)
{
        return operator_is_older(incident, found) ? ", before the last death" : "";
}

/* Only what the evidence says: an ok of the check is no proof that nothing was lost. */
static void print_impact(const json_t *incident, FILE *out)
{
        char names[TEXT_MAX], said[TEXT_MAX + 64];
        const json_t *backup = json_object_get(incident, "backup"), *doubt = json_object_get(incident, "trust");
        const json_t *check = json_object_get(incident, "integrity");
        pick_join(names, sizeof(names), json_object_get(incident, "databases"), ", ");
        fputs("\n## Impact\n\n**Users Affected**: [Number]  \n**Services Impacted**: [List]  \n", out);
        line(out, "Databases", names[0] ? names : pick_text(incident, "database", "[which]"));
        snprintf(said, sizeof(said), "%s%s", pick_text(check, "result", "none"), age_of(incident, check));
        line(out, "Integrity check", said);
        snprintf(said, sizeof(said), "%s%s",
                 !json_is_object(backup)                             ? "none"
                 : json_is_true(json_object_get(backup, "verified")) ? pick_text(backup, "path", "verified")
                                                                     : "not verified",
                 age_of(incident, backup));
        line(out, "Backup made then", said);
        pick_join(names, sizeof(names), json_object_get(doubt, "reasons"), ", ");
        snprintf(said, sizeof(said), "%s%s%s", pick_text(doubt, "level", "none"), names[0] ? ": " : "", names);
        line(out, "Trust in this evidence", said);
        fputs("**Data Loss**: [Yes/No + details]  \n**Downtime**: [Duration]\n", out);
}

/* Of the certificates that are told the last in time; NULL: there is none. Borrowed. */
static const json_t *last_death(const json_t *document)
{
        const json_t *last = NULL, *c;
        size_t i;
        json_array_foreach (json_object_get(document, "certificate_details"), i, c)
                if (!last || strcmp(pick_text(c, "ended_at", ""), pick_text(last, "ended_at", "")) >= 0)
                        last = c;
        return last;
}

/* @param dated  there are several: with its time */
static void print_death(const char *label, const json_t *c, bool dated, FILE *out)
{
        const json_t *process = json_object_get(c, "process");
        char ending[160], when[PICK_WHEN_LEN], text[TEXT_MAX];
        death_ending(ending, sizeof(ending), c);
        pick_when(when, c, "ended_at");
        snprintf(text, sizeof(text), "%s (pid %" PRIu64 ") %s%s%s", pick_text(process, "comm", "?"),
                 pick_number(process, "pid"), ending, dated ? ", " : "", dated ? when : "");
        line(out, label, text);
}

/* What the last death has left, unless somebody has put it right since. */
static void print_state(const json_t *incident, const json_t *last, FILE *out)
{
        const json_t *proof = json_object_get(incident, "resolution");
        char when[PICK_WHEN_LEN], text[TEXT_MAX];
        if (operator_is_recovered(incident)) {
                pick_when(when, proof, "seen_at");
                snprintf(text, sizeof(text), "%s, %s: %s",
                         operator_had_nothing_left(incident) ? "nothing was left to recover" : "recovered", when,
                         pick_text(proof, "sign", "?"));
                line(out, "State of the data", text);
        } else if (pick_text(last, "prediction", NULL)) {
                bool over = strcmp(pick_text(incident, "status", ""), "resolved") == 0;
                snprintf(text, sizeof(text), "%s%s", over ? "at the death: " : "",
                         pick_text(last, "prediction", ""));
                line(out, "State of the data", text);
        }
}

static void print_cause(const json_t *document, const json_t *incident, FILE *out)
{
        const json_t *first = json_array_get(json_object_get(document, "certificate_details"), 0);
        const json_t *last = last_death(document);
        const json_t *sender = json_object_get(json_object_get(last, "exit"), "sender");
        bool again = last != first;
        char text[TEXT_MAX];
        fputs("\n## Root Cause\n\n", out);
        if (last)
                print_death("Immediate Cause", last, again, out);
        else
                fputs("**Immediate Cause**: [What began it]  \n", out);
        if (json_is_object(sender)) {
                snprintf(text, sizeof(text), "%s (pid %" PRIu64 ", uid %" PRIu64 ")",
                         pick_text(sender, "comm", "?"), pick_number(sender, "pid"), pick_number(sender, "uid"));
                line(out, "Killed by", text);
        }
        if (again)
                print_death("Begun by", first, true, out);
        print_state(incident, last, out);
        fputs("\n**Contributing Factors**:\n1. [Factor]\n\n**Why it wasn't detected earlier**:\n- [Reason]\n", out);
}

static void print_resolution(const json_t *document, const json_t *incident, FILE *out)
{
        const char *advice[ADVICE_MAX];
        char stuck[STUCK_ADVICE_MAX][STUCK_ADVICE_LEN];
        json_t *as_report = json_pack("{s:O?, s:O?, s:O?}", "findings",
                                      json_object_get(document, "finding_details"), "certificates",
                                      json_object_get(document, "certificate_details"), "integrity",
                                      json_object_get(incident, "integrity"));
        size_t n = as_report ? advice_for(as_report, advice) : 0,
               nstuck = advice_stuck(json_object_get(document, "finding_details"), stuck);
        fputs("\n## Resolution\n\n**Advised by Vigil**:\n", out);
        for (size_t i = 0; i < n; i++)
                fprintf(out, "- %s\n", advice[i]);
        for (size_t i = 0; i < nstuck; i++)
                fprintf(out, "- %s\n", stuck[i]);
        if (!n && !nstuck)
                fputs("- nothing\n", out);
        fputs("\n**Immediate Fix**:\n- [What was done]\n\n**Long-term Prevention**:\n- [What will be done]\n"
              "\n## Lessons Learned\n\n- [Lesson]\n\n## Action Items\n\n- [ ] [Action] ([owner], [priority])\n",
              out);
        json_decref(as_report);
}

static void print_appendix(const json_t *incident, FILE *out)
{
        char ids[TEXT_MAX];
        fputs("\n## Appendix\n\n", out);
        pick_join(ids, sizeof(ids), json_object_get(incident, "certificates"), ", ");
        line(out, "Certificates", ids[0] ? ids : "none");
        line(out, "Evidence", pick_text(incident, "evidence", "none was kept"));
        fputs("**Related Incidents**: [Links]\n", out);
}

int operator_markdown(const json_t *document, FILE *out)
{
        const json_t *incident = json_array_get(json_object_get(document, "incidents"), 0);
        if (!json_is_object(incident))
                return -EINVAL;
        print_head(incident, out);
        print_impact(incident, out);
        print_timeline(document, incident, out);
        print_cause(document, incident, out);
        print_resolution(document, incident, out);
        print_appendix(incident, out);
        return ferror(out) || fflush(out) == EOF ? (errno ? -errno : -EIO) : 0;
}
