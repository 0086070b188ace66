/* batch.c - one transaction of the store, in a child of its own. See keeper_private.h, scribe.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/keeper_private.h"
#include "daemon/scribe.h"

/* The monitor may be reading, somebody else writing: for milliseconds. Longer is the keeper's affair. */
#define PATIENCE_MS 200

#define NS_PER_MS 1000000ull

struct outcome {
        struct store *s;
        enum store_opened how;
        char *aside;
        json_t *refused;
        uint64_t ino; /* of the file that is open */
        bool renewed;
        const char *retain; /* NULL: not now */
        unsigned retain_ms;
        int64_t run;
        size_t n; /* rows that are safe */
};

uint64_t batch_ino(const char *dir)
{
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (asprintf(&path, "%s/vigil.db", dir) < 0) {
                path = NULL;
                return 0;
        }
        return stat(path, &st) == 0 ? st.st_ino : 0;
}

void batch_choose_token(struct batch *b)
{
        int64_t now = (int64_t)clock_boottime_ns() + clock_realtime_offset_ns();
        bool near = now >= b->token - ROWS_AT_ONCE && now <= b->token + ROWS_AT_ONCE;

        b->token = near ? b->token + ROWS_AT_ONCE + 1 : now;
        b->held = 0;
}

static int open_file(const struct batch *b, bool corrupt, struct outcome *o)
{
        store_close(TAKE_PTR(o->s));
        int r = store_open(b->dir, corrupt, &o->s, &o->how, &o->aside);
        if (r < 0)
                return r;
        o->ino = batch_ino(b->dir);
        /* The number of an inode may be given anew. */
        o->renewed = o->ino != b->ino || o->how == STORE_NEW || o->how == STORE_SET_ASIDE;
        store_set_patience(o->s, PATIENCE_MS);
        return 0;
}

/* What says that nothing can be written now; anything else is about the one row. */
static bool is_of_the_store(int r)
{
        static const int of_the_store[] = {-EBUSY, -ENOSPC, -EROFS, -EIO, -EUCLEAN, -EPROTO, -EACCES, -ENOMEM};

        for (size_t i = 0; i < sizeof(of_the_store) / sizeof(of_the_store[0]); i++)
                if (r == of_the_store[i])
                        return true;
        return false;
}

static int write_rows(const struct batch *b, struct outcome *o)
{
        size_t n = 0;

        json_array_clear(o->refused);
        for (struct row *row = b->first; row && n < b->n; row = row->next, n++) {
                int r = row_write(o->s, row, o->run);
                if (r < 0 && is_of_the_store(r))
                        return r;
                if (r < 0)
                        json_array_append_new(o->refused, json_pack("[i, i]", (int)row->kind, r));
        }
        return 0;
}

static int write_all(const struct batch *b, struct outcome *o)
{
        int r = store_begin(o->s);

        if (r < 0)
                return r;
        o->run = b->run.id;
        if (o->renewed)
                r = store_begin_run(o->s, b->run.boot_id, b->run.pid, b->run.version, b->run.started_ns, &o->run);
        if (r == 0)
                r = write_rows(b, o);
        /* After the rows: the end of the run is one of them, and sets it, too. */
        if (r == 0)
                r = store_run_seen(o->s, o->run, b->token + (int64_t)b->n);
        if (r == 0)
                r = store_commit(o->s);
        else
                store_rollback(o->s);
        o->n = r == 0 ? b->n : 0;
        return r;
}

/* Whether the attempt before had committed, be it into a file that it had begun. @return 1, 0, or -errno: not known */
static int was_committed(const struct batch *b, struct outcome *o)
{
        struct store_run last;
        int r = b->again ? store_last_run(o->s, &last) : -ENOENT;

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        if (last.last_seen_ns < b->token || last.last_seen_ns > b->token + (int64_t)b->held)
                return 0;
        o->run = last.id;
        o->n = (size_t)(last.last_seen_ns - b->token);
        return 1;
}

/* Which has a transaction of its own, and may fail by itself: it is tried again the next time. */
static void retain(const struct batch *b, struct outcome *o)
{
        const struct keeper_retention *t = b->retention;
        uint64_t began = clock_boottime_ns();
        int r = store_retain(o->s, b->token, t->age_ms, t->incident_ms, t->bytes, b->retain_rows, b->retain_ms);

        o->retain_ms = (unsigned)((clock_boottime_ns() - began) / NS_PER_MS);
        o->retain = r > 0 ? "more" : r == 0 ? "done" : r == -ETIME ? "late" : "failed";
}

static int do_all(const struct batch *b, struct outcome *o)
{
        int r = open_file(b, false, o);

        if (r == 0)
                r = was_committed(b, o);
        if (r >= 0)
                r = r ? 0 : write_all(b, o);
        if (r == -EUCLEAN) {
                r = open_file(b, true, o);
                if (r == 0)
                        r = write_all(b, o);
        }
        if (r == 0 && b->retention) {
                atomic_store(b->retaining, true);
                retain(b, o);
        }
        return r;
}

int batch_work(int answer_fd, void *arg)
{
        const struct batch *b = arg;
        struct outcome o = {.refused = json_array()};
        int r = do_all(b, &o);

        store_close(o.s);
        json_t *answer = json_pack("{s:i, s:I, s:o, s:b, s:b, s:s?, s:i, s:i, s:I, s:I, s:s?}", "error", r, "n",
                                   (json_int_t)o.n, "refused", o.refused, "renewed", o.renewed, "gone",
                                   batch_ino(b->dir) != o.ino, "retain", o.retain, "retain_ms", (int)o.retain_ms,
                                   "how", (int)o.how, "run", (json_int_t)o.run, "ino", (json_int_t)o.ino, "aside",
                                   o.aside);
        _cleanup_free_ char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        json_decref(answer);
        free(o.aside);
        return text ? dprintf(answer_fd, "%s\n", text) < 0 : 1;
}
