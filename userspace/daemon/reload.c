/* reload.c - see reload.h. */
#include "daemon/reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/attribution.h"
#include "daemon/core.h"
#include "daemon/discovery.h"
#include "daemon/evidence_room.h"
#include "daemon/guard.h"
#include "daemon/jobs.h"
#include "daemon/systemd.h"
#include "daemon/turns.h"
#include "report/config_errors.h"

static void say(const char *path, const struct config_errors *e)
{
        for (size_t i = 0; i < e->n; i++) {
                const struct config_error *it = &e->item[i];
                char line[16] = "";

                if (it->line)
                        snprintf(line, sizeof(line), ":%u", it->line);
                log_at(it->note ? LOG_NOTE_ : LOG_ERROR_, "%s%s: %s", path, line, it->text);
        }
        if (e->lost)
                log_error("%s: and %zu more", path, e->lost);
}

int reload_read(const struct daemon *d, struct config **ret, struct config_errors *errors)
{
        const char *path = daemon_config_path(d);
        int r;

        memset(errors, 0, sizeof(*errors));
        if (d->options->discover && !d->options->config && access(path, F_OK) < 0 && errno == ENOENT)
                return config_default(ret);
        r = config_load(path, ret, errors);
        say(path, errors);
        if (r < 0 && r != -EINVAL)
                log_error("%s: cannot be read: %s%s", path, strerror(-r),
                          d->options->config || d->config ? "" : "; name another file with --config FILE");
        return r;
}

/* What could not be done though every line is right stands among the errors, too. */
static json_t *document_of(const struct daemon *d, int r, struct config_errors *errors)
{
        struct config_error *e = &errors->item[errors->n];

        if (r < 0 && r != -EINVAL && errors->n < CONFIG_MAX_ERRORS) {
                *e = (struct config_error){0};
                snprintf(e->text, sizeof(e->text), "%s",
                         r == -E2BIG ? "its globs come to too many databases" : strerror(-r));
                errors->n++;
        }
        json_t *o = config_errors_json("vigil.reload/1", daemon_config_path(d), r == 0, errors);
        if (o)
                json_object_set_new(o, "databases", json_integer((json_int_t)guards_count(d->guards)));
        return o;
}

/* The first mistake is enough for a line; `vigil check-config` tells all. */
static void note_failure(struct daemon *d, const char *path, const struct config_errors *errors)
{
        const struct config_error *e = errors->item;

        while (e < errors->item + errors->n && e->note)
                e++;
        if (e == errors->item + errors->n)
                snprintf(d->reload_failed, sizeof(d->reload_failed), "%s: it cannot be read", path);
        else if (e->line)
                snprintf(d->reload_failed, sizeof(d->reload_failed), "%s:%u: %s", path, e->line, e->text);
        else
                snprintf(d->reload_failed, sizeof(d->reload_failed), "%s: %s", path, e->text);
}

/* What this run cannot take over is said, in the answer, too. */
static void changes_later(const char *path, struct config_errors *errors, const char *what)
{
        struct config_error *e = &errors->item[errors->n];

        log_warn("%s: %s", path, what);
        if (errors->n == CONFIG_MAX_ERRORS)
                return;
        *e = (struct config_error){.note = true};
        snprintf(e->text, sizeof(e->text), "%s", what);
        errors->n++;
}

int reload(struct daemon *d, json_t **ret)
{
        static struct config_errors errors; /* 16 KiB; there is one thread */
        struct config *before = d->config, *now = NULL;
        const char *path = daemon_config_path(d);
        char status[STATUS_LEN];

        systemd_reloading();
        int r = reload_read(d, &now, &errors);
        if (r == 0) {
                d->config = now;
                r = guards_apply(d);
                if (r == 0)
                        r = jobs_apply(d);
                if (r < 0) { /* what was read before must be what everybody points to again */
                        d->config = before;
                        guards_apply(d);
                        jobs_apply(d);
                }
        }
        if (r == 0 && now->redact_argv != before->redact_argv)
                changes_later(path, &errors, "redact-argv changes with the next start");
        if (r == 0 && now->attribution == (strcmp(attribution_state(d), "off") == 0))
                changes_later(path, &errors,
                              "latency { attribution } changes with the next start: its programs are loaded with "
                              "the others, and the watch begins anew");
        if (r == 0) {
                config_free(before);
                discovery_look(d);
                evidence_room_look(d);
                log_note("%s: read again; %zu database%s", path, guards_count(d->guards),
                         guards_count(d->guards) == 1 ? "" : "s");
        } else {
                config_free(now);
                log_error("%s: the configuration of before stays in force", path);
        }
        json_t *document = document_of(d, r, &errors);
        d->reload_failed[0] = 0;
        if (r < 0)
                note_failure(d, path, &errors);
        json_t *event = json_pack("{s:s, s:s}", "what", "configuration", "outcome", r == 0 ? "done" : "failed");
        if (event && r < 0)
                json_object_set_new(event, "reason", text_json(d->reload_failed, strlen(d->reload_failed)));
        keeper_event(d->keeper, "reload", NULL, daemon_now(), event);
        turn_status(d, status);
        systemd_ready(status);
        if (ret)
                *ret = document;
        else
                json_decref(document);
        return r;
}
