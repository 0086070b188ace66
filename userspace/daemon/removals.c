/* removals.c - see removals.h. */
#include "daemon/removals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/memory_private.h"

#define NS_PER_MS 1000000ull

#define HARMED (VIGIL_TAKEN_IN_USE | VIGIL_TAKEN_WAL | VIGIL_TAKEN_HOT | VIGIL_TAKEN_LOST)

/* ---- one of them ---- */

uint64_t removal_ns(const struct removal *r)
{
        return r->hdr.type == VIGIL_PATHOP || !r->op.e.ns ? r->hdr.ns : r->op.e.ns;
}

const struct vigil_ident *removal_by(const struct removal *r)
{
        return r->hdr.type == VIGIL_PATHOP ? &r->path.id : &r->op.id;
}

uint8_t removal_role(const struct removal *r)
{
        return r->hdr.type == VIGIL_PATHOP ? r->path.role : r->op.e.role;
}

uint32_t removal_taken(const struct removal *r)
{
        return r->hdr.type == VIGIL_PATHOP ? r->path.taken : r->op.taken;
}

static uint32_t db_of(const struct removal *r)
{
        return r->hdr.type == VIGIL_PATHOP ? r->path.db : r->op.e.db;
}

static uint8_t act_of(const struct removal *r)
{
        return r->hdr.type == VIGIL_PATHOP ? r->path.op : r->op.e.op;
}

/* ---- keeping ---- */

static struct removals *removals_of(struct memory *m, uint32_t db)
{
        if (!m->removals[db])
                m->removals[db] = calloc(1, sizeof(*m->removals[db]));
        return m->removals[db];
}

/* Who does the same again and again, as a program that makes and removes one database, has one place. */
static struct removal *again(struct removals *s, const struct removal *r)
{
        for (size_t i = 0; i < s->n; i++) {
                struct removal *o = &s->kept[i];
                if (same_ident(removal_by(o), removal_by(r)) && removal_role(o) == removal_role(r) &&
                    act_of(o) == act_of(r) && removal_taken(o) == removal_taken(r))
                        return o;
        }
        return NULL;
}

static void drop(struct removals *s, size_t i)
{
        memmove(&s->kept[i], &s->kept[i + 1], (--s->n - i) * sizeof(*s->kept));
}

/* The oldest that was judged goes. Where all of them wait those that came first stay: else of a flood nothing would ever be told. */
static bool has_room(struct memory *m, struct removals *s)
{
        size_t i = 0;

        if (s->n < REMOVALS_KEPT)
                return true;
        while (i < s->n && !s->kept[i].judged)
                i++;
        if (i == s->n) {
                m->removals_dropped++;
                return false;
        }
        drop(s, i);
        return true;
}

static int keep(struct memory *m, const struct removal *r)
{
        struct removals *s = removals_of(m, db_of(r));

        if (s && !s->kept)
                s->kept = calloc(REMOVALS_KEPT, sizeof(*s->kept));
        if (!s || !s->kept)
                return -ENOMEM;
        struct removal *o = again(s, r);
        if (o && !o->judged)
                return 1;
        if (o)
                drop(s, (size_t)(o - s->kept));
        if (has_room(m, s))
                s->kept[s->n++] = *r;
        return 1;
}

static int note_gone(struct memory *m, const struct removal *r)
{
        struct removals *s = removals_of(m, db_of(r));

        if (!s)
                return -ENOMEM;
        s->gone[removal_role(r)] = (struct gone){
                .ns = removal_ns(r), .id = *removal_by(r), .taken = (uint16_t)(removal_taken(r) & VIGIL_TAKEN)};
        return 0;
}

int removals_take(struct memory *m, const struct vigil_hdr *record)
{
        struct removal r = {0};
        bool path = record->type == VIGIL_PATHOP;

        memcpy(&r, record, path ? sizeof(r.path) : sizeof(r.op));
        if (!m->database[db_of(&r)])
                return 0;
        if (removal_taken(&r) & HARMED)
                return keep(m, &r);
        if (removal_taken(&r) & VIGIL_TAKEN || (path && r.path.op == VIGIL_OP_UNLINK && r.path.confirmed))
                return note_gone(m, &r);
        return 0;
}

static bool waits(const struct removals *s)
{
        for (size_t i = 0; i < s->n; i++)
                if (!s->kept[i].judged)
                        return true;
        return false;
}

