/* actions.c - what Vigil meant to do and did; and its own runs. */
#include <errno.h>
#include <stdio.h>

#include "store/private.h"

int store_begin_action(struct store *s, const char *kind, const char *database, const char *incident,
                       const char *reason, int64_t now_ns, int64_t *ret_id)
{
        int r = RUN(s, "INSERT INTO actions(kind, database, incident, reason, intent_ns) VALUES(?,?,?,?,?)",
                    V_TEXT(kind), V_TEXT(database), V_TEXT(incident), V_TEXT(reason), V_INT(now_ns));
        if (r == 0)
                *ret_id = sqlite3_last_insert_rowid(s->db);
        return r;
}

/* The first column of the only row. */
static int only(struct store *s, sqlite3_stmt *row, int64_t *ret)
{
        int r = store_next(s, row);

        if (r == 1)
                *ret = sqlite3_column_int64(row, 0);
        store_done(s, row);
        return r == 1 ? 0 : r == 0 ? -ENOENT : r;
}

int store_find_action(struct store *s, const char *kind, const char *database, int64_t now_ns, int64_t *ret_id)
{
        sqlite3_stmt *row = NULL;
        int r = ASK(
                s,
                "SELECT id FROM actions WHERE intent_ns=?1 AND kind=?2 AND database IS ?3 ORDER BY id DESC LIMIT 1",
                &row, V_INT(now_ns), V_TEXT(kind), V_TEXT(database));
        return r < 0 ? r : only(s, row, ret_id);
}

int store_end_action(struct store *s, int64_t id, const char *outcome, int64_t now_ns, const json_t *doc)
{
        return RUN(s, "UPDATE actions SET outcome=?2, outcome_ns=?3, doc=?4 WHERE id=?1", V_INT(id),
                   V_TEXT(outcome), V_INT(now_ns), V_JSON(doc));
}

int store_adopt_action(struct store *s, const char *kind, const char *database, const char *incident,
                       int64_t now_ns, const json_t *doc)
{
        static const char sql[] =
                "UPDATE actions SET outcome='done', outcome_ns=?4, doc=?5 WHERE id=(SELECT max(id) FROM actions"
                " WHERE incident=?3 AND kind=?1 AND database=?2 AND outcome='interrupted')";
        return RUN(s, sql, V_TEXT(kind), V_TEXT(database), V_TEXT(incident), V_INT(now_ns), V_JSON(doc));
}

int store_interrupt_actions(struct store *s, int64_t now_ns, uint64_t *ret_n)
{
        int r = RUN(s, "UPDATE actions SET outcome='interrupted', outcome_ns=? WHERE outcome IS NULL",
                    V_INT(now_ns));
        if (r == 0)
                *ret_n = (uint64_t)sqlite3_changes64(s->db);
        return r;
}

int store_begin_run(struct store *s, const char *boot_id, int pid, const char *version, int64_t now_ns,
                    int64_t *ret_id)
{
        int r = RUN(s, "INSERT INTO runs(boot_id, pid, vigil, started_ns, last_seen_ns) VALUES(?1,?2,?3,?4,?4)",
                    V_TEXT(boot_id), V_INT(pid), V_TEXT(version), V_INT(now_ns));
        if (r == 0)
                *ret_id = sqlite3_last_insert_rowid(s->db);
        return r;
}

int store_run_seen(struct store *s, int64_t id, int64_t now_ns)
{
        return RUN(s, "UPDATE runs SET last_seen_ns=?2 WHERE id=?1", V_INT(id), V_INT(now_ns));
}

int store_end_run(struct store *s, int64_t id, int64_t now_ns)
{
        return RUN(s, "UPDATE runs SET last_seen_ns=?2, ended_ns=?2 WHERE id=?1", V_INT(id), V_INT(now_ns));
}

int store_last_run(struct store *s, struct store_run *ret)
{
        sqlite3_stmt *row = NULL;
        int r = store_ask(
                s, "SELECT boot_id, started_ns, last_seen_ns, ended_ns, id FROM runs ORDER BY id DESC LIMIT 1",
                NULL, 0, &row);
        if (r < 0)
                return r;
        r = store_next(s, row);
        if (r == 1) {
                *ret = (struct store_run){.id = sqlite3_column_int64(row, 4),
                                          .started_ns = sqlite3_column_int64(row, 1),
                                          .last_seen_ns = sqlite3_column_int64(row, 2),
                                          .ended_ns = sqlite3_column_int64(row, 3)};
                snprintf(ret->boot_id, sizeof(ret->boot_id), "%s", store_text(row, 0));
        }
        store_done(s, row);
        return r == 1 ? 0 : r == 0 ? -ENOENT : r;
}
