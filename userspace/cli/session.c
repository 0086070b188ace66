/* session.c - see session.h. */
#include "cli/session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/early.h"
#include "engine/inspect.h"
#include "sensor/head.h"

/* ---- one record ---- */

static void look_later(struct session *s, const struct vigil_exit_db *r)
{
        /* Who left nothing behind leaves nothing to look at. */
        if (!r->use.locks_at_end &&
            !(r->use.flags & (VIGIL_USE_OPEN_AT_END | VIGIL_USE_TXN_OWNER | VIGIL_USE_WROTE)))
                return;
        if (s->nlook == sizeof(s->look) / sizeof(s->look[0])) {
                s->looks_skipped++;
                return;
        }
        s->look[s->nlook].id = r->id;
        s->look[s->nlook++].db = r->use.db;
}

static void tell_write_error(const struct session *s)
{
        if (s->write_error)
                log_error("the recording %s is not complete: %s%s", s->options->record, strerror(-s->write_error),
                          s->command == &command_record ? "" : "; the report is not affected");
}

static int on_record(const struct vigil_hdr *record, void *userdata)
{
        struct session *s = userdata;

        if (record_validate(record, record->size, NULL) < 0)
                return 0; /* the gap in the sequence numbers tells the model */
        if (record->type == VIGIL_EXIT_DB) {
                const struct vigil_exit_db *r = (const struct vigil_exit_db *)record;
                if (!sensor_is_canary(s->sensor, r->use.db))
                        look_later(s, r);
        }
        if (s->writer && !s->write_error) {
                s->write_error = recording_append(s->writer, record);
                tell_write_error(s);
        }
        return model_feed(s->model, record);
}

static int send(struct session *s, struct vigil_hdr *record, uint16_t type, uint32_t size)
{
        return sensor_send(s->sensor, record, type, size, on_record, s);
}

/* ---- what the files look like ---- */

static int send_observed(struct session *s, uint32_t db, const struct vigil_ident *id, struct vigil_observed *o)
{
        o->db = db;
        o->id = id ? *id : (struct vigil_ident){0};
        return send(s, &o->hdr, VIGIL_OBSERVED, sizeof(*o));
}

static void inspect(struct session *s, uint32_t db, struct vigil_observed *ret)
{
        const char *path = sensor_path(s->sensor, db);

        memset(ret, 0, sizeof(*ret));
        if (!path)
                ret->error = -ENOENT;
        else
                inspect_database(&engine_sqlite, path, ret);
}

/* What was done to the database until it was looked at: see model_use::late. */
static int send_account(struct session *s, uint32_t db)
{
        struct vigil_ledger_rec r = {0};

        return sensor_account(s->sensor, db, &r.db) < 0 ? 0 : send(s, &r.hdr, VIGIL_LEDGER, sizeof(r));
}

/* Deaths that came together see the same files: each database is looked at once. */
static int look_at_dead(struct session *s)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->nlook; i++) {
                uint32_t db = s->look[i].db;
                struct vigil_observed o;

                if (!db)
                        continue;
                inspect(s, db, &o);
                r = send_account(s, db);
                for (size_t j = i; r >= 0 && j < s->nlook; j++) {
                        if (s->look[j].db != db)
                                continue;
                        r = send_observed(s, db, &s->look[j].id, &o);
                        s->look[j].db = 0;
                }
        }
        s->nlook = 0;
        return r;
}

int session_seed(struct session *s)
{
        return sensor_seed(s->sensor, on_record, s);
}

int session_poll(struct session *s, int timeout_ms)
{
        int n = sensor_poll(s->sensor, timeout_ms, on_record, s);

        if (n == -EINTR)
                n = 0;
        int r = n < 0 ? n : look_at_dead(s);
        /* A recording is the black box: what was taken from the rings must survive us. */
        if (n > 0 && s->writer && !s->write_error) {
                s->write_error = recording_flush(s->writer);
                tell_write_error(s);
        }
        return r;
}

/* ---- beginning ---- */

static void fill_head(struct session *s, enum vigil_mode mode, int argc, char **argv)
{
        struct vigil_session *h = &s->head;

        head_fill(h, mode, sensor_tier(s->sensor));
        for (int i = 0; i < argc; i++) {
                size_t n = strlen(argv[i]) + 1;
                if (h->argv_len + n > sizeof(h->argv))
                        break;
                memcpy(h->argv + h->argv_len, argv[i], n);
                h->argv_len += (uint32_t)n;
        }
}

