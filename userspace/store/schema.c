/* schema.c - see schema.h. A step that was released is never changed: a new one is appended and STORE_VERSION raised. */
#include "store/schema.h"

#include <stdio.h>

/* What must be JSON is checked here, too: json_extract() of the runbooks fails on the whole table for one bad row. */
static const char version_1[] =
        /* The runbooks read and write this one from the shell. `told_status` is the status that Vigil wrote last: where
         * `status` differs, somebody else has written since. */
        "CREATE TABLE alerts(id TEXT PRIMARY KEY, name TEXT NOT NULL,"
        " severity TEXT NOT NULL CHECK(severity IN ('P0','P1','P2','P3')),"
        " status TEXT NOT NULL CHECK(status IN ('firing','acknowledged','resolved')),"
        " started_at TEXT NOT NULL, acknowledged_at TEXT, resolved_at TEXT,"
        " database TEXT, path TEXT, summary TEXT NOT NULL, resolved_by TEXT,"
        " started_ns INTEGER NOT NULL, acknowledged_ns INTEGER, resolved_ns INTEGER,"
        " told_status TEXT NOT NULL, doc TEXT NOT NULL CHECK(json_valid(doc)));"
        "CREATE INDEX alerts_open ON alerts(status, started_at);"
        "CREATE INDEX alerts_at ON alerts(started_ns);"
        "CREATE INDEX alerts_untold ON alerts(id) WHERE status <> told_status;"

        "CREATE TABLE metrics(id INTEGER PRIMARY KEY, type TEXT NOT NULL, value REAL NOT NULL,"
        " labels_json TEXT NOT NULL CHECK(json_valid(labels_json)),"
        " recorded_at TEXT NOT NULL DEFAULT (datetime('now')));"
        "CREATE INDEX metrics_at ON metrics(recorded_at);"
        "CREATE INDEX metrics_type ON metrics(type, recorded_at);"

        "CREATE TABLE certificates(id TEXT PRIMARY KEY, incident TEXT, database TEXT NOT NULL, verdict TEXT NOT "
        "NULL,"
        " ended_ns INTEGER NOT NULL, doc TEXT NOT NULL CHECK(json_valid(doc)));"
        "CREATE INDEX certificates_at ON certificates(ended_ns);"
        "CREATE INDEX certificates_of ON certificates(incident);"

        "CREATE TABLE findings(id TEXT PRIMARY KEY, incident TEXT NOT NULL, database TEXT, code TEXT NOT NULL,"
        " severity TEXT NOT NULL, at_ns INTEGER NOT NULL, doc TEXT NOT NULL CHECK(json_valid(doc)));"
        "CREATE INDEX findings_of ON findings(incident);"
        "CREATE INDEX findings_at ON findings(at_ns);"

        "CREATE TABLE actions(id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, database TEXT, incident "
        "TEXT,"
        " reason TEXT NOT NULL, intent_ns INTEGER NOT NULL, outcome TEXT, outcome_ns INTEGER,"
        " doc TEXT CHECK(doc IS NULL OR json_valid(doc)));"
        "CREATE INDEX actions_open ON actions(outcome) WHERE outcome IS NULL;"
        "CREATE INDEX actions_of ON actions(incident);"
        "CREATE INDEX actions_at ON actions(intent_ns);"

        "CREATE TABLE backups(database TEXT NOT NULL, id TEXT NOT NULL, incident TEXT, created_ns INTEGER NOT NULL,"
        " verified INTEGER NOT NULL, class TEXT NOT NULL, bytes INTEGER NOT NULL, removed_ns INTEGER,"
        " doc TEXT NOT NULL CHECK(json_valid(doc)), PRIMARY KEY(database, id)) WITHOUT ROWID;"
        "CREATE INDEX backups_of ON backups(incident);"

        "CREATE TABLE checks(id INTEGER PRIMARY KEY, database TEXT NOT NULL, incident TEXT, reason TEXT NOT NULL,"
        " at_ns INTEGER NOT NULL, result TEXT NOT NULL, doc TEXT NOT NULL CHECK(json_valid(doc)));"
        "CREATE UNIQUE INDEX checks_on ON checks(database, at_ns);"
        "CREATE INDEX checks_at ON checks(at_ns);"
        "CREATE INDEX checks_of ON checks(incident);"

        /* `hist`: pairs of bucket (1 byte) and count (4 bytes, little-endian), those that are not empty. */
        "CREATE TABLE summaries(start_s INTEGER NOT NULL, span_s INTEGER NOT NULL, database TEXT NOT NULL,"
        " file TEXT NOT NULL, process TEXT NOT NULL, op TEXT NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT "
        "NULL,"
        " errors INTEGER NOT NULL, sum_ns INTEGER, max_ns INTEGER, hist BLOB,"
        " PRIMARY KEY(span_s, start_s, database, file, process, op)) WITHOUT ROWID;"

        "CREATE TABLE events(seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER NOT NULL, type TEXT NOT NULL,"
        " database TEXT, doc TEXT NOT NULL CHECK(json_valid(doc)));"
        "CREATE INDEX events_at ON events(at_ns);"

        "CREATE TABLE runs(id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, pid INTEGER NOT NULL, vigil TEXT NOT "
        "NULL,"
        " started_ns INTEGER NOT NULL, last_seen_ns INTEGER NOT NULL, ended_ns INTEGER);";

