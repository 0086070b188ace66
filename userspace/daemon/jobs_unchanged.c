/* jobs_unchanged.c - when jobs need not be read: two who do not know of each other say that nobody has written, the kernel's account of
 * the database and its files themselves. */
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/jobs_private.h"

static bool same_file(const struct vigil_ledger *a, const struct vigil_ledger *b)
{
        return a->ino == b->ino && a->dev == b->dev && a->generation == b->generation &&
               a->incarnation == b->incarnation && a->writes == b->writes && a->bytes_total == b->bytes_total &&
               a->truncates == b->truncates && a->unlinks == b->unlinks && a->renames == b->renames &&
               a->write_errors == b->write_errors;
}

bool job_account_is_quiet(const struct vigil_db *a, const struct vigil_db *b)
{
        static const int roles[] = {VIGIL_ROLE_MAIN, VIGIL_ROLE_WAL, VIGIL_ROLE_JOURNAL};

        for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
                if (!same_file(&a->file[roles[i]], &b->file[roles[i]]))
                        return false;
        return a->id == b->id && a->wal_generations == b->wal_generations && a->wal_commits == b->wal_commits &&
               a->wal_frames == b->wal_frames && a->wal_recoveries == b->wal_recoveries &&
               a->rb_commits == b->rb_commits && a->rb_recoveries == b->rb_recoveries;
}

void job_witness_take(struct daemon *d, const struct orchestrator *o, struct job_witness *ret)
{
        const struct guard *g = o->of->database ? guards_by_name(d->guards, o->of->database) : NULL;

        *ret = (struct job_witness){0};
        if (!o->of->jobs.query || !g || g->state != GUARD_WATCHED ||
            sensor_account(d->sensor, g->id, &ret->account) < 0)
                return;
        /* Another host may write to it, and looking may wait for a server. */
        if (ret->account.file[VIGIL_ROLE_MAIN].flags & VIGIL_LEDGER_REMOTE)
                return;
        ret->sound = moment_take(guard_path(d, g), &ret->files) == 0;
}

bool jobs_are_unchanged(struct daemon *d, struct orchestrator *o, uint64_t now)
{
        struct job_table *t = o->jobs;
        struct job_witness w;

        if (!t->read.sound || t->asked_ns || t->failed || now - t->read_ns >= JOBS_READ_AGAIN_NS)
                return false;
        job_witness_take(d, o, &w);
        if (!w.sound || !job_account_is_quiet(&t->read.account, &w.account) ||
            !moment_same(&t->read.files, &w.files))
                return false;
        job_table_confirm(t, now);
        return true;
}
