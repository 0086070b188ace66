/* counted.c - see counted.h. */
#include "daemon/counted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core.h"
#include "daemon/guard.h"
#include "model/hist.h"

struct counted {
        struct tally hists;
        struct vigil_db account[VIGIL_MAX_DBS];
};

int counted_new(struct counted **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

void counted_free(struct counted *c)
{
        if (!c)
                return;
        tally_done(&c->hists);
        free(c);
}

/* One collection of rows, on its way. */
struct collect {
        struct daemon *d;
        const struct counted *then;
        struct counted *keep; /* NULL: nothing is to be kept */
        struct tally rows;
        struct tally now; /* the histograms as they are */
        int error;
};

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
        const struct tally_row *before = tally_find(&c->then->hists, &r->key);
        struct tally_row *now = tally_get(&c->now, &r->key);
        if (!now)
                return -ENOMEM;
        now->hist = r->hist;
        struct vigil_hist h = before ? hist_since(&r->hist, &before->hist) : r->hist;
        unsigned op = counted_as(r->key.op);
        add(c, r->key.db, r->key.role, op, "", h.count, 0, h.errors, &h);
        add(c, r->key.db, COUNTED_OF_A_PROCESS, op, r->key.comm, h.count, 0, h.errors, &h);
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

bool counted_used(const struct vigil_db *before, const struct vigil_db *now)
{
        for (unsigned role = 0; role < VIGIL_ROLES; role++) {
                const struct vigil_ledger *n = &now->file[role], *b = &before->file[role];
                if (role != VIGIL_ROLE_DIRECTORY &&
                    (n->opens != b->opens || n->reads != b->reads || n->writes != b->writes ||
                     n->syncs != b->syncs || n->truncates != b->truncates || n->unlinks != b->unlinks ||
                     n->renames != b->renames || n->locks != b->locks))
                        return true;
        }
        return false;
}

static void collect_accounts(struct collect *c)
{
        struct daemon *d = c->d;

        for (size_t i = 0; i < guards_count(d->guards); i++) {
                const struct guard *g = guards_at(d->guards, i);
                const struct vigil_db *then = &c->then->account[g->id];
                struct vigil_db now;
                if (g->state != GUARD_WATCHED || sensor_account(d->sensor, g->id, &now) < 0)
                        continue;
                for (unsigned role = 0; role < VIGIL_ROLES; role++)
                        if (role != VIGIL_ROLE_DIRECTORY || counted_used(then, &now))
                                add_ledger(c, g->id, role, &now.file[role], &then->file[role]);
                if (c->keep)
                        c->keep->account[g->id] = now;
        }
}

int counted_since(struct daemon *d, const struct counted *then, struct tally *ret_rows, struct counted *keep)
{
        struct collect c = {.d = d, .then = then, .keep = keep};
        int r = sensor_histograms(d->sensor, on_hist, &c);

        if (r >= 0)
                collect_accounts(&c);
        if (r >= 0)
                r = c.error;
        if (r >= 0 && keep) {
                tally_done(&keep->hists);
                keep->hists = c.now;
        } else {
                tally_done(&c.now);
        }
        *ret_rows = c.rows;
        return r < 0 ? r : 0;
}
