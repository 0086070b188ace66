/* check.c - see build.h: what can be told only of several values together. */
#include <string.h>

#include "base/suggest.h"
#include "config/build.h"
#include "config/codes.h"

#define NAME_MAX_BYTES 64
#define NAME_BYTES     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static void check_name(const struct config_database *d, struct config_errors *errors)
{
        size_t n = strlen(d->name);

        if (n == 0 || n > NAME_MAX_BYTES || strspn(d->name, NAME_BYTES) != n || d->name[0] == '.')
                complain(errors, d->line, false,
                         "database '%.64s': a name is made of letters, digits, '.', '_' and '-', at most %d of "
                         "them, and "
                         "does not begin with '.': directories are called after it",
                         d->name, NAME_MAX_BYTES);
}

static void check_database(const struct config *c, size_t i, struct config_errors *errors)
{
        const struct config_database *d = &c->database[i];

        check_name(d, errors);
        if (!d->path && !d->glob)
                complain(errors, d->line, false, "database '%.64s': path or glob is missing", d->name);
        if (d->path && d->glob)
                complain(errors, d->line, false, "database '%.64s': path and glob exclude each other", d->name);
        if (d->backup.on & CONFIG_ON_SCHEDULE && !d->backup.every_ms)
                complain(errors, d->line, false,
                         "database '%.64s': backup on schedule needs 'every' in its section 'backup'", d->name);
        if (d->backup.every_ms && !(d->backup.on & CONFIG_ON_SCHEDULE))
                complain(errors, d->line, false,
                         "database '%.64s': backup every … needs \"schedule\" in 'on' of its section 'backup'",
                         d->name);
        if (d->check.every_ms && d->check.method == CONFIG_CHECK_NONE)
                complain(errors, d->line, false, "database '%.64s': check every … with method none checks nothing",
                         d->name);
        if (d->wal.max_bytes < d->wal.warn_bytes)
                complain(errors, d->line, false,
                         "database '%.64s': max-bytes of its section 'wal' is less than warn-bytes", d->name);
        for (size_t j = 0; j < i; j++)
                if (d->path && c->database[j].path && !strcmp(d->path, c->database[j].path))
                        complain(errors, d->line, false,
                                 "database '%.64s': the same path as database '%.64s' in line %u", d->name,
                                 c->database[j].name, c->database[j].line);
}

static void check_severity(const struct config_severity *s, struct config_errors *errors)
{
        size_t best = SUGGEST_NONE;
        const char *near = NULL;

        for (const char *const *code = config_codes; *code; code++) {
                if (strcmp(*code, s->code) == 0)
                        return;
                if (suggest_nearer(s->code, *code, &best))
                        near = *code;
        }
        complain(errors, s->line, false, "severity '%.64s': no finding has this code%s%s%s", s->code,
                 near ? "; did you mean '" : " (docs/JSON.md lists them)", near ? near : "", near ? "'?" : "");
}

void check(const struct config *c, struct config_errors *errors)
{
        if (c->ndatabases > CONFIG_MAX_DATABASES)
                complain(errors, 0, false, "%zu databases: at most %d can be guarded", c->ndatabases,
                         CONFIG_MAX_DATABASES);
        else
                for (size_t i = 0; i < c->ndatabases; i++)
                        check_database(c, i, errors);
        if (c->norchestrators > CONFIG_MAX_ORCHESTRATORS)
                complain(errors, 0, false, "%zu orchestrators: at most %d can be followed", c->norchestrators,
                         CONFIG_MAX_ORCHESTRATORS);
        for (size_t i = 0; i < c->norchestrators; i++)
                check_orchestrator(c, &c->orchestrator[i], errors);
        for (size_t i = 0; i < c->nseverities; i++)
                check_severity(&c->severity[i], errors);
        for (size_t i = 0; i < c->nnotify; i++)
                complain(errors, c->notify[i].line, true,
                         "notify '%.64s' is understood, but this version notifies nobody", c->notify[i].name);
}
