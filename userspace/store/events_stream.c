/* events_stream.c - the events, one line each ("vigil.events/1"). */
#include "store/questions.h"

int store_events(struct store *s, const struct store_query *q, int64_t after_seq,
                 int (*each)(void *userdata, int64_t seq, const char *line), void *userdata)
{
        /* The first walks the order of time and sorts what it finds, the second follows the end. */
        static const char since[] = "SELECT seq, doc FROM events WHERE +seq>?1 AND at_ns>=?2 AND (?3=0 OR at_ns<?3)"
                                    " AND (?4 IS NULL OR database=?4) ORDER BY seq LIMIT ?5";
        static const char after[] =
                "SELECT seq, doc FROM events WHERE seq>?1 AND +at_ns>=?2 AND (?3=0 OR +at_ns<?3)"
                " AND (?4 IS NULL OR database=?4) ORDER BY seq LIMIT ?5";
        sqlite3_stmt *row = NULL;
        int r = ASK(s, q->since_ns && !after_seq ? since : after, &row, V_INT(after_seq), V_INT(q->since_ns),
                    V_INT(q->until_ns), V_TEXT(q->database), V_INT((int64_t)question_limit(q)));
        if (r < 0)
                return r;
        question_begin(s, q);
        while ((r = store_next(s, row)) == 1) {
                r = each(userdata, sqlite3_column_int64(row, 0), store_text(row, 1));
                if (r != 0)
                        break;
        }
        question_end(s);
        store_done(s, row);
        return r;
}
