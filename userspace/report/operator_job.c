/* operator_job.c - `vigil jobs ID`: all that is known of one job, in words; the numbers as they are: --json. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/operator_private.h"
#include "report/pick.h"

#define LABEL 15

static void print_when(struct page *p, const struct operator_view *v, const json_t *job, const char *label,
                       const char *key)
{
        char when[PICK_WHEN_LEN], age[PICK_WHEN_LEN];

        pick_when(when, job, key);
        pick_age(age, job, key, v->now_ns);
        if (json_is_string(json_object_get(job, key)))
                page_paragraph(p, INK_PLAIN, label, LABEL, "%s, %s ago", when, age);
}

/* "python3 (pid 12)"; "nobody who can be named". */
static void who_text(char ret[64], const json_t *process)
{
        if (pick_number(process, "pid"))
                snprintf(ret, 64, "%.30s (pid %" PRIu64 ")", pick_text(process, "comm", "?"),
                         pick_number(process, "pid"));
        else
                snprintf(ret, 64, "nobody who can be named");
}

/* @p before and the time that @p key tells; nothing where it is not known. */
static void span_text(char ret[64], const char *before, const json_t *o, const char *key)
{
        char span[TEXT_DURATION_LEN];

        text_measured(span, pick_number(o, key), 1000000);
        ret[0] = '\0';
        if (json_is_integer(json_object_get(o, key)))
                snprintf(ret, 64, "%s%s", before, span);
}

static void print_process(struct page *p, const json_t *evidence)
{
        static const struct {
                const char *tie, *text;
        } ties[] = {{"pid", "its row names it"},
                    {"writes", "it writes to the database"},
                    {"orchestrator", "it belongs to the orchestrator"},
                    {"child", "it descends from the process that its row names"}};
        const char *tie = pick_text(evidence, "tie", "");
        char who[64];

        if (!json_is_object(json_object_get(evidence, "process")))
                return;
        for (size_t i = 0; i < sizeof(ties) / sizeof(ties[0]); i++)
                tie = strcmp(ties[i].tie, tie) == 0 ? ties[i].text : tie;
        who_text(who, json_object_get(evidence, "process"));
        page_paragraph(p, INK_PLAIN, "process", LABEL, "%s: %s", who, tie);
        if (pick_text(evidence, "certificate", NULL))
                page_paragraph(p, INK_PLAIN, "ended", LABEL, "see vigil certificate %s",
                               pick_text(evidence, "certificate", ""));
}

static void print_wait(struct page *p, const json_t *w)
{
        const json_t *holder = json_object_get(w, "holder");
        uint64_t holders = pick_number(w, "holders");
        char since[64], held[64], who[64], locks[128], more[32] = "";

        if (!json_is_object(w))
                return;
        span_text(since, " for ", w, "waiting_ms");
        page_paragraph(p, INK_PLAIN, "waits for", LABEL, "%s of %s%s, refused %" PRIu64 " times",
                       pick_text(w, "lock", "?"), pick_text(w, "database", "?"), since, pick_number(w, "tries"));
        if (!json_is_object(holder)) {
                page_paragraph(p, INK_PLAIN, "held by", LABEL, "nobody at this instant");
                return;
        }
        who_text(who, holder);
        span_text(held, " for ", holder, "holding_ms");
        pick_join(locks, sizeof(locks), json_object_get(holder, "locks"), ", ");
        if (holders > 1)
                snprintf(more, sizeof(more), "; and %" PRIu64 " more", holders - 1);
        page_paragraph(p, INK_PLAIN, "held by", LABEL, "%s with %s%s%s", who, locks[0] ? locks : "?", held, more);
}

static void print_knot(struct page *p, const json_t *knot)
{
        char since[64], who[64];
        size_t i;
        json_t *member;

        if (!json_is_object(knot))
                return;
        span_text(since, " for ", knot, "since_ms");
        page_paragraph(p, INK_WARN, pick_text(knot, "kind", "knot"), LABEL, "of %" PRIu64 " processes%s%s",
                       pick_number(knot, "processes"), since,
                       json_is_true(json_object_get(knot, "suspected")) ? "; it is only suspected" : "");
        json_array_foreach (json_object_get(knot, "members"), i, member) {
                const json_t *w = json_object_get(member, "waits_for");
                who_text(who, json_object_get(member, "process"));
                page_paragraph(p, INK_PLAIN, "", LABEL, "%s wants %s of %s", who, pick_text(w, "lock", "?"),
                               pick_text(w, "database", "?"));
        }
}

