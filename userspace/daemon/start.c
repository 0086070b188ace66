/* start.c - see daemon.h: the order of beginning and of ending. */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/adopt.h"
#include "daemon/answers.h"
#include "daemon/attribution.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/deaths.h"
#include "daemon/dirty.h"
#include "daemon/discovery.h"
#include "daemon/evidence_room.h"
#include "daemon/gap.h"
#include "daemon/guard.h"
#include "daemon/jobs.h"
#include "daemon/known_backups.h"
#include "daemon/known_checks.h"
#include "daemon/latencies.h"
#include "daemon/loop.h"
#include "daemon/orchestrators.h"
#include "daemon/privilege.h"
#include "daemon/recovery.h"
#include "daemon/reload.h"
#include "daemon/response.h"
#include "daemon/scribe.h"
#include "daemon/summary.h"
#include "daemon/systemd.h"
#include "daemon/taken.h"
#include "daemon/tangles.h"
#include "daemon/turns.h"
#include "sensor/head.h"
#include "serve/protocol.h"

/* sysexits(3) and the Contract */
enum { EXIT_CONFIG_ = 2, EXIT_UNAVAILABLE_ = 69, EXIT_INTERNAL_ = 70, EXIT_NOPERM_ = 77 };

/* Two clocks cannot be read at once, and one of them is slewed: differences up to this are no other offset. */
#define SAME_OFFSET_NS 1000000

int64_t daemon_realtime(uint64_t boottime_ns)
{
        static int64_t offset;
        int64_t now = clock_realtime_offset_ns();

        if (now > offset + SAME_OFFSET_NS || now < offset - SAME_OFFSET_NS)
                offset = now;
        return (int64_t)boottime_ns + offset;
}

int64_t daemon_now(void)
{
        return daemon_realtime(clock_boottime_ns());
}

const char *daemon_config_path(const struct daemon *d)
{
        return d->options->config ? d->options->config : CONFIG_PATH;
}

/* ---- what it stands on ---- */

static int open_config(struct daemon *d)
{
        static struct config_errors errors; /* 16 KiB; there is one thread */
        int r = reload_read(d, &d->config, &errors);

        if (r < 0 || !d->config)
                return r == -EACCES || r == -EPERM ? EXIT_NOPERM_ : r == -ENOMEM ? EXIT_INTERNAL_ : EXIT_CONFIG_;
        if (d->config->ndatabases == 0 && !d->options->discover)
                log_warn("%s names no database: nothing is guarded until it does (SIGHUP reads it again)",
                         daemon_config_path(d));
        return 0;
}

static int open_state(struct daemon *d)
{
        const char *named = d->config ? d->config->state_dir : CONFIG_STATE_DIR;
        const char *path = d->options->state_dir ? d->options->state_dir : named;
        char why[STATEDIR_WHY_LEN];
        int r = statedir_open(path, &d->state, why);

        if (r == 0)
                return 0;
        log_error("%s", why);
        return r == -EPERM || r == -EACCES ? EXIT_NOPERM_ : EXIT_UNAVAILABLE_;
}

static void on_events(void *userdata)
{
        answers_events(userdata);
}

static void on_trouble(void *userdata, const char *why)
{
        struct daemon *d = userdata;
        char detail[256];

        if (!why) {
                cases_over(d, "store-degraded", NULL, "over");
                return;
        }
        snprintf(detail, sizeof(detail), "what is seen waits in memory: %s", why);
        case_raise(d, "store-degraded", NULL, detail, json_pack("{s:s}", "why", why));
}

static void on_renewed(void *userdata)
{
        cases_store_all(userdata);
}

/* Questions of operators read the store themselves while no daemon runs. */
#define START_PATIENCE_MS 10000

