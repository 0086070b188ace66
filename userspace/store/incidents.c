/* incidents.c - rows of incidents, certificates and findings. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/private.h"

/* A status that somebody set in the shell stays until store_poll_alerts() has told it: `status` differs from `told_status`
 * then. Not when he has acknowledged something milder than what it has become. */
#define UNTOLD                                                                                                     \
        "alerts.status <> alerts.told_status AND NOT (alerts.status='acknowledged' AND excluded.severity < "       \
        "alerts.severity)"

static const char put_incident[] =
        "INSERT INTO alerts(id, name, severity, status, started_at, acknowledged_at, resolved_at, database, path, "
        "summary,"
        " resolved_by, started_ns, acknowledged_ns, resolved_ns, told_status, doc)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,nullif(?13,0),nullif(?14,0),?4,?15)"
        " ON CONFLICT(id) DO UPDATE SET name=excluded.name, severity=excluded.severity,"
        " status=CASE WHEN " UNTOLD " THEN alerts.status ELSE excluded.status END,"
        " resolved_at=CASE WHEN " UNTOLD " THEN alerts.resolved_at ELSE excluded.resolved_at END,"
        " acknowledged_at=CASE WHEN " UNTOLD " THEN alerts.acknowledged_at ELSE excluded.acknowledged_at END,"
        " resolved_by=CASE WHEN " UNTOLD " THEN alerts.resolved_by ELSE excluded.resolved_by END,"
        " resolved_ns=excluded.resolved_ns, acknowledged_ns=excluded.acknowledged_ns,"
        " started_at=excluded.started_at, started_ns=excluded.started_ns, database=excluded.database,"
        " path=excluded.path, summary=excluded.summary, told_status=excluded.told_status, doc=excluded.doc";

int store_put_incident(struct store *s, const struct store_incident *i)
{
        json_t *doc = NULL;
        /* The column can only hold text: the bytes of a path that is none are kept beside it. */
        if (i->path && !text_is_utf8(i->path, strlen(i->path))) {
                doc = i->doc ? json_copy((json_t *)i->doc) : json_object();
                if (!doc || text_json_set(doc, "path", i->path, strlen(i->path)) < 0) {
                        json_decref(doc);
                        return -ENOMEM;
                }
        }
        int r = RUN(s, put_incident, V_TEXT(i->id), V_TEXT(i->code), V_TEXT(i->severity), V_TEXT(i->status),
                    V_TIME(i->started_ns), V_TIME(i->acknowledged_ns), V_TIME(i->resolved_ns), V_TEXT(i->database),
                    V_TEXT(i->path), V_TEXT(i->summary), V_TEXT(i->resolved_by), V_INT(i->started_ns),
                    V_INT(i->acknowledged_ns), V_INT(i->resolved_ns), V_JSON(doc ? doc : i->doc));
        json_decref(doc);
        return r;
}

int store_put_certificate(struct store *s, const char *id, const char *database, const char *incident,
                          const char *verdict, int64_t ended_ns, const json_t *doc)
{
        static const char sql[] =
                "INSERT INTO certificates(id, incident, database, verdict, ended_ns, doc) VALUES(?,?,?,?,?,?)"
                " ON CONFLICT(id) DO UPDATE SET incident=coalesce(excluded.incident, incident),"
                " database=excluded.database, verdict=excluded.verdict, ended_ns=excluded.ended_ns, "
                "doc=excluded.doc";
        return RUN(s, sql, V_TEXT(id), V_TEXT(incident), V_TEXT(database), V_TEXT(verdict), V_INT(ended_ns),
                   V_JSON(doc));
}

int store_put_finding(struct store *s, const char *id, const char *database, const char *incident, const char *code,
                      const char *severity, int64_t at_ns, const json_t *doc)
{
        static const char sql[] =
                "INSERT INTO findings(id, incident, database, code, severity, at_ns, doc) VALUES(?,?,?,?,?,?,?)"
                " ON CONFLICT(id) DO UPDATE SET incident=excluded.incident, database=excluded.database,"
                " code=excluded.code, severity=excluded.severity, at_ns=excluded.at_ns, doc=excluded.doc";
        return RUN(s, sql, V_TEXT(id), V_TEXT(incident), V_TEXT(database), V_TEXT(code), V_TEXT(severity),
                   V_INT(at_ns), V_JSON(doc));
}

