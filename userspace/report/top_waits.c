/* top_waits.c - see top_waits.h. */
#include "report/top_waits.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "report/pick.h"

/* A busy handler gets over less than that all the time. */
#define LONG_MS 1000

static const json_t *longest(const json_t *entry)
{
        return json_array_get(json_object_get(entry, "waits"), 0);
}

static bool is_unknown(const json_t *entry)
{
        return json_is_null(json_object_get(entry, "waiters"));
}

bool top_waits(const json_t *entry)
{
        return is_unknown(entry) || pick_number(entry, "waiters") > 0;
}

bool top_waits_long(const json_t *entry)
{
        return pick_number(json_object_get(longest(entry), "waits_for"), "waiting_ms") >= LONG_MS;
}

static void holder_text(char ret[96], const json_t *waits_for)
{
        const json_t *holder = json_object_get(waits_for, "holder");
        uint64_t holders = pick_number(waits_for, "holders"), pid = pick_number(holder, "pid");
        char more[32] = "";

        if (holders > 1)
                snprintf(more, sizeof(more), " and %" PRIu64 " more", holders - 1);
        if (!json_is_object(holder))
                snprintf(ret, 96, "nobody at this instant");
        else if (!pid)
                snprintf(ret, 96, "an open file whose owner cannot be named%s", more);
        else
                snprintf(ret, 96, "%.15s (pid %" PRIu64 ")%s", pick_text(holder, "comm", "?"), pid, more);
}

void top_waits_text(char *ret, size_t size, const json_t *entry)
{
        const json_t *w = longest(entry), *process = json_object_get(w, "process"),
                     *waits_for = json_object_get(w, "waits_for");
        uint64_t n = pick_number(entry, "waiters");
        char span[TEXT_DURATION_LEN], holder[96];

        if (is_unknown(entry)) {
                snprintf(ret, size, "  who waits for a lock is not known");
                return;
        }
        text_measured(span, pick_number(waits_for, "waiting_ms"), 1000000);
        holder_text(holder, waits_for);
        snprintf(ret, size, "  %" PRIu64 " wait%s: %.15s (pid %" PRIu64 ") %s for %s, held by %s", n,
                 n == 1 ? "s" : "", pick_text(process, "comm", "?"), pick_number(process, "pid"), span,
                 pick_text(waits_for, "lock", "?"), holder);
}