static int open_store(struct daemon *d)
{
        const struct keeper_hooks hooks = {
                .events = on_events, .trouble = on_trouble, .renewed = on_renewed, .userdata = d};
        int64_t now = daemon_now();
        uint64_t interrupted = 0;
        struct keeper_run run = {.pid = getpid(), .version = VIGIL_VERSION, .started_ns = now};
        struct store *s;

        memcpy(run.boot_id, d->head.boot_id, sizeof(run.boot_id));
        if (scribe_new(d->state.lock, &d->scribe) < 0)
                return log_error_r(EXIT_INTERNAL_, "cannot begin: out of memory or descriptors");
        if (keeper_open(d->state.path, &hooks, d->scribe, &d->keeper) < 0)
                return EXIT_UNAVAILABLE_;
        s = keeper_store(d->keeper);
        store_set_patience(s, START_PATIENCE_MS);
        int r = store_begin(s);
        if (r == 0 && (r = store_last_run(s, &d->last_run)) == -ENOENT)
                r = 0; /* the first one */
        if (r == 0)
                r = store_interrupt_actions(s, now, &interrupted);
        if (r == 0)
                r = store_begin_run(s, run.boot_id, run.pid, run.version, now, &run.id);
        if (r == 0)
                r = store_commit(s);
        if (r == 0)
                r = cases_open(d);
        if (r == 0)
                r = keeper_begin(d->keeper, &run);
        if (r < 0) {
                log_error("store: %s/vigil.db: %s", d->state.path,
                          r == -EBUSY ? "another process keeps it locked; end it, and start again" : strerror(-r));
                return EXIT_UNAVAILABLE_;
        }
        if (interrupted)
                log_note("%llu action%s of the last run had not ended", (unsigned long long)interrupted,
                         interrupted == 1 ? "" : "s");
        return 0;
}

/* ---- the eyes ---- */

static int open_sensor(struct daemon *d)
{
        char why[SENSOR_WHY_LEN];
        int r = taken_open(d, why);

        if (r < 0) {
                log_error("cannot watch: %s", why);
                return r == -EPERM ? EXIT_NOPERM_ : EXIT_UNAVAILABLE_;
        }
        snprintf(d->head.tier, sizeof(d->head.tier), "%s", sensor_tier(d->sensor));
        d->memory = memory_new(&d->head, d->config->redact_argv);
        if (!d->memory)
                return log_error_r(EXIT_INTERNAL_, "out of memory");
        taken_remember(d);
        return 0;
}

static int try_eyes(struct daemon *d)
{
        sigset_t all, before;

        /* Who interrupts us now must wait these few milliseconds: the canary's directory would stay behind. */
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, &before);
        int r = sensor_canary(d->sensor, deaths_record, d);
        sigprocmask(SIG_SETMASK, &before, NULL);
        if (r >= 0)
                r = sensor_probes(d->sensor, deaths_record, d);
        if (r >= 0)
                r = sensor_statistics(d->sensor, &d->stats);
        if (r < 0)
                return log_error_r(EXIT_UNAVAILABLE_, "cannot watch: the canary failed: %s", strerror(-r));
        memory_statistics(d->memory, &d->stats);
        if (!d->stats.canary && d->taken) {
                d->taken = false;
                return log_error_r(EXIT_UNAVAILABLE_,
                                   "what an earlier run has left does not see any more: the canary "
                                   "was not seen; it is removed, start again");
        }
        if (!d->stats.canary)
                log_error("the canary was not seen: every verdict will be unknown; see vigil doctor");
        return 0;
}

/* ---- the rest ---- */

static void on_action(void *userdata, const struct action_request *r, void *tag, const json_t *answer,
                      const char *failure, uint64_t ms)
{
        struct daemon *d = userdata;

        if (r->kind == ACTION_LOOK && strcmp(r->reason, GAP_REASON) == 0)
                gap_looked(d, tag, answer, failure);
        else if (r->kind == ACTION_LOOK && strcmp(r->reason, RECOVERY_REASON) == 0)
                recovery_looked(d, tag, answer);
        else if (r->kind == ACTION_LOOK)
                deaths_looked(d, tag, answer, failure);
        else if (r->kind == ACTION_ROOM)
                evidence_room_done(d, answer, failure);
        else if (r->kind == ACTION_DISCOVER)
                discovery_done(d, answer, failure);
        else if (r->kind == ACTION_JOBS)
                jobs_read_done(d, r, answer, failure, ms);
        else
                response_done(d, r, tag, answer, failure, ms);
}

