/* text.c - the report for a tired person: verdict, evidence, advice. Made from the document, so that it cannot say more. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/advice.h"
#include "report/page.h"
#include "report/report.h"

#define LABEL          18 /* columns of the left margin */
#define SHOWN_DEATHS   5
#define SHOWN_OPS      6
#define SHOWN_PROBLEMS 8

static const char *text_of(const json_t *o, const char *key, const char *otherwise)
{
        const char *s = json_string_value(json_object_get(o, key));
        return s ? s : otherwise;
}

static uint64_t number_of(const json_t *o, const char *key)
{
        json_int_t n = json_integer_value(json_object_get(o, key));
        return n > 0 ? (uint64_t)n : 0;
}

static enum ink verdict_ink(const char *verdict)
{
        if (strcmp(verdict, "clean") == 0)
                return INK_GOOD;
        return strcmp(verdict, "unclean") == 0 ? INK_BAD : INK_WARN;
}

static void upper(char *ret, size_t size, const char *text)
{
        size_t i = 0;
        for (; text[i] && i + 1 < size; i++)
                ret[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
        ret[i] = '\0';
}

/* "wal-write, shared": strings of an array, joined. */
static void join(char *ret, size_t size, const json_t *array, const char *between)
{
        size_t i, used = 0;
        json_t *v;
        ret[0] = '\0';
        json_array_foreach (array, i, v) {
                int n = snprintf(ret + used, size - used, "%s%s", i ? between : "",
                                 json_string_value(v) ? json_string_value(v) : "?");
                if (n < 0 || (size_t)n >= size - used)
                        return;
                used += (size_t)n;
        }
}

/* ---- a death ------------------------------------------------------------------------------------------------------- */

static void print_sender(struct page *p, const json_t *exit, const char *key, const char *label)
{
        const json_t *s = json_object_get(exit, key);
        if (!json_is_object(s))
                return;
        char line[256] = "";
        size_t i, used = 0;
        json_t *a;
        json_array_foreach (json_object_get(s, "ancestors"), i, a) {
                int n = snprintf(line + used, sizeof(line) - used, "%s%s %" PRIu64,
                                 i ? ", child of " : "; child of ", text_of(a, "comm", "?"), number_of(a, "pid"));
                if (n < 0 || (size_t)n >= sizeof(line) - used)
                        break;
                used += (size_t)n;
        }
        page_paragraph(p, INK_PLAIN, label, LABEL, "%s (pid %" PRIu64 ", uid %" PRIu64 ")%s",
                       text_of(s, "comm", "?"), number_of(s, "pid"), number_of(s, "uid"), line);
}

static void how_it_ended(char *ret, size_t size, const json_t *c)
{
        const json_t *exit = json_object_get(c, "exit");
        const char *signal = text_of(exit, "signal", NULL), *cause = text_of(exit, "cause", "unknown");
        const char *how = text_of(exit, "how", NULL);
        if (strcmp(text_of(c, "ended_by", "exit"), "exec") == 0)
                snprintf(ret, size, "replaced itself by another program");
        else if (!signal)
                snprintf(ret, size, "exited with status %" PRIu64, number_of(exit, "code"));
        else if (strcmp(cause, "kernel-oom") == 0)
                snprintf(ret, size, "was killed by the kernel: out of memory");
        else if (strcmp(cause, "process") == 0)
                snprintf(ret, size, "was killed by %s%s%s%s", signal, how ? " (" : "", how ? how : "",
                         how ? ")" : "");
        else if (strcmp(cause, "fault") == 0)
                snprintf(ret, size, "crashed with %s", signal);
        else
                snprintf(ret, size, "ended by %s (%s%s%s)", signal, cause, how ? ", " : "", how ? how : "");
}

static void print_debts(struct page *p, const json_t *c)
{
        char size[TEXT_BYTES_LEN];
        size_t i;
        json_t *r;
        json_array_foreach (json_object_get(c, "at_risk"), i, r) {
                text_bytes(size, number_of(r, "bytes"));
                page_paragraph(p, INK_PLAIN, "at risk", LABEL, "%s of the %s file%s", size, text_of(r, "file", "?"),
                               json_is_true(json_object_get(r, "volatile"))
                                       ? " (it is in memory: a power cut takes all of it)"
                                       : " would be lost in a power cut");
        }
        uint64_t commits = number_of(c, "commits_at_risk");
        if (commits)
                page_paragraph(p, INK_PLAIN, "at risk", LABEL,
                               "%" PRIu64 " commit%s would be undone by a power cut", commits,
                               commits == 1 ? "" : "s");
        if (json_is_true(json_object_get(c, "tainted")))
                page_paragraph(p, INK_PLAIN, "storage", LABEL,
                               "a sync or a write-back failed: nothing later proves anything");
}

static void print_operations(struct page *p, const json_t *c)
{
        const json_t *ops = json_object_get(c, "last_operations");
        size_t n = json_array_size(ops);
        for (size_t i = n > SHOWN_OPS ? n - SHOWN_OPS : 0; i < n; i++) {
                const json_t *o = json_array_get(ops, i);
                page_paragraph(p, INK_PLAIN,
                               i + SHOWN_OPS >= n && i == (n > SHOWN_OPS ? n - SHOWN_OPS : 0) ? "last seen" : "",
                               LABEL, "%s %s %s, %" PRIu64 " bytes at %" PRIu64 " = %" JSON_INTEGER_FORMAT,
                               text_of(o, "at", ""), text_of(o, "op", "?"), text_of(o, "file", "?"),
                               number_of(o, "bytes"), number_of(o, "offset"),
                               json_integer_value(json_object_get(o, "result")));
        }
}

static const char *txn_words(const char *txn)
{
        if (strcmp(txn, "unknown") == 0)
                return "perhaps a write";
        return strcmp(txn, "none") == 0 ? "no" : txn;
}

static void print_death(struct page *p, const json_t *c, const struct report_style *style)
{
        const json_t *process = json_object_get(c, "process");
        char ending[160], words[512];
        how_it_ended(ending, sizeof(ending), c);
        const char *verdict = text_of(c, "verdict", "unknown");
        page_line(p);
        join(words, sizeof(words), json_object_get(c, "reasons"), ", ");
        page_paragraph(p, verdict_ink(verdict), verdict, LABEL, "%s (pid %" PRIu64 ") %s%s%s",
                       text_of(process, "comm", "?"), number_of(process, "pid"), ending, words[0] ? ": " : "",
                       words);
        print_sender(p, json_object_get(c, "exit"), "sender", "killed by");
        print_sender(p, json_object_get(c, "exit"), "origin", "on behalf of");
        join(words, sizeof(words), json_object_get(c, "locks"), ", ");
        const char *txn = text_of(c, "transaction", "none");
        if (words[0] || strcmp(txn, "none") != 0)
                page_paragraph(p, INK_PLAIN, "held", LABEL, "%s transaction%s%s", txn_words(txn),
                               words[0] ? "; locks " : "", words);
        print_debts(p, c);
        uint64_t wal = number_of(json_object_get(c, "left_behind"), "wal_bytes");
        char size[TEXT_BYTES_LEN];
        text_bytes(size, wal);
        if (wal)
                page_paragraph(p, INK_PLAIN, "left behind", LABEL, "a WAL of %s", size);
        if (text_of(c, "prediction", NULL))
                page_paragraph(p, INK_PLAIN, "next", LABEL, "%s", text_of(c, "prediction", ""));
        if (json_is_true(json_object_get(c, "recovered")))
                page_paragraph(p, INK_PLAIN, "since then", LABEL, "recovered by another process");
        if (style->verbose) {
                page_paragraph(p, INK_PLAIN, "when", LABEL, "%s to %s", text_of(c, "started_at", "?"),
                               text_of(c, "ended_at", "?"));
                print_operations(p, c);
        }
}

static void print_deaths(struct page *p, const json_t *database, const struct report_style *style)
{
        static const char *const order[] = {"unclean", "unknown", "abrupt", "clean"};
        const json_t *list = json_object_get(database, "certificates");
        size_t shown = 0, quiet[4] = {0}, i;
        for (size_t k = 0; k < 4; k++) {
                json_t *c;
                json_array_foreach (list, i, c) {
                        if (strcmp(text_of(c, "verdict", "unknown"), order[k]) != 0)
                                continue;
                        bool uneventful = k == 3 && !json_array_size(json_object_get(c, "at_risk")) &&
                                          !style->verbose;
                        if (uneventful || (shown >= SHOWN_DEATHS && !style->verbose)) {
                                quiet[k]++;
                                continue;
                        }
                        print_death(p, c, style);
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
        const char *doubt = text_of(database, "doubt", NULL);
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

static void print_findings(struct page *p, const json_t *database, const struct report_style *style)
{
        const json_t *list = json_object_get(database, "findings");
        size_t i, n = json_array_size(list);
        json_t *f;
        json_array_foreach (list, i, f) {
                if (i >= SHOWN_PROBLEMS && !style->verbose)
                        break;
                page_paragraph(p, INK_PLAIN, i ? "" : "findings", LABEL, "%s %s: %s", text_of(f, "severity", "?"),
                               text_of(f, "code", "?"), text_of(f, "detail", ""));
        }
        if (n > SHOWN_PROBLEMS && !style->verbose)
                page_paragraph(p, INK_PLAIN, "", LABEL, "and %zu more", n - SHOWN_PROBLEMS);
}

static void print_integrity(struct page *p, const json_t *database)
{
        const json_t *v = json_object_get(database, "integrity");
        const char *result = text_of(v, "result", "skipped"), *reason = text_of(v, "reason", NULL);
        size_t i, n = json_array_size(json_object_get(v, "errors"));
        if (strcmp(result, "ok") == 0)
                page_paragraph(p, INK_PLAIN, "integrity", LABEL, "ok: %s on a private copy, %" PRIu64 " ms",
                               text_of(v, "method", "?"), number_of(v, "ms"));
        else
                page_paragraph(p, INK_PLAIN, "integrity", LABEL, "%s%s%s", result, reason ? ": " : "",
                               reason ? reason : "");
        json_t *e;
        json_array_foreach (json_object_get(v, "errors"), i, e) {
                if (i == SHOWN_PROBLEMS)
                        break;
                page_paragraph(p, INK_PLAIN, "", LABEL, "%s", text_of(e, "text", "?"));
        }
        if (n > SHOWN_PROBLEMS)
                page_paragraph(p, INK_PLAIN, "", LABEL, "and %zu more", n - SHOWN_PROBLEMS);
}

static void print_backup(struct page *p, const json_t *database)
{
        const json_t *b = json_object_get(database, "backup");
        if (!json_is_object(b))
                return;
        char size[TEXT_BYTES_LEN];
        text_bytes(size, number_of(b, "bytes"));
        if (text_of(b, "path", NULL))
                page_paragraph(p, INK_PLAIN, "backup", LABEL, "%s: %s, %s, %" PRIu64 " ms",
                               json_is_true(json_object_get(b, "verified")) ? "verified" : "NOT verified",
                               text_of(b, "path", "?"), size, number_of(b, "ms"));
        if (text_of(b, "reason", NULL))
                page_paragraph(p, INK_PLAIN, text_of(b, "path", NULL) ? "" : "backup", LABEL, "%s",
                               text_of(b, "reason", ""));
}

/* Syncs and commits are what people ask for first; the rest is for -v. */
static void print_io(struct page *p, const json_t *database, const struct report_style *style)
{
        size_t i;
        json_t *r;
        bool first = true;
        json_array_foreach (json_object_get(database, "io"), i, r) {
                const char *op = text_of(r, "op", "?");
                bool timed = json_is_integer(json_object_get(r, "p50_us"));
                bool headline = (strcmp(op, "sync") == 0 || strcmp(op, "commit") == 0) && timed;
                if (!style->verbose && !headline && !number_of(r, "errors"))
                        continue;
                char bytes[TEXT_BYTES_LEN], p50[TEXT_DURATION_LEN], p99[TEXT_DURATION_LEN], times[96] = "";
                text_bytes(bytes, number_of(r, "bytes"));
                text_duration(p50, number_of(r, "p50_us") * 1000);
                text_duration(p99, number_of(r, "p99_us") * 1000);
                if (timed)
                        snprintf(times, sizeof(times), ", p50 %s, p99 %s", p50, p99);
                page_paragraph(p, INK_PLAIN, first ? "I/O" : "", LABEL, "%s %s: %" PRIu64 "%s%s%s%s",
                               text_of(r, "file", "?"), op, number_of(r, "count"),
                               number_of(r, "bytes") ? ", " : "", number_of(r, "bytes") ? bytes : "", times,
                               number_of(r, "errors") ? ", with errors" : "");
                first = false;
        }
}

static void print_database(struct page *p, const json_t *database, const struct report_style *style)
{
        const char *verdict = text_of(database, "verdict", "unknown");
        char loud[16];
        upper(loud, sizeof(loud), verdict);
        page_ink(p, verdict_ink(verdict), loud);
        fputs("  ", p->out);
        page_ink(p, INK_BOLD, text_of(database, "path", "(no path)"));
        fprintf(p->out, "  (%s, journal mode %s)\n", text_of(database, "engine", "?"),
                text_of(database, "journal_mode", "unknown"));
        print_deaths(p, database, style);
        print_doubt(p, database);
        if (json_array_size(json_object_get(database, "processes")))
                page_paragraph(p, INK_PLAIN, "still alive", LABEL, "%zu process%s",
                               json_array_size(json_object_get(database, "processes")),
                               json_array_size(json_object_get(database, "processes")) == 1 ? "" : "es");
        page_line(p);
        print_findings(p, database, style);
        print_integrity(p, database);
        print_backup(p, database);
        print_io(p, database, style);
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
        join(reasons, sizeof(reasons), json_object_get(t, "reasons"), ", ");
        if (strcmp(text_of(t, "level", "none"), "full") != 0)
                page_paragraph(p, INK_PLAIN, "trust", LABEL, "%s: %s", text_of(t, "level", "none"), reasons);
        if (strstr(reasons, "databases-not-watched"))
                page_paragraph(
                        p, INK_WARN, "unknown", LABEL,
                        "more databases were used than are watched at a time: those beyond stand nowhere above; "
                        "name those that matter with --db");
}

int report_text(const json_t *report, FILE *out, const struct report_style *style)
{
        if (strcmp(text_of(report, "schema", ""), "vigil.report/1") != 0)
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
