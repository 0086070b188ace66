/* text.c - the report for a tired person: verdict, evidence, advice. Made from the document, so that it cannot say more. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/advice.h"
#include "report/death.h"
#include "report/findings.h"
#include "report/living.h"
#include "report/page.h"
#include "report/pick.h"
#include "report/report.h"
#include "report/time_spent.h"

#define LABEL          DEATH_LABEL
#define SHOWN_DEATHS   5
#define SHOWN_PROBLEMS 8

static void print_deaths(struct page *p, const json_t *database, const struct report_style *style)
{
        static const char *const order[] = {"unclean", "unknown", "abrupt", "clean"};
        const json_t *list = json_object_get(database, "certificates");
        size_t shown = 0, quiet[4] = {0}, i;
        for (size_t k = 0; k < 4; k++) {
                json_t *c;
                json_array_foreach (list, i, c) {
                        if (strcmp(pick_text(c, "verdict", "unknown"), order[k]) != 0)
                                continue;
                        bool uneventful = k == 3 && !json_array_size(json_object_get(c, "at_risk")) &&
                                          !style->verbose;
                        if (uneventful || (shown >= SHOWN_DEATHS && !style->verbose)) {
                                quiet[k]++;
                                continue;
                        }
                        death_print(p, c, false, style->verbose);
                        shown++;
                }
        }
        for (size_t k = 0; k < 4; k++)
                if (quiet[k])
                        page_paragraph(p, INK_PLAIN, "", LABEL, "%s%zu process%s ended %s", shown ? "and " : "",
                                       quiet[k], quiet[k] == 1 ? "" : "es", order[k]);
}

/* Whom no certificate tells of. */
static void print_doubt(struct page *p, const json_t *database)
{
        const char *doubt = pick_text(database, "doubt", NULL);
        if (!doubt)
                return;
        if (strcmp(doubt, "databases-not-kept") == 0)
                page_paragraph(
                        p, INK_WARN, "unknown", LABEL,
                        "a process had more than %d databases open at a time: what it did to this one may not "
                        "have been followed",
                        VIGIL_USES);
        else
                page_paragraph(p, INK_WARN, "unknown", LABEL, "who used it may not have been seen: %s", doubt);
}

/* ---- a database ---------------------------------------------------------------------------------------------------- */

static void print_integrity(struct page *p, const json_t *database, const struct report_style *style)
{
        const json_t *v = json_object_get(database, "integrity");
        const char *result = pick_text(v, "result", "skipped"), *reason = pick_text(v, "reason", NULL);
        size_t i, n = json_array_size(json_object_get(v, "errors"));
        if (strcmp(result, "ok") == 0)
                page_paragraph(p, INK_PLAIN, "integrity", LABEL, "ok: %s on a private copy, %" PRIu64 " ms",
                               pick_text(v, "method", "?"), pick_number(v, "ms"));
        else
                page_paragraph(p, INK_PLAIN, "integrity", LABEL, "%s%s%s", result, reason ? ": " : "",
                               reason ? reason : "");
        json_t *e;
        json_array_foreach (json_object_get(v, "errors"), i, e) {
                if (i >= SHOWN_PROBLEMS && !style->verbose)
                        break;
                page_paragraph(p, INK_PLAIN, "", LABEL, "%s", pick_text(e, "text", "?"));
        }
        if (n > SHOWN_PROBLEMS && !style->verbose)
                page_paragraph(p, INK_PLAIN, "", LABEL, "and %zu more; -v shows all", n - SHOWN_PROBLEMS);
}

static void print_backup(struct page *p, const json_t *database)
{
        const json_t *b = json_object_get(database, "backup");
        const char *path = pick_text(b, "path", NULL), *reason = pick_text(b, "reason", NULL);
        bool evidence = strcmp(pick_text(b, "class", "backup"), "evidence") == 0;
        char size[TEXT_BYTES_LEN];

        if (!json_is_object(b))
                return;
        text_bytes(size, pick_number(b, "bytes"));
        if (path)
                page_paragraph(p, INK_PLAIN, evidence ? "evidence" : "backup", LABEL, "%s: %s, %s, %" PRIu64 " ms",
                               evidence                                       ? "the files as they are, no backup"
                               : json_is_true(json_object_get(b, "verified")) ? "verified"
                                                                              : "NOT verified",
                               path, size, pick_number(b, "ms"));
        if (path && advice_is_taken(database))
                page_paragraph(
                        p, INK_WARN, "", LABEL,
                        "made after data had been taken away: it is sound and may lack what was lost; keep the "
                        "one before it");
        if (reason)
                page_paragraph(p, INK_PLAIN, path ? "" : "backup", LABEL, "%s", reason);
        if (evidence)
                page_paragraph(p, INK_PLAIN, "", LABEL, "%s%s",
                               pick_text(b, "last_good", NULL) ? "the newest verified backup: " : "",
                               pick_text(b, "last_good", "there is no verified backup"));
}

/* "sync: 64, p50 1 ms, p99 2 ms". A lock that was refused is no error, and its times are those of waits. */
static void print_io_row(struct page *p, const json_t *r, const char *label)
{
        bool lock = strcmp(pick_text(r, "op", "?"), "lock") == 0,
             timed = json_is_integer(json_object_get(r, "p50_us"));
        uint64_t errors = pick_number(r, "errors");
        char bytes[TEXT_BYTES_LEN], p50[TEXT_DURATION_LEN], p99[TEXT_DURATION_LEN], times[96] = "", failed[48] = "";

        text_bytes(bytes, pick_number(r, "bytes"));
        text_measured(p50, pick_number(r, "p50_us"), 1000);
        text_measured(p99, pick_number(r, "p99_us"), 1000);
        if (timed)
                snprintf(times, sizeof(times), ", %sp50 %s, p99 %s", lock ? "waits " : "", p50, p99);
        if (errors && lock)
                snprintf(failed, sizeof(failed), ", refused %" PRIu64 " times", errors);
        else if (errors)
                snprintf(failed, sizeof(failed), ", with errors");
        page_paragraph(p, INK_PLAIN, label, LABEL, "%s %s: %" PRIu64 "%s%s%s%s", pick_text(r, "file", "?"),
                       pick_text(r, "op", "?"), pick_number(r, "count"), pick_number(r, "bytes") ? ", " : "",
                       pick_number(r, "bytes") ? bytes : "", failed, times);
}

