/* incidents_document.c - the document "vigil.incidents/1": the row of an incident and everything that belongs to it. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "store/questions.h"

#define IDS_MAX 1000 /* certificates, findings, databases, backups of one incident that are listed */

enum column {
        ID,
        CODE,
        SEVERITY,
        STATUS,
        DATABASE,
        PATH,
        SUMMARY,
        STARTED,
        ACKNOWLEDGED,
        RESOLVED,
        RESOLVED_BY,
        DOC
};
/* What the shell has just written has no nanoseconds yet. */
#define COLUMNS                                                                                                    \
        "SELECT id, name, severity, status, database, path, summary, started_ns,"                                  \
        " coalesce(acknowledged_ns, strftime('%s', acknowledged_at) * 1000000000),"                                \
        " CASE status WHEN 'resolved' THEN coalesce(resolved_ns, strftime('%s', resolved_at) * 1000000000) END,"   \
        " resolved_by, doc FROM alerts "

static int one_text(struct store *s, sqlite3_stmt *row, json_t **ret)
{
        (void)s;
        *ret = text_json(store_text(row, 0), (size_t)sqlite3_column_bytes(row, 0));
        return *ret ? 0 : -ENOMEM;
}

static int one_object(struct store *s, sqlite3_stmt *row, json_t **ret)
{
        (void)s;
        *ret = store_object(row, 0);
        return *ret ? 0 : -ENOMEM;
}

/* An object with the time of its row, unless it says a better one itself. */
static int one_dated(struct store *s, sqlite3_stmt *row, json_t **ret)
{
        int r = one_object(s, row, ret);

        if (r == 0 && !json_object_get(*ret, "at"))
                answer_time(*ret, "at", sqlite3_column_int64(row, 1));
        return r;
}

/* The lists of an incident, each by one statement over its id. */
static const struct list {
        const char *key, *sql;
        int (*make)(struct store *s, sqlite3_stmt *row, json_t **ret);
} lists[] = {
        {"certificates", "SELECT id FROM certificates WHERE incident=? ORDER BY ended_ns, id", one_text},
        {"findings", "SELECT id FROM findings WHERE incident=? ORDER BY severity, at_ns, id", one_text},
        {"databases",
         "SELECT database FROM certificates WHERE incident=?1 UNION SELECT database FROM findings WHERE incident=?1"
         " AND database IS NOT NULL UNION SELECT database FROM alerts WHERE id=?1 AND database IS NOT NULL ORDER "
         "BY 1",
         one_text},
        {"backups",
         "SELECT doc FROM backups WHERE incident=? AND removed_ns IS NULL ORDER BY created_ns DESC, id DESC",
         one_object},
};

static int put_lists(struct store *s, json_t *o, const char *id)
{
        for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
                struct answer a = {.limit = IDS_MAX};
                sqlite3_stmt *rows = NULL;
                int r = ASK(s, lists[i].sql, &rows, V_TEXT(id));
                if (r == 0)
                        r = answer_rows(s, rows, &a, lists[i].make);
                if (r < 0)
                        return r;
                json_object_set_new(o, lists[i].key, a.list);
                if (a.cut)
                        json_object_set_new(o, "cut", json_true());
        }
        return 0;
}

/* The first row's document under @p key. Where there is none, what the incident itself says stays. */
static int put_first(struct store *s, json_t *o, const char *key, const char *sql, const char *id)
{
        struct answer a = {.limit = 1};
        sqlite3_stmt *rows = NULL;
        int r = ASK(s, sql, &rows, V_TEXT(id));
        if (r == 0)
                r = answer_rows(s, rows, &a, one_dated);
        if (r < 0)
                return r;
        if (json_array_size(a.list) > 0)
                json_object_set(o, key, json_array_get(a.list, 0));
        json_decref(a.list);
        return 0;
}

static void put_default(json_t *o, const char *key, json_t *value)
{
        if (json_object_get(o, key))
                json_decref(value);
        else
                json_object_set_new(o, key, value);
}

static void put_columns(json_t *o, sqlite3_stmt *row)
{
        answer_text(o, "id", row, ID);
        answer_text(o, "code", row, CODE);
        answer_text(o, "severity", row, SEVERITY);
        answer_text(o, "status", row, STATUS);
        answer_text(o, "database", row, DATABASE);
        answer_text(o, "path", row, PATH);
        answer_text(o, "summary", row, SUMMARY);
        answer_time(o, "started_at", sqlite3_column_int64(row, STARTED));
        answer_time(o, "acknowledged_at", sqlite3_column_int64(row, ACKNOWLEDGED));
        answer_time(o, "resolved_at", sqlite3_column_int64(row, RESOLVED));
        answer_text(o, "resolved_by", row, RESOLVED_BY);
}