static int open_parts(struct daemon *d)
{
        int r = guards_new(&d->guards);

        if (r == 0)
                r = discoveries_new(&d->discoveries);
        if (r == 0)
                r = evidence_room_new(&d->evidence_room);
        if (r == 0)
                r = deaths_new(&d->deaths);
        if (r == 0)
                r = recoveries_new(&d->recoveries);
        if (r == 0)
                r = gap_new(&d->gap);
        if (r == 0)
                r = response_new(&d->response);
        if (r == 0)
                r = summary_new(&d->summary);
        if (r == 0)
                r = latencies_new(&d->latencies);
        if (r == 0)
                r = attributions_new(&d->attributions);
        if (r == 0)
                r = answers_new(&d->answers);
        if (r == 0)
                r = orchestrators_new(&d->orchestrators);
        if (r == 0)
                r = jobs_new(&d->jobs);
        if (r == 0)
                r = tangles_new(&d->tangles);
        if (r == 0) {
                d->actions = actions_new(d->config->limits.parallel_actions, on_action, d);
                r = d->actions ? 0 : -ENOMEM;
                if (d->actions)
                        actions_on_progress(d->actions, response_progress);
        }
        return r < 0 ? log_error_r(EXIT_INTERNAL_, "cannot begin: %s", strerror(-r)) : 0;
}

/* Databases that an earlier run has watched are claimed before anything is taken from the rings: what waits there is of them. */
static int open_guards(struct daemon *d)
{
        int eyes = d->taken ? 0 : try_eyes(d);

        if (!eyes)
                discovery_begin(d);
        int r = eyes ? 0 : guards_apply(d);

        if (r == 0 && d->taken)
                r = taken_settle(d);
        if (r == 0 && d->taken)
                eyes = try_eyes(d);
        if (eyes)
                return eyes;
        if (r < 0)
                return log_error_r(EXIT_UNAVAILABLE_, "the databases of the configuration cannot be guarded: %s",
                                   r == -E2BIG ? "its globs come to too many" : strerror(-r));
        r = jobs_apply(d);
        if (r < 0)
                return log_error_r(EXIT_INTERNAL_, "the orchestrators cannot be followed: %s", strerror(-r));
        known_backups_read(d);
        known_checks_read(d);
        jobs_remember(d);
        dirty_judge_last_run(d);
        adopt_backups(d);
        recovery_expect_open(d);
        snprintf(d->evidence_directory, sizeof(d->evidence_directory), "%s/evidence", d->state.path);
        evidence_room_look(d);
        response_resume(d, true);
        return 0;
}

static int open_control(struct daemon *d)
{
        const struct control_handler handler = answers_handler(d);
        int r = control_server_open(d->state.dirfd, &handler, &d->control);

        return r < 0 ? log_error_r(EXIT_UNAVAILABLE_, "%s/control: cannot listen: %s", d->state.path, strerror(-r))
                     : 0;
}

static int run(struct daemon *d)
{
        char status[STATUS_LEN];
        int r = loop_open(d);

        if (r == 0 && privilege_drop() < 0)
                log_warn("the capabilities that are no longer needed cannot be given up");
        if (r == 0) {
                turn_status(d, status);
                systemd_ready(status);
                log_note("%s, tier %s; state in %s", status, d->head.tier, d->state.path);
                r = loop_run(d);
        }
        return r < 0 ? log_error_r(EXIT_INTERNAL_, "the event loop failed: %s", strerror(-r)) : 0;
}

/* ---- the end ---- */

static int remove_socket_work(int answer_fd, void *arg)
{
        return scribe_tell(answer_fd, unlink(arg) < 0 ? -errno : 0);
}

