/* operator_jobs.c - `vigil jobs`: the verdict, the worst jobs first, each with its evidence in a line; then who runs them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/operator_private.h"
#include "report/pick.h"
#include "report/table.h"

#define INDENT 6
#define LABEL  13
#define SHOWN  50

static bool is_healthy(const json_t *job)
{
        return strcmp(pick_text(job, "verdict", ""), "healthy") == 0;
}

static enum ink ink_of(const json_t *job)
{
        const char *severity = pick_text(job, "severity", NULL);

        return severity ? pick_severity_ink(severity) : is_healthy(job) ? INK_GOOD : INK_WARN;
}

/* "2 job-orphaned, 1 unknown, 7 healthy". */
static void print_counts(struct page *p, const json_t *counts)
{
        static const char *const order[] = {"job-orphaned", "job-blocked", "job-spinning", "job-stalled",
                                            "job-overdue",  "unknown",     "healthy"};
        char text[200] = "No job runs.";
        size_t used = 0, bad = 0;

        for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
                uint64_t n = pick_number(counts, order[i]);
                if (!n || used >= sizeof(text))
                        continue;
                used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%" PRIu64 " %s", used ? ", " : "", n,
                                         order[i]);
                bad += i < 5;
        }
        page_ink(p, bad ? INK_BAD : INK_GOOD, text);
        page_line(p);
}

/* "41 of 100", "41"; "-" where nothing is known. */
static void progress_of(char *ret, size_t size, const json_t *job)
{
        const json_t *progress = json_object_get(job, "progress"), *total = json_object_get(job, "total");

        if (!json_is_number(progress))
                snprintf(ret, size, "-");
        else if (json_is_number(total))
                snprintf(ret, size, "%.12g of %.12g", json_number_value(progress), json_number_value(total));
        else
                snprintf(ret, size, "%.12g", json_number_value(progress));
}

static const struct table_column columns[] = {{.title = "", .whole = true},
                                              {.title = "VERDICT", .whole = true},
                                              {.title = "JOB"},
                                              {.title = "ORCHESTRATOR"},
                                              {.title = "PROCESS"},
                                              {.title = "PROGRESS", .whole = true},
                                              {.title = "CHANGED", .whole = true}};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void add_row(struct table *t, const struct operator_view *v, const json_t *job)
{
        const json_t *process = json_object_get(job, "process");
        char age[PICK_WHEN_LEN], changed[PICK_WHEN_LEN + 8], progress[64], who[64] = "-";

        pick_age(age, job, "updated_at", v->now_ns);
        snprintf(changed, sizeof(changed), "%s%s", age, strcmp(age, "-") == 0 ? "" : " ago");
        progress_of(progress, sizeof(progress), job);
        if (json_is_object(process))
                snprintf(who, sizeof(who), "%s %" PRIu64, pick_text(process, "comm", "?"),
                         pick_number(process, "pid"));
        table_add(t, ink_of(job), pick_text(job, "severity", ""));
        table_add(t, ink_of(job), pick_text(job, "verdict", "?"));
        table_add(t, INK_BOLD, pick_text(job, "id", "?"));
        table_add(t, INK_PLAIN, pick_text(job, "orchestrator", "?"));
        table_add(t, INK_PLAIN, who);
        table_add(t, INK_PLAIN, progress);
        table_add(t, INK_DIM, changed);
}

static void print_table(struct page *p, const struct operator_view *v, const json_t *const *job, size_t n)
{
        struct table t = {.column = columns, .ncolumns = COLUMNS};

        for (size_t i = 0; i < n; i++)
                add_row(&t, v, job[i]);
        table_fit(&t, p);
        table_print_head(&t, p);
        for (size_t i = 0; i < n; i++) {
                table_print_row(&t, p, i);
                const char *detail = pick_text(job[i], "detail", NULL);
                if (detail)
                        page_paragraph(p, INK_PLAIN, "", INDENT, "%s", detail);
        }
        table_done(&t);
}

static void print_list(struct page *p, const struct operator_view *v, const json_t *jobs)
{
        _cleanup_free_ const json_t **shown = calloc(json_array_size(jobs) + 1, sizeof(void *));
        size_t n = 0, healthy = 0, hidden = 0, i;
        const json_t *job;

        json_array_foreach (jobs, i, job) {
                if (is_healthy(job) && !v->verbose)
                        healthy++;
                else if (!shown || (n >= SHOWN && !v->verbose))
                        hidden++;
                else
                        shown[n++] = job;
        }
        if (n)
                print_table(p, v, shown, n);
        hidden += pick_number(v->document, "left_out");
        if (hidden)
                page_paragraph(p, INK_DIM, "", 4, "and %zu more; -v shows more of them", hidden);
        if (healthy && n)
                page_paragraph(p, INK_DIM, "", 4, "and %zu that are healthy; -v shows them", healthy);
}

static void print_orchestrator(struct page *p, const struct operator_view *v, const json_t *o)
{
        const json_t *reading = json_object_get(o, "reading"), *loop = json_object_get(o, "crash_loop");
        const char *care = pick_text(o, "supervisor", NULL), *problem = pick_text(reading, "problem", NULL);
        uint64_t restarts = pick_number(o, "restarts"), processes = pick_number(o, "processes");
        char age[PICK_WHEN_LEN], again[96] = "";

        pick_age(age, reading, "read_at", v->now_ns);
        if (json_is_object(loop))
                snprintf(again, sizeof(again), "; CRASH LOOP: %" PRIu64 " restarts within %" PRIu64 " min",
                         pick_number(loop, "restarts"), pick_number(loop, "within_ms") / 60000);
        else if (restarts)
                snprintf(again, sizeof(again), "; restarted %" PRIu64 " time%s", restarts,
                         restarts == 1 ? "" : "s");
        page_paragraph(p, processes ? INK_PLAIN : INK_WARN, pick_text(o, "name", "?"), LABEL,
                       "%" PRIu64 " process%s%s%s%s; jobs read %s%s", processes, processes == 1 ? "" : "es",
                       care ? ", under " : "", care ? care : "", again,
                       json_is_null(reading) ? "never: none are configured" : age,
                       json_is_null(reading) || strcmp(age, "-") == 0 ? "" : " ago");
        if (problem)
                page_paragraph(p, INK_WARN, "", LABEL, "%s: %s",
                               json_is_true(json_object_get(reading, "failed")) ? "the jobs are not known"
                                                                                : "not all is understood",
                               problem);
}

void operator_jobs(struct page *p, const struct operator_view *v)
{
        const json_t *jobs = json_object_get(v->document, "jobs"),
                     *orchestrators = json_object_get(v->document, "orchestrators"), *one;
        size_t i;

        if (json_is_true(json_object_get(v->document, "one"))) {
                json_array_foreach (jobs, i, one) {
                        print_table(p, v, &one, 1);
                        page_line(p);
                        operator_job(p, v, one);
                }
                return;
        }
        if (json_array_size(orchestrators) == 0) {
                page_ink(p, INK_PLAIN, "No orchestrator is configured: vigil.conf(5) says how.");
                page_line(p);
                return;
        }
        print_counts(p, json_object_get(v->document, "counts"));
        print_list(p, v, jobs);
        page_line(p);
        json_array_foreach (orchestrators, i, one)
                print_orchestrator(p, v, one);
}
