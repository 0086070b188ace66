/* removals_compose.c - what the stream of an episode says of files that were taken, and which of the findings on them are news. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/compose.h"

/* What went longer before or after a removal than this did not go with it. */
#define WITH_NS (60ull * 1000000000)

static uint64_t between(uint64_t a, uint64_t b)
{
        return a > b ? a - b : b - a;
}

/* ---- which of them ---- */

/* Somebody has died in this episode who may have relied on what @r took: who used the database then, or came while they did. */
static bool may_concern(const struct dead *dead, uint32_t db, const struct removal *r)
{
        bool old_users = removal_role(r) == VIGIL_ROLE_WAL && removal_taken(r) & VIGIL_TAKEN_IN_USE;

        for (uint32_t i = 0; i < dead->nuses; i++)
                if (dead->use[i].db == db &&
                    (old_users || dead->use[i].seen_late || dead->use[i].first_ns <= removal_ns(r)))
                        return true;
        return false;
}

/* Somebody who died in this episode wrote to a file that had lost its name. */
static bool lost_here(const struct episode *e, const struct removals *s)
{
        for (size_t i = 0; i < s->n; i++)
                for (size_t k = 0; removal_taken(&s->kept[i]) & VIGIL_TAKEN_LOST && k < e->ndead; k++)
                        if (same_ident(removal_by(&s->kept[i]), &e->dead[k].id))
                                return true;
        return false;
}

static bool awaits(const struct removals *s, uint32_t taken)
{
        for (size_t i = 0; i < s->n; i++)
                if (!s->kept[i].judged && removal_taken(&s->kept[i]) & taken)
                        return true;
        return false;
}

/* Only what went right before or after one that is judged now: there is nobody here to say that it was used in between. */
static bool is_near(const struct removals *s, uint64_t ns)
{
        for (size_t i = 0; ns && i < s->n; i++)
                if (!s->kept[i].judged && between(removal_ns(&s->kept[i]), ns) < WITH_NS)
                        return true;
        return false;
}

static bool went_along(const struct removals *s, const struct removal *r)
{
        return !r->past && !(removal_taken(r) & VIGIL_TAKEN_LOST) && is_near(s, removal_ns(r));
}

/* One that was judged long ago is no part of what goes now; it still explains who has died of it, or writes to what has no name. */
static bool belongs(const struct episode *e, const struct removals *s, uint32_t db, const struct removal *r)
{
        if (!r->judged || went_along(s, r) || awaits(s, VIGIL_TAKEN_LOST) || lost_here(e, s))
                return true;
        for (size_t i = 0; i < e->ndead; i++)
                if (may_concern(&e->dead[i], db, r))
                        return true;
        return false;
}

/* ---- the stream ---- */

static int on_person(const struct vigil_hdr *r, void *userdata)
{
        return compose(userdata, r, r->type, r->size);
}

static bool died_here(const struct episode *e, const struct vigil_ident *id)
{
        for (size_t i = 0; i < e->ndead; i++)
                if (same_ident(&e->dead[i].id, id))
                        return true;
        return false;
}

static int compose_removal(struct episode *e, const struct removal *r)
{
        size_t size = r->hdr.type == VIGIL_PATHOP ? sizeof(r->path) : sizeof(r->op);
        const struct vigil_ident *by = removal_by(r);
        int err = died_here(e, by) ? 0 : people_tell(&e->memory->people, by, on_person, e);

        return err < 0 ? err : compose(e, r, r->hdr.type, size);
}

static int compose_gone(struct episode *e, const struct removals *s, uint32_t db)
{
        int r = 0;

        for (uint8_t role = 0; r == 0 && role < VIGIL_ROLES; role++) {
                const struct gone *g = &s->gone[role];
                struct vigil_pathop p = {.hdr.ns = g->ns,
                                         .id = g->id,
                                         .db = db,
                                         .role = role,
                                         .op = VIGIL_OP_UNLINK,
                                         .taken = g->taken,
                                         .confirmed = 1};
                if (is_near(s, g->ns))
                        r = compose(e, &p, VIGIL_PATHOP, sizeof(p));
        }
        return r;
}

/* The last look before a removal, with the death that it was after: it may have found that nothing was in the WAL that the main file
 * had not. */
static int compose_past(struct episode *e, const struct removals *s, uint32_t db)
{
        const struct past *p = NULL;

        for (size_t i = 0; i < REMOVALS_PAST; i++)
                if (e->memory->past[i] && e->memory->past[i]->db == db)
                        p = e->memory->past[i];
        if (!p || !awaits(s, VIGIL_TAKEN_WAL) || died_here(e, &p->proc.id))
                return 0;
        e->past[e->npasts++] = p->proc.id;
        int r = compose(e, &p->proc, p->proc.hdr.type, sizeof(p->proc));
        if (r == 0)
                r = compose(e, &p->part, VIGIL_EXIT_DB, sizeof(p->part));
        return r < 0 ? r : compose(e, &p->observed, VIGIL_OBSERVED, sizeof(p->observed));
}

