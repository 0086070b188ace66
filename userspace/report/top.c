/* top.c - see top.h. A frame is a title, the health, a head, entries, and a line of keys. */
#include "report/top.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report/lock_rows.h"
#include "report/pick.h"
#include "report/top_line.h"
#include "report/top_rows.h"
#include "report/top_waits.h"

#define COLUMNS       80
#define LEAST_COLUMNS 20
#define NAME_LEAST    8
/* Title, health, empty line, head; the keys. */
#define LINES_ABOVE 4
#define LINES_BELOW 1

static struct top_line begin_line(const struct top_page *page, FILE *out)
{
        return (struct top_line){.out = out, .left = page->columns, .colour = page->colour};
}

/* ---- values ---- */

/* "0.4", "12", "3.1k", "-". */
static void rate_text(char ret[16], const json_t *value)
{
        double v = json_number_value(value);

        if (!json_is_number(value))
                snprintf(ret, 16, "-");
        else if (v >= 999500)
                snprintf(ret, 16, "%.1fM", v / 1e6);
        else if (v >= 9999.5)
                snprintf(ret, 16, "%.1fk", v / 1e3);
        else
                snprintf(ret, 16, v > 0 && v < 9.95 ? "%.1f" : "%.0f", v);
}

static void bytes_text(char ret[TEXT_BYTES_LEN], const json_t *value)
{
        double v = json_number_value(value);

        if (!json_is_number(value))
                snprintf(ret, TEXT_BYTES_LEN, "-");
        else
                text_bytes(ret, v > 0 ? (uint64_t)v : 0);
}

static void time_text(char ret[TEXT_DURATION_LEN], const json_t *us)
{
        if (json_is_integer(us) && json_integer_value(us) >= 0)
                text_measured(ret, (uint64_t)json_integer_value(us), 1000);
        else
                snprintf(ret, TEXT_DURATION_LEN, "-");
}

