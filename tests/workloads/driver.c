/* driver - executes its command line on an SQLite database and tells the truth about it.
 *
 *   driver [-t TRUTH] DB STEP...
 *
 * A step is SQL (?SQL: may fail) or a command below. The database is opened at the first step that needs it. When the
 * steps are done the database is closed and the process returns; a step that fails ends it with status 3 after a close.
 * Each step appends one line to TRUTH (standard output without -t): the step, its result, the transaction state, the
 * commits acknowledged so far and the sizes of the files. A step that does not return tells its line before.
 *
 * data: @open MODE (rw, ro, uri) · @close · @checkpoint MODE
 *       @hold WHERE N FILE: at the Nth call from now, make FILE and wait for death. WHERE: write or sync of the main
 *       file, ckpt: a checkpoint that holds its locks, wal-sync
 * life: @sleep MS · @ready FILE · @wait FILE · @pause · @kill9 · @raise N · @exit N · @return N · @segv · @hog MIB
 *       @exec CMD... · @fork STEP... @end · @wait-children · @thread STEP... @end · @join · @leader-exit
 *       @repeat N STEP... @end · @until FILE STEP... @end · @forks N · @close-fds FIRST · @keep-fds · @peek FILE · @ignore-signals · @setuid UID */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver.h"
#include "truth.h"

enum { STATUS_USAGE = 2, STATUS_FAILED = 3 };

static const struct command *command_find(const char *name)
{
        static const struct command *const tables[] = {data_commands, life_commands};

        for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
                for (const struct command *c = tables[t]; c->name; c++)
                        if (strcmp(c->name, name) == 0)
                                return c;
        return NULL;
}

/* Index of the @end that closes the block which begins at s.arg[0], or s.n. */
static size_t block_end(struct steps s)
{
        size_t depth = 0;

        for (size_t i = 0; i < s.n; i++) {
                const struct command *c = command_find(s.arg[i]);
                if (c && c->kind == STEP_BLOCK) {
                        depth++;
                } else if (strcmp(s.arg[i], "@end") == 0) {
                        if (depth == 0)
                                return i;
                        depth--;
                }
        }
        return s.n;
}

/* Sizes come from stat(2): an open and close here would drop the locks that SQLite holds. */
static json_int_t size_of(const struct driver *d, const char *suffix)
{
        char path[4096];
        struct stat st;

        snprintf(path, sizeof(path), "%s%s", d->path, suffix);
        return stat(path, &st) == 0 ? (json_int_t)st.st_size : -1;
}

static void tell(const struct driver *d, const char *step, int rc)
{
        static const char *const names[] = {"none", "read", "write"};
        int state = d->db ? sqlite3_txn_state(d->db, "main") : -1;

        truth_tell(json_pack("{s:s%, s:i, s:s, s:I, s:I, s:I, s:I}", "step", step, strnlen(step, 200), "rc", rc,
                             "txn", state < 0 ? "closed" : names[state], "commits", (json_int_t)d->commits, "main",
                             size_of(d, ""), "wal", size_of(d, "-wal"), "journal", size_of(d, "-journal")));
}

static int run_sql(struct driver *d, const char *step)
{
        const char *sql = step[0] == '?' ? step + 1 : step;
        int rc = driver_sql(d, sql);

        tell(d, sql, rc);
        return step[0] == '?' ? SQLITE_OK : rc;
}

/* Runs the command at the front of @s. @return 0 or its failure; ret_used: how many arguments it took */
static int run_command(struct driver *d, const struct command *c, struct steps s, size_t *ret_used)
{
        size_t used = 1 + c->args;

        if (used > s.n) {
                fprintf(stderr, "driver: %s needs %zu arguments\n", c->name, c->args);
                return -1;
        }
        struct steps block = {s.arg + used, s.n - used};
        if (c->kind == STEP_BLOCK) {
                block.n = block_end(block);
                used += block.n + 1;
        } else if (c->kind == STEP_REST) {
                used += block.n;
        }
        tell(d, c->name, 0);
        *ret_used = used;
        return c->run(d, s.arg + 1, block);
}

int run_steps(struct driver *d, struct steps s)
{
        for (size_t i = 0; i < s.n;) {
                size_t used = 1;
                int rc;

                if (s.arg[i][0] != '@') {
                        rc = run_sql(d, s.arg[i]);
                } else {
                        const struct command *c = command_find(s.arg[i]);
                        rc = c ? run_command(d, c, (struct steps){s.arg + i, s.n - i}, &used) : -1;
                }
                if (rc != 0) {
                        fprintf(stderr, "driver: %s: failed with %d: %s\n", s.arg[i], rc,
                                d->db ? sqlite3_errmsg(d->db) : "no database open");
                        return rc;
                }
                i += used;
        }
        return 0;
}

int main(int argc, char **argv)
{
        struct driver d = {.flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE};
        const char *truth = NULL;
        int opt;

        while ((opt = getopt(argc, argv, "+t:")) != -1) {
                if (opt != 't')
                        return STATUS_USAGE;
                truth = optarg;
        }
        if (optind >= argc || truth_open(truth) < 0) {
                fprintf(stderr, "usage: driver [-t TRUTH] DB STEP...\n");
                return STATUS_USAGE;
        }
        d.path = argv[optind];
        tell(&d, "start", 0);

        if (run_steps(&d, (struct steps){argv + optind + 1, (size_t)(argc - optind - 1)}) != 0)
                d.status = STATUS_FAILED;
        if (sqlite3_close(d.db) != SQLITE_OK)
                d.status = STATUS_FAILED;
        d.db = NULL;
        tell(&d, "closed", d.status);
        return d.status;
}