/* What somebody wrote who died in this episode is judged with him: a later one would not know how he came to the file. */
static bool ends_here(const struct episode *e, const struct removal *r)
{
        return removal_taken(r) & VIGIL_TAKEN_LOST && died_here(e, removal_by(r));
}

static int compose_database(struct episode *e, struct removals *s, uint32_t db, bool due)
{
        int r = due ? compose_past(e, s, db) : 0;

        if (r == 0)
                r = compose_gone(e, s, db);
        for (size_t i = 0; r == 0 && i < s->n; i++)
                if (belongs(e, s, db, &s->kept[i]))
                        r = compose_removal(e, &s->kept[i]);
        for (size_t i = 0; r == 0 && i < s->n; i++)
                s->kept[i].judged |= ends_here(e, &s->kept[i]);
        return r;
}

int removals_compose(struct episode *e, const bool due[VIGIL_MAX_DBS])
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < e->ndbs; i++) {
                struct removals *s = e->memory->removals[e->db[i]];
                if (s)
                        r = compose_database(e, s, e->db[i], due[e->db[i]]);
        }
        return r;
}

/* ---- what was seen after a death ---- */

/* In the place of the one before, of that database; else in one that is free, or the next in turn. */
static struct past *place_of(struct memory *m, uint32_t db)
{
        size_t at = REMOVALS_PAST;

        for (size_t i = 0; i < REMOVALS_PAST && at == REMOVALS_PAST; i++)
                if (m->past[i] && m->past[i]->db == db)
                        at = i;
        for (size_t i = 0; i < REMOVALS_PAST && at == REMOVALS_PAST; i++)
                if (!m->past[i] || !m->past[i]->db)
                        at = i;
        if (at == REMOVALS_PAST)
                at = m->npasts++ % REMOVALS_PAST;
        if (!m->past[at])
                m->past[at] = malloc(sizeof(*m->past[at]));
        return m->past[at];
}

/* The death's own records, as they stand in the episode. */
void removals_looked(const struct episode *e, const struct vigil_ident *id, const struct vigil_observed *o)
{
        const struct vigil_proc *proc = NULL;
        const struct vigil_exit_db *part = NULL;

        for (size_t at = 0; at < e->used;) {
                const struct vigil_hdr *h = (const void *)(e->bytes + at);
                const void *r = h;
                at += h->size;
                if (h->type == VIGIL_EXIT || h->type == VIGIL_EXEC)
                        proc = same_ident(&((const struct vigil_proc *)r)->id, id) ? r : proc;
                else if (h->type == VIGIL_EXIT_DB && ((const struct vigil_exit_db *)r)->use.db == o->db)
                        part = same_ident(&((const struct vigil_exit_db *)r)->id, id) ? r : part;
        }
        struct past *p = proc && part ? place_of(e->memory, o->db) : NULL;
        if (!p)
                return;
        *p = (struct past){.db = o->db, .proc = *proc, .part = *part, .observed = *o};
        if (!o->hdr.ns)
                p->observed.hdr.ns = clock_boottime_ns();
        p->proc.nuses = 1;
        p->proc.use[0] = part->use;
}

/* ---- what is news ---- */

bool episode_is_past(const struct episode *e, const struct vigil_ident *id)
{
        for (size_t i = 0; i < e->npasts; i++)
                if (same_ident(&e->past[i], id))
                        return true;
        return false;
}

static struct removal *removal_of(const struct episode *e, uint32_t db, const struct finding *f)
{
        struct removals *s = f->certificate ? NULL : e->memory->removals[db];

        for (size_t i = 0; s && i < s->n; i++)
                if (removal_ns(&s->kept[i]) == f->ns && same_ident(removal_by(&s->kept[i]), &f->process))
                        return &s->kept[i];
        return NULL;
}

bool episode_is_news(const struct episode *e, uint32_t db, const struct finding *f)
{
        const struct removal *r = removal_of(e, db, f);

        if (f->certificate)
                return !episode_is_past(e, &f->certificate->death->id);
        return !r || (!r->told && (r->judged || removal_role(r) == VIGIL_ROLE_JOURNAL));
}

bool episode_told(const struct episode *e, uint32_t db, const struct finding *f)
{
        struct removal *r = removal_of(e, db, f);

        if (r)
                r->told = true;
        return r != NULL;
}
