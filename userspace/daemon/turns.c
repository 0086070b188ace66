/* turns.c - see turns.h. */
#include "daemon/turns.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/deaths.h"
#include "daemon/dirty.h"
#include "daemon/discovery.h"
#include "daemon/evidence_room.h"
#include "daemon/gap.h"
#include "daemon/guard.h"
#include "daemon/jobs.h"
#include "daemon/latencies.h"
#include "daemon/recovery.h"
#include "daemon/response.h"
#include "daemon/schedule.h"
#include "daemon/summary.h"
#include "daemon/systemd.h"
#include "daemon/tangles.h"

static void read_counters(struct daemon *d)
{
        struct vigil_stats now;

        if (sensor_statistics(d->sensor, &now) < 0)
                return;
        /* Deaths that found their ring full lie in their map until they are asked for. */
        if (now.c.lost_deaths > d->stats.c.lost_deaths)
                sensor_collect(d->sensor, deaths_record, d);
        memory_statistics(d->memory, &now);
        d->stats = now;
}

/* A sign of life and a step of retention: one each second, begun each minute, until there is nothing to do. */
static void tend(struct daemon *d)
{
        const struct config_limits *l = &d->config->limits;
        const struct keeper_retention step = {
                .age_ms = l->retention_age_ms, .incident_ms = l->retention_incident_ms, .bytes = l->store_bytes};

        keeper_tend(d->keeper, &step);
}

/* Turns that are that far apart: the host stood still. Whoever tries again and again for a lock has not yet had the time to, and
 * would not be known to wait. Only once in a row: on a host so slow that all turns are, something has to be said, too. */
#define STOOD_STILL_NS 2000000000ull

static void judge(struct daemon *d)
{
        uint64_t now = clock_boottime_ns(), before = d->judged_ns;

        d->judged_ns = now;
        d->put_off = !d->put_off && before && now >= before + STOOD_STILL_NS;
        if (d->put_off)
                return;
        tangles_second(d);
        jobs_second(d);
}

void turn_second(struct daemon *d)
{
        read_counters(d);
        memory_age(d->memory, clock_boottime_ns());
        keeper_look(d->keeper);
        recovery_turn(d);
        response_turn(d);
        evidence_room_turn(d);
        gap_turn(d);
        cases_turn(d);
        dirty_turn(d);
        schedule_turn(d);
        latencies_second(d);
        judge(d);
        if (keeper_tends(d->keeper))
                tend(d);
}

void turn_status(const struct daemon *d, char ret[STATUS_LEN])
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list), firing = 0, watched = 0;

        for (size_t i = 0; i < n; i++)
                firing += list[i]->status == INCIDENT_FIRING;
        for (size_t i = 0; i < guards_count(d->guards); i++)
                watched += guards_at(d->guards, i)->state == GUARD_WATCHED;
        snprintf(ret, STATUS_LEN, "watching %zu of %zu database%s; %zu incident%s firing%s", watched,
                 guards_count(d->guards), guards_count(d->guards) == 1 ? "" : "s", firing, firing == 1 ? "" : "s",
                 keeper_trouble(d->keeper) ? "; the store cannot be written" : "");
}

void turn_minute(struct daemon *d)
{
        char status[STATUS_LEN];

        summary_minute(d);
        guards_rescan(d);
        discovery_look(d);
        if (++d->minutes % 60 == 0)
                evidence_room_look(d);
        response_resume(d, false);
        tend(d);
        latencies_keep(d, false);
        turn_status(d, status);
        systemd_status(status);
}
