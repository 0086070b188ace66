/* certificates_document.c - the document "vigil.certificates/1". */
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