static void on_removed(void *userdata, int error, const json_t *answer)
{
        (void)userdata, (void)error, (void)answer; /* the next start removes what stands there */
}

/* Where the disk hangs, to remove a name would, too. */
static void close_control(struct daemon *d)
{
        char path[PATH_MAX + 16];

        if (d->control) {
                snprintf(path, sizeof(path), "%s/" CONTROL_SOCKET, d->state.path);
                control_server_leave_name(d->control);
                if (scribe_start(d->scribe, SCRIBE_SOCKET, remove_socket_work, path, on_removed, d) == 0)
                        scribe_wait(d->scribe, SCRIBE_SOCKET, scribe_patience(d->scribe));
        }
        control_server_close(d->control);
        d->control = NULL;
}

/* Detaching comes last: it takes seconds. */
static void close_all(struct daemon *d, bool orderly, bool keep)
{
        d->ending = true;
        close_control(d);
        actions_free(d->actions); /* gives every action its outcome */
        if (orderly) {
                dirty_end(d);
                latencies_keep(d, true);
                scribe_wait(d->scribe, SCRIBE_RECORDING,
                            scribe_patience(d->scribe)); /* its incident is to name it */
        }
        if (d->keeper && keeper_run_id(d->keeper)) /* of one that never watched, too: it leaves no gap */
                keeper_end_run(d->keeper, daemon_now());
        loop_close(d);
        bool stored = keeper_close(d->keeper);
        if (!stored && !keep && d->sensor && !sensor_not_kept(d->sensor)) {
                keep = true;
                log_note("the watch stays in the kernel, with the deaths that are not stored, for the next run; "
                         "vigil run --forget ends it");
        }
        response_free(d->response);
        if (d->incidents)
                cases_close(d);
        answers_free(d->answers);
        jobs_free(d);
        free(d->tangles);
        orchestrators_free(d->orchestrators);
        summary_free(d->summary);
        latencies_free(d->latencies);
        attributions_free(d->attributions);
        recoveries_free(d->recoveries);
        gap_free(d->gap);
        deaths_free(d->deaths);
        guards_free(d->guards);
        discoveries_free(d->discoveries);
        evidence_room_free(d->evidence_room);
        memory_free(d->memory);
        config_free(d->config);
        scribe_free(d->scribe);
        statedir_close(&d->state);
        if (keep)
                sensor_leave(d->sensor);
        else
                sensor_close(d->sensor);
}

int daemon_run(const struct daemon_options *options)
{
        static int (*const steps[])(struct daemon *) = {
                open_config, open_state, open_store, open_parts, open_sensor, open_guards, open_control,
        };
        struct daemon d = {.options = options,
                           .state = STATEDIR_NONE,
                           .started_ns = daemon_now(),
                           .begun_ns = clock_boottime_ns()};
        int r = 0;

        umask(077);
        loop_block_signals();
        head_fill(&d.head, VIGIL_MODE_ATTACH, "");
        for (size_t i = 0; r == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
                r = steps[i](&d);
        bool begun = r == 0;
        if (begun)
                r = run(&d);
        /* Of what it has taken over nothing is lost by a start that fails; the next one may succeed. */
        close_all(&d, begun, begun ? r != 0 || d.leave : d.taken);
        return r;
}

int daemon_forget(const struct daemon_options *options, struct daemon_forgot *ret)
{
        struct daemon_options o = *options;
        struct daemon d = {.options = &o, .state = STATEDIR_NONE};

        o.discover = true; /* of such a run, which may have had no configuration, the watch is ended, too */
        int r = o.state_dir ? 0 : open_config(&d);

        if (r == 0)
                r = open_state(&d);
        if (r == 0) {
                int n = taken_forget(&d);

                r = n < 0 ? EXIT_UNAVAILABLE_ : 0;
                ret->ended = n > 0;
                snprintf(ret->state_dir, sizeof(ret->state_dir), "%s", d.state.path);
        }
        statedir_close(&d.state);
        config_free(d.config);
        return r;
}
