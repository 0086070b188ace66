/* deaths.c - see deaths.h. One episode at a time: deaths that come meanwhile are in the next one. */
#include "daemon/deaths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/deferred.h"
#include "daemon/episode.h"
#include "daemon/guard.h"
#include "daemon/judged.h"
#include "daemon/summary.h"
#include "sensor/recording.h"

#define NS_PER_MS 1000000ull

/* How long a verdict may wait for somebody to look at the files; what they hold makes the prediction better, not the verdict. */
#define LOOK_MS 250

/* A number that is missing may be of a record that waits in the other ring: so often, and so long apart, it is waited for. */
#define MISSING_TRIES 3
#define MISSING_MS    2

/* A look at one database, on its way. It may come back when its episode is long over. */
struct look {
        uint64_t episode;
        uint32_t db;
};

struct deaths {
        struct episode *episode; /* NULL: none is open */
        uint64_t number;         /* of the episode */
        unsigned looks;          /* that have not come back */
        uint64_t deadline_ns;    /* for them */
        unsigned again; /* times the rings were read once more for a record that may wait in the other one */
        const struct detection *judged; /* of the episode, which waits for the store; NULL: it is not judged yet */
        uint64_t judged_ns;             /* since when it waits */
        bool news;                      /* records came that may begin an episode */
};

int deaths_new(struct deaths **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

void deaths_free(struct deaths *x)
{
        if (!x)
                return;
        episode_free(x->episode);
        free(x);
}

int deaths_record(const struct vigil_hdr *record, void *userdata)
{
        struct daemon *d = userdata;
        struct guard *g;
        uint32_t db = 0;

        if (record_validate(record, record->size, NULL) < 0)
                return 0; /* the gap in the sequence numbers tells */
        int news = memory_take(d->memory, record, &db);
        switch (news) {
        case MEMORY_IN_USE:
        case MEMORY_REMOVAL:
                g = guards_by_id(d->guards, db);
                if (g)
                        g->dirty = true;
                d->deaths->news |= news == MEMORY_REMOVAL;
                break;
        case MEMORY_TROUBLE:
                summary_error(d, record);
                d->deaths->news = true;
                break;
        case MEMORY_DEATH:
        case MEMORY_DEATH_PART:
                d->deaths->news = true;
                break;
        default:
                break;
        }
        return news < 0 ? news : 0;
}

/* ---- looking ---- */

static void look(struct daemon *d, uint32_t db)
{
        const struct guard *g = guards_by_id(d->guards, db);
        struct look *tag = g ? malloc(sizeof(*tag)) : NULL;
        const char *path = sensor_path(d->sensor, db);

        if (!tag || !path) {
                free(tag);
                return;
        }
        *tag = (struct look){.episode = d->deaths->number, .db = db};
        const struct action_request r = {.kind = ACTION_LOOK,
                                         .database = g->name,
                                         .path = path,
                                         .reason = "death",
                                         .urgent = true,
                                         .policy = g->of};
        if (actions_start(d->actions, &r, tag) < 0)
                free(tag);
        else
                d->deaths->looks++;
}

static void tell_failure(struct daemon *d, const struct guard *g, const char *failure)
{
        char detail[256];

        snprintf(detail, sizeof(detail), "the helper for a look failed: %s; the verdict rests on the trace alone",
                 failure);
        case_raise(d, "worker-failed", g, detail,
                   json_pack("{s:s, s:s, s:s}", "action", "look", "failure", failure, "reason", "death"));
}

void deaths_looked(struct daemon *d, void *tag, const json_t *answer, const char *failure)
{
        struct deaths *x = d->deaths;
        struct look *l = tag;
        struct vigil_observed o;
        struct vigil_db account;

        if (x->episode && l->episode == x->number) {
                x->looks--;
                if (answer && sensor_account(d->sensor, l->db, &account) == 0 &&
                    episode_account(x->episode, &account) < 0)
                        log_error("what was done to %u meanwhile is not told: out of memory", l->db);
                if (answer && action_observed(answer, &o) == 0 && episode_observed(x->episode, l->db, &o) < 0)
                        log_error("what %u looks like is not told: out of memory", l->db);
        }
        if (!answer && !d->ending)
                tell_failure(d, guards_by_id(d->guards, l->db), failure);
        free(l);
}

/* ---- one episode ---- */

static void begin(struct daemon *d, struct episode *e)
{
        struct deaths *x = d->deaths;
        const uint32_t *dbs;
        size_t n = episode_looks(e, &dbs);

        x->episode = e;
        x->number++;
        x->looks = x->again = 0;
        x->deadline_ns = clock_boottime_ns() + LOOK_MS * NS_PER_MS;
        for (size_t i = 0; i < n; i++)
                look(d, dbs[i]);
}

/* Who has died meanwhile would be taken for somebody who outlived these deaths. Returns false: read once more. */
static bool caught_up(struct daemon *d)
{
        sensor_poll(d->sensor, 0, deaths_record, d);
        return memory_missing(d->memory) == 0 || d->deaths->again++ == MISSING_TRIES;
}

/* Whether what follows may wait until the store can say what an earlier daemon has told of: as long as an answer may, but not for a disk
 * that hangs. */
static bool may_wait(const struct daemon *d)
{
        return !d->ending && !keeper_silent_ns(d->keeper) &&
               clock_boottime_ns() - d->deaths->judged_ns < DEFERRED_NS;
}

static int judge(struct daemon *d, struct episode *e)
{
        struct deaths *x = d->deaths;
        int r = episode_complete(e, d->sensor);

        if (r < 0)
                log_warn("not all could be read that belongs to a death: %s", strerror(-r));
        x->judged_ns = clock_boottime_ns();
        return episode_judge(e, &x->judged);
}

/* @return false: the store is to be asked again */
static bool finish(struct daemon *d)
{
        struct deaths *x = d->deaths;
        struct episode *e = x->episode;
        int r = x->judged ? 0 : judge(d, e);

        if (r == 0)
                r = judged_take(d, e, x->judged, may_wait(d));
        if (r == -EAGAIN)
                return false;
        if (r < 0)
                log_error("what was seen of a death cannot be judged: %s", strerror(-r));
        episode_free(e);
        x->episode = NULL;
        x->judged = NULL;
        return true;
}

bool deaths_settled(const struct daemon *d)
{
        return !d->deaths->episode && memory_deaths(d->memory) == 0;
}

int deaths_turn(struct daemon *d)
{
        struct deaths *x = d->deaths;

        for (;;) {
                uint64_t now = clock_boottime_ns();
                struct episode *e = NULL;
                unsigned wait_ms = 0;

                if (x->episode) {
                        if (x->looks && now < x->deadline_ns)
                                return (int)((x->deadline_ns - now) / NS_PER_MS) + 1;
                        if (!x->judged && !caught_up(d))
                                return MISSING_MS;
                        if (!finish(d))
                                return DEFERRED_AGAIN_MS;
                        continue;
                }
                if (!x->news)
                        return -1;
                if (d->ending)
                        memory_ends(d->memory);
                int r = episode_begin(d->memory, now, &e, &wait_ms);
                if (r < 0)
                        log_error("a death cannot be judged: %s", strerror(-r));
                if (r <= 0) {
                        x->news = r == 0 && wait_ms > 0;
                        return x->news ? (int)wait_ms : -1;
                }
                begin(d, e);
        }
}
