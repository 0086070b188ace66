/* retain.c - what is old goes, in small steps; nothing of an unresolved incident. */
#include <errno.h>

#include "base/clock.h"
#include "store/summaries.h"

#define LOOK_EVERY 100 /* operations of SQLite's machine: each may read a page from a slow disk */

#define MINUTES_KEPT_S  (48 * 3600)
#define MINUTES_LEAST_S (2 * 3600) /* kept also where room is needed */
#define SPARE_PAGES     1024       /* stay in the file: they are needed again */

/* Belongs to no incident, or to one that is gone. */
#define FREE "(incident IS NULL OR NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.id = incident))"

/* One kind of row. `oldest`: its age in ns; `remove`: at most ?2 rows older than ?1 ns. */
static const struct kind {
        bool incidents; /* ?1 is the age of incidents, and their turn comes last where room is needed */
        const char *oldest, *remove;
} kinds[] = {
        {.incidents = true,
         .oldest = "SELECT min(resolved_ns) FROM alerts WHERE status='resolved'",
         .remove = "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE status='resolved' AND resolved_ns "
                   "< ?1"
                   " ORDER BY resolved_ns LIMIT ?2)"},
        {.oldest = "SELECT min(start_s) * 1000000000 FROM summaries WHERE span_s=60",
         .remove = "DELETE FROM summaries WHERE (span_s, start_s, database, file, process, op) IN (SELECT span_s, "
                   "start_s,"
                   " database, file, process, op FROM summaries WHERE span_s=60 AND start_s < ?1 / 1000000000"
                   " ORDER BY start_s LIMIT ?2)"},
        {.oldest = "SELECT min(start_s) * 1000000000 FROM summaries WHERE span_s=3600",
         .remove = "DELETE FROM summaries WHERE (span_s, start_s, database, file, process, op) IN (SELECT span_s, "
                   "start_s,"
                   " database, file, process, op FROM summaries WHERE span_s=3600 AND start_s < ?1 / 1000000000"
                   " ORDER BY start_s LIMIT ?2)"},
        {.oldest = "SELECT min(at_ns) FROM events",
         .remove = "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE at_ns < ?1 ORDER BY at_ns LIMIT "
                   "?2)"},
        {.oldest = "SELECT strftime('%s', min(recorded_at)) * 1000000000 FROM metrics",
         .remove = "DELETE FROM metrics WHERE id IN (SELECT id FROM metrics WHERE recorded_at <"
                   " datetime(?1 / 1000000000, 'unixepoch') ORDER BY recorded_at LIMIT ?2)"},
        {.oldest = "SELECT ended_ns FROM certificates WHERE " FREE " ORDER BY ended_ns LIMIT 1",
         .remove = "DELETE FROM certificates WHERE id IN (SELECT id FROM certificates WHERE ended_ns < ?1 AND " FREE
                   " ORDER BY ended_ns LIMIT ?2)"},
        {.oldest = "SELECT min(at_ns) FROM findings WHERE " FREE,
         .remove = "DELETE FROM findings WHERE id IN (SELECT id FROM findings WHERE at_ns < ?1 AND " FREE
                   " LIMIT ?2)"},
        {.oldest = "SELECT min(at_ns) FROM checks WHERE " FREE,
         .remove = "DELETE FROM checks WHERE id IN (SELECT id FROM checks WHERE at_ns < ?1 AND " FREE " LIMIT ?2)"},
        {.oldest = "SELECT min(intent_ns) FROM actions WHERE outcome IS NOT NULL AND " FREE,
         .remove = "DELETE FROM actions WHERE id IN (SELECT id FROM actions WHERE intent_ns < ?1 AND outcome IS "
                   "NOT NULL"
                   " AND " FREE " LIMIT ?2)"},
        {.oldest = "SELECT min(removed_ns) FROM backups WHERE " FREE,
         .remove = "DELETE FROM backups WHERE (database, id) IN (SELECT database, id FROM backups WHERE removed_ns "
                   "< ?1 AND " FREE " LIMIT ?2)"},
        {.oldest = "SELECT min(updated_s) * 1000000000 FROM baselines",
         .remove = "DELETE FROM baselines WHERE (database, file, op, hour) IN (SELECT database, file, op, hour FROM"
                   " baselines WHERE updated_s < ?1 / 1000000000 ORDER BY updated_s LIMIT ?2)"},
        /* The last one says where the next start has to look. */
        {.oldest = "SELECT min(last_seen_ns) FROM runs WHERE id < (SELECT max(id) FROM runs)",
         .remove = "DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE last_seen_ns < ?1 AND id <"
                   " (SELECT max(id) FROM runs) ORDER BY id LIMIT ?2)"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* @return rows, or -errno */
static int remove_rows(struct store *s, const struct kind *k, int64_t before_ns, unsigned rows)
{
        int r = RUN(s, k->remove, V_INT(before_ns), V_INT(rows));
        return r < 0 ? r : sqlite3_changes(s->db);
}

/* One minute's row is added to its hour. @return 1, 0: there is none, or -errno */
static int roll_up_one(struct store *s, int64_t before_s)
{
        static const char first[] =
                "SELECT start_s, database, file, process, op, count, bytes, errors, hist, sum_ns, max_ns"
                " FROM summaries WHERE span_s=60 AND start_s < ? ORDER BY start_s LIMIT 1";
        static const char drop[] = "DELETE FROM summaries WHERE span_s=60 AND start_s=? AND database=? AND file=?"
                                   " AND process=? AND op=?";
        sqlite3_stmt *row = NULL;
        struct vigil_hist hist = {0};
        int r = ASK(s, first, &row, V_INT(before_s));
        if (r < 0)
                return r;
        r = store_next(s, row);
        if (r == 1) {
                int64_t start_s = sqlite3_column_int64(row, 0);
                struct store_summary hour = {.database = store_text(row, 1),
                                             .file = store_text(row, 2),
                                             .process = store_text(row, 3),
                                             .op = store_text(row, 4),
                                             .start_s = start_s - start_s % STORE_HOUR_S,
                                             .span_s = STORE_HOUR_S,
                                             .count = (uint64_t)sqlite3_column_int64(row, 5),
                                             .bytes = (uint64_t)sqlite3_column_int64(row, 6),
                                             .errors = (uint64_t)sqlite3_column_int64(row, 7)};
                summary_hist(row, 8, &hist);
                hour.hist = sqlite3_column_type(row, 8) == SQLITE_NULL ? NULL : &hist;
                r = store_add_summary(s, &hour);
                if (r == 0)
                        r = RUN(s, drop, V_INT(start_s), V_TEXT(hour.database), V_TEXT(hour.file),
                                V_TEXT(hour.process), V_TEXT(hour.op));
                r = r < 0 ? r : 1;
        }
        store_done(s, row);
        return r;
}

static int roll_up(struct store *s, int64_t before_s, unsigned rows)
{
        unsigned n = 0;
        int r = 1;
        while (n < rows && (r = roll_up_one(s, before_s)) == 1)
                n++;
        return r < 0 ? r : (int)n;
}

static int by_age(struct store *s, int64_t now_ns, uint64_t age_ms, uint64_t incident_ms, unsigned rows)
{
        unsigned n = 0;
        for (size_t i = 0; i < KINDS && n < rows; i++) {
                uint64_t ms = kinds[i].incidents ? incident_ms : age_ms;
                int64_t before_ns = ms < (uint64_t)now_ns / 1000000 ? now_ns - (int64_t)(ms * 1000000) : 0;
                int r = remove_rows(s, &kinds[i], before_ns, rows - n);
                if (r < 0)
                        return r;
                n += (unsigned)r;
        }
        return (int)n;
}

/* The kind whose oldest row is the oldest of all; incidents only where there is nothing else. NULL: nothing may go. */
static int find_oldest(struct store *s, const struct kind **ret)
{
        const struct kind *oldest = NULL;
        int64_t oldest_ns = 0, ns = 0;
        for (size_t k = 0; k < KINDS; k++) {
                ns = 0;
                int r = store_number(s, kinds[k].oldest, &ns);
                if (r < 0 && r != -ENOENT)
                        return r;
                if (ns == 0)
                        continue;
                bool better = !oldest || oldest->incidents || (!kinds[k].incidents && ns < oldest_ns);
                if (better) {
                        oldest = &kinds[k];
                        oldest_ns = ns;
                }
        }
        *ret = oldest;
        return 0;
}

/* Pages in use; the free ones are given back, not counted. */
static int pages(struct store *s, int64_t *ret_used, int64_t *ret_free, int64_t *ret_size)
{
        int r = store_number(s, "PRAGMA page_count", ret_used);
        if (r == 0)
                r = store_number(s, "PRAGMA freelist_count", ret_free);
        if (r == 0)
                r = store_number(s, "PRAGMA page_size", ret_size);
        *ret_used -= *ret_free;
        return r;
}

/* An hour takes the room of one of its minutes: nothing goes while there are minutes to add up. */
static int by_size(struct store *s, int64_t now_ns, uint64_t bytes, unsigned rows)
{
        int64_t used = 0, spare = 0, size = 0;
        const struct kind *k = NULL;
        int r = pages(s, &used, &spare, &size);
        if (r < 0 || (uint64_t)(used * size) <= bytes)
                return r;
        r = roll_up(s, now_ns / 1000000000 - MINUTES_LEAST_S, rows);
        if (r != 0)
                return r;
        r = find_oldest(s, &k);
        return r < 0 || !k ? r : remove_rows(s, k, INT64_MAX, rows);
}

static int give_back(struct store *s, uint64_t bytes, unsigned most)
{
        int64_t used = 0, spare = 0, size = 0;
        unsigned n = 0;
        int r = pages(s, &used, &spare, &size);
        if (r < 0 || spare == 0 || (spare <= SPARE_PAGES && (uint64_t)((used + spare) * size) <= bytes))
                return r;
        sqlite3_stmt *stmt = NULL;
        r = store_ask(s, "PRAGMA incremental_vacuum", NULL, 0, &stmt);
        if (r < 0)
                return r;
        /* It gives back one page at each step. */
        while (n < most && (r = store_next(s, stmt)) == 1)
                n++;
        store_done(s, stmt);
        return r < 0 ? r : 1;
}

/* Rolling up comes last: on a busy host there is always some of it. */
static int step(struct store *s, int64_t now_ns, uint64_t age_ms, uint64_t incident_ms, uint64_t bytes,
                unsigned rows)
{
        int n = by_age(s, now_ns, age_ms, incident_ms, rows), r = n;
        if (r >= 0 && (unsigned)n < rows)
                n += r = by_size(s, now_ns, bytes, rows - (unsigned)n);
        if (r >= 0 && (unsigned)n < rows)
                n += r = roll_up(s, now_ns / 1000000000 - MINUTES_KEPT_S, rows - (unsigned)n);
        if (r >= 0)
                n += r = give_back(s, bytes, rows / 2 + 1);
        return r < 0 ? r : n;
}

static int is_late(void *userdata)
{
        const struct store *s = userdata;
        return clock_boottime_ns() > s->deadline_ns;
}

int store_retain(struct store *s, int64_t now_ns, uint64_t age_ms, uint64_t incident_ms, uint64_t bytes,
                 unsigned rows, unsigned ms)
{
        int r = store_begin(s);
        if (r < 0)
                return r;
        s->deadline_ns = clock_boottime_ns() + ms * 1000000ull;
        sqlite3_progress_handler(s->db, ms ? LOOK_EVERY : 0, is_late, s);
        int n = step(s, now_ns, age_ms, incident_ms, bytes, rows);
        sqlite3_progress_handler(s->db, 0, NULL, NULL);
        if (n <= 0) {
                store_rollback(s);
                return n;
        }
        r = store_commit(s);
        return r < 0 ? r : n;
}