/* Syncs and commits are what people ask for first; the rest is for -v. */
static void print_io(struct page *p, const json_t *database, const struct report_style *style)
{
        size_t i;
        json_t *r;
        bool first = true;
        json_array_foreach (json_object_get(database, "io"), i, r) {
                const char *op = pick_text(r, "op", "?");
                bool timed = json_is_integer(json_object_get(r, "p50_us"));
                bool headline = (strcmp(op, "sync") == 0 || strcmp(op, "commit") == 0) && timed;
                if (!style->verbose && !headline && !pick_number(r, "errors"))
                        continue;
                print_io_row(p, r, first ? "I/O" : "");
                first = false;
        }
}

/* The worst that is known of it. A database that somebody goes on using has not ended: its verdict is that of the dead, and a good one
 * would promise too much; nor has one ended that nobody used. */
static void print_headline(struct page *p, const json_t *database)
{
        const char *verdict = pick_text(database, "verdict", "unknown");
        const char *integrity = pick_text(json_object_get(database, "integrity"), "result", "skipped");
        bool clean = strcmp(verdict, "clean") == 0;
        bool living = json_array_size(json_object_get(database, "processes")) > 0;
        char loud[16];

        pick_upper(loud, sizeof(loud), verdict);
        if (strcmp(integrity, "corrupt") == 0)
                page_ink(p, INK_BAD, "CORRUPT");
        else if (clean && living)
                page_ink(p, living_are_changing(database) ? INK_WARN : INK_GOOD, "IN USE");
        else if (clean && json_array_size(json_object_get(database, "certificates")) == 0)
                page_ink(p, INK_BOLD, "NOT USED");
        else
                page_ink(p, pick_verdict_ink(verdict), loud);
}

static void print_what_it_is(struct page *p, const json_t *database)
{
        const char *engine = pick_text(database, "engine", "unknown");

        if (strcmp(engine, "unknown") == 0)
                fputs("  (no SQLite header: encrypted, or another file)\n", p->out);
        else
                fprintf(p->out, "  (%s, journal mode %s)\n", engine,
                        pick_text(database, "journal_mode", "unknown"));
}

static void print_database(struct page *p, const json_t *database, const struct report_style *style)
{
        print_headline(p, database);
        fputs("  ", p->out);
        page_ink(p, INK_BOLD, pick_text(database, "path", "(no path)"));
        print_what_it_is(p, database);
        print_deaths(p, database, style);
        print_doubt(p, database);
        living_print(p, database, style->verbose);
        page_line(p);
        findings_print(p, json_object_get(database, "findings"), SHOWN_PROBLEMS, style->verbose);
        print_integrity(p, database, style);
        print_backup(p, database);
        print_io(p, database, style);
        time_spent_print(p, database, LABEL);
        const char *advice[ADVICE_MAX];
        size_t n = advice_for(database, advice);
        for (size_t i = 0; i < n; i++)
                page_paragraph(p, INK_PLAIN, i ? "" : "what to do", LABEL, "%s", advice[i]);
        page_line(p);
}

static void print_trust(struct page *p, const json_t *report)
{
        const json_t *t = json_object_get(report, "trust");
        char reasons[512];
        pick_join(reasons, sizeof(reasons), json_object_get(t, "reasons"), ", ");
        if (strcmp(pick_text(t, "level", "none"), "full") != 0)
                page_paragraph(p, INK_PLAIN, "trust", LABEL, "%s: %s", pick_text(t, "level", "none"), reasons);
        if (strstr(reasons, "databases-not-watched"))
                page_paragraph(
                        p, INK_WARN, "unknown", LABEL,
                        "more databases were used than are watched at a time: those beyond stand nowhere above; "
                        "name those that matter with --db");
}

static bool is_uneventful(const json_t *database)
{
        const char *integrity = pick_text(json_object_get(database, "integrity"), "result", "skipped");

        return strcmp(pick_text(database, "verdict", "unknown"), "clean") == 0 &&
               !pick_text(database, "doubt", NULL) && json_array_size(json_object_get(database, "findings")) == 0 &&
               (strcmp(integrity, "ok") == 0 || strcmp(integrity, "skipped") == 0);
}

bool report_is_uneventful(const json_t *report)
{
        size_t i;
        json_t *database;

        json_array_foreach (json_object_get(report, "databases"), i, database)
                if (!is_uneventful(database))
                        return false;
        return strcmp(pick_text(json_object_get(report, "trust"), "level", "none"), "full") == 0;
}

int report_text(const json_t *report, FILE *out, const struct report_style *style)
{
        if (strcmp(pick_text(report, "schema", ""), "vigil.report/1") != 0)
                return -EINVAL;
        struct page p = {.out = out, .width = style->width ? style->width : 100, .colour = style->colour};
        size_t i;
        json_t *database;
        json_array_foreach (json_object_get(report, "databases"), i, database)
                print_database(&p, database, style);
        if (json_array_size(json_object_get(report, "databases")) == 0)
                fputs("No SQLite database was used.\n", out);
        print_trust(&p, report);
        return ferror(out) || fflush(out) == EOF ? (errno ? -errno : -EIO) : 0;
}
