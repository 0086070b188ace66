/* shares.c - see shares.h. */
#include "report/shares.h"

#include <stdio.h>

#include "detect/wording.h"
#include "model/shares.h"
#include "report/pick.h"

const char *delay_name(unsigned delay)
{
        static const char *const names[VIGIL_DELAY_KINDS] = {
                [VIGIL_DELAY_UNEXPLAINED] = "unexplained", [VIGIL_DELAY_CPU] = "cpu",
                [VIGIL_DELAY_LOCK] = "lock-wait",          [VIGIL_DELAY_RUN_QUEUE] = "run-queue",
                [VIGIL_DELAY_CPU_LIMIT] = "cpu-limit",     [VIGIL_DELAY_IO_LIMIT] = "io-limit",
                [VIGIL_DELAY_WRITEBACK] = "write-back",    [VIGIL_DELAY_JOURNAL] = "journal",
                [VIGIL_DELAY_QUEUE] = "device-queue",      [VIGIL_DELAY_SERVICE] = "device-service",
                [VIGIL_DELAY_APPLICATION] = "application", [VIGIL_DELAY_MEMORY] = "memory",
                [VIGIL_DELAY_KERNEL] = "kernel-lock",
        };
        return delay < VIGIL_DELAY_KINDS ? names[delay] : "unexplained";
}

static json_t *share_json(const struct vigil_attribution *a, unsigned delay, unsigned per_mille)
{
        return json_pack("{s:s, s:I, s:f, s:b}", "cause", delay_name(delay), "us",
                         (json_int_t)(a->ns[delay] / 1000), "percent", (double)per_mille / 10, "estimated",
                         (a->estimated >> delay & 1) != 0);
}

json_t *shares_json(const struct vigil_attribution *a)
{
        unsigned per_mille[VIGIL_DELAYS], order[VIGIL_DELAYS], n = shares_order(a, order);
        json_t *shares = json_array();

        shares_per_mille(a, per_mille);
        for (unsigned i = 0; i < n; i++)
                if (json_array_append_new(shares, share_json(a, order[i], per_mille[order[i]])) < 0) {
                        json_decref(shares);
                        return NULL;
                }
        return json_pack("{s:s, s:I, s:I, s:o}", "op", op_name(a->op), "count", (json_int_t)a->count, "total_us",
                         (json_int_t)(a->total_ns / 1000), "shares", shares);
}

void shares_text(char *ret, size_t size, const json_t *shares)
{
        size_t used = 0, i;
        json_t *s;

        ret[0] = 0;
        json_array_foreach (json_object_get(shares, "shares"), i, s) {
                double percent = json_number_value(json_object_get(s, "percent"));
                if (percent < 1 || used + 1 >= size)
                        continue;
                int n = snprintf(ret + used, size - used, "%s%s %.1f%%%s", used ? ", " : "",
                                 pick_text(s, "cause", "?"), percent,
                                 json_is_true(json_object_get(s, "estimated")) ? " (estimated)" : "");
                used += n > 0 ? (size_t)n : 0;
        }
}
