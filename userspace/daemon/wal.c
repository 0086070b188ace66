/* wal.c - see wal.h. What is wrong says detect/wal_health.h. */
#include "daemon/wal.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "sensor/evidence.h"

#define CODE "wal-growing"

static void over(struct daemon *d, struct guard *g)
{
        cases_over(d, CODE, g->name, "over");
        g->wal_told = WAL_FINE;
        g->wal_settled = true;
}

/* Each step is told once: what has been told of stays told until the log begins anew. */
static void tell(struct daemon *d, struct guard *g, const struct wal_sample *s, enum wal_state state,
                 const struct evidence_wait *marks)
{
        struct evidence_wait checkpoint = {0};
        char sentence[DETECT_DETAIL_LEN], detail[DETECT_DETAIL_LEN];

        int r = sensor_holders(d->sensor, g->id, VIGIL_LOCK_WAL_CKPT, &checkpoint);
        if (r < 0)
                log_debug("%s: who holds its checkpoint lock cannot be read: %s", g->name, strerror(-r));
        json_t *evidence = wal_evidence(&g->wal, s, marks, &checkpoint, sentence);
        case_as_of(detail, sentence);
        if (case_raise_as(d, CODE, state == WAL_AT_CAP ? SEVERITY_P1 : SEVERITY_P2, g, detail, evidence, NULL))
                g->wal_told = state;
}

void wal_look(struct daemon *d, struct guard *g, const struct vigil_db *account)
{
        const struct wal_limits limits = {.warn_bytes = g->of->wal.warn_bytes,
                                          .warn_after_ms = g->of->wal.warn_after_ms,
                                          .max_bytes = g->of->wal.max_bytes};
        struct wal_sample s = {.now_ns = clock_boottime_ns(),
                               .generation = account->wal_generations,
                               .bytes = account->wal_commit_end,
                               .checkpoints = account->checkpoints,
                               .pages = account->ckpt_db_writes};
        struct evidence_wait marks = {0};

        if (sensor_checkpoint_refusals(d->sensor, g->id, &s.refused) < 0)
                return;
        enum wal_state state = wal_watch_look(&g->wal, &s, &limits);
        if (wal_watch_wants_holders(&g->wal)) {
                (void)sensor_holders(d->sensor, g->id, wal_watch_mark(&g->wal, &s), &marks);
                wal_watch_holders(&g->wal, &s, &marks); /* none and no lock: they could not be read */
        }
        if (state > g->wal_told)
                tell(d, g, &s, state, &marks);
        else if (state == WAL_FINE && !wal_watch_wants_holders(&g->wal) && (g->wal_told || !g->wal_settled))
                over(d, g);
}

void wal_rest(struct daemon *d, struct guard *g)
{
        if (g->wal_told || !g->wal_settled)
                over(d, g);
        g->wal = (struct wal_watch){0};
}
