/* loop.c - see loop.h. */
#include "daemon/loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/answers.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/deaths.h"
#include "daemon/guard.h"
#include "daemon/jobs.h"
#include "daemon/orchestrators.h"
#include "daemon/recovery.h"
#include "daemon/reload.h"
#include "daemon/response.h"
#include "daemon/scribe.h"
#include "daemon/systemd.h"
#include "daemon/taken.h"
#include "daemon/turns.h"

#define US_PER_MS ((uint64_t)1000)
#define US_PER_S  ((uint64_t)1000000)

/* At the end, deaths that were seen are judged; this long, not longer. */
#define LAST_DEATHS_NS 1000000000ull

static uint64_t ending_since;

/* ---- whatever can be done ---- */

/* The smaller one; -1 is never. */
static int sooner(int a, int b)
{
        return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int wake_in(struct daemon *d, int ms)
{
        uint64_t us = (uint64_t)ms * US_PER_MS;

        if (ms < 0)
                return sd_event_source_set_enabled(d->soon, SD_EVENT_OFF);
        int r = sd_event_source_set_time_relative(d->soon, us);
        return r < 0 ? r : sd_event_source_set_enabled(d->soon, SD_EVENT_ONESHOT);
}

/* After the wish to end, the loop goes on until the last deaths have been judged. */
static bool may_end(int deaths_ms)
{
        return deaths_ms < 0 || clock_boottime_ns() - ending_since > LAST_DEATHS_NS;
}

static int turn(struct daemon *d)
{
        int r = sensor_poll(d->sensor, 0, deaths_record, d);

        if (r < 0 && r != -EINTR) {
                log_error("the watch is lost: %s", strerror(-r));
                return sd_event_exit(d->event, r);
        }
        scribe_turn(d->scribe);
        jobs_turn(d);
        actions_turn(d->actions); /* what has come back is part of what is judged now */
        int deaths = deaths_turn(d);
        int soon = sooner(deaths, answers_turn(d)); /* while no child writes, if one is over */
        soon = sooner(soon, keeper_turn(d->keeper));
        soon = sooner(soon, actions_turn(d->actions));
        soon = sooner(soon, control_server_turn(d->control));
        if (deaths_settled(d) && !keeper_waiting(d->keeper))
                taken_keep(d);
        if (d->ending && may_end(deaths))
                return sd_event_exit(d->event, 0);
        return wake_in(d, soon);
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *userdata)
{
        (void)s;
        (void)fd;
        (void)events;
        return turn(userdata);
}

static int on_soon(sd_event_source *s, uint64_t now, void *userdata)
{
        (void)s;
        (void)now;
        return turn(userdata);
}

/* ---- the clock ---- */

/* What is done now and then, from the one place that arms it again. */
static int every(sd_event_source *s, uint64_t seconds)
{
        int r = sd_event_source_set_time_relative(s, seconds * US_PER_S);

        return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int on_second(sd_event_source *s, uint64_t now, void *userdata)
{
        struct daemon *d = userdata;

        (void)now;
        int r = turn(d); /* what waits in the rings is part of this second */
        if (r >= 0) {
                turn_second(d);
                r = turn(d);
        }
        return r < 0 ? r : every(s, 1);
}

static int on_ten_seconds(sd_event_source *s, uint64_t now, void *userdata)
{
        (void)now;
        guards_turn(userdata);
        return every(s, 10);
}

static int on_minute(sd_event_source *s, uint64_t now, void *userdata)
{
        (void)now;
        turn_minute(userdata);
        return every(s, 60);
}

static int on_watchdog(sd_event_source *s, uint64_t now, void *userdata)
{
        (void)now;
        (void)userdata;
        systemd_alive();
        int r = sd_event_source_set_time_relative(s, systemd_watchdog_us());
        return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

/* ---- signals ---- */

static int on_end(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
        struct daemon *d = userdata;

        (void)s;
        d->leave = si->ssi_signo == SIGUSR1;
        log_note("%s: ending%s",
                 si->ssi_signo == SIGINT ? "SIGINT"
                 : d->leave              ? "SIGUSR1"
                                         : "SIGTERM",
                 d->leave && !sensor_not_kept(d->sensor) ? "; the watch goes on for the next run" : "");
        if (!d->ending)
                ending_since = clock_boottime_ns();
        d->ending = true;
        systemd_stopping();
        return turn(d);
}

static int on_reload(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
        (void)s;
        (void)si;
        (void)reload(userdata, NULL);
        return turn(userdata);
}

static void taken_signals(sigset_t *set)
{
        sigemptyset(set);
        sigaddset(set, SIGINT);
        sigaddset(set, SIGTERM);
        sigaddset(set, SIGHUP);
        sigaddset(set, SIGUSR1);
}

void loop_block_signals(void)
{
        sigset_t set;

        taken_signals(&set);
        sigprocmask(SIG_BLOCK, &set, NULL);
        signal(SIGPIPE, SIG_IGN);
}

/* ---- life ---- */

static int add_clock(struct daemon *d, uint64_t us, sd_event_time_handler_t fn, sd_event_source **ret)
{
        return sd_event_add_time_relative(d->event, ret, CLOCK_BOOTTIME, us, US_PER_MS, fn, d);
}

int loop_open(struct daemon *d)
{
        int r = sd_event_new(&d->event);

        if (r >= 0)
                r = sd_event_add_io(d->event, NULL, sensor_fd(d->sensor), EPOLLIN, on_readable, d);
        if (r >= 0)
                r = sd_event_add_io(d->event, NULL, actions_fd(d->actions), EPOLLIN, on_readable, d);
        if (r >= 0)
                r = sd_event_add_io(d->event, NULL, scribe_fd(d->scribe), EPOLLIN, on_readable, d);
        if (r >= 0)
                r = sd_event_add_io(d->event, NULL, orchestrators_fd(d->orchestrators), EPOLLIN, on_readable, d);
        if (r >= 0)
                r = sd_event_add_io(d->event, NULL, control_server_fd(d->control), EPOLLIN, on_readable, d);
        if (r >= 0)
                r = sd_event_add_signal(d->event, NULL, SIGTERM, on_end, d);
        if (r >= 0)
                r = sd_event_add_signal(d->event, NULL, SIGINT, on_end, d);
        if (r >= 0)
                r = sd_event_add_signal(d->event, NULL, SIGUSR1, on_end, d);
        if (r >= 0)
                r = sd_event_add_signal(d->event, NULL, SIGHUP, on_reload, d);
        if (r >= 0)
                r = add_clock(d, 0, on_soon, &d->soon);
        if (r >= 0)
                r = add_clock(d, US_PER_S, on_second, NULL);
        if (r >= 0)
                r = add_clock(d, 10 * US_PER_S, on_ten_seconds, NULL);
        if (r >= 0)
                r = add_clock(d, 60 * US_PER_S, on_minute, NULL);
        if (r >= 0 && systemd_watchdog_us())
                r = add_clock(d, systemd_watchdog_us(), on_watchdog, NULL);
        return r < 0 ? r : 0;
}

int loop_run(struct daemon *d)
{
        return sd_event_loop(d->event);
}

void loop_close(struct daemon *d)
{
        sd_event_source_unref(d->soon);
        sd_event_unref(d->event);
        d->soon = NULL;
        d->event = NULL;
}
