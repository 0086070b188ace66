/* operator_health.c - `vigil health`: one word, and one line for each reason. */
#include <string.h>

#include "report/operator_private.h"
#include "report/pick.h"

static enum ink health_ink(const char *status)
{
        if (strcmp(status, "healthy") == 0)
                return INK_GOOD;
        return strcmp(status, "degraded") == 0 ? INK_WARN : INK_BAD;
}

void operator_print_health(struct page *p, const json_t *health)
{
        const char *status = pick_text(health, "status", "unknown");
        char loud[16];
        pick_upper(loud, sizeof(loud), status);
        page_ink(p, health_ink(status), loud);
        page_line(p);
        size_t i;
        json_t *reason;
        json_array_foreach (json_object_get(health, "reasons"), i, reason)
                page_paragraph(p, INK_PLAIN, "-", 4, "%s",
                               json_string_value(reason) ? json_string_value(reason) : "?");
}

void operator_health(struct page *p, const struct operator_view *v)
{
        operator_print_health(p, v->document);
}