bool removals_wait(const struct memory *m, uint32_t db)
{
        return m->removals[db] && waits(m->removals[db]);
}

/* While one waits, what may have gone with it must still be known. */
void removals_used(struct memory *m, const struct vigil_use *use)
{
        struct removals *s = m->removals[use->db];
        bool ends = s && use->flags & VIGIL_USE_LOCKED && !waits(s);

        /* What the files looked like before it committed says nothing of them now. */
        for (size_t i = 0; use->commits && i < REMOVALS_PAST; i++)
                if (m->past[i] && m->past[i]->db == use->db && m->past[i]->observed.hdr.ns < use->last_ns)
                        m->past[i]->db = 0;
        for (size_t i = 0; ends && i < VIGIL_ROLES; i++)
                if (s->gone[i].ns < use->last_ns)
                        s->gone[i].ns = 0;
        for (size_t i = 0; ends && i < s->n; i++)
                s->kept[i].past |= removal_ns(&s->kept[i]) < use->last_ns;
}

void removals_forget(struct memory *m, uint32_t db)
{
        if (m->removals[db])
                free(m->removals[db]->kept);
        free(m->removals[db]);
        m->removals[db] = NULL;
        for (size_t i = 0; i < REMOVALS_PAST; i++)
                if (m->past[i] && m->past[i]->db == db)
                        m->past[i]->db = 0;
}

void removals_free(struct memory *m)
{
        for (uint32_t db = 0; db < VIGIL_MAX_DBS; db++)
                removals_forget(m, db);
        for (size_t i = 0; i < REMOVALS_PAST; i++)
                free(m->past[i]);
}

/* ---- when ---- */

/* So many wait that those of the next moments would push one out. */
static bool is_crowded(const struct removals *s)
{
        size_t n = 0;

        for (size_t i = 0; i < s->n; i++)
                n += !s->kept[i].judged;
        return n >= REMOVALS_KEPT / 2;
}

/* @rested: when its database has rested since it was judged last. */
static uint64_t due_ns(const struct memory *m, uint64_t rested, const struct removal *r)
{
        uint64_t waited = removal_ns(r) + REMOVALS_WAIT_NS;

        return m->ending ? 0 : waited > rested ? waited : rested;
}

static uint64_t rested_ns(const struct removals *s)
{
        return is_crowded(s) ? 0 : s->judged_ns + s->pause_ns;
}

bool removals_due(const struct memory *m, uint64_t now_ns, bool due[VIGIL_MAX_DBS], unsigned *wait_ms)
{
        bool any = false;

        for (uint32_t db = 0; db < VIGIL_MAX_DBS; db++) {
                const struct removals *s = m->removals[db];
                uint64_t rested = s ? rested_ns(s) : 0;
                for (size_t i = 0; s && i < s->n; i++) {
                        uint64_t at = due_ns(m, rested, &s->kept[i]);
                        if (s->kept[i].judged)
                                continue;
                        unsigned ms = at > now_ns ? (unsigned)((at - now_ns) / NS_PER_MS) + 1 : 0;
                        if (!ms)
                                any = due[db] = true;
                        else if (!*wait_ms || ms < *wait_ms)
                                *wait_ms = ms;
                }
        }
        return any;
}

static void note_pause(struct removals *s, uint64_t now_ns)
{
        uint64_t waited = now_ns - s->judged_ns;

        if (!s->judged_ns || waited >= 2 * s->pause_ns + REMOVALS_WAIT_NS)
                s->pause_ns = REMOVALS_WAIT_NS;
        else
                s->pause_ns = 2 * s->pause_ns < REMOVALS_PAUSE_MAX_NS ? 2 * s->pause_ns : REMOVALS_PAUSE_MAX_NS;
        s->judged_ns = now_ns;
}

void removals_judged(struct memory *m, uint64_t now_ns, const bool due[VIGIL_MAX_DBS])
{
        for (uint32_t db = 0; db < VIGIL_MAX_DBS; db++) {
                struct removals *s = due[db] ? m->removals[db] : NULL;
                uint64_t rested = s ? rested_ns(s) : 0;
                for (size_t i = 0; s && i < s->n; i++)
                        if (due_ns(m, rested, &s->kept[i]) <= now_ns)
                                s->kept[i].judged = true;
                if (s)
                        note_pause(s, now_ns);
        }
}
