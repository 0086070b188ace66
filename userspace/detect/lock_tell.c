/* lock_tell.c - see lock_tell.h. */
#include "detect/lock_tell.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "detect/wording.h"

const char *database_name(const struct database_names *names, unsigned db)
{
        static _Thread_local char number[32];
        const char *name = names->name ? names->name(db, names->userdata) : NULL;

        if (name)
                return name;
        snprintf(number, sizeof(number), "database %u", db);
        return number;
}

/* ---- as JSON ---- */

json_t *ident_json(const struct vigil_ident *id)
{
        if (!id->tgid)
                return json_null();
        return json_pack("{s:I, s:I, s:o}", "pid", (json_int_t)id->tgid, "start_ns", (json_int_t)id->start_ns,
                         "comm", text_json(id->comm, strnlen(id->comm, sizeof(id->comm))));
}

json_t *since_json(uint64_t ns, uint64_t now)
{
        return ns && ns <= now ? json_integer((json_int_t)((now - ns) / 1000000)) : json_null();
}

static json_t *holder_json(const struct evidence_holder *h, uint64_t now)
{
        json_t *o = h->id.tgid ? ident_json(&h->id) : json_object();

        if (!o || json_object_set_new(o, "locks", lock_names(h->locks)) < 0 ||
            json_object_set_new(o, "holding_ms", since_json(h->since_ns, now)) < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}

json_t *lock_wait_json(const struct evidence_wait *w, const struct database_names *names, uint64_t now)
{
        char lock[64];
        size_t told = w->nholders < EVIDENCE_HOLDERS ? w->nholders : EVIDENCE_HOLDERS;
        const char *name = database_name(names, w->db);
        json_t *others = json_array();

        lock_text(lock, sizeof(lock), w->lock);
        for (size_t i = 1; i < told; i++)
                json_array_append_new(others, holder_json(&w->holder[i], now));
        return json_pack("{s:s, s:o, s:o, s:I, s:b, s:o, s:I, s:o}", "lock", lock, "database",
                         text_json(name, strlen(name)), "waiting_ms", since_json(w->since_ns, now), "tries",
                         (json_int_t)w->tries, "asleep", w->asleep, "holder",
                         told ? holder_json(&w->holder[0], now) : json_null(), "holders", (json_int_t)w->nholders,
                         "other_holders", others);
}

/* The thread for whose sake it is no more than suspected; null: it is certain, or none can be named. */
static json_t *doubt_json(const struct lock_knot *k, const struct lock_waiter *waiter)
{
        const struct lock_waiter *w = k->may_end ? lock_knot_doubt(k, waiter) : NULL;
        json_t *o = w ? ident_json(&w->id) : json_null();

        if (!w || !o)
                return o;
        json_object_set_new(o, "tid", json_integer(w->others.tid));
        json_object_set_new(o, "thread", text_json(w->others.comm, strnlen(w->others.comm, VIGIL_COMM_LEN)));
        json_object_set_new(o, "waits", json_string(sleep_name(w->others.sleeps)));
        return o;
}

json_t *lock_knot_json(const struct lock_knot *k, const struct lock_waiter *waiter,
                       const struct database_names *names, uint64_t now)
{
        json_t *members = json_array();

        for (size_t i = 0; i < k->nmembers && i < KNOT_MEMBERS; i++) {
                const struct lock_waiter *w = &waiter[k->member[i]];
                json_array_append_new(members, json_pack("{s:o, s:o}", "process", ident_json(&w->id), "waits_for",
                                                         lock_wait_json(&w->wait, names, now)));
        }
        return json_pack("{s:s, s:I, s:o, s:o, s:b, s:o}", "kind", knot_kind_name(k->kind), "processes",
                         (json_int_t)k->nmembers, "since_ms",
                         since_json(k->may_end ? k->idle_ns : k->since_ns, now), "members", members, "suspected",
                         k->may_end, "may_let_go", doubt_json(k, waiter));
}

/* ---- in words ---- */

static void tell_holder(struct sentence *s, const struct evidence_holder *h, uint64_t now)
{
        char locks[128];

        lock_text(locks, sizeof(locks), h->conflicting ? h->conflicting : h->locks);
        if (h->id.tgid)
                sentence_process(s, &h->id);
        else
                sentence_add(s, "an open file whose owner cannot be named");
        sentence_add(s, " with %s", locks);
        sentence_span(s, " for ", h->since_ns, now);
}

void lock_wait_tell(struct sentence *s, const struct evidence_wait *w, const struct database_names *names,
                    uint64_t now)
{
        char lock[64];

        lock_text(lock, sizeof(lock), w->lock);
        sentence_span(s, " has waited ", w->since_ns, now);
        sentence_add(s, " for the %s lock of %s, held by ", lock, database_name(names, w->db));
        if (!w->nholders) {
                sentence_add(s, "nobody at this instant");
                return;
        }
        tell_holder(s, &w->holder[0], now);
        if (w->nholders > 1)
                sentence_add(s, " and %zu more", w->nholders - 1);
}

/* A ring of two or three has room in a sentence; the others stand in the evidence. */
static void tell_ring(struct sentence *s, const struct lock_knot *k, const struct lock_waiter *waiter,
                      const struct database_names *names)
{
        char lock[64];

        for (size_t i = 0; i < k->nmembers && i < 3; i++) {
                const struct lock_waiter *w = &waiter[k->member[i]];
                lock_text(lock, sizeof(lock), w->wait.lock);
                sentence_add(s, "%s", i ? ", " : ": ");
                sentence_process(s, &w->id);
                sentence_add(s, " wants %s of %s", lock, database_name(names, w->wait.db));
        }
        sentence_add(s, "%s%s", k->nmembers > 3 ? " and so on" : "",
                     k->may_end ? "" : "; it ends when one of them gives up or is ended");
}

/* Before who waits for what: it must not be cut off. */
static void tell_doubt(struct sentence *s, const struct lock_knot *k, const struct lock_waiter *waiter,
                       uint64_t now)
{
        const struct lock_waiter *w = lock_knot_doubt(k, waiter);

        sentence_add(s, "perhaps a deadlock of %zu processes: nothing has moved", k->nmembers);
        sentence_span(s, " for ", k->idle_ns, now);
        sentence_add(s, ", but ");
        if (!w) {
                sentence_add(s, "another thread could let go");
                return;
        }
        sentence_add(s, "thread %u (%.15s) of ", w->others.tid, w->others.comm);
        sentence_process(s, &w->id);
        sentence_add(s, " %s and could let go", sleep_text(w->others.sleeps));
}

void lock_knot_tell(struct sentence *s, const struct lock_knot *k, const struct lock_waiter *waiter,
                    const struct database_names *names, uint64_t now)
{
        if (k->kind == KNOT_DEADLOCK) {
                if (k->may_end) {
                        tell_doubt(s, k, waiter, now);
                } else {
                        sentence_add(s, "a deadlock of %zu processes", k->nmembers);
                        sentence_span(s, " for ", k->since_ns, now);
                }
                tell_ring(s, k, waiter, names);
                return;
        }
        const struct lock_waiter *first = &waiter[k->member[0]];
        char lock[64];

        lock_text(lock, sizeof(lock), first->wait.lock);
        sentence_add(s, "a convoy: %zu processes have waited", k->nmembers);
        sentence_span(s, " ", k->since_ns, now);
        sentence_add(s, " for the %s lock of %s, held by ", lock, database_name(names, first->wait.db));
        tell_holder(s, &k->holder, now);
}
