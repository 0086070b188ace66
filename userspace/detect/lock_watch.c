/* lock_watch.c - see lock_watch.h. */
#include "detect/lock_watch.h"

/* A ring at one look. */
struct look {
        struct lock_ring ring; /* its key is the same for the same processes, with whomever it begins */
        bool doubtful;         /* some member's lock may be another thread's */
        bool may_end;          /* that may let go of it by itself */
        bool at_work;          /* that does more than wait */
};

static struct look look_at(const struct lock_knot *k, const struct lock_waiter *waiter, uint64_t now)
{
        struct look l = {.ring.looked_ns = now};

        for (size_t i = 0; i < k->nmembers && i < KNOT_MEMBERS; i++) {
                const struct lock_waiter *w = &waiter[k->member[i]];
                l.ring.key += (w->id.start_ns ^ ((uint64_t)w->id.tgid << 40)) * 0x9e3779b97f4a7c15ull;
                l.ring.work += w->work;
                if (lock_knot_is_own(k, waiter, i))
                        continue;
                l.ring.run_ns += w->others.run_ns;
                l.ring.reads += w->others.reads;
                l.doubtful = true;
                l.may_end |= w->others.may_act;
                l.at_work |= w->others.at_work;
        }
        l.ring.key |= 1;
        return l;
}

/* The same ring at the look before, if nobody has written or committed since. */
static const struct lock_ring *find(const struct lock_watch *w, const struct lock_ring *r)
{
        for (size_t i = 0; i < LOCK_WATCHED; i++)
                if (w->ring[i].key == r->key && w->ring[i].work == r->work)
                        return &w->ring[i];
        return NULL;
}

/* Nothing has moved since the look before. A sum that is smaller than then is one of fewer threads: one has ended. */
static bool is_idle(const struct look *l, const struct lock_ring *before)
{
        uint64_t noise_ns = (l->ring.looked_ns - before->looked_ns) / 1000 * LOCK_NOISE_PERMILLE;

        return l->ring.reads == before->reads && l->ring.run_ns >= before->run_ns &&
               l->ring.run_ns - before->run_ns <= noise_ns;
}

static uint64_t later(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

/* @param before  the same ring at the look before; NULL: it was not there */
static void judge(struct lock_knot *k, struct look *l, const struct lock_ring *before)
{
        struct lock_ring *r = &l->ring;
        bool stands = before && before->since_ns && before->run_ns == r->run_ns;

        k->may_end = l->may_end || (l->doubtful && !stands);
        if (!l->may_end)
                r->since_ns = later(stands ? before->since_ns : r->looked_ns, k->since_ns);
        if (!l->at_work)
                r->idle_ns = later(before && before->idle_ns && is_idle(l, before) ? before->idle_ns : r->looked_ns,
                                   k->since_ns);
        k->idle_ns = k->may_end ? r->idle_ns : 0;
        if (!l->may_end)
                k->since_ns = r->since_ns;
}

void lock_watch_look(struct lock_watch *w, struct lock_knot *knot, size_t n, const struct lock_waiter *waiter,
                     uint64_t now)
{
        struct lock_watch next = {0};
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
                if (knot[i].kind != KNOT_DEADLOCK)
                        continue;
                struct look l = look_at(&knot[i], waiter, now);
                judge(&knot[i], &l, find(w, &l.ring));
                if (kept < LOCK_WATCHED)
                        next.ring[kept++] = l.ring;
        }
        *w = next;
}

bool lock_knot_lasts(const struct lock_knot *k, const struct lock_limits *l, uint64_t now)
{
        uint64_t ms = k->kind == KNOT_DEADLOCK ? l->deadlock_after_ms : l->convoy_after_ms;

        return ms && !k->may_end && k->since_ns && now >= k->since_ns + ms * 1000000;
}

bool lock_knot_is_suspect(const struct lock_knot *k, const struct lock_limits *l, uint64_t now)
{
        return k->kind == KNOT_DEADLOCK && l->suspect_after_ms && k->may_end && k->idle_ns &&
               now >= k->idle_ns + l->suspect_after_ms * 1000000;
}

unsigned lock_knot_database(const struct lock_knot *k, const struct lock_waiter *waiter)
{
        unsigned db = waiter[k->member[0]].wait.db;

        for (size_t i = 1; i < k->nmembers && i < KNOT_MEMBERS; i++)
                if (waiter[k->member[i]].wait.db < db)
                        db = waiter[k->member[i]].wait.db;
        return db;
}
