/* records.c - rows of backups, checks, metrics and events. */
#include <errno.h>
#include <time.h>

#include "store/private.h"

static const char *member_text(const json_t *o, const char *key)
{
        const char *text = json_string_value(json_object_get(o, key));
        return text ? text : "";
}

/* RFC 3339 in UTC, to the second: that is how often a backup can be made. 0: not such a text. */
static int64_t parse_time(const char *text)
{
        struct tm tm = {0};
        return strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t)timegm(&tm) * 1000000000 : 0;
}

int store_put_backup(struct store *s, const char *database, const json_t *entry, const char *incident)
{
        static const char sql[] =
                "INSERT INTO backups(database, id, incident, created_ns, verified, class, bytes, doc)"
                " VALUES(?,?,?,?,?,?,?,?) ON CONFLICT(database, id) DO UPDATE SET"
                " incident=coalesce(excluded.incident, incident), created_ns=excluded.created_ns,"
                " verified=excluded.verified, class=excluded.class, bytes=excluded.bytes, doc=excluded.doc";
        const char *id = json_string_value(json_object_get(entry, "id"));
        if (!id)
                return -EINVAL;
        return RUN(s, sql, V_TEXT(database), V_TEXT(id), V_TEXT(incident),
                   V_INT(parse_time(member_text(entry, "created_at"))),
                   V_INT(json_is_true(json_object_get(entry, "verified"))), V_TEXT(member_text(entry, "class")),
                   V_INT(json_integer_value(json_object_get(entry, "bytes"))), V_JSON(entry));
}

int store_remove_backup(struct store *s, const char *database, const char *id, int64_t now_ns)
{
        return RUN(s, "UPDATE backups SET removed_ns=?3 WHERE database=?1 AND id=?2 AND removed_ns IS NULL",
                   V_TEXT(database), V_TEXT(id), V_INT(now_ns));
}

int store_put_check(struct store *s, const char *database, const char *incident, const char *reason, int64_t at_ns,
                    const json_t *check)
{
        return RUN(
                s,
                "INSERT OR REPLACE INTO checks(database, incident, reason, at_ns, result, doc) VALUES(?,?,?,?,?,?)",
                V_TEXT(database), V_TEXT(incident), V_TEXT(reason), V_INT(at_ns),
                V_TEXT(member_text(check, "result")), V_JSON(check));
}

int store_last_check(struct store *s, const char *database, int64_t *ret_at_ns, char *ret_result, size_t size)
{
        sqlite3_stmt *row = NULL;
        int r = ASK(s, "SELECT at_ns, result FROM checks WHERE database=? ORDER BY at_ns DESC LIMIT 1", &row,
                    V_TEXT(database));

        if (r == 0)
                r = store_next(s, row);
        if (r == 1) {
                *ret_at_ns = sqlite3_column_int64(row, 0);
                snprintf(ret_result, size, "%s", store_text(row, 1));
        }
        store_done(s, row);
        return r == 1 ? 0 : r == 0 ? -ENOENT : r;
}

int store_put_metric(struct store *s, const char *type, double value, const json_t *labels, int64_t at_ns)
{
        return RUN(s, "INSERT INTO metrics(type, value, labels_json, recorded_at) VALUES(?,?,?,?)", V_TEXT(type),
                   V_REAL(value), V_JSON(labels), V_TIME(at_ns));
}

int store_put_event(struct store *s, const char *type, const char *database, int64_t at_ns, const json_t *doc,
                    int64_t *ret_seq)
{
        int r = RUN(s, "INSERT INTO events(at_ns, type, database, doc) VALUES(?,?,?,?)", V_INT(at_ns), V_TEXT(type),
                    V_TEXT(database), V_JSON(doc));
        if (r == 0 && ret_seq)
                *ret_seq = sqlite3_last_insert_rowid(s->db);
        return r;
}
