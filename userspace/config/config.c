/* config.c - see config.h. */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "config/build.h"

int config_default(struct config **ret)
{
        struct config *c = calloc(1, sizeof(*c));

        if (!c || !(c->state_dir = strdup(CONFIG_STATE_DIR))) {
                free(c);
                return -ENOMEM;
        }
        c->limits = (struct config_limits){
                .retention_age_ms = 30ULL * 86400000,
                .retention_incident_ms = 365ULL * 86400000,
                .store_bytes = 512ULL << 20,
                .evidence_bytes = 10ULL << 30,
                .crash_loop_ms = 600000,
                .parallel_actions = 2,
        };
        c->latency = (struct config_latency){
                .enabled = true,
                .factor = 5,
                .window_ms = 30000,
                .hold_ms = 60000,
                .accept_ms = 6ULL * 3600000,
                .warm_up_ms = 600000,
                .min_samples = 200,
                .floor_read_ms = 20,
                .floor_sync_ms = 10,
                .floor_lock_ms = 250,
                .floor_commit_ms = 20,
                .floor_checkpoint_ms = 1000,
        };
        *ret = c;
        return 0;
}

static void orchestrator_done(struct config_orchestrator *o)
{
        char *const texts[] = {o->name,         o->database,           o->match.cmdline,
                               o->match.comm,   o->match.exe,          o->match.pid_file,
                               o->match.cgroup, o->match.systemd_unit, o->match.container,
                               o->jobs.query,   o->jobs.files};

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                free(texts[i]);
        for (size_t i = 0; i < CONFIG_JOB_FIELDS; i++) {
                free(o->jobs.column[i]);
                free(o->jobs.pointer[i]);
        }
        for (char **value = o->jobs.running; value && *value; value++)
                free(*value);
        free(o->jobs.running);
}

void config_free(struct config *c)
{
        if (!c)
                return;
        for (size_t i = 0; i < c->ndatabases; i++) {
                free(c->database[i].name);
                free(c->database[i].path);
                free(c->database[i].glob);
        }
        for (size_t i = 0; i < c->norchestrators; i++)
                orchestrator_done(&c->orchestrator[i]);
        for (size_t i = 0; i < c->nnotify; i++) {
                free(c->notify[i].name);
                free(c->notify[i].type);
                free(c->notify[i].routing_key_file);
        }
        for (size_t i = 0; i < c->nseverities; i++)
                free(c->severity[i].code);
        free(c->database);
        free(c->orchestrator);
        free(c->notify);
        free(c->severity);
        free(c->state_dir);
        free(c->file);
        free(c);
}

static bool has_errors(const struct config_errors *errors)
{
        for (size_t i = 0; i < errors->n; i++)
                if (!errors->item[i].note)
                        return true;
        return errors->lost > 0;
}

static int by_line(const void *a, const void *b)
{
        unsigned x = ((const struct config_error *)a)->line, y = ((const struct config_error *)b)->line;

        return x < y ? -1 : x > y;
}

int config_parse(const char *name, const char *text, struct config **ret, struct config_errors *errors)
{
        struct parsed *p = NULL;
        struct config *c = NULL;

        *errors = (struct config_errors){0};
        int r = config_default(&c);
        if (r == 0)
                r = parse_text(text, errors, &p);
        if (r < 0)
                goto out;
        r = build(c, p, errors);
        if (r == 0 && !(c->file = strdup(name)))
                r = -ENOMEM;
        if (r < 0)
                goto out;
        check(c, errors);
        if (has_errors(errors)) {
                r = -EINVAL;
                goto out;
        }
        *ret = c;
        c = NULL;
out:
        qsort(errors->item, errors->n, sizeof(errors->item[0]), by_line);
        parsed_free(p);
        config_free(c);
        return r;
}

int config_load(const char *path, struct config **ret, struct config_errors *errors)
{
        _cleanup_free_ char *text = NULL;
        size_t n = 0;

        *errors = (struct config_errors){0};
        int r = io_read_file(path, CONFIG_MAX_BYTES, &text, &n);
        if (r < 0)
                return r;
        const char *nul = memchr(text, 0, n);
        if (nul) {
                unsigned line = 1;
                for (const char *p = text; p < nul; p++)
                        line += *p == '\n';
                complain(errors, line, false, "a NUL byte: this is no text");
                return -EINVAL;
        }
        return config_parse(path, text, ret, errors);
}
