/* lock_graph.c - see lock_graph.h. */
#include "detect/lock_graph.h"

const char *knot_kind_name(enum knot_kind kind)
{
        return kind == KNOT_DEADLOCK ? "deadlock" : "convoy";
}

static bool same(const struct vigil_ident *a, const struct vigil_ident *b)
{
        return a->tgid && a->tgid == b->tgid && a->start_ns == b->start_ns;
}

static size_t holders_told(const struct evidence_wait *w)
{
        return w->nholders < EVIDENCE_HOLDERS ? w->nholders : EVIDENCE_HOLDERS;
}

static bool is_held_by(const struct evidence_wait *wait, const struct vigil_ident *id)
{
        for (size_t i = 0; i < holders_told(wait); i++)
                if (same(&wait->holder[i].id, id))
                        return true;
        return false;
}

/* ---- cycles ---- */

/* A way from @from back to itself, as the indices of who waits; 0: there is none. A search in depth. */
static size_t cycle_from(const struct lock_waiter *w, size_t n, size_t from, size_t ret[KNOT_MEMBERS])
{
        size_t path[KNOT_MEMBERS] = {from}, choice[KNOT_MEMBERS] = {0}, depth = 1, steps = 0;
        const size_t limit = 64 * n; /* of a graph with many ways around: what is not found is not told */

        while (depth && steps++ < limit) {
                const struct lock_waiter *at = &w[path[depth - 1]];
                size_t next = choice[depth - 1]++;

                if (next >= n) {
                        depth--;
                        continue;
                }
                if (!is_held_by(&at->wait, &w[next].id))
                        continue;
                if (same(&w[next].id, &w[from].id)) {
                        for (size_t i = 0; i < depth; i++)
                                ret[i] = path[i];
                        return depth;
                }
                bool seen = false;
                for (size_t i = 0; i < depth; i++)
                        seen |= same(&w[path[i]].id, &w[next].id);
                if (seen || depth == KNOT_MEMBERS)
                        continue;
                path[depth] = next;
                choice[depth++] = 0;
        }
        return 0;
}

static bool is_told(const struct lock_waiter *w, const struct lock_knot *k, size_t n, const struct vigil_ident *id)
{
        for (size_t i = 0; i < n; i++)
                for (size_t m = 0; k[i].kind == KNOT_DEADLOCK && m < k[i].nmembers; m++)
                        if (same(&w[k[i].member[m]].id, id))
                                return true;
        return false;
}

static size_t find_deadlocks(const struct lock_waiter *w, size_t n, struct lock_knot *ret, size_t room)
{
        size_t found = 0;

        for (size_t i = 0; i < n && found < room; i++) {
                struct lock_knot k = {.kind = KNOT_DEADLOCK};

                if (is_told(w, ret, found, &w[i].id))
                        continue;
                k.nmembers = cycle_from(w, n, i, k.member);
                if (k.nmembers < 2)
                        continue;
                for (size_t m = 0; m < k.nmembers; m++)
                        if (w[k.member[m]].wait.since_ns > k.since_ns)
                                k.since_ns = w[k.member[m]].wait.since_ns;
                ret[found++] = k;
        }
        return found;
}

bool lock_knot_is_own(const struct lock_knot *k, const struct lock_waiter *waiter, size_t i)
{
        const struct lock_waiter *has = &waiter[k->member[i]];
        const struct evidence_wait *for_it = &waiter[k->member[(i + k->nmembers - 1) % k->nmembers]].wait;

        if (has->others.none)
                return true;
        for (size_t h = 0; h < holders_told(for_it); h++)
                if (same(&for_it->holder[h].id, &has->id))
                        return for_it->holder[h].tid && for_it->holder[h].tid == has->wait.tid;
        return false;
}

