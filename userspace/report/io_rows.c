/* io_rows.c - `io`: what was done to each file, how often, how long it took. */
#include "base/clock.h"
#include "detect/wording.h"
#include "model/hist.h"
#include "report/build.h"

/* @return true when anything was timed; several files may have stood under one path. */
static bool gather(const struct model *m, size_t database, unsigned role, unsigned op, struct vigil_hist *ret)
{
        *ret = (struct vigil_hist){0};
        for (size_t i = 0; i < model_n_hists(m); i++) {
                const struct model_hist *h = model_hist(m, i);
                if (h->database == database && h->role == role && h->op == op)
                        hist_add(ret, &h->hist);
        }
        return ret->count > 0;
}

static void put_us(struct build *b, json_t *o, const char *key, const struct vigil_hist *h, unsigned per_mille)
{
        uint64_t us = clock_us(per_mille ? hist_quantile(h, per_mille) : h->max_ns);
        put(b, o, key, h->count ? json_integer((json_int_t)us) : json_null());
}

static json_t *row(struct build *b, unsigned role, unsigned op, uint64_t count, uint64_t bytes, uint64_t errors,
                   const struct vigil_hist *h)
{
        json_t *o = json_object();
        put_text(b, o, "file", role_name(role));
        put_text(b, o, "op", op_name(op));
        put_number(b, o, "count", count);
        put_number(b, o, "bytes", bytes);
        put_number(b, o, "errors", errors);
        put_us(b, o, "p50_us", h, 500);
        put_us(b, o, "p95_us", h, 950);
        put_us(b, o, "p99_us", h, 990);
        put_us(b, o, "max_us", h, 0);
        return o;
}

/* Counted in the ledger of the file; the histogram beside says how long, where the operation is timed. */
static void counted_rows(struct build *b, json_t *rows, size_t database, unsigned role,
                         const struct vigil_ledger *l)
{
        const struct {
                unsigned op;
                unsigned timed_as;
                uint64_t count, bytes, errors;
        } table[] = {
                {VIGIL_OP_OPEN, VIGIL_OP_OPEN, l->opens, 0, 0},
                {VIGIL_OP_READ, VIGIL_OP_READ, l->reads, l->read_bytes, 0},
                {VIGIL_OP_WRITE, VIGIL_OP_WRITE, l->writes, l->bytes_total, l->write_errors},
                {VIGIL_OP_SYNC, VIGIL_OP_SYNC, l->syncs, 0, l->sync_errors},
                {VIGIL_OP_TRUNCATE, VIGIL_OP_TRUNCATE, l->truncates, 0, 0},
                {VIGIL_OP_UNLINK, VIGIL_OP_UNLINK, l->unlinks, 0, 0},
                {VIGIL_OP_RENAME, VIGIL_OP_RENAME, l->renames, 0, 0},
                /* Only the calls that had to wait are timed. */
                {VIGIL_OP_LOCK_WR, VIGIL_OP_LOCK_WAIT, l->locks, 0, l->lock_busy},
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                struct vigil_hist h;
                bool timed = gather(b->m, database, role, table[i].timed_as, &h);
                uint64_t count = table[i].count > h.count ? table[i].count : h.count;
                uint64_t errors = table[i].errors > h.errors ? table[i].errors : h.errors;
                if (count || errors || timed)
                        append(b, rows, row(b, role, table[i].op, count, table[i].bytes, errors, &h));
        }
}

json_t *build_io(struct build *b, size_t database)
{
        static const unsigned only_timed[] = {VIGIL_OP_COMMIT, VIGIL_OP_CHECKPOINT};
        static const struct vigil_ledger nothing = {0};
        const struct vigil_db *db = model_database(b->m, database)->ledger;
        json_t *rows = json_array();
        for (unsigned k = 1; k <= VIGIL_ROLES; k++) {
                unsigned role = k % VIGIL_ROLES; /* "other" last */
                counted_rows(b, rows, database, role, db ? &db->file[role] : &nothing);
                for (size_t i = 0; i < sizeof(only_timed) / sizeof(only_timed[0]); i++) {
                        struct vigil_hist h;
                        if (gather(b->m, database, role, only_timed[i], &h))
                                append(b, rows, row(b, role, only_timed[i], h.count, 0, h.errors, &h));
                }
        }
        return rows;
}
