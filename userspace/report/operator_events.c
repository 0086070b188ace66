/* operator_events.c - `vigil events`: one line for each event, in words where its type is known. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/event.h"
#include "report/operator_private.h"
#include "report/pick.h"

static void print_death(struct page *p, const json_t *e)
{
        const json_t *process = json_object_get(e, "process");
        const char *verdict = pick_text(e, "verdict", "unknown");
        char pid[32];
        snprintf(pid, sizeof(pid), " (pid %" PRIu64 ")  ", pick_number(process, "pid"));
        page_ink(p, pick_verdict_ink(verdict), verdict);
        fputs(": ", p->out);
        page_ink(p, INK_PLAIN, pick_text(process, "comm", "?"));
        page_ink(p, INK_PLAIN, pid);
        page_ink(p, INK_DIM, pick_text(e, "certificate", ""));
}

static void print_incident(struct page *p, const json_t *e)
{
        const char *severity = pick_text(e, "severity", "P?");
        page_ink(p, pick_severity_ink(severity), severity);
        fputc(' ', p->out);
        page_ink(p, INK_PLAIN, pick_text(e, "code", "?"));
        fputc(' ', p->out);
        page_ink(p, INK_PLAIN, pick_text(e, "what", "?"));
        fputs(": ", p->out);
        page_ink(p, INK_PLAIN, pick_text(e, "detail", ""));
        fputs("  ", p->out);
        page_ink(p, INK_DIM, pick_text(e, "incident", ""));
}

static void print_action(struct page *p, const json_t *e)
{
        static const char *const shown[] = {"at", "type", "database", "action", "outcome", "ms", NULL};
        const char *outcome = pick_text(e, "outcome", "?");
        char took[TEXT_DURATION_LEN];
        text_duration(took, pick_number(e, "ms") * 1000000);
        page_ink(p, INK_PLAIN, pick_text(e, "action", "?"));
        fputc(' ', p->out);
        page_ink(p, strcmp(outcome, "done") == 0 ? INK_GOOD : INK_BAD, outcome);
        fprintf(p->out, " in %s ", took);
        event_print_rest(e, shown, p->out);
}

static const struct {
        const char *type;
        void (*print)(struct page *p, const json_t *e);
} types[] = {{"death", print_death}, {"incident", print_incident}, {"action", print_action}};

int operator_event(const json_t *event, const struct report_style *style, FILE *out)
{
        static const char *const shown[] = {"at", "type", "database", NULL};
        struct page p = {.out = out, .width = style->width, .colour = style->colour};
        const char *type = pick_text(event, "type", "unknown");
        char when[PICK_WHEN_LEN];
        size_t i = 0, n = sizeof(types) / sizeof(types[0]);
        pick_when(when, event, "at");
        page_cell(&p, INK_PLAIN, 22, when);
        page_cell(&p, INK_PLAIN, 10, type);
        page_cell(&p, INK_BOLD, 17, pick_text(event, "database", "-"));
        while (i < n && strcmp(types[i].type, type) != 0)
                i++;
        if (i < n)
                types[i].print(&p, event);
        else
                event_print_rest(event, shown, out);
        page_line(&p);
        return ferror(out) ? (errno ? -errno : -EIO) : 0;
}