static void print_halt(struct page *p, const json_t *evidence)
{
        const json_t *stopped = json_object_get(evidence, "stopped"), *sync = json_object_get(evidence, "sync");
        char since[64], who[64];

        if (json_is_object(stopped)) {
                who_text(who, json_object_get(stopped, "sender"));
                span_text(since, ", for ", stopped, "stopped_ms");
                page_paragraph(p, INK_PLAIN, "stopped", LABEL, "by %s from %s%s",
                               pick_text(stopped, "signal", "a signal that was not seen"), who, since);
        }
        if (json_is_object(sync)) {
                span_text(since, ", for ", sync, "waiting_ms");
                page_paragraph(p, INK_PLAIN, "in a sync", LABEL, "%s of %s on %s%s", pick_text(sync, "file", "?"),
                               pick_text(sync, "database", "no single database"),
                               pick_text(sync, "device", "an unknown device"), since);
        }
}

static void print_progress(struct page *p, const json_t *progress)
{
        const json_t *total = json_object_get(progress, "total"), *rate = json_object_get(progress, "per_minute"),
                     *left = json_object_get(progress, "left_s");
        char of[48] = "", per_minute[48] = "", end[64] = "";

        if (!json_is_object(progress))
                return;
        if (json_is_number(total))
                snprintf(of, sizeof(of), " of %.12g", json_number_value(total));
        if (json_is_number(rate))
                snprintf(per_minute, sizeof(per_minute), ", %.3g per minute", json_number_value(rate));
        if (json_is_number(left)) {
                char span[PICK_WHEN_LEN];
                double s = json_number_value(left);
                pick_span(span, s > 0 && s < 1e12 ? (uint64_t)s : 0);
                snprintf(end, sizeof(end), ", done in %s at that rate", span);
        }
        page_paragraph(p, INK_PLAIN, "progress", LABEL, "%.12g%s%s%s",
                       json_number_value(json_object_get(progress, "value")), of, per_minute, end);
}

/* What it did between two looks. */
static void print_activity(struct page *p, const json_t *s)
{
        const json_t *sleeps = json_object_get(s, "sleeps");
        char window[TEXT_DURATION_LEN], cpu[TEXT_DURATION_LEN], read[TEXT_BYTES_LEN], written[TEXT_BYTES_LEN],
                missing[128];

        if (!json_is_object(s))
                return;
        text_duration(window, pick_number(s, "window_ms") * 1000000);
        text_measured(cpu, pick_number(s, "cpu_ms"), 1000000);
        text_bytes(read, pick_number(s, "read_chars"));
        text_bytes(written, pick_number(s, "write_chars"));
        page_paragraph(p, INK_PLAIN, "state", LABEL, "%s, %" PRIu64 " thread%s%s%s%s%s", pick_text(s, "state", "?"),
                       pick_number(s, "threads"), pick_number(s, "threads") == 1 ? "" : "s",
                       json_is_object(sleeps) ? ", sleeps for: " : "", pick_text(sleeps, "for", ""),
                       pick_text(s, "wchan", NULL) ? ", in " : "", pick_text(s, "wchan", ""));
        if (json_is_integer(json_object_get(s, "window_ms")))
                page_paragraph(p, INK_PLAIN, "activity", LABEL,
                               "in %s: %s of CPU, read %s, wrote %s, %" PRIu64 " writes to a database, %" PRIu64
                               " commits",
                               window, cpu, read, written, pick_number(s, "db_writes"), pick_number(s, "commits"));
        pick_join(missing, sizeof(missing), json_object_get(s, "missing"), ", ");
        if (missing[0])
                page_paragraph(p, INK_DIM, "not readable", LABEL, "%s", missing);
}

void operator_job(struct page *p, const struct operator_view *v, const json_t *job)
{
        const json_t *trust = json_object_get(job, "trust"), *evidence = json_object_get(job, "evidence");
        char why[256], quiet[64];

        page_paragraph(p, INK_PLAIN, "status", LABEL, "%s", pick_text(job, "status", "-"));
        print_when(p, v, job, "started", "started_at");
        print_when(p, v, job, "changed", "updated_at");
        print_when(p, v, job, "verdict since", "since");
        span_text(quiet, "; its row had not changed for ", evidence, "unchanged_ms");
        page_paragraph(p, INK_PLAIN, "reason", LABEL, "%s%s", pick_text(evidence, "reason", "not known"), quiet);
        print_process(p, evidence);
        print_halt(p, evidence);
        print_wait(p, json_object_get(evidence, "waits_for"));
        print_knot(p, json_object_get(evidence, "knot"));
        print_progress(p, json_object_get(evidence, "progress"));
        print_activity(p, json_object_get(evidence, "sample"));
        pick_join(why, sizeof(why), json_object_get(trust, "reasons"), ", ");
        page_paragraph(p, INK_PLAIN, "trust", LABEL, "%s%s%s", pick_text(trust, "level", "?"), why[0] ? ": " : "",
                       why);
}
