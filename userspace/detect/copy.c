/* copy.c - copies that nobody should restore: the main file read whole, without SQLite's locks, while somebody changed it
 * (sqlite.org/howtocorrupt.html 1.2). The backup API, VACUUM INTO and sqlite3_rsync hold a lock while they read: the kernel
 * side streams no reads of processes that do. */
#include <stdio.h>

#include "base/text.h"
#include "detect/detect_private.h"
#include "detect/detector.h"

/* Less is a look at the header, not a copy: `file`, a virus scanner. */
#define WHOLE_PERCENT 90

static bool is_whole(const struct model_copy *c, const struct model_database *db)
{
        uint64_t size = db->ledger ? db->ledger->file[VIGIL_ROLE_MAIN].size : 0;

        if (!size && db->observed)
                size = db->observed->main_bytes;
        return size && c->bytes >= size / 100 * WHOLE_PERCENT;
}

static bool locked(const struct model_death *d, const struct model_copy *c)
{
        if (d->id.tgid != c->id.tgid || d->id.start_ns != c->id.start_ns)
                return false;
        for (uint32_t i = 0; i < d->nuses; i++)
                if (d->use[i].database == c->database && d->use[i].use.flags & VIGIL_USE_LOCKED)
                        return true;
        return false;
}

/* A full stream (`record --reads`) also holds the reads of SQLite itself. */
static bool used_locks(const struct model *m, const struct model_copy *c)
{
        for (size_t i = 0; i < model_n_deaths(m); i++)
                if (locked(model_death(m, i), c))
                        return true;
        for (size_t i = 0; i < model_n_living(m); i++)
                if (locked(model_living(m, i), c))
                        return true;
        return false;
}

static int judge(struct detection *d, const struct model_copy *c)
{
        const struct model_database *db = model_database(d->model, c->database);
        uint64_t writes = c->last_writes - c->first_writes;
        char bytes[TEXT_BYTES_LEN];

        if (!db || !is_whole(c, db) || (!writes && !c->in_transaction) || used_locks(d->model, c))
                return 0;
        struct finding f = {.code = "unsafe-copy", .severity = SEVERITY_P2, .database = c->database, .ns = c->ns};
        f.process = c->id;
        text_bytes(bytes, c->bytes);
        snprintf(f.detail, sizeof(f.detail),
                 "%.*s (pid %u) copied %s of the database file without its locks while %s: do not restore that "
                 "copy; use "
                 "vigil backup, .backup or VACUUM INTO",
                 VIGIL_COMM_LEN, c->id.comm, c->id.tgid, bytes,
                 c->in_transaction ? "a transaction had changed it in part" : "it was written");
        return finding_add(d, &f,
                           json_pack("{s:I, s:I, s:b}", "bytes", (json_int_t)c->bytes, "writes_meanwhile",
                                     (json_int_t)writes, "transaction_open", c->in_transaction));
}

static int run(struct detection *d)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < model_n_copies(d->model); i++)
                r = judge(d, model_copy_of(d->model, i));
        return r;
}

const struct detector detector_copy = {
        .name = "copy",
        .codes = (const char *const[]){"unsafe-copy", NULL},
        .run = run,
};