static void number_text(char ret[24], const json_t *value)
{
        if (json_is_integer(value))
                snprintf(ret, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
                snprintf(ret, 24, "?");
}

/* ---- columns ---- */

enum form { FORM_TEXT, FORM_RATE, FORM_BYTES, FORM_TIME, FORM_NUMBER, FORM_ERRORS, FORM_FACTOR };

struct column {
        const char *title, *key;
        int width; /* < 0: on the left; 0: what is left over */
        enum form form;
};

static const struct column of_databases[] = {
        {"DATABASE", "db", 0, FORM_TEXT},
        {"COMMIT/s", "commits_per_s", 9, FORM_RATE},
        {"P50", "commit_p50_us", 8, FORM_TIME},
        {"P99", "commit_p99_us", 8, FORM_TIME},
        {"SYNC/s", "syncs_per_s", 7, FORM_RATE},
        {"P99", "sync_p99_us", 8, FORM_TIME},
        {"WRITE/s", "write_bytes_per_s", 9, FORM_BYTES},
        {"ERR", "errors", 5, FORM_ERRORS},
        {"USE", "users", 4, FORM_NUMBER},
        {"AT RISK", "bytes_at_risk", 9, FORM_BYTES},
        {0},
};

static const struct column of_operations[] = {
        {"DATABASE", "db", 0, FORM_TEXT},
        {" FILE", "file", -10, FORM_TEXT},
        {" OP", "op", -11, FORM_TEXT},
        {"OPS/s", "per_s", 8, FORM_RATE},
        {"BYTES/s", "bytes_per_s", 9, FORM_BYTES},
        {"P50", "p50_us", 8, FORM_TIME},
        {"P99", "p99_us", 8, FORM_TIME},
        {"ERR", "errors", 5, FORM_ERRORS},
        {"USUAL", NULL, 7, FORM_FACTOR},
        {0},
};

static const struct column of_programs[] = {
        {"DATABASE", "db", 0, FORM_TEXT}, {" PROGRAM", "process", -17, FORM_TEXT}, {" OP", "op", -11, FORM_TEXT},
        {"OPS/s", "per_s", 8, FORM_RATE}, {"P50", "p50_us", 8, FORM_TIME},         {"P99", "p99_us", 8, FORM_TIME},
        {"MAX", "max_us", 8, FORM_TIME},  {"ERR", "errors", 5, FORM_ERRORS},       {0},
};

static const struct column *const columns_of[] = {
        [TOP_DATABASES] = of_databases, [TOP_OPERATIONS] = of_operations, [TOP_PROGRAMS] = of_programs};

/* The name has what the others leave. */
static int width_of(const struct column *columns, const struct column *c, unsigned page)
{
        int used = 0;

        if (c->width)
                return c->width;
        for (; columns->title; columns++)
                used += abs(columns->width);
        return -((int)page - used > NAME_LEAST ? (int)page - used : NAME_LEAST);
}

/* @return how it stands out */
static enum ink value_of(const json_t *entry, const struct column *c, char ret[64])
{
        const json_t *value = c->key ? json_object_get(entry, c->key) : NULL;
        double factor = top_factor(entry);

        switch (c->form) {
        case FORM_TEXT:
                snprintf(ret, 64, "%s%.60s", c->width ? " " : "", pick_text(entry, c->key, "?"));
                return INK_PLAIN;
        case FORM_RATE:
                rate_text(ret, value);
                return INK_PLAIN;
        case FORM_BYTES:
                bytes_text(ret, value);
                return INK_PLAIN;
        case FORM_TIME:
                time_text(ret, value);
                return INK_PLAIN;
        case FORM_NUMBER:
                number_text(ret, value);
                return INK_PLAIN;
        case FORM_ERRORS:
                number_text(ret, value);
                return json_integer_value(value) > 0 ? INK_BAD : INK_PLAIN;
        case FORM_FACTOR:
                ret[0] = '\0';
                if (factor >= 1.5)
                        snprintf(ret, 64, "x%.0f", factor);
                return factor >= 5 ? INK_BAD : INK_PLAIN;
        }
        return INK_PLAIN;
}

/* ---- lines ---- */

static void print_title(const struct top_page *page, const json_t *document, size_t n, FILE *out)
{
        static const char *const views[] = {"database", "operation", "program"};
        static const char *const sorts[] = {"worst first", "by rate", "by bytes", "by time", "by name"};
        struct top_line l = begin_line(page, out);
        char when[PICK_WHEN_LEN], text[160], span[TEXT_DURATION_LEN];

        pick_when(when, document, "at");
        text_duration(span, pick_number(document, "span_ms") / 1000 * 1000000000);
        bool sampled = json_is_integer(json_object_get(document, "span_ms"));
        snprintf(text, sizeof(text), "vigil top%s  %s  %zu %s%s, %s, %s%s", page->paused ? " PAUSED" : "", when, n,
                 views[page->view], n == 1 ? "" : "s", sorts[page->sort], sampled ? "last " : "no sample yet",
                 sampled ? span : "");
        top_cell(&l, INK_BOLD, 0, text);
        fputc('\n', out);
}

/* The first reason, as far as there is room beside how many more there are. */
static void print_health(const struct top_page *page, const json_t *document, FILE *out)
{
        const json_t *health = json_object_get(document, "health"), *reasons = json_object_get(health, "reasons");
        const char *status = pick_text(health, "status", "unknown");
        const char *reason = json_string_value(json_array_get(reasons, 0));
        bool healthy = strcmp(status, "healthy") == 0;
        struct top_line l = begin_line(page, out);
        char upper[16], more[64] = "";

        pick_upper(upper, sizeof(upper), page->notice ? "unknown" : status);
        if (!page->notice && json_array_size(reasons) > 1)
                snprintf(more, sizeof(more), "  and %zu more: vigil health", json_array_size(reasons) - 1);
        top_cell(&l, !page->notice && healthy ? INK_GOOD : INK_BAD, 0, upper);
        top_cell(&l, INK_PLAIN, 0, page->notice || reason ? "  " : "");
        top_text(&l, INK_PLAIN, (unsigned)strlen(more), page->notice ? page->notice : reason ? reason : "");
        top_cell(&l, INK_BAD, 0, more);
        fputs("\n\n", out);
}

static void print_head(const struct top_page *page, FILE *out)
{
        const struct column *columns = columns_of[page->view];
        struct top_line l = begin_line(page, out);

        for (const struct column *c = columns; c->title; c++)
                top_cell(&l, INK_DIM, width_of(columns, c, page->columns), c->title);
}

static void print_entry(const struct top_page *page, const json_t *entry, FILE *out)
{
        const struct column *columns = columns_of[page->view];
        const char *state = pick_text(entry, "state", "watched");
        struct top_line l = begin_line(page, out);
        bool slow = json_is_object(json_object_get(entry, "spike"));
        char text[64];

        fputc('\n', out);
        for (const struct column *c = columns; c->title; c++) {
                enum ink ink = value_of(entry, c, text);
                top_cell(&l, c == columns && (slow || strcmp(state, "watched") != 0) ? INK_BAD : ink,
                         width_of(columns, c, page->columns), text);
                if (c == columns && strcmp(state, "watched") != 0) {
                        top_cell(&l, INK_BAD, 0, " ");
                        top_cell(&l, INK_BAD, 0, state);
                        break;
                }
        }
}

static void print_waits(const struct top_page *page, const json_t *entry, FILE *out)
{
        struct top_line l = begin_line(page, out);
        char text[256];

        fputc('\n', out);
        top_waits_text(text, sizeof(text), entry);
        top_text(&l, top_waits_long(entry) ? INK_BAD : INK_WARN, 0, text);
}

static void print_keys(const struct top_page *page, FILE *out)
{
        struct top_line l = begin_line(page, out);

        fputc('\n', out);
        top_cell(&l, INK_DIM, 0, "q quit   v view   s sort   p pause   arrows scroll   ? help");
}

/* @return lines that were printed */
static unsigned print_help(const struct top_page *page, unsigned room, FILE *out)
{
        static const char *const lines[] = {
                "q            quit",
                "v            databases, operations on files, programs",
                "s, 1 to 5    sort: worst first, rate, bytes, time (99th percentile), name",
                "p, space     pause and go on",
                "arrows, PgUp, PgDn, Home, End    scroll; also k and j",
                "?            this",
                "",
                "Rates and times are of the seconds that the title tells. COMMIT is from the",
                "write lock to its release; ERR are failed calls; lock-busy, a lock that was",
                "refused, is none: lock-wait is how long that went on. AT RISK: what a power cut",
                "would take. USUAL: how many times its usual time it takes (95 of 100). Below a",
                "database: who waits for a lock of it, the longest first. Red: vigil incidents.",
        };
        unsigned n = sizeof(lines) / sizeof(lines[0]);

        n = n < room ? n : room;
        for (unsigned i = 0; i < n; i++) {
                struct top_line l = begin_line(page, out);
                fputc('\n', out);
                top_cell(&l, INK_PLAIN, 0, lines[i]);
        }
        return n;
}

static unsigned lines_of(const json_t *entry)
{
        return top_waits(entry) ? 2 : 1;
}

/* The entry that the last page begins with. */
static size_t last_page(const json_t *const *list, size_t n, unsigned room)
{
        unsigned used = 0;

        while (n > 0 && used + lines_of(list[n - 1]) <= room)
                used += lines_of(list[--n]);
        return n;
}

/* @return lines that were printed */
static unsigned print_entries(struct top_page *page, const json_t *const *list, size_t n, unsigned room, FILE *out)
{
        size_t last = last_page(list, n, room);
        unsigned used = 0;

        if (page->scroll > last)
                page->scroll = last;
        for (size_t i = page->scroll; i < n && used < room; i++) {
                print_entry(page, list[i], out);
                used++;
                if (top_waits(list[i]) && used < room) {
                        print_waits(page, list[i], out);
                        used++;
                }
        }
        return used;
}

/* The document as it is shown. */
static json_t *shown(const json_t *document)
{
        json_t *o = document ? json_copy((json_t *)document) : json_object();

        if (o)
                json_object_set_new(o, "rows", lock_rows_apart(json_object_get(document, "rows")));
        return o;
}

int top_print(const json_t *document, struct top_page *page, FILE *out)
{
        _cleanup_free_ const json_t **list = NULL;
        json_t *all = shown(document);
        size_t n = top_rows(all, page->view, page->sort, &list);
        bool whole = page->lines == 0;
        unsigned room = whole                                     ? UINT_MAX
                        : page->lines > LINES_ABOVE + LINES_BELOW ? page->lines - LINES_ABOVE - LINES_BELOW
                                                                  : 0;

        if (!list) {
                json_decref(all);
                return -ENOMEM;
        }
        if (page->columns < LEAST_COLUMNS)
                page->columns = page->columns ? LEAST_COLUMNS : COLUMNS;
        print_title(page, document, n, out);
        print_health(page, document, out);
        print_head(page, out);
        unsigned used = page->help ? print_help(page, room, out) : print_entries(page, list, n, room, out);
        for (; !whole && used < room; used++)
                fputc('\n', out);
        if (!whole)
                print_keys(page, out);
        json_decref(all);
        return ferror(out) ? -EIO : 0;
}
