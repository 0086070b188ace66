/* advice.c - a table from findings and reasons to the next step. */
#include "report/advice.h"

#include <string.h>

static bool array_has(const json_t *array, const char *text)
{
        size_t i;
        json_t *v;
        json_array_foreach (array, i, v) {
                const char *s = json_string_value(v);
                if (s && strcmp(s, text) == 0)
                        return true;
        }
        return false;
}

static bool finds(const json_t *database, const char *code)
{
        size_t i;
        json_t *f;
        json_array_foreach (json_object_get(database, "findings"), i, f) {
                const char *s = json_string_value(json_object_get(f, "code"));
                if (s && strcmp(s, code) == 0)
                        return true;
        }
        return false;
}

/* The certificate has this reason, and was not recovered since. */
static bool gives_one(const json_t *certificate, const char *reason)
{
        return !json_is_true(json_object_get(certificate, "recovered")) &&
               array_has(json_object_get(certificate, "reasons"), reason);
}

static bool gives(const json_t *database, const char *reason)
{
        size_t i;
        json_t *c;
        json_array_foreach (json_object_get(database, "certificates"), i, c)
                if (gives_one(c, reason))
                        return true;
        return false;
}

#define LEFT_OPEN "connection-left-open"

/* Every finding has its advice; of the reasons of deaths, which follow, only the worst one. */
static const struct {
        const char *finding; /* or NULL */
        const char *reason;  /* or NULL */
        const char *text;
} table[] = {
        {"integrity-failed", NULL,
         "Stop every writer. Keep all files as they are; restore the newest verified backup with `vigil backup "
         "restore`."},
        {"wal-removed", NULL,
         "Whoever still has the database open holds the only copy of those commits: let nobody else open it, and "
         "copy "
         "/proc/PID/fd/N of the WAL (marked as deleted) before you end him. Else compare with a backup made "
         "before. "
         "Never remove or empty a -wal by hand."},
        {"journal-removed", NULL,
         "Half a transaction is in the file for good: stop every writer and restore a backup made before. Never "
         "remove "
         "or empty a -journal by hand."},
        {"database-emptied", NULL,
         "The content of the database is gone: stop every writer, keep the -wal and -journal as they are, and "
         "restore "
         "a backup made before."},
        {"database-moved-in-use", NULL,
         "Stop every process that still has the old file open before anybody opens what stands under the name now; "
         "then bring the file and its -wal or -journal together again, or restore a backup."},
        {"used-across-fork", NULL,
         "Open the database after fork, not before: the commits of that process are lost. Restart it and repeat "
         "them."},
        {"wal-unreadable", NULL,
         "Let nobody open the database that no program has open now: the first open loses those commits. Where a "
         "program still has it open, let it run PRAGMA wal_checkpoint(TRUNCATE), which saves them. Else keep the "
         "database, its -wal and its -shm as they are, and repeat the commits after a restore. A newer SQLite may "
         "not write such a log."},
        {"no-journal", NULL,
         "Half a transaction is in the file and nothing can undo it: stop every writer, restore a backup made "
         "before, "
         "and set journal_mode=WAL or DELETE."},
        {"sync-retry-lied", NULL,
         "Do not trust later successes: pages are lost. Copy what can be read to other storage and restore from a "
         "backup taken before."},
        {"sync-error-swallowed", NULL,
         "The writer was never told of the error. Treat its last commits as lost and compare with a backup."},
        {"writeback-error", NULL, "Look at the device and the kernel log; move the database to healthy storage."},
        {"sync-error", NULL,
         "Free space or repair the storage, then restart the program: its last commits may be lost."},
        {"no-space", NULL,
         "Free space on the file system, or raise the limit (quota, ulimit -f), before the next write."},
        {"transaction-cut-short", NULL,
         "Find out what ended the writer while nobody watched (the journal of its unit, the kernel log); the next "
         "open "
         "undoes what was not committed."},
        {"events-lost", NULL,
         "Repeat the run with less load, or give Vigil a larger ring: this one is incomplete."},
        {"probe-silent", NULL, "Run `vigil doctor`: this kernel did not show everything."},
        {NULL, "seen-late", "Start Vigil before the program to have the whole account."},
        {NULL, "written-without-locks", "Write the file again: its copy was cut short."},
        {NULL, "transaction-end-unseen",
         "Compare the last transaction with what the program meant to write: it may be there in half. With "
         "synchronous=NORMAL, or journal_mode=WAL or DELETE, its end can be seen."},
        {NULL, "rollback-unseen",
         "Nothing that was committed is lost, and the next open discards what was not. Start the program again."},
        {NULL, "hot-journal",
         "Keep the -journal beside the database: the next open needs it to undo the transaction. Then start the "
         "program again."},
        {NULL, "checkpoint-interrupted",
         "Keep the -wal beside the database: it holds what the checkpoint did not finish. Then start the program "
         "again."},
        {NULL, "write-transaction-open",
         "Start the program again: what is to be recovered or undone the next open does by itself. Never delete "
         "the -wal or "
         "-journal by hand."},
        {NULL, LEFT_OPEN,
         "Nothing is lost by that: the program left without closing the database. Start it again."},
        {NULL, "read-transaction-open", "Nothing is lost: only a reader was cut off."},
};

/* It ended as a program does that is done, or goes on as another one: nobody misses it. */
static bool is_done(const json_t *certificate)
{
        const json_t *code = json_object_get(json_object_get(certificate, "exit"), "code");
        const char *by = json_string_value(json_object_get(certificate, "ended_by"));

        return (json_is_integer(code) && json_integer_value(code) == 0) || (by && strcmp(by, "exec") == 0);
}

/* @otherwise: for a program that has to be started again. @return NULL: nothing can be said, as its check could not be
 * made: of what is no SQLite database nobody knows what is lost. */
static const char *of_left_open(const json_t *database, const char *otherwise)
{
        const char *result = json_string_value(json_object_get(json_object_get(database, "integrity"), "result"));
        size_t i;
        json_t *c;

        if (result && strcmp(result, "failed") == 0)
                return NULL;
        json_array_foreach (json_object_get(database, "certificates"), i, c)
                if (gives_one(c, LEFT_OPEN) && !is_done(c))
                        return otherwise;
        return "Nothing is lost by that and nothing is to be done: the program left without closing the database.";
}

bool advice_is_taken(const json_t *database)
{
        static const char *const codes[] = {"wal-removed", "journal-removed", "database-emptied",
                                            "database-moved-in-use", "used-across-fork"};
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
                if (finds(database, codes[i]))
                        return true;
        return false;
}

size_t advice_for(const json_t *database, const char *ret[ADVICE_MAX])
{
        size_t n = 0;
        /* What reasons of deaths advise supposes that everything is still there, and sound. */
        bool harmed = advice_is_taken(database) || finds(database, "integrity-failed") ||
                      finds(database, "wal-unreadable");
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]) && n < ADVICE_MAX; i++) {
                if (table[i].finding && finds(database, table[i].finding))
                        ret[n++] = table[i].text;
                if (!table[i].reason || harmed || !gives(database, table[i].reason))
                        continue;
                bool open = strcmp(table[i].reason, LEFT_OPEN) == 0;
                const char *text = open ? of_left_open(database, table[i].text) : table[i].text;
                if (text)
                        ret[n++] = text;
                break;
        }
        return n;
}
