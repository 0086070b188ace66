/* summaries.c - rows of summaries, each a sum that grows. */
#include "store/summaries.h"

#include <errno.h>

#include "store/packed.h"

static int64_t signed_of(uint64_t n)
{
        return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

void summary_hist(sqlite3_stmt *row, int column, struct vigil_hist *into)
{
        uint64_t max_ns = (uint64_t)sqlite3_column_int64(row, column + 2);
        packed_add(into, sqlite3_column_blob(row, column), (size_t)sqlite3_column_bytes(row, column));
        into->sum_ns += (uint64_t)sqlite3_column_int64(row, column + 1);
        if (max_ns > into->max_ns)
                into->max_ns = max_ns;
}

/* Adds what is stored under the key to @p into. @return 1: a histogram was there, 0: none, or -errno */
static int add_stored(struct store *s, const struct store_summary *row, struct vigil_hist *into)
{
        static const char sql[] =
                "SELECT hist, sum_ns, max_ns FROM summaries WHERE span_s=? AND start_s=? AND database=?"
                " AND file=? AND process=? AND op=? AND hist IS NOT NULL";
        sqlite3_stmt *stored = NULL;
        int r = ASK(s, sql, &stored, V_INT(row->span_s), V_INT(row->start_s), V_TEXT(row->database),
                    V_TEXT(row->file), V_TEXT(row->process), V_TEXT(row->op));
        if (r < 0)
                return r;
        r = store_next(s, stored);
        if (r == 1)
                summary_hist(stored, 0, into);
        store_done(s, stored);
        return r;
}

int store_add_summary(struct store *s, const struct store_summary *row)
{
        static const char sql[] =
                "INSERT INTO summaries(span_s, start_s, database, file, process, op, count, bytes, errors, sum_ns, "
                "max_ns,"
                " hist) VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET count=count+excluded.count,"
                " bytes=bytes+excluded.bytes, errors=errors+excluded.errors,"
                " sum_ns=CASE WHEN excluded.hist IS NULL THEN sum_ns ELSE excluded.sum_ns END,"
                " max_ns=CASE WHEN excluded.hist IS NULL THEN max_ns ELSE excluded.max_ns END,"
                " hist=coalesce(excluded.hist, hist)";
        uint8_t packed[PACKED_MAX];
        struct vigil_hist hist = {0};
        if ((row->span_s != STORE_MINUTE_S && row->span_s != STORE_HOUR_S) || (!row->file[0] && !row->process[0]))
                return -EINVAL;
        if (row->hist) {
                hist_add(&hist, row->hist);
                int r = add_stored(s, row, &hist);
                if (r < 0)
                        return r;
        }
        size_t n = packed_write(&hist, packed);
        const void *blob = row->hist ? packed : NULL;
        return RUN(s, sql, V_INT(row->span_s), V_INT(row->start_s), V_TEXT(row->database), V_TEXT(row->file),
                   V_TEXT(row->process), V_TEXT(row->op), V_INT(signed_of(row->count)),
                   V_INT(signed_of(row->bytes)), V_INT(signed_of(row->errors)), V_INT(signed_of(hist.sum_ns)),
                   V_INT(signed_of(hist.max_ns)), V_BLOB(blob, n));
}
