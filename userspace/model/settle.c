/* settle.c - what became of the databases after each death, and how far the stream may be believed. */
#include <errno.h>
#include <string.h>

#include "model/model_private.h"

/* ---- afterlife ----------------------------------------------------------------------------------------------------- */

static bool sees_hot(const struct vigil_observed *o)
{
        return o && o->flags & VIGIL_OBS_JOURNAL_HOT;
}

int model_recovered(const struct vigil_db *then, const struct vigil_observed *then_observed, uint64_t died_ns,
                    const struct vigil_db *now, uint64_t now_ns, const struct vigil_observed *now_observed)
{
        if (!then || !now || now_ns <= died_ns)
                return -1;
        uint32_t taken = now->flags & ~then->flags;
        if (taken & VIGIL_DB_WAL_TAKEN && then->wal_commit_end > 0)
                return 0;
        bool was_hot = then->journal_hot || sees_hot(then_observed);
        if (taken & VIGIL_DB_JOURNAL_TAKEN && was_hot && now->rb_recoveries == then->rb_recoveries)
                return 0;
        if (now->wal_recoveries > then->wal_recoveries || now->rb_recoveries > then->rb_recoveries ||
            now->wal_commits > then->wal_commits || now->rb_commits > then->rb_commits ||
            now->checkpoints > then->checkpoints)
                return 1;
        /* A journal that the account knew to be hot is rolled back before its eyes. One that it did not know of, because it was
         * there before the watch, was when it is not hot any more. */
        const struct vigil_observed *o = now_observed;
        if (was_hot && !then->journal_hot && o && !o->error && o->hdr.ns > died_ns && o->flags & VIGIL_OBS_MAIN &&
            !sees_hot(o) && (!then_observed || o->hdr.ns > then_observed->hdr.ns))
                return 1;
        return 0;
}

static int recovered(const struct slot *s, const struct model_use *u, uint64_t died_ns)
{
        return model_recovered(u->db, u->observed, died_ns, s->db, s->db_ns, s->observed);
}

static bool still_had_it(const struct model_death *other, uint32_t db, uint64_t ns)
{
        for (uint32_t i = 0; i < other->nuses; i++) {
                const struct vigil_use *u = &other->use[i].use;
                /* Who merely reads the bytes has no connection. */
                if (!u->locks_at_end && !(u->flags & (VIGIL_USE_LOCKED | VIGIL_USE_WROTE | VIGIL_USE_SEEN_LATE)))
                        continue;
                bool before = u->first_ns <= ns || u->flags & VIGIL_USE_SEEN_LATE;
                bool after = u->last_ns > ns || u->flags & VIGIL_USE_OPEN_AT_END || u->locks_at_end;
                if (u->db == db && before && after)
                        return true;
        }
        return false;
}

/* Used before this death and after it, or never let go: then it was open in between. */
static bool others(const struct model *m, size_t death, uint32_t db)
{
        const struct model_death *d = m->death[death];
        for (size_t i = 0; i < m->nliving; i++)
                if (!same_process(&m->living[i]->id, &d->id) && still_had_it(m->living[i], db, d->ns))
                        return true;
        for (size_t i = death + 1; i < m->ndeaths; i++)
                if (!same_process(&m->death[i]->id, &d->id) && still_had_it(m->death[i], db, d->ns))
                        return true;
        return false;
}

static bool uses(const struct model_death *d, const struct vigil_ident *id, size_t database)
{
        for (uint32_t i = 0; same_process(&d->id, id) && i < d->nuses; i++)
                if (d->use[i].database == database)
                        return true;
        return false;
}

static bool participant(const struct model *m, const struct vigil_ident *id, size_t database)
{
        for (size_t i = 0; i < m->ndeaths; i++)
                if (uses(m->death[i], id, database))
                        return true;
        for (size_t i = 0; i < m->nliving; i++)
                if (uses(m->living[i], id, database))
                        return true;
        return false;
}

