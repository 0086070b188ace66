/* check_orchestrator.c - see build.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/build.h"

#define NAME_MAX_BYTES   64
#define COMM_MAX_BYTES   15
#define STATUS_MAX_BYTES 60
#define CONTAINER_MIN    8

static void __attribute__((format(printf, 3, 4)))
wrong(const struct config_orchestrator *o, struct config_errors *errors, const char *fmt, ...)
{
        char text[200];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        complain(errors, o->line, false, "orchestrator '%.64s': %s", o->name, text);
}

static void check_match(const struct config_orchestrator *o, struct config_errors *errors)
{
        const struct config_match *m = &o->match;

        if (!m->cmdline && !m->comm && !m->exe && !m->pid_file && !m->systemd_unit && !m->cgroup && !m->container &&
            m->uid == CONFIG_NO_UID)
                wrong(o, errors,
                      "nothing says which processes belong to it: give match-cmdline, match-comm, match-exe, "
                      "match-uid, pid-file, systemd-unit, cgroup or container");
        if (m->comm && strlen(m->comm) > COMM_MAX_BYTES)
                wrong(o, errors, "match-comm: the kernel keeps %d bytes of a name, '%.40s' can never match",
                      COMM_MAX_BYTES, m->comm);
        if (m->container && strlen(m->container) < CONTAINER_MIN)
                wrong(o, errors, "container: '%.40s' is too short to be one: at least %d bytes of its id or name",
                      m->container, CONTAINER_MIN);
}

static void check_database_of(const struct config *c, const struct config_orchestrator *o,
                              struct config_errors *errors)
{
        const struct config_database *found = NULL;

        for (size_t i = 0; o->database && i < c->ndatabases; i++)
                if (!strcmp(o->database, c->database[i].name))
                        found = &c->database[i];
        if (o->database && !found)
                wrong(o, errors, "there is no database '%.64s'", o->database);
        else if (found && found->glob)
                wrong(o, errors, "database '%.64s' is a glob: name one with a path", o->database);
        else if (o->jobs.query && !o->database)
                wrong(o, errors, "jobs: a query needs 'database'");
}

/* The helper proves that a query only reads; this finds at once what cannot be one. */
static bool may_be_select(const char *sql)
{
        sql += strspn(sql, " \t\r\n");
        return !strncasecmp(sql, "select", 6) || !strncasecmp(sql, "with", 4);
}

static void check_jobs(const struct config_orchestrator *o, struct config_errors *errors)
{
        const struct config_jobs *j = &o->jobs;
        bool columns = false, pointers = false;

        for (size_t i = 0; i < CONFIG_JOB_FIELDS; i++) {
                columns = columns || j->column[i];
                pointers = pointers || j->pointer[i];
                if (j->pointer[i] && j->pointer[i][0] != '/')
                        wrong(o, errors, "jobs: '%.60s' is no JSON pointer: it begins with '/'", j->pointer[i]);
        }
        for (char **value = j->running; value && *value; value++)
                if (strlen(*value) > STATUS_MAX_BYTES || strchr(*value, '\n'))
                        wrong(o, errors, "jobs: running: '%.40s' is no status: at most %d bytes, in one line",
                              *value, STATUS_MAX_BYTES);
        if (j->query && j->files)
                wrong(o, errors, "jobs: query and files exclude each other");
        if (j->query && !may_be_select(j->query))
                wrong(o, errors, "jobs: query: only one SELECT is allowed");
        if (columns && !j->query)
                wrong(o, errors, "jobs: column-… names a column of a query, and there is no query");
        if (pointers && !j->files)
                wrong(o, errors, "jobs: …-pointer points into state files, and there are no files");
        uint64_t still = j->no_progress_ms ? j->no_progress_ms : j->stuck_after_ms;
        if (still && j->every_ms >= still)
                wrong(o, errors, "jobs: every must be less than %s: what is not read is not seen to change",
                      j->no_progress_ms ? "no-progress" : "stuck-after");
        if (j->running && !j->query && !j->files)
                wrong(o, errors, "jobs: query or files is missing");
}

void check_orchestrator(const struct config *c, const struct config_orchestrator *o, struct config_errors *errors)
{
        size_t n = strlen(o->name);

        if (n == 0 || n > NAME_MAX_BYTES)
                wrong(o, errors, "a name has 1 to %d bytes", NAME_MAX_BYTES);
        check_match(o, errors);
        check_database_of(c, o, errors);
        check_jobs(o, errors);
}