const struct lock_waiter *lock_knot_doubt(const struct lock_knot *k, const struct lock_waiter *waiter)
{
        for (size_t i = 0; i < k->nmembers && i < KNOT_MEMBERS; i++)
                if (waiter[k->member[i]].others.tid && !lock_knot_is_own(k, waiter, i))
                        return &waiter[k->member[i]];
        return NULL;
}

bool lock_knot_keeps(const struct lock_knot *k, const struct lock_waiter *waiter, const struct vigil_ident *id,
                     const struct evidence_wait *wait)
{
        for (size_t i = 0; i < k->nmembers && i < KNOT_MEMBERS; i++) {
                const struct vigil_ident *member = &waiter[k->member[i]].id;
                if (same(member, id) || (k->kind == KNOT_DEADLOCK && is_held_by(wait, member)))
                        return true;
        }
        return false;
}

/* ---- queues ---- */

/* A checkpoint that is refused a read mark, or finds another at work, is put off: its process goes on. Unless it sleeps for it. */
static bool is_waited_for(const struct evidence_wait *w)
{
        const uint32_t wanted = VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_WAL_READ0 | VIGIL_LOCK_WAL_READ1 |
                                VIGIL_LOCK_WAL_READ2 | VIGIL_LOCK_WAL_READ3 | VIGIL_LOCK_WAL_READ4;

        return w->asleep || w->lock & ~wanted;
}

/* The one process that keeps @w waiting; NULL: none that can be named, or several. */
static const struct evidence_holder *one_holder(const struct evidence_wait *w)
{
        return is_waited_for(w) && w->nholders == 1 && w->holder[0].id.tgid ? &w->holder[0] : NULL;
}

static bool waits_itself(const struct lock_waiter *w, size_t n, const struct vigil_ident *id)
{
        for (size_t i = 0; i < n; i++)
                if (is_waited_for(&w[i].wait) && same(&w[i].id, id))
                        return true;
        return false;
}

static bool queues_with(const struct lock_waiter *a, const struct lock_waiter *b)
{
        const struct evidence_holder *x = one_holder(&a->wait), *y = one_holder(&b->wait);

        return x && y && a->wait.db == b->wait.db && a->wait.lock == b->wait.lock && same(&x->id, &y->id);
}

/* The first ones that began to wait, in order: with the last of them it became a convoy. */
static void note_since(uint64_t first[KNOT_CONVOY_WAITERS], uint64_t since)
{
        for (size_t i = 0; i < KNOT_CONVOY_WAITERS; i++)
                if (!first[i] || since < first[i]) {
                        uint64_t later = first[i];
                        first[i] = since;
                        since = later;
                        if (!later)
                                return;
                }
}

static size_t find_convoys(const struct lock_waiter *w, size_t n, struct lock_knot *ret, size_t room)
{
        size_t found = 0;

        for (size_t i = 0; i < n && found < room; i++) {
                struct lock_knot k = {.kind = KNOT_CONVOY};
                uint64_t since[KNOT_CONVOY_WAITERS] = {0};
                bool first = true;

                if (!one_holder(&w[i].wait) || waits_itself(w, n, &one_holder(&w[i].wait)->id))
                        continue;
                k.holder = *one_holder(&w[i].wait);
                for (size_t j = 0; j < n && first; j++) {
                        if (!queues_with(&w[i], &w[j]))
                                continue;
                        first = j >= i;
                        if (k.nmembers < KNOT_MEMBERS)
                                k.member[k.nmembers] = j;
                        k.nmembers++;
                        note_since(since, w[j].wait.since_ns);
                }
                k.since_ns = since[KNOT_CONVOY_WAITERS - 1];
                if (first && k.nmembers >= KNOT_CONVOY_WAITERS)
                        ret[found++] = k;
        }
        return found;
}

size_t lock_graph_knots(const struct lock_waiter *waiter, size_t n, struct lock_knot *ret, size_t room)
{
        size_t found = find_deadlocks(waiter, n, ret, room);

        return found + find_convoys(waiter, n, ret + found, room - found);
}