void afterlife_settle(struct model *m)
{
        for (size_t i = 0; i < m->ndeaths; i++) {
                struct model_death *d = m->death[i];
                for (uint32_t k = 0; k < d->nuses; k++) {
                        d->use[k].recovered = recovered(&m->slot[d->use[k].use.db], &d->use[k], d->ns);
                        d->use[k].others = others(m, i, d->use[k].use.db);
                }
        }
        for (size_t i = 0; i < m->ntroubles; i++)
                m->trouble[i].participant = participant(m, &m->trouble[i].id, m->trouble[i].database);
}

/* ---- the living --------------------------------------------------------------------------------------------------- */

/* No record joins a living process and its databases, as VIGIL_EXIT_DB does for a dead one: the accounts that follow at the end of
 * the stream do. */
int living_settle(struct model *m)
{
        for (size_t i = 0; i < m->nliving; i++) {
                struct model_death *d = m->living[i];
                for (uint32_t k = 0; k < d->nuses; k++) {
                        struct model_use *u = &d->use[k];
                        const struct vigil_db *now = u->use.db < VIGIL_MAX_DBS ? m->slot[u->use.db].db : NULL;
                        if (!now)
                                continue;
                        u->db = model_copy(now, sizeof(*now));
                        if (!u->db)
                                return -ENOMEM;
                        if (now->txn && now->txn_tgid == d->id.tgid && now->txn_start_ns == d->id.start_ns)
                                u->use.flags |= VIGIL_USE_TXN_OWNER;
                }
        }
        return 0;
}

/* ---- trust --------------------------------------------------------------------------------------------------------- */

/* Counters of loss: what each means for the trust, and whether an event that a verdict rests on may be missing. */
static const struct loss {
        size_t offset; /* of a __u64 in struct vigil_stats */
        const char *reason;
        bool blind;
} losses[] = {
#define LOSS(f, reason, blind)                                                                                     \
        {                                                                                                          \
                offsetof(struct vigil_stats, f), reason, blind                                                     \
        }
        LOSS(missed, "probe-missed", true),
        LOSS(c.full_procs, "table-full", true),
        LOSS(c.full_parts, "table-full", true),
        LOSS(c.full_files, "table-full", true),
        LOSS(c.full_names, "table-full", true),
        LOSS(c.collisions, "pid-collision", true),
        LOSS(cut, "recording-cut", true),
        /* What has no place is missing as a whole; what has one is followed by its own files, names and places of a process. */
        LOSS(c.full_dbs, "databases-not-watched", false),
        LOSS(c.uses_lost, "databases-not-kept", false),
        LOSS(c.snaps_lost, "snapshot-lost", false),
        LOSS(c.full_syncs, "syncs-not-credited", false),
        LOSS(c.full_hist, "histograms-incomplete", false),
        LOSS(c.read_faults, "memory-unreadable", false),
        LOSS(c.unresolved, "descriptors-unresolved", false),
#undef LOSS
};

static void lower(struct model *m, const char *reason, bool blind)
{
        trust_lower(&m->trust, reason);
        if (blind && !m->blind)
                m->blind = reason;
}

static void settle_stats(struct model *m)
{
        const struct vigil_stats *s = m->stats;
        for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
                uint64_t count;
                memcpy(&count, (const char *)s + losses[i].offset, sizeof(count));
                if (count)
                        lower(m, losses[i].reason, losses[i].blind);
        }
        if (s->probes_silent)
                lower(m, "probe-silent", true);
        if (s->probes_missing)
                lower(m, "probe-missing", false);
        if (!s->canary) {
                lower(m, "canary-not-seen", true);
                m->trust.level = TRUST_NONE;
        }
}

void trust_settle(struct model *m)
{
        if (model_lost(m) || model_gaps(m))
                lower(m, "events-lost", true);
        if (m->stats)
                settle_stats(m);
        if (!m->session)
                lower(m, "no-session", false);
        /* Without the counters nobody knows what was lost. */
        if (!m->stats || !m->end)
                lower(m, "stream-incomplete", !m->stats);
        if (m->gaps.duplicates)
                lower(m, "records-duplicated", false);
        if (m->gaps.too_late || m->gaps.unfollowed)
                lower(m, "records-reordered", false);
        if (m->unknown)
                lower(m, "unknown-records", false);
        if (m->full)
                lower(m, "model-full", false);
        if (m->deaths_lost)
                lower(m, "deaths-not-kept", true);
}