/* `learned`: one hour of the week as detect/baseline.h packs it. */
static const char version_2[] =
        "CREATE TABLE baselines(database TEXT NOT NULL, file TEXT NOT NULL, op TEXT NOT NULL, hour INTEGER NOT "
        "NULL,"
        " updated_s INTEGER NOT NULL, learned BLOB NOT NULL, PRIMARY KEY(database, file, op, hour)) WITHOUT ROWID;"
        "CREATE INDEX baselines_at ON baselines(updated_s);";

const char *const schema_steps[] = {version_1, version_2};

/* Every column by its name: a statement fails where one is missing, and reads the first page. */
static const char *const first_rows[] = {
        "SELECT id,name,severity,status,started_at,acknowledged_at,resolved_at,database FROM alerts "
        "LIMIT 1",
        "SELECT path,summary,resolved_by,started_ns,acknowledged_ns,resolved_ns,told_status,doc FROM alerts LIMIT "
        "1",
        "SELECT id,type,value,labels_json,recorded_at FROM metrics LIMIT 1",
        "SELECT id,incident,database,verdict,ended_ns,doc FROM certificates LIMIT 1",
        "SELECT id,incident,database,code,severity,at_ns,doc FROM findings LIMIT 1",
        "SELECT id,kind,database,incident,reason,intent_ns,outcome,outcome_ns,doc FROM actions LIMIT 1",
        "SELECT database,id,incident,created_ns,verified,class,bytes,removed_ns,doc FROM backups LIMIT 1",
        "SELECT id,database,incident,reason,at_ns,result,doc FROM checks LIMIT 1",
        "SELECT start_s,span_s,database,file,process,op,count,bytes,errors,sum_ns,max_ns,hist FROM summaries LIMIT "
        "1",
        "SELECT seq,at_ns,type,database,doc FROM events LIMIT 1",
        "SELECT database,file,op,hour,updated_s,learned FROM baselines LIMIT 1",
        "SELECT id,boot_id,pid,vigil,started_ns,last_seen_ns,ended_ns FROM runs LIMIT 1",
};

static int run_steps(sqlite3 *db, const char *const *steps, int from, int to)
{
        char pragmas[96];
        int rc = SQLITE_OK;
        for (int v = from; v < to && rc == SQLITE_OK; v++)
                rc = sqlite3_exec(db, steps[v], NULL, NULL, NULL);
        if (rc != SQLITE_OK)
                return rc;
        snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                 SCHEMA_APPLICATION_ID, to);
        rc = sqlite3_exec(db, pragmas, NULL, NULL, NULL);
        return rc == SQLITE_OK ? sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) : rc;
}

int schema_migrate(sqlite3 *db, const char *const *steps, int from, int to)
{
        /* Has an effect only before the first table is made, and outside a transaction. */
        int rc = from == 0 ? sqlite3_exec(db, "PRAGMA auto_vacuum = INCREMENTAL", NULL, NULL, NULL) : SQLITE_OK;
        if (rc == SQLITE_OK)
                rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (rc != SQLITE_OK)
                return rc;
        rc = run_steps(db, steps, from, to);
        if (rc != SQLITE_OK)
                sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return rc;
}

int schema_verify(sqlite3 *db)
{
        for (size_t i = 0; i < sizeof(first_rows) / sizeof(first_rows[0]); i++) {
                int rc = sqlite3_exec(db, first_rows[i], NULL, NULL, NULL);
                if (rc != SQLITE_OK)
                        return rc;
        }
        return SQLITE_OK;
}
