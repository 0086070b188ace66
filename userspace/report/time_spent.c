/* time_spent.c - see time_spent.h. */
#include "report/time_spent.h"

#include <inttypes.h>
#include <limits.h>

#include "base/text.h"
#include "report/neighbours.h"
#include "report/pick.h"
#include "report/shares.h"

static void print_neighbours(struct page *p, const json_t *neighbours, unsigned label)
{
        char text[512];

        neighbours_holder_text(text, sizeof(text), neighbours);
        if (text[0])
                page_paragraph(p, INK_PLAIN, "lock held by", label, "%s", text);
        neighbours_device_text(text, sizeof(text), neighbours, UINT_MAX);
        if (text[0])
                page_paragraph(p, INK_PLAIN, "beside it on", label, "%s", text);
}

void time_spent_print(struct page *p, const json_t *o, unsigned label)
{
        const char *why_not = pick_text(o, "attribution_why_not", NULL);
        size_t i;
        json_t *a;

        if (why_not)
                page_paragraph(p, INK_PLAIN, "time went to", label, "not measured: %s", why_not);
        json_array_foreach (json_object_get(o, "attribution"), i, a) {
                char total[TEXT_DURATION_LEN], shares[512];
                text_measured(total, pick_number(a, "total_us"), 1000);
                shares_text(shares, sizeof(shares), a);
                page_paragraph(p, INK_PLAIN, i ? "" : "time went to", label, "%s: %" PRIu64 " in %s: %s",
                               pick_text(a, "op", "?"), pick_number(a, "count"), total, shares);
        }
        print_neighbours(p, json_object_get(o, "neighbours"), label);
}