static int nibble(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of lower-case hex; NULL where it is none, or out of memory. */
static char *from_hex(const char *hex)
{
        size_t n = hex ? strlen(hex) / 2 : 0;
        char *bytes = n ? malloc(n + 1) : NULL;
        for (size_t i = 0; bytes && i < n; i++) {
                int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
                if (high < 0 || low < 0) {
                        free(bytes);
                        return NULL;
                }
                bytes[i] = (char)(high << 4 | low);
        }
        if (bytes)
                bytes[n] = '\0';
        return bytes;
}

static const char *text_or_null(sqlite3_stmt *row, int column)
{
        return (const char *)sqlite3_column_text(row, column);
}

static int give(sqlite3_stmt *row, int (*each)(void *userdata, const struct store_incident *i), void *userdata)
{
        json_t *doc = store_object(row, 11);
        if (!doc)
                return -ENOMEM;
        char *path = from_hex(json_string_value(json_object_get(doc, "path_hex")));
        int r = each(userdata, &(struct store_incident){.id = store_text(row, 0),
                                                        .code = store_text(row, 1),
                                                        .severity = store_text(row, 2),
                                                        .status = store_text(row, 3),
                                                        .database = text_or_null(row, 4),
                                                        .path = path ? path : text_or_null(row, 5),
                                                        .summary = store_text(row, 6),
                                                        .started_ns = sqlite3_column_int64(row, 7),
                                                        .acknowledged_ns = sqlite3_column_int64(row, 8),
                                                        .resolved_ns = sqlite3_column_int64(row, 9),
                                                        .resolved_by = text_or_null(row, 10),
                                                        .doc = doc});
        free(path);
        json_decref(doc);
        return r;
}

#define COLUMNS                                                                                                    \
        "SELECT id, name, severity, status, database, path, summary, started_ns, acknowledged_ns, resolved_ns,"    \
        " resolved_by, doc FROM alerts "

static int give_all(struct store *s, sqlite3_stmt *row, int (*each)(void *userdata, const struct store_incident *i),
                    void *userdata)
{
        int r;
        while ((r = store_next(s, row)) == 1) {
                r = give(row, each, userdata);
                if (r != 0)
                        break;
        }
        store_done(s, row);
        return r;
}

int store_load_open(struct store *s, int (*each)(void *userdata, const struct store_incident *i), void *userdata)
{
        static const char sql[] = COLUMNS "WHERE status IN ('firing','acknowledged') ORDER BY started_ns, id";
        sqlite3_stmt *row = NULL;
        int r = store_ask(s, sql, NULL, 0, &row);
        return r < 0 ? r : give_all(s, row, each, userdata);
}

int store_load_ended(struct store *s, int64_t since_ns, unsigned most,
                     int (*each)(void *userdata, const struct store_incident *i), void *userdata)
{
        static const char sql[] = COLUMNS
                "WHERE status='resolved' AND resolved_ns >= ?1 AND resolved_by NOT IN ('operator','shell')"
                " AND json_extract(doc, '$.deaths.count') > 0 ORDER BY resolved_ns DESC, id LIMIT ?2";
        sqlite3_stmt *row = NULL;
        int r = ASK(s, sql, &row, V_INT(since_ns), V_INT(most));
        return r < 0 ? r : give_all(s, row, each, userdata);
}

/* ---- evidence ---- */

int store_evidence_removed(struct store *s, const char *id, int64_t now_ns)
{
        char at[TEXT_TIME_LEN];

        text_time(at, now_ns);
        return RUN(
                s,
                "UPDATE alerts SET doc=json_set(json_remove(doc, '$.evidence'), '$.evidence_removed_at', ?2) WHERE "
                "id=?1",
                V_TEXT(id), V_TEXT(at));
}

int store_incident_resolved(struct store *s, const char *id, int64_t *ret_ns)
{
        sqlite3_stmt *row = NULL;
        int r = ASK(s,
                    "SELECT CASE WHEN status='resolved' AND told_status='resolved' THEN coalesce(resolved_ns, 0) "
                    "ELSE 0 "
                    "END FROM alerts WHERE id=?1",
                    &row, V_TEXT(id));
        if (r < 0)
                return r;
        r = store_next(s, row);
        if (r == 1)
                *ret_ns = sqlite3_column_int64(row, 0);
        store_done(s, row);
        return r == 1 ? 0 : r == 0 ? -ENOENT : r;
}

int store_newest_incident(struct store *s, char *ret, size_t size)
{
        sqlite3_stmt *row = NULL;
        int r = ASK(s, "SELECT id FROM alerts ORDER BY started_ns DESC, id DESC LIMIT 1", &row);
        if (r < 0)
                return r;
        r = store_next(s, row);
        snprintf(ret, size, "%s", r == 1 ? store_text(row, 0) : "");
        store_done(s, row);
        return r < 0 ? r : 0;
}
