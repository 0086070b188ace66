/* summary.c - see summary.h. The kernel counts from the beginning of the watch; what is stored is the difference. */
#include "daemon/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/core.h"
#include "daemon/counted.h"
#include "daemon/guard.h"
#include "detect/wording.h"
#include "model/hist.h"

#define NS_PER_S    1000000000ll
#define ERRORS_KEPT 100

struct summary {
        struct counted *before; /* as it was when the last minute ended */
        unsigned errors;        /* told of in this minute */
};

int summary_new(struct summary **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? counted_new(&(*ret)->before) : -ENOMEM;
}

void summary_free(struct summary *s)
{
        if (!s)
                return;
        counted_free(s->before);
        free(s);
}

/* ---- rows ---- */

static struct store_summary row_of(const struct daemon *d, const struct tally_row *t, int64_t start_s)
{
        bool process = t->key.role == COUNTED_OF_A_PROCESS;
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
        if (t->key.role == COUNTED_OF_A_PROCESS)
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
        struct tally rows = {0};
        int64_t start = (daemon_now() / NS_PER_S - 60) / 60 * 60;
        int r = counted_since(d, d->summary->before, &rows, d->summary->before);

        if (r < 0)
                log_error("the summary of this minute is not complete: %s", strerror(-r));
        for (size_t i = 0; i < rows.n; i++) {
                struct store_summary row = row_of(d, &rows.row[i], start);
                keeper_summary(d->keeper, &row);
                metrics(d, &rows.row[i]);
        }
        tally_done(&rows);
        d->summary->errors = 0;
}

void summary_begin(struct daemon *d)
{
        struct tally rows = {0};

        if (counted_since(d, d->summary->before, &rows, d->summary->before) < 0)
                log_error("the first summary counts from the beginning of the watch");
        tally_done(&rows);
}

int summary_live(struct daemon *d, struct summary_rows *ret)
{
        struct tally rows = {0};
        int64_t start = daemon_now() / NS_PER_S / 60 * 60;
        int r = counted_since(d, d->summary->before, &rows, NULL);
        struct store_summary *row = calloc(rows.n ? rows.n : 1, sizeof(*row));

        if (r == 0 && !row)
                r = -ENOMEM;
        if (r < 0) {
                free(row);
                tally_done(&rows);
                return r;
        }
        for (size_t i = 0; i < rows.n; i++)
                row[i] = row_of(d, &rows.row[i], start);
        *ret = (struct summary_rows){.row = row, .n = rows.n, .tally = rows};
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
