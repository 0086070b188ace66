/* certificates_document.c - the document "vigil.certificates/1"; and findings as they were stored. */
#include <errno.h>

#include "store/questions.h"

#define COLUMNS "SELECT database, incident, doc FROM certificates "

static int make_certificate(struct store *s, sqlite3_stmt *row, json_t **ret)
{
        (void)s;
        json_t *o = store_object(row, 2);
        if (!o)
                return -ENOMEM;
        answer_text(o, "database", row, 0);
        answer_text(o, "incident", row, 1);
        *ret = o;
        return 0;
}

int store_certificates(struct store *s, const struct store_query *q, json_t **ret)
{
        static const struct question question = {
                .schema = "vigil.certificates/1",
                .key = "certificates",
                .by_id = COLUMNS "WHERE id=?1",
                .by_range = COLUMNS
                "WHERE (?2 IS NULL OR verdict=?2) AND (?3 IS NULL OR database=?3) AND ended_ns>=?4"
                " AND (?5=0 OR ended_ns<?5) ORDER BY ended_ns DESC, id",
                .make = make_certificate,
        };
        return question_ask(s, &question, q, ret);
}

int store_load_deaths(struct store *s, int64_t since_ns, unsigned most,
                      int (*each)(void *userdata, const struct store_death *death), void *userdata)
{
        static const char sql[] =
                "SELECT * FROM (SELECT id, database, json_extract(doc, '$.process.comm'),"
                " json_extract(doc, '$.process.pid'), json_extract(doc, '$.process.start_ns'), ended_ns"
                " FROM certificates WHERE ended_ns>=?1 ORDER BY ended_ns DESC, id LIMIT ?2) ORDER BY ended_ns, id";
        const struct store_query within = {0};
        sqlite3_stmt *row = NULL;
        int r = ASK(s, sql, &row, V_INT(since_ns), V_INT(most));

        if (r < 0)
                return r;
        question_begin(s, &within);
        while ((r = store_next(s, row)) == 1) {
                const char *comm = store_text(row, 2);
                const struct store_death death = {.certificate = store_text(row, 0),
                                                  .database = store_text(row, 1),
                                                  .comm = comm ? comm : "",
                                                  .pid = (uint32_t)sqlite3_column_int64(row, 3),
                                                  .start_ns = (uint64_t)sqlite3_column_int64(row, 4),
                                                  .ended_ns = sqlite3_column_int64(row, 5)};
                r = each(userdata, &death);
                if (r != 0)
                        break;
        }
        question_end(s);
        store_done(s, row);
        return r;
}

static int make_finding(struct store *s, sqlite3_stmt *row, json_t **ret)
{
        (void)s;
        *ret = store_object(row, 0);
        return *ret ? 0 : -ENOMEM;
}

int store_findings(struct store *s, const char *incident, json_t **ret)
{
        struct answer a = {.limit = QUESTION_LIMIT};
        sqlite3_stmt *rows = NULL;
        int r = ASK(s, "SELECT doc FROM findings WHERE incident=? ORDER BY severity, at_ns, id", &rows,
                    V_TEXT(incident));
        if (r == 0)
                r = answer_rows(s, rows, &a, make_finding);
        if (r == 0)
                *ret = a.list;
        return r;
}

int store_knows(struct store *s, const char *id)
{
        sqlite3_stmt *row = NULL;
        int r = ASK(s, "SELECT 1 FROM certificates WHERE id=?1 UNION ALL SELECT 1 FROM findings WHERE id=?1", &row,
                    V_TEXT(id));
        if (r < 0)
                return r;
        r = store_next(s, row);
        store_done(s, row);
        return r;
}
