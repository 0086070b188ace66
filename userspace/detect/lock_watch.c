/* lock_watch.c - see lock_watch.h. */
#include "detect/lock_watch.h"

/* The same for the same processes, with whomever the ring begins.
 * @param ret_doubtful  some member's lock may be another thread's
 * @param ret_may_end   that may let go of it by itself */
static struct lock_ring ring_of(const struct lock_knot *k, const struct lock_waiter *waiter, bool *ret_doubtful,
                                bool *ret_may_end)
{
        struct lock_ring r = {0};

        *ret_doubtful = *ret_may_end = false;

        for (size_t i = 0; i < k->nmembers && i < KNOT_MEMBERS; i++) {
                const struct lock_waiter *w = &waiter[k->member[i]];
                r.key += (w->id.start_ns ^ ((uint64_t)w->id.tgid << 40)) * 0x9e3779b97f4a7c15ull;
                r.work += w->work;
                if (lock_knot_is_own(k, waiter, i))
                        continue;
                r.work += w->others.run_ns;
                *ret_doubtful = true;
                *ret_may_end |= w->others.may_act;
        }
        r.key |= 1;
        return r;
}

static const struct lock_ring *find(const struct lock_watch *w, const struct lock_ring *r)
{
        for (size_t i = 0; i < LOCK_WATCHED; i++)
                if (w->ring[i].key == r->key && w->ring[i].work == r->work)
                        return &w->ring[i];
        return NULL;
}

void lock_watch_look(struct lock_watch *w, struct lock_knot *knot, size_t n, const struct lock_waiter *waiter,
                     uint64_t now)
{
        struct lock_watch next = {0};
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
                if (knot[i].kind != KNOT_DEADLOCK)
                        continue;
                bool doubtful, may_end;
                struct lock_ring r = ring_of(&knot[i], waiter, &doubtful, &may_end);
                const struct lock_ring *before = find(w, &r);
                knot[i].may_end = may_end || (doubtful && !before);
                if (may_end)
                        continue;
                r.since_ns = before ? before->since_ns : now;
                if (r.since_ns < knot[i].since_ns)
                        r.since_ns = knot[i].since_ns;
                knot[i].since_ns = r.since_ns;
                if (kept < LOCK_WATCHED)
                        next.ring[kept++] = r;
        }
        *w = next;
}

bool lock_knot_lasts(const struct lock_knot *k, const struct lock_limits *l, uint64_t now)
{
        uint64_t ms = k->kind == KNOT_DEADLOCK ? l->deadlock_after_ms : l->convoy_after_ms;

        return ms && !k->may_end && k->since_ns && now >= k->since_ns + ms * 1000000;
}

unsigned lock_knot_database(const struct lock_knot *k, const struct lock_waiter *waiter)
{
        unsigned db = waiter[k->member[0]].wait.db;

        for (size_t i = 1; i < k->nmembers && i < KNOT_MEMBERS; i++)
                if (waiter[k->member[i]].wait.db < db)
                        db = waiter[k->member[i]].wait.db;
        return db;
}
