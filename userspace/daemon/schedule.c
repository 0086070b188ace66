/* schedule.c - see schedule.h. All times are of CLOCK_BOOTTIME: a clock that is set back delays nothing. */
#include "daemon/schedule.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fnv.h"
#include "base/text.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/response.h"

#define NS_PER_MS 1000000ull

/* A thousand databases with the same interval must not all be due at one moment: each begins at a place of its own, told by its
 * name, so that it is the same after each start. */
static uint64_t first_due(const struct guard *g, uint64_t every_ms, uint64_t now)
{
        return now + fnv_add(FNV_BEGIN, g->name, strlen(g->name)) % (every_ms * NS_PER_MS);
}

static bool is_due(const struct guard *g, uint64_t every_ms, uint64_t *due, uint64_t *of_ms, uint64_t now)
{
        if (!every_ms) {
                *due = 0;
                return false;
        }
        if (!*due || *of_ms != every_ms) { /* new, or the configuration has changed */
                *due = first_due(g, every_ms, now);
                *of_ms = every_ms;
        }
        if (now < *due)
                return false;
        *due = now + every_ms * NS_PER_MS;
        return true;
}

static void check_age(struct daemon *d, struct guard *g)
{
        int64_t now = (int64_t)clock_boottime_ns();
        /* On the clock of the boot: what was made before it has a time below zero. */
        int64_t verified = g->backup_ns ? g->backup_ns - clock_realtime_offset_ns() : 0;
        char age[TEXT_DURATION_LEN], detail[160];

        if (g->told_stale || !policy_stale(&g->of->backup, verified, (int64_t)g->since_ns, now))
                return;
        uint64_t age_ns = (uint64_t)(now - (verified ? verified : (int64_t)g->since_ns));
        text_duration(age, age_ns);
        snprintf(detail, sizeof(detail),
                 verified ? "the newest verified backup is %s old"
                          : "there is no verified backup, after %s of watching",
                 age);
        case_raise(d, "backup-stale", g, detail,
                   json_pack("{s:s?, s:I}", "last_good", g->backup_ns ? g->backup_id : NULL, "age_ms",
                             (json_int_t)(age_ns / NS_PER_MS)));
        g->told_stale = true;
}

void schedule_turn(struct daemon *d)
{
        uint64_t now = clock_boottime_ns();

        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                const struct config_database *c = g->of;

                if (g->state != GUARD_WATCHED)
                        continue;
                if (c->check.method != CONFIG_CHECK_NONE &&
                    is_due(g, c->check.every_ms, &g->check_due, &g->check_every_ms, now))
                        response_scheduled(d, g, ACTION_CHECK);
                if (c->backup.on & CONFIG_ON_SCHEDULE &&
                    is_due(g, c->backup.every_ms, &g->backup_due, &g->backup_every_ms, now))
                        response_scheduled(d, g, ACTION_BACKUP);
                check_age(d, g);
        }
}
