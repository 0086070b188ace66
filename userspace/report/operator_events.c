/* operator_events.c - `vigil events`: one line for each event, in words where its type is known. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report/event.h"
#include "report/operator_private.h"
#include "report/pick.h"

#define MARGIN   "                      " /* below the type: as wide as the time */
#define DATABASE 40                       /* of a longer name the rest is cut */

/* The line that is being written. */
struct line {
        struct page *p;
        unsigned column;
};

static void say(struct line *l, enum ink ink, const char *text)
{
        page_flow(l->p, &l->column, MARGIN, ink, text);
}

/* The members that have no words of their own. */
static void say_rest(struct line *l, const json_t *e, const char *const *shown)
{
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        if (!out)
                return;
        event_print_rest(e, shown, out);
        if (fclose(out) == 0)
                say(l, INK_PLAIN, text);
}

static void __attribute__((format(printf, 3, 4))) sayf(struct line *l, enum ink ink, const char *fmt, ...)
{
        _cleanup_free_ char *text = NULL;
        va_list ap;
        va_start(ap, fmt);
        int n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n < 0) {
                text = NULL;
                return;
        }
        say(l, ink, text);
}

static void print_death(struct line *l, const json_t *e)
{
        const json_t *process = json_object_get(e, "process");
        const char *verdict = pick_text(e, "verdict", "unknown");
        say(l, pick_verdict_ink(verdict), verdict);
        sayf(l, INK_PLAIN, ": %s (pid %" PRIu64 ")", pick_text(process, "comm", "?"), pick_number(process, "pid"));
        sayf(l, INK_DIM, "  %s", pick_text(e, "certificate", ""));
}

static void print_incident(struct line *l, const json_t *e)
{
        /* One more finding is told by itself: the summary of its incident is that of the worst. */
        const json_t *finding = json_object_get(e, "finding");
        const json_t *told = strcmp(pick_text(e, "what", ""), "finding") == 0 && finding ? finding : e;
        const char *severity = pick_text(told, "severity", "P?");
        say(l, pick_severity_ink(severity), severity);
        sayf(l, INK_PLAIN, " %s %s: %s", pick_text(told, "code", "?"), pick_text(e, "what", "?"),
             pick_text(told, "detail", ""));
        sayf(l, INK_DIM, "  %s", pick_text(e, "incident", ""));
}

/* What came of `evidence`. */
static void print_kept(struct line *l, const json_t *result)
{
        uint64_t lines = pick_number(result, "kernel_lines");
        const char *reason = pick_text(result, "reason", NULL);
        char size[TEXT_BYTES_LEN];
        text_bytes(size, pick_number(result, "bytes"));
        if (reason)
                sayf(l, INK_PLAIN, ": %s", reason);
        else
                sayf(l, INK_PLAIN, ": %s kept by %s", size, pick_text(result, "method", "copy"));
        if (lines)
                sayf(l, INK_PLAIN, ", %" PRIu64 " line%s of the kernel", lines, lines == 1 ? "" : "s");
}

static void print_action(struct line *l, const json_t *e)
{
        static const char *const all[] = {"at", "type", "database", "action", "outcome", "ms", "result", NULL};
        const char *const shown[] = {"at", "type", "database", "action", "outcome", "ms", NULL};
        const char *outcome = pick_text(e, "outcome", "?");
        const json_t *result = json_object_get(e, "result");
        char took[TEXT_DURATION_LEN];
        text_measured(took, pick_number(e, "ms"), 1000000);
        say(l, INK_PLAIN, pick_text(e, "action", "?"));
        sayf(l, strcmp(outcome, "done") == 0 ? INK_GOOD : INK_BAD, " %s", outcome);
        sayf(l, INK_PLAIN, " in %s", took);
        if (json_is_object(result))
                print_kept(l, result);
        say_rest(l, e, json_is_object(result) ? all : shown);
}

static const struct {
        const char *type;
        void (*print)(struct line *l, const json_t *e);
} types[] = {{"death", print_death}, {"incident", print_incident}, {"action", print_action}};

int operator_event(const json_t *event, const struct report_style *style, FILE *out)
{
        static const char *const shown[] = {"at", "type", "database", NULL};
        struct page p = {.out = out, .width = style->width ? style->width : 100, .colour = style->colour};
        struct line l = {.p = &p};
        const char *type = pick_text(event, "type", "unknown"), *database = pick_text(event, "database", "-");
        char when[PICK_WHEN_LEN];
        size_t i = 0, n = sizeof(types) / sizeof(types[0]);
        pick_when(when, event, "at");
        page_cell(&p, INK_PLAIN, 22, when);
        page_cell(&p, INK_PLAIN, 10, type);
        unsigned name = page_cut(&p, INK_BOLD, DATABASE, database);
        fprintf(out, "%*s", name < 16 ? (int)(17 - name) : 1, "");
        l.column = 32 + (name < 16 ? 17 : name + 1);
        while (i < n && strcmp(types[i].type, type) != 0)
                i++;
        if (i < n)
                types[i].print(&l, event);
        else
                say_rest(&l, event, shown);
        page_line(&p);
        return ferror(out) ? (errno ? -errno : -EIO) : 0;
}