/* The newest death of it. Those that are only counted, because they are so many, have no row of their own. */
static int put_last_death(struct store *s, json_t *o, const char *id)
{
        sqlite3_stmt *rows = NULL;
        int r = ASK(s, "SELECT max(ended_ns) FROM certificates WHERE incident=?", &rows, V_TEXT(id));
        const json_t *counted = json_object_get(json_object_get(o, "deaths"), "last_at");

        if (r == 0)
                r = store_next(s, rows);
        if (r < 0) {
                store_done(s, rows);
                return r;
        }
        answer_time(o, "last_death_at", r == 1 ? sqlite3_column_int64(rows, 0) : 0);
        store_done(s, rows);
        const char *listed = json_string_value(json_object_get(o, "last_death_at"));
        if (json_is_string(counted) && (!listed || strcmp(listed, json_string_value(counted)) < 0))
                json_object_set_new(o, "last_death_at", json_string(json_string_value(counted)));
        return 0;
}

/* The raw files of a corrupt source are no backup, wherever they were stored. */
static void drop_evidence(json_t *o)
{
        const char *class = json_string_value(json_object_get(json_object_get(o, "backup"), "class"));

        if (class && strcmp(class, "evidence") == 0)
                json_object_set_new(o, "backup", json_null());
}

/* What a copy holds is as old as its beginning. */
static void date_backup(json_t *o)
{
        json_t *backup = json_object_get(o, "backup");
        json_t *from = json_object_get(json_object_get(backup, "contains"), "from");

        if (json_is_string(from))
                json_object_set(backup, "at", from);
}

static int make_incident(struct store *s, sqlite3_stmt *row, json_t **ret)
{
        static const char last_check[] =
                "SELECT doc, at_ns FROM checks WHERE incident=? ORDER BY at_ns DESC LIMIT 1";
        static const char best_backup[] = "SELECT doc, created_ns FROM backups WHERE incident=? AND class='backup'"
                                          " AND removed_ns IS NULL ORDER BY verified DESC, created_ns DESC LIMIT 1";
        json_t *o = json_object(), *doc = store_object(row, DOC);
        const char *id = store_text(row, ID);
        int r = o && doc ? 0 : -ENOMEM;
        if (r == 0) {
                put_columns(o, row);
                r = put_lists(s, o, id);
        }
        if (r == 0)
                r = json_object_update_missing(o, doc) < 0 ? -ENOMEM : put_first(s, o, "integrity", last_check, id);
        if (r == 0)
                r = put_first(s, o, "backup", best_backup, id);
        if (r == 0)
                r = put_last_death(s, o, id);
        json_decref(doc);
        if (r < 0) {
                json_decref(o);
                return r;
        }
        drop_evidence(o);
        date_backup(o);
        json_object_del(o, "recognised_by"); /* the daemon's own */
        put_default(o, "integrity",
                    json_pack("{s:s, s:s}", "result", "skipped", "reason", "no check was made for this incident"));
        put_default(o, "backup", json_null());
        put_default(o, "evidence", json_null());
        put_default(o, "acknowledged_by", json_null());
        put_default(o, "trust", json_pack("{s:s, s:[]}", "level", "none", "reasons"));
        *ret = o;
        return 0;
}

/* One that began earlier and has had a finding since; of very many the newest is only counted. */
#define NEWS_SINCE                                                                                                 \
        " OR id IN (SELECT incident FROM findings WHERE at_ns>=?4)"                                                \
        " OR json_extract(doc, '$.deaths.last_at')>=strftime('%Y-%m-%dT%H:%M:%S', ?4/1000000000, 'unixepoch')"

int store_incidents(struct store *s, const struct store_query *q, json_t **ret)
{
        static const struct question question = {
                .schema = "vigil.incidents/1",
                .key = "incidents",
                .by_id = COLUMNS "WHERE id=?1",
                .by_range = COLUMNS
                "WHERE (?2 IS NULL OR status=?2) AND (?3 IS NULL OR database=?3) AND (started_ns>=?4" NEWS_SINCE
                ") AND (?5=0 OR started_ns<?5) ORDER BY started_ns DESC, id",
                .make = make_incident,
        };
        return question_ask(s, &question, q, ret);
}

int store_incident(struct store *s, const struct store_query *q, json_t **ret)
{
        json_t *document = NULL, *details = NULL;
        int r = store_incidents(s, q, &document);

        if (r == 0)
                r = store_findings(s, q->id, &details);
        if (r == 0 && json_object_set_new(document, "finding_details", details) < 0)
                r = -ENOMEM;
        if (r < 0) {
                json_decref(document);
                return r;
        }
        *ret = document;
        return 0;
}
