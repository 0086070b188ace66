#include "incident/policy.h"

#include <string.h>

#include "incident/incident.h"

#define NS_PER_MS 1000000LL
#define MINUTE_NS 60000000000LL
#define HOUR_NS   (POLICY_MINUTES * MINUTE_NS)

unsigned policy_trigger(const char *code, enum severity severity)
{
        static const struct {
                const char *code;
                unsigned on;
        } table[] = {
                {"unclean-death", CONFIG_ON_UNCLEAN},
                {"no-journal", CONFIG_ON_UNCLEAN},
                {"host-crash", CONFIG_ON_UNCLEAN},
                {"transaction-cut-short", CONFIG_ON_UNCLEAN},
                {"integrity-failed", CONFIG_ON_CORRUPT},
                /* Said after a check, which has made its copy. */
                {"silent-loss-suspected", 0},
        };
        const struct incident_code *row = incident_code(code);

        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
                if (strcmp(code, table[i].code) == 0)
                        return table[i].on;
        if (row && row->storage)
                return CONFIG_ON_SYNC_ERROR;
        return severity <= SEVERITY_P1 ? CONFIG_ON_HAZARD : 0;
}

/* Since @p then; 0 when the clock was set back behind it. */
static bool within(int64_t then, int64_t now, uint64_t ms)
{
        return then && now >= then && (uint64_t)((now - then) / NS_PER_MS) < ms;
}

static unsigned in_last_hour(const struct policy_state *s, int64_t now_ns)
{
        int64_t minute = now_ns / MINUTE_NS;
        unsigned n = 0;

        if (minute < s->minute)
                return 0;
        for (int64_t m = minute - POLICY_MINUTES + 1; m <= s->minute; m++)
                if (m >= 0)
                        n += s->per_minute[m % POLICY_MINUTES];
        return n;
}

/* What its own interval and cap say. */
static enum policy_answer paced(const struct config_backup *p, const struct policy_state *s, int64_t now_ns)
{
        if (within(s->last_ns, now_ns, p->min_interval_ms))
                return POLICY_TOO_SOON;
        return in_last_hour(s, now_ns) >= p->max_per_hour ? POLICY_HOURLY_CAP : POLICY_GO;
}

enum policy_answer policy_backup(const struct config_backup *p, const struct policy_state *s, unsigned trigger,
                                 enum severity severity, int64_t now_ns)
{
        if (!(p->on & trigger))
                return POLICY_NOT_WANTED;
        if (p->byte_budget && (s->bytes >= p->byte_budget || s->need > p->byte_budget - s->bytes))
                return POLICY_BUDGET;
        enum policy_answer a = paced(p, s, now_ns);
        if (a != POLICY_GO && severity == SEVERITY_P0 && trigger != CONFIG_ON_SCHEDULE &&
            !within(s->borrowed_ns, now_ns, HOUR_NS / NS_PER_MS))
                return POLICY_GO;
        return a;
}

void policy_made(const struct config_backup *p, struct policy_state *s, int64_t now_ns)
{
        int64_t minute = now_ns / MINUTE_NS;

        if (paced(p, s, now_ns) != POLICY_GO)
                s->borrowed_ns = now_ns;
        if (minute < s->minute || minute - s->minute >= POLICY_MINUTES)
                memset(s->per_minute, 0, sizeof(s->per_minute));
        else
                for (int64_t m = s->minute + 1; m <= minute; m++)
                        s->per_minute[m % POLICY_MINUTES] = 0;
        s->per_minute[minute % POLICY_MINUTES]++;
        s->minute = minute;
        s->last_ns = now_ns;
}

const char *policy_why(enum policy_answer a)
{
        static const char *const why[] = {
                [POLICY_GO] = NULL,
                [POLICY_NOT_WANTED] = "the configuration wants no backup for this",
                [POLICY_TOO_SOON] = "the last backup is younger than min-interval",
                [POLICY_HOURLY_CAP] = "as many backups as max-per-hour allows were made in the last hour",
                [POLICY_BUDGET] = "the copies of this database would take more than max-bytes",
        };

        return why[a];
}

bool policy_stale(const struct config_backup *p, int64_t verified_ns, int64_t watched_ns, int64_t now_ns)
{
        uint64_t limit_ms = p->max_age_ms;

        if (!limit_ms && verified_ns && p->on & CONFIG_ON_SCHEDULE)
                limit_ms = 2 * p->every_ms;
        int64_t since = verified_ns ? verified_ns : watched_ns;
        return limit_ms && now_ns > since && (uint64_t)((now_ns - since) / NS_PER_MS) > limit_ms;
}