static int watch_asked(struct session *s)
{
        for (size_t i = 0; i < s->options->db.n; i++) {
                const char *path = s->options->db.items[i];
                unsigned id;
                int r = sensor_watch(s->sensor, path, &id);

                if (r == 0 || r == -EEXIST)
                        continue;
                const char *why = r == -EISDIR   ? "it is a directory; name the database file in it"
                                  : r == -EINVAL ? "it is no regular file"
                                  : r == -ENOENT ? "its directory does not exist; make it first"
                                  : r == -E2BIG  ? "that is one too many; leave it to a second vigil"
                                                 : strerror(-r);
                return log_error_r(cli_status(r), "%s: --db %s: cannot be watched: %s", s->command->name, path,
                                   why);
        }
        return CLI_OK;
}

static int open_recording(struct session *s)
{
        if (!s->options->record)
                return CLI_OK;
        int r = recording_create(s->options->record, s->options->max_bytes, &s->writer);
        if (r == 0)
                return CLI_OK;
        return log_error_r(
                cli_status(r), "%s: cannot write the recording %s: %s", s->command->name, s->options->record,
                r == -EEXIST ? "a file that is no recording stands there; it is left alone" : strerror(-r));
}

/* Who interrupts us now must wait these few milliseconds: the canary's directory would stay behind. */
static int run_canary(struct session *s)
{
        sigset_t set, old;

        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, &old);
        int r = sensor_canary(s->sensor, on_record, s);
        sigprocmask(SIG_SETMASK, &old, NULL);
        return r;
}

static bool told_to_stop(void)
{
        return early_signal() != 0;
}

static int load(struct session *s)
{
        struct sensor_options so = {.adopt = s->options->db.n == 0,
                                    .second_names = true,
                                    .stream_all = s->options->stream_all,
                                    .reads = s->options->reads,
                                    .attribution = s->options->why,
                                    .verbose = s->cli->verbose,
                                    .give_up = told_to_stop};
        char why[SENSOR_WHY_LEN];
        int r = sensor_open(&so, &s->sensor, why);

        const char *not_told = r == 0 ? sensor_not_attributed(s->sensor) : NULL;
        if (not_told && not_told[0])
                log_warn("exec: --why: where the time went will not be told: %s", not_told);
        if (r == 0 || r == -ECANCELED)
                return CLI_OK;
        return log_error_r(cli_status(r), "%s: cannot watch: %s", s->command->name, why);
}

int session_open(struct session *s, const struct command *command, const struct cli *cli,
                 const struct watch_options *options, enum vigil_mode mode, int argc, char **argv)
{
        memset(s, 0, sizeof(*s));
        s->command = command;
        s->cli = cli;
        s->options = options;
        s->model = model_new();
        if (!s->model)
                return log_error_r(CLI_INTERNAL, "out of memory");
        early_block(&s->mask);
        int r = load(s);
        if (r == CLI_OK && told_to_stop())
                return session_interrupted(command);
        if (r == CLI_OK)
                r = open_recording(
                        s); /* not before it is known that there will be a watch: an older one is replaced */
        if (r != CLI_OK)
                return r;
        fill_head(s, mode, argc, argv);
        s->started_ns = clock_boottime_ns();
        r = send(s, &s->head.hdr, VIGIL_SESSION, sizeof(s->head));
        if (r >= 0)
                r = run_canary(s);
        if (r < 0)
                return log_error_r(CLI_UNAVAILABLE, "%s: cannot watch: the canary failed: %s", command->name,
                                   strerror(-r));
        r = watch_asked(s);
        return r == CLI_OK && told_to_stop() ? session_interrupted(command) : r;
}

int session_interrupted(const struct command *command)
{
        return early_leave(command, early_signal(),
                           command == &command_exec ? "the command was not started" : "the watch had not begun");
}

/* ---- end ---- */

static int observe_all(struct session *s)
{
        int r = 0;

        for (uint32_t db = 1; r >= 0 && db < VIGIL_MAX_DBS; db++) {
                struct vigil_observed o;

                if (!sensor_path(s->sensor, db) || sensor_is_canary(s->sensor, db))
                        continue;
                inspect(s, db, &o);
                r = send_observed(s, db, NULL, &o);
        }
        return r;
}

int session_finish(struct session *s, const struct vigil_ident *command, int status)
{
        struct vigil_end end = {.status = status};
        int r = session_poll(s, 0);

        if (command)
                end.id = *command;
        if (r >= 0)
                r = observe_all(s);
        if (r >= 0)
                r = sensor_finish(s->sensor, on_record, s);
        if (r >= 0)
                r = send(s, &end.hdr, VIGIL_END, sizeof(end));
        if (r >= 0)
                r = model_finish(s->model);
        if (s->writer && !s->write_error) {
                s->write_error = recording_finish(s->writer);
                tell_write_error(s);
        }
        if (s->looks_skipped)
                log_warn("%zu deaths came too fast to look at the files after each; their certificates rest on the "
                         "trace alone",
                         s->looks_skipped);
        return r;
}

void session_done(struct session *s)
{
        recording_writer_free(s->writer);
        model_free(s->model);
        s->writer = NULL;
        s->model = NULL;
}
