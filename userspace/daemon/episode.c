/* episode.c - see episode.h. */
#include "daemon/episode.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/compose.h"
#include "daemon/taking.h"
#include "sensor/recording.h"

/* ---- its beginning ---- */

static void deaths_free(struct death *d)
{
        while (d) {
                struct death *next = d->next;
                memory_death_free(d);
                d = next;
        }
}

static int begin(struct memory *m, uint64_t now_ns, const struct death *deaths, const struct trouble *trouble,
                 size_t ntroubles, const bool due[VIGIL_MAX_DBS], struct episode **ret)
{
        struct episode *e = calloc(1, sizeof(*e));

        if (!e)
                return -ENOMEM;
        e->memory = m;
        e->now_ns = now_ns;
        if (compose_beginning(e, deaths, trouble, ntroubles, due) < 0) {
                episode_free(e);
                return -ENOMEM;
        }
        removals_judged(m, now_ns, due);
        *ret = e;
        return 1;
}

int episode_begin(struct memory *m, uint64_t now_ns, struct episode **ret, unsigned *ret_wait_ms)
{
        unsigned wait_ms = 0;
        bool due[VIGIL_MAX_DBS] = {false};
        struct trouble *trouble = m->ntroubles ? calloc(m->ntroubles, sizeof(*trouble)) : NULL;

        if (m->ntroubles && !trouble)
                return -ENOMEM;
        int n = take_troubles(m, now_ns, trouble, &wait_ms), r = n;
        struct death *deaths = n < 0 ? NULL : take_deaths(m, now_ns, &wait_ms);
        bool removals = n >= 0 && removals_due(m, now_ns, due, &wait_ms);
        if (n >= 0)
                r = deaths || n > 0 || removals ? begin(m, now_ns, deaths, trouble, (size_t)n, due, ret) : 0;
        if (r == 0)
                *ret_wait_ms = wait_ms;
        if (r < 0)
                put_deaths_back(m, deaths); /* a certificate that comes late is better than none */
        else
                deaths_free(deaths);
        free(trouble);
        return r;
}

/* ---- what is learnt meanwhile ---- */

size_t episode_looks(const struct episode *e, const uint32_t **ret_dbs)
{
        *ret_dbs = e->look;
        return e->nlooks;
}

int episode_account(struct episode *e, const struct vigil_db *account)
{
        return e->has[account->id] ? compose_account(e, account, clock_boottime_ns()) : 0;
}

int episode_observed(struct episode *e, uint32_t db, const struct vigil_observed *o)
{
        struct vigil_observed r = *o;
        int err = 0;

        r.db = db;
        for (size_t i = 0; i < e->ndead; i++)
                for (uint32_t k = 0; err == 0 && k < e->dead[i].nlooks; k++) {
                        r.id = e->dead[i].id;
                        if (e->dead[i].look[k] != db)
                                continue;
                        err = compose(e, &r, VIGIL_OBSERVED, sizeof(r));
                        if (err == 0)
                                removals_looked(e, &r.id, &r);
                }
        return err;
}

static int add_living(struct episode *e, const struct vigil_proc *p)
{
        for (size_t i = 0; i < VIGIL_USES && p->use[i].db; i++)
                if (e->has[p->use[i].db])
                        return compose(e, p, VIGIL_LIVE, sizeof(*p));
        return 0;
}

int episode_add(struct episode *e, const struct vigil_hdr *record)
{
        const void *r = record;
        const struct vigil_ledger_rec *l = r;

        if (record_validate(record, record->size, NULL) < 0)
                return 0;
        if (record->type == VIGIL_LIVE)
                return add_living(e, r);
        if (record->type == VIGIL_LEDGER && e->has[l->db.id])
                return compose_account(e, &l->db, record->ns);
        return 0;
}

/* ---- its end ---- */

static int on_living(const struct vigil_hdr *record, void *userdata)
{
        return episode_add(userdata, record);
}

/* A database that has just left the watch has no account any more. */
static int ask_account(struct episode *e, struct sensor *s, uint32_t db)
{
        uint64_t ns = clock_boottime_ns(); /* whatever failed before is in it */
        struct vigil_db account;
        int r = sensor_account(s, db, &account);

        return r == -ENOENT ? 0 : r < 0 ? r : compose_account(e, &account, ns);
}

static int ask_statistics(struct episode *e, struct sensor *s)
{
        struct vigil_stats now;
        int r = sensor_statistics(s, &now);

        if (r == 0)
                memory_statistics(e->memory, &now);
        return r;
}

/* What cannot be read does not keep the rest from being read: the first error is told. */
static int ask_kernel(struct episode *e, struct sensor *s)
{
        int living = sensor_living(s, e->ndbs == 1 ? e->db[0] : 0, on_living, e);
        int r = living < 0 ? living : 0;

        for (size_t i = 0; i < e->ndbs; i++) {
                int account = ask_account(e, s, e->db[i]);
                r = r ? r : account;
        }
        int statistics = ask_statistics(e, s);
        return r ? r : statistics;
}

int episode_complete(struct episode *e, struct sensor *s)
{
        int asked = s ? ask_kernel(e, s) : 0;

        return compose_survivors(e) < 0 || compose_end(e) < 0 ? -ENOMEM : asked;
}

int episode_judge(struct episode *e, const struct detection **ret)
{
        int r = 0;

        e->model = model_new();
        if (!e->model)
                return -ENOMEM;
        for (size_t at = 0; r == 0 && at < e->used;) {
                const struct vigil_hdr *h = (const void *)(e->bytes + at);
                r = model_feed(e->model, h);
                at += h->size;
        }
        if (r == 0)
                r = model_finish(e->model);
        if (r == 0)
                r = detect_run(e->model, &e->detection);
        if (r == 0)
                *ret = e->detection;
        return r;
}

void episode_free(struct episode *e)
{
        if (!e)
                return;
        detection_free(e->detection);
        model_free(e->model);
        free(e->bytes);
        free(e);
}
