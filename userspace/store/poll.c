/* poll.c - what somebody wrote into `alerts` from the shell. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/private.h"

#define POLL_MAX 256 /* changes in one call; what is left is for the next one */

struct change {
        char *id, *status;
        int64_t at_ns;
};

struct changes {
        size_t n;
        struct change item[POLL_MAX];
};

static void changes_done(struct changes *c)
{
        for (size_t i = 0; i < c->n; i++) {
                free(c->item[i].id);
                free(c->item[i].status);
        }
}

/* The runbooks set `resolved_at` to datetime('now'); where somebody forgot it, it was just now. */
static int collect(struct store *s, struct changes *c)
{
        static const char sql[] = "SELECT id, status, CASE status WHEN 'resolved' THEN strftime('%s', resolved_at)"
                                  " WHEN 'acknowledged' THEN strftime('%s', acknowledged_at) END * 1000000000"
                                  " FROM alerts WHERE status <> told_status ORDER BY started_ns, id LIMIT ?";
        sqlite3_stmt *row = NULL;
        int r = ASK(s, sql, &row, V_INT(POLL_MAX));
        if (r < 0)
                return r;
        while ((r = store_next(s, row)) == 1) {
                struct change *x = &c->item[c->n++];
                int64_t at_ns = sqlite3_column_int64(row, 2);
                *x = (struct change){strdup(store_text(row, 0)), strdup(store_text(row, 1)),
                                     at_ns > 0 ? at_ns : store_now()};
                if (!x->id || !x->status) {
                        r = -ENOMEM;
                        break;
                }
        }
        store_done(s, row);
        return r;
}

/* `told_status` follows, and the columns that the runbooks do not know. */
int store_take_over_alert(struct store *s, const char *id, const char *status, int64_t at_ns)
{
        static const char sql[] =
                "UPDATE alerts SET told_status=status,"
                " resolved_ns=CASE status WHEN 'resolved' THEN ?3 END,"
                " resolved_at=CASE status WHEN 'resolved' THEN coalesce(datetime(resolved_at), ?4) END,"
                " resolved_by=CASE status WHEN 'resolved' THEN coalesce(resolved_by, 'shell') END,"
                " acknowledged_ns=CASE status WHEN 'acknowledged' THEN ?3 WHEN 'resolved' THEN acknowledged_ns END,"
                " acknowledged_at=CASE status WHEN 'acknowledged' THEN coalesce(datetime(acknowledged_at), ?4)"
                " WHEN 'resolved' THEN acknowledged_at END"
                " WHERE id=?1 AND status=?2";
        return RUN(s, sql, V_TEXT(id), V_TEXT(status), V_INT(at_ns), V_TIME(at_ns));
}

int store_poll_alerts(struct store *s,
                      void (*changed)(void *userdata, const char *id, const char *status, int64_t at_ns),
                      void *userdata)
{
        int64_t version = 0;
        if (s->begun)
                return -EALREADY;
        int r = store_number(s, "PRAGMA data_version", &version);
        if (r < 0 || version == s->seen)
                return r;
        _cleanup_(changes_done) struct changes c = {0};
        r = collect(s, &c);
        if (r < 0)
                return r;
        if (c.n < POLL_MAX)
                s->seen = version;
        for (size_t i = 0; i < c.n; i++)
                changed(userdata, c.item[i].id, c.item[i].status, c.item[i].at_ns);
        return (int)c.n;
}
