/* summary.c - see summary.h. The kernel counts from the beginning of the watch; what is stored is the difference. */
#include "daemon/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "detect/wording.h"
#include "model/hist.h"

#define NS_PER_S    1000000000ll
#define ERRORS_KEPT 100

struct summary {
        struct tally before; /* the histograms, as they were when the last minute ended */
        struct vigil_db account[VIGIL_MAX_DBS];
        unsigned errors; /* told of in this minute */
};

int summary_new(struct summary **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

void summary_free(struct summary *s)
{
        if (!s)
                return;
        tally_done(&s->before);
        free(s);
}

/* ---- differences ---- */

/* One collection of rows, on its way. */
struct collect {
        struct daemon *d;
        struct tally rows;
        struct tally now; /* the histograms as they are */
        int error;
};

/* Rows of a file have no comm, rows of a process have this role. */
#define OF_A_PROCESS 0xff

static void add(struct collect *c, uint32_t db, unsigned role, unsigned op, const char *comm, uint64_t count,
                uint64_t bytes, uint64_t errors, const struct vigil_hist *hist)
{
        struct vigil_hist_key key = {.db = db, .role = (uint8_t)role, .op = (uint8_t)op};

        if (!count && !errors)
                return;
        memcpy(key.comm, comm, strnlen(comm, sizeof(key.comm) - 1));
        struct tally_row *row = tally_get(&c->rows, &key);
        if (!row) {
                c->error = -ENOMEM;
                return;
        }
        /* What was timed may have been counted, too, a moment earlier or later. */
        row->count = row->count > count ? row->count : count;
        row->bytes += bytes;
        row->errors = row->errors > errors ? row->errors : errors;
        if (hist) {
                hist_add(&row->hist, hist);
                row->timed = true;
                row->count = row->count > row->hist.count ? row->count : row->hist.count;
        }
}

/* Counters never fall, but for a database that is watched anew. */
static uint64_t less(uint64_t now, uint64_t before)
{
        return now >= before ? now - before : now;
}

/* The counted operation that a timed one stands beside. */
static unsigned counted_as(unsigned op)
{
        return op == VIGIL_OP_LOCK_WAIT ? VIGIL_OP_LOCK_WR : op;
}

static int on_hist(const struct vigil_hdr *record, void *userdata)
{
        const struct vigil_hist_rec *r = (const struct vigil_hist_rec *)record;
        struct collect *c = userdata;

        if (record->type != VIGIL_HIST || !guards_by_id(c->d->guards, r->key.db))
                return 0;
        const struct tally_row *before = tally_find(&c->d->summary->before, &r->key);
        struct tally_row *now = tally_get(&c->now, &r->key);
        if (!now)
                return -ENOMEM;
        now->hist = r->hist;
        struct vigil_hist h = before ? hist_since(&r->hist, &before->hist) : r->hist;
        unsigned op = counted_as(r->key.op);
        add(c, r->key.db, r->key.role, op, "", h.count, 0, h.errors, &h);
        add(c, r->key.db, OF_A_PROCESS, op, r->key.comm, h.count, 0, h.errors, &h);
        return c->error;
}

static void add_ledger(struct collect *c, uint32_t db, unsigned role, const struct vigil_ledger *n,
                       const struct vigil_ledger *b)
{
        add(c, db, role, VIGIL_OP_OPEN, "", less(n->opens, b->opens), 0, 0, NULL);
        add(c, db, role, VIGIL_OP_READ, "", less(n->reads, b->reads), less(n->read_bytes, b->read_bytes), 0, NULL);
        add(c, db, role, VIGIL_OP_WRITE, "", less(n->writes, b->writes), less(n->bytes_total, b->bytes_total),
            less(n->write_errors, b->write_errors), NULL);
        add(c, db, role, VIGIL_OP_SYNC, "", less(n->syncs, b->syncs), 0, less(n->sync_errors, b->sync_errors),
            NULL);
        add(c, db, role, VIGIL_OP_TRUNCATE, "", less(n->truncates, b->truncates), 0, 0, NULL);
        add(c, db, role, VIGIL_OP_UNLINK, "", less(n->unlinks, b->unlinks), 0, 0, NULL);
        add(c, db, role, VIGIL_OP_RENAME, "", less(n->renames, b->renames), 0, 0, NULL);
        add(c, db, role, VIGIL_OP_LOCK_WR, "", less(n->locks, b->locks), 0, less(n->lock_busy, b->lock_busy), NULL);
}

/* With @keep the next difference begins here. */
static int collect(struct daemon *d, struct collect *c, bool keep)
{
        struct summary *s = d->summary;
        int r = sensor_histograms(d->sensor, on_hist, c);

        for (size_t i = 0; r >= 0 && i < guards_count(d->guards); i++) {
                const struct guard *g = guards_at(d->guards, i);
                struct vigil_db now;
                if (g->state != GUARD_WATCHED || sensor_account(d->sensor, g->id, &now) < 0)
                        continue;
                for (unsigned role = 0; role < VIGIL_ROLES; role++)
                        add_ledger(c, g->id, role, &now.file[role], &s->account[g->id].file[role]);
                if (keep)
                        s->account[g->id] = now;
        }
        if (r >= 0)
                r = c->error;
        if (r >= 0 && keep) {
                tally_done(&s->before);
                s->before = c->now;
                c->now = (struct tally){0};
        }
        return r < 0 ? r : 0;
}

/* ---- rows ---- */

static struct store_summary row_of(const struct daemon *d, const struct tally_row *t, int64_t start_s)
{
        bool process = t->key.role == OF_A_PROCESS;
        const struct guard *g = guards_by_id(d->guards, t->key.db);

        return (struct store_summary){.database = g->name,
                                      .file = process ? "" : role_name(t->key.role),
                                      .process = process ? t->key.comm : "",
                                      .op = op_name(t->key.op),
                                      .start_s = start_s,
                                      .span_s = 60,
                                      .count = t->count,
                                      .bytes = t->bytes,
                                      .errors = t->errors,
                                      .hist = t->timed ? &t->hist : NULL};
}

static void metric(struct daemon *d, const struct tally_row *t, const char *type, double value)
{
        const struct guard *g = guards_by_id(d->guards, t->key.db);

        keeper_metric(d->keeper, type, value, daemon_now(),
                      json_pack("{s:s, s:s, s:s}", "database", g->name, "file", role_name(t->key.role), "operation",
                                op_name(t->key.op)));
}

/* For queries like those of the runbooks: per minute, database and file. */
static void metrics(struct daemon *d, const struct tally_row *t)
{
        if (t->key.role == OF_A_PROCESS)
                return;
        if (t->key.op == VIGIL_OP_WRITE)
                metric(d, t, "bytes_written", (double)t->bytes);
        if (t->key.op == VIGIL_OP_SYNC || t->key.op == VIGIL_OP_COMMIT)
                metric(d, t, t->key.op == VIGIL_OP_SYNC ? "syncs" : "commits", (double)t->count);
        if (t->timed && t->key.op == VIGIL_OP_SYNC)
                metric(d, t, "sync_p99_ms", (double)hist_quantile(&t->hist, 990) / 1e6);
}

void summary_minute(struct daemon *d)
{
        struct collect c = {.d = d};
        int64_t start = (daemon_now() / NS_PER_S - 60) / 60 * 60;
        int r = collect(d, &c, true);

        if (r < 0)
                log_error("the summary of this minute is not complete: %s", strerror(-r));
        for (size_t i = 0; i < c.rows.n; i++) {
                struct store_summary row = row_of(d, &c.rows.row[i], start);
                keeper_summary(d->keeper, &row);
                metrics(d, &c.rows.row[i]);
        }
        tally_done(&c.rows);
        tally_done(&c.now);
        d->summary->errors = 0;
}

int summary_live(struct daemon *d, struct summary_rows *ret)
{
        struct collect c = {.d = d};
        int64_t start = daemon_now() / NS_PER_S / 60 * 60;
        int r = collect(d, &c, false);
        struct store_summary *row = calloc(c.rows.n ? c.rows.n : 1, sizeof(*row));

        tally_done(&c.now);
        if (r == 0 && !row)
                r = -ENOMEM;
        if (r < 0) {
                free(row);
                tally_done(&c.rows);
                return r;
        }
        for (size_t i = 0; i < c.rows.n; i++)
                row[i] = row_of(d, &c.rows.row[i], start);
        *ret = (struct summary_rows){.row = row, .n = c.rows.n, .tally = c.rows};
        return 0;
}

void summary_rows_done(struct summary_rows *r)
{
        free(r->row);
        tally_done(&r->tally);
}

/* ---- errors ---- */

static void error_row(struct daemon *d, const char *database, const char *operation, const char *error)
{
        keeper_metric(d->keeper, "error", 1, daemon_now(),
                      json_pack("{s:s, s:s, s:s}", "operation", operation, "error", error, "database", database));
}

void summary_error(struct daemon *d, const struct vigil_hdr *record)
{
        const struct vigil_op *op = (const struct vigil_op *)record;
        const struct vigil_wberr *wb = (const struct vigil_wberr *)record;
        bool writeback = record->type == VIGIL_WBERR;
        const struct guard *g = guards_by_id(d->guards, writeback ? wb->db : op->e.db);
        int error = writeback ? wb->error : op->e.result;

        if (!g || (!writeback && (record->type != VIGIL_OP || error >= 0)))
                return;
        const char *name = error < 0 ? strerrorname_np(-error) : NULL;
        unsigned n = d->summary->errors++;
        if (n < ERRORS_KEPT)
                error_row(d, g->name, writeback ? "writeback" : op_name(op->e.op), name ? name : "unknown");
        else if (n == ERRORS_KEPT)
                error_row(d, g->name, "more", "not listed one by one");
}
