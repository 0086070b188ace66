/* baselines.c - what is usual for an operation, hour by hour of the week: rows of a fixed number for each operation. */
#include <errno.h>

#include "store/private.h"

int store_put_baseline(struct store *s, const struct store_baseline *b)
{
        static const char sql[] = "INSERT OR REPLACE INTO baselines(database, file, op, hour, updated_s, learned)"
                                  " VALUES(?,?,?,?,?,?)";

        if (b->size == 0 || b->size > STORE_BASELINE_BYTES)
                return -EINVAL;
        return RUN(s, sql, V_TEXT(b->database), V_TEXT(b->file), V_TEXT(b->op), V_INT(b->hour), V_INT(b->updated_s),
                   V_BLOB(b->learned, b->size));
}

int store_forget_baseline(struct store *s, const char *database, const char *file, const char *op)
{
        return RUN(s, "DELETE FROM baselines WHERE database=? AND file=? AND op=?", V_TEXT(database), V_TEXT(file),
                   V_TEXT(op));
}

int store_load_baselines(struct store *s, const char *database,
                         int (*each)(void *userdata, const struct store_baseline *b), void *userdata)
{
        sqlite3_stmt *row = NULL;
        int r = ASK(s, "SELECT database, file, op, hour, updated_s, learned FROM baselines WHERE database=?", &row,
                    V_TEXT(database));

        if (r < 0)
                return r;
        while ((r = store_next(s, row)) == 1) {
                int64_t hour = sqlite3_column_int64(row, 3);
                const struct store_baseline b = {.database = store_text(row, 0),
                                                 .file = store_text(row, 1),
                                                 .op = store_text(row, 2),
                                                 .hour = hour >= 0 && hour < UINT16_MAX ? (unsigned)hour
                                                                                        : UINT16_MAX,
                                                 .updated_s = sqlite3_column_int64(row, 4),
                                                 .learned = sqlite3_column_blob(row, 5),
                                                 .size = (size_t)sqlite3_column_bytes(row, 5)};
                r = each(userdata, &b);
                if (r != 0)
                        break;
        }
        store_done(s, row);
        return r;
}
