/* shares.c - see shares.h. */
#include "report/shares.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "detect/wording.h"
#include "model/shares.h"
#include "report/pick.h"

static const char *const losses[] = {
        [VIGIL_UNSEEN_OPERATIONS] = "operations", [VIGIL_UNSEEN_STACKS] = "stacks", [VIGIL_UNSEEN_WAITS] = "waits",
        [VIGIL_UNSEEN_REQUESTS] = "requests",     [VIGIL_UNSEEN_RUNS] = "runs",
};

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

bool delay_is_of_device(const char *cause)
{
        static const enum vigil_delay table[] = {VIGIL_DELAY_IO_LIMIT, VIGIL_DELAY_WRITEBACK, VIGIL_DELAY_JOURNAL,
                                                 VIGIL_DELAY_QUEUE, VIGIL_DELAY_SERVICE};

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
                if (strcmp(delay_name(table[i]), cause) == 0)
                        return true;
        return false;
}

static json_t *share_json(const struct vigil_attribution *a, unsigned delay, unsigned per_mille)
{
        return json_pack("{s:s, s:I, s:f, s:b}", "cause", delay_name(delay), "us",
                         (json_int_t)(a->ns[delay] / 1000), "percent", (double)per_mille / 10, "estimated",
                         (a->estimated >> delay & 1) != 0);
}

/* null: nothing was lost. */
static json_t *losses_json(const struct vigil_attribution *a)
{
        json_t *o = NULL;

        for (unsigned i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
                if (!a->lost[i])
                        continue;
                o = o ? o : json_object();
                json_object_set_new(o, losses[i], json_integer((json_int_t)a->lost[i]));
        }
        return o ? o : json_null();
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
        return json_pack("{s:s, s:I, s:I, s:o, s:o}", "op", op_name(a->op), "count", (json_int_t)a->count,
                         "total_us", (json_int_t)(a->total_ns / 1000), "shares", shares, "lost", losses_json(a));
}

static size_t __attribute__((format(printf, 4, 5))) add(char *ret, size_t size, size_t used, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        int n = vsnprintf(ret + used, size - used, fmt, ap);
        va_end(ap);
        return n > 0 && (size_t)n < size - used ? used + (size_t)n : size - 1;
}

/* What was lost makes the shares those of what was seen. */
static void add_losses(char *ret, size_t size, size_t used, const json_t *lost)
{
        const char *what;
        json_t *n;
        bool first = true;

        json_object_foreach ((json_t *)lost, what, n) {
                used = add(ret, size, used, "%s%" JSON_INTEGER_FORMAT " %s", first ? "; not all was seen: " : ", ",
                           json_integer_value(n), what);
                first = false;
        }
        if (!first)
                add(ret, size, used, " lost, on all databases");
}

void shares_text(char *ret, size_t size, const json_t *shares)
{
        size_t used = 0, i;
        json_t *s;

        ret[0] = 0;
        json_array_foreach (json_object_get(shares, "shares"), i, s) {
                double percent = json_number_value(json_object_get(s, "percent"));
                if (percent >= 1)
                        used = add(ret, size, used, "%s%s %.1f%%%s", used ? ", " : "", pick_text(s, "cause", "?"),
                                   percent, json_is_true(json_object_get(s, "estimated")) ? " (estimated)" : "");
        }
        add_losses(ret, size, used, json_object_get(shares, "lost"));
}
