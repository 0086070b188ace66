/* overall.c - what all certificates together say of a database, and of the run; and what has no certificate at all. */
#include "detect/detect_private.h"

/* Worst last. */
static int badness(enum verdict v)
{
        static const int order[] = {
                [VERDICT_CLEAN] = 0, [VERDICT_ABRUPT] = 1, [VERDICT_UNKNOWN] = 2, [VERDICT_UNCLEAN] = 3};
        return order[v];
}

static enum verdict worst(enum verdict a, enum verdict b)
{
        return badness(a) >= badness(b) ? a : b;
}

static bool uses(const struct model_death *death, uint32_t id)
{
        for (uint32_t i = 0; i < death->nuses; i++)
                if (death->use[i].use.db == id)
                        return true;
        return false;
}

/* A process that used more databases than are kept of one, and of a file that stood under this path it has no account. */
static bool someone_is_not_kept(const struct model *m, size_t database)
{
        uint32_t id[VIGIL_MAX_DBS], n = 0;
        for (uint32_t i = 1; i < VIGIL_MAX_DBS; i++)
                if (model_database_by_id(m, i) == database)
                        id[n++] = i;
        for (size_t i = 0; i < model_n_deaths(m); i++) {
                const struct model_death *death = model_death(m, i);
                for (uint32_t k = 0; death->uses_lost && k < n; k++)
                        if (!uses(death, id[k]))
                                return true;
        }
        return false;
}

const char *detection_doubt(const struct detection *d, size_t database)
{
        const char *why;
        if (someone_is_not_kept(d->model, database))
                return "databases-not-kept";
        for (size_t i = 0; i < d->ncertificates; i++)
                if (d->certificate[i].database == database)
                        return NULL;
        return model_blind(d->model, &why) ? why : NULL;
}

enum verdict detection_verdict(const struct detection *d, size_t database)
{
        enum verdict v = detection_doubt(d, database) ? VERDICT_UNKNOWN : VERDICT_CLEAN;
        for (size_t i = 0; i < d->ncertificates; i++)
                if (d->certificate[i].database == database)
                        v = worst(v, d->certificate[i].verdict);
        /* Whose data it was may have no certificate: somebody from before the watch. */
        return database_was_taken(d->model, database) ? worst(v, VERDICT_UNCLEAN) : v;
}

enum verdict detection_overall(const struct detection *d)
{
        const struct vigil_stats *s = model_stats(d->model);
        enum verdict v = s && s->c.full_dbs ? VERDICT_UNKNOWN : VERDICT_CLEAN;
        const char *why;
        bool any = false;
        for (size_t i = 0; i < model_n_databases(d->model); i++) {
                if (!model_database(d->model, i)->shown)
                        continue;
                any = true;
                v = worst(v, detection_verdict(d, i));
        }
        return !any && model_blind(d->model, &why) ? VERDICT_UNKNOWN : v;
}
