/* wal_health.c - see wal_health.h. */
#include "detect/wal_health.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "detect/wording.h"

#define NS_PER_MS 1000000ull

#define READ_MARKS                                                                                                 \
        (VIGIL_LOCK_WAL_READ0 | VIGIL_LOCK_WAL_READ1 | VIGIL_LOCK_WAL_READ2 | VIGIL_LOCK_WAL_READ3 |               \
         VIGIL_LOCK_WAL_READ4)

const char *wal_cause_name(enum wal_cause c)
{
        static const char *const names[] = {[WAL_PINNED] = "reader",
                                            [WAL_NO_CHECKPOINT] = "no-checkpoint",
                                            [WAL_CHECKPOINT_RUNS] = "checkpoint-running",
                                            [WAL_NEVER_FREE] = "readers-without-a-gap",
                                            [WAL_UNKNOWN] = "unknown"};
        return names[c];
}

/* ---- from look to look ---- */

static void begin(struct wal_watch *w, const struct wal_sample *s)
{
        *w = (struct wal_watch){.begun = true,
                                .generation = s->generation,
                                .since_ns = s->now_ns,
                                .checkpoints = s->checkpoints,
                                .refused = s->refused};
}

/* It has gone on growing for @for_ns, and did in the second half of that: a log that nobody writes any more is long, no more. */
static bool goes_on(const struct wal_watch *w, uint64_t now, uint64_t for_ns)
{
        return now - w->over_ns >= for_ns && now - w->grew_ns <= for_ns / 2;
}

/* One transaction, however large, makes it long at once: what is told of is a log that goes on growing. At the cap a tenth of the
 * time is enough, because the checkpoint after a large commit takes its time, too. */
enum wal_state wal_watch_look(struct wal_watch *w, const struct wal_sample *s, const struct wal_limits *l)
{
        if (!w->begun || w->generation != s->generation)
                begin(w, s);
        if (s->bytes > w->bytes)
                w->grew_ns = s->now_ns;
        w->bytes = s->bytes;
        if (s->bytes < l->warn_bytes) {
                w->over_ns = 0;
                return WAL_FINE;
        }
        if (!w->over_ns) {
                w->over_ns = s->now_ns;
                w->over_bytes = s->bytes;
        }
        uint64_t after = l->warn_after_ms * NS_PER_MS;
        if (s->bytes <= w->over_bytes)
                return WAL_FINE;
        if (s->bytes >= l->max_bytes && goes_on(w, s->now_ns, after / 10))
                return WAL_AT_CAP;
        return goes_on(w, s->now_ns, after) ? WAL_GROWING : WAL_FINE;
}

bool wal_watch_wants_holders(const struct wal_watch *w)
{
        return w->over_ns != 0;
}

/* A mark was refused in this generation: the log may only begin anew when it is free. */
static bool is_refused(const struct wal_watch *w, const struct wal_sample *s)
{
        unsigned mark = s->refused.last_mark;

        return mark < VIGIL_READ_MARKS && s->refused.mark[mark] > w->refused.mark[mark];
}

uint32_t wal_watch_mark(const struct wal_watch *w, const struct wal_sample *s)
{
        return is_refused(w, s) ? (uint32_t)VIGIL_LOCK_WAL_READ0 << s->refused.last_mark : READ_MARKS;
}

static bool still_reads(const struct wal_reader *r, const struct evidence_holder *h)
{
        return r->id.tgid == h->id.tgid && r->id.start_ns == h->id.start_ns && r->commits == h->commits;
}

void wal_watch_holders(struct wal_watch *w, const struct wal_sample *s, const struct evidence_wait *marks)
{
        struct wal_reader now[EVIDENCE_HOLDERS] = {0};
        bool same_mark = w->mark & marks->lock; /* before one was refused, all were looked at */

        for (size_t i = 0; i < marks->nholders && i < EVIDENCE_HOLDERS; i++) {
                const struct evidence_holder *h = &marks->holder[i];
                now[i] = (struct wal_reader){.id = h->id, .commits = h->commits, .since_ns = s->now_ns};
                for (size_t k = 0; same_mark && k < EVIDENCE_HOLDERS; k++)
                        if (w->reader[k].id.tgid && still_reads(&w->reader[k], h))
                                now[i].since_ns = w->reader[k].since_ns;
        }
        w->mark = marks->lock;
        memcpy(w->reader, now, sizeof(now));
}

/* Who has read for longest. NULL: nobody was seen, or none that can be named. */
static const struct wal_reader *oldest(const struct wal_watch *w)
{
        const struct wal_reader *r = NULL;

        for (size_t i = 0; i < EVIDENCE_HOLDERS; i++)
                if (w->reader[i].id.tgid && (!r || w->reader[i].since_ns < r->since_ns))
                        r = &w->reader[i];
        return r;
}

enum wal_cause wal_cause_of(const struct wal_watch *w, const struct wal_sample *s,
                            const struct evidence_wait *checkpoint)
{
        const struct wal_reader *r = oldest(w);

        if (!w->mark)
                return WAL_UNKNOWN;
        if (is_refused(w, s) && r && r->since_ns < s->now_ns)
                return WAL_PINNED;
        if (checkpoint->nholders)
                return WAL_CHECKPOINT_RUNS;
        return s->checkpoints == w->checkpoints && s->refused.lock == w->refused.lock ? WAL_NO_CHECKPOINT
                                                                                      : WAL_NEVER_FREE;
}

/* ---- in words ---- */

static void name(char *ret, size_t size, const struct vigil_ident *id)
{
        char comm[VIGIL_COMM_LEN + 1];

        text_printable(comm, sizeof(comm), id->comm[0] ? id->comm : "process");
        snprintf(ret, size, "%s (pid %u)", comm, id->tgid);
}

static void sentence(char detail[DETECT_DETAIL_LEN], const struct wal_watch *w, const struct wal_sample *s,
                     enum wal_cause cause, const struct evidence_wait *checkpoint)
{
        char size[TEXT_BYTES_LEN], span[TEXT_DURATION_LEN], who[64] = "", held[TEXT_DURATION_LEN];

        text_bytes(size, s->bytes);
        text_duration(span, s->now_ns - w->since_ns);
        int n = snprintf(detail, DETECT_DETAIL_LEN, "the log has grown to %s and has not begun anew for %s: ", size,
                         span);
        char *to = detail + n;
        size_t room = DETECT_DETAIL_LEN - (size_t)n;
        switch (cause) {
        case WAL_PINNED:
                name(who, sizeof(who), &oldest(w)->id);
                text_duration(held, s->now_ns - oldest(w)->since_ns);
                snprintf(to, room, "%s holds read mark %u, for at least %s; checkpoints cannot go beyond it", who,
                         s->refused.last_mark, held);
                break;
        case WAL_NO_CHECKPOINT:
                snprintf(to, room, "nobody has begun a checkpoint (wal_autocheckpoint, wal_checkpoint)");
                break;
        case WAL_CHECKPOINT_RUNS:
                name(who, sizeof(who), &checkpoint->holder[0].id);
                snprintf(to, room, "%s is at a checkpoint", who);
                break;
        case WAL_NEVER_FREE:
                snprintf(to, room, "checkpoints succeed, but readers leave no gap in which it could");
                break;
        case WAL_UNKNOWN:
                snprintf(to, room, "who keeps it from that cannot be read");
                break;
        }
}

/* ---- as evidence ---- */

static json_t *holders(const struct evidence_wait *w, uint64_t now)
{
        json_t *array = json_array();

        for (size_t i = 0; i < w->nholders && i < EVIDENCE_HOLDERS; i++) {
                const struct evidence_holder *h = &w->holder[i];
                bool known = h->since_ns && h->since_ns <= now;
                json_array_append_new(array,
                                      json_pack("{s:I, s:I, s:o, s:o, s:o}", "pid", (json_int_t)h->id.tgid,
                                                "start_ns", (json_int_t)h->id.start_ns, "comm",
                                                text_json(h->id.comm, strnlen(h->id.comm, sizeof(h->id.comm))),
                                                "locks", lock_names(h->locks), "holding_ms",
                                                known ? json_integer((json_int_t)((now - h->since_ns) / NS_PER_MS))
                                                      : json_null()));
        }
        return array;
}

static json_t *refusals(const struct wal_watch *w, const struct wal_sample *s)
{
        json_t *marks = json_array();

        for (size_t i = 0; i < VIGIL_READ_MARKS; i++)
                json_array_append_new(marks, json_integer((json_int_t)(s->refused.mark[i] - w->refused.mark[i])));
        return json_pack("{s:I, s:o, s:I}", "checkpoint_lock", (json_int_t)(s->refused.lock - w->refused.lock),
                         "read_marks", marks, "reset", (json_int_t)(s->refused.reset - w->refused.reset));
}

json_t *wal_evidence(const struct wal_watch *w, const struct wal_sample *s, const struct evidence_wait *marks,
                     const struct evidence_wait *checkpoint, char detail[DETECT_DETAIL_LEN])
{
        enum wal_cause cause = wal_cause_of(w, s, checkpoint);

        sentence(detail, w, s, cause, checkpoint);
        return json_pack(
                "{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "cause", wal_cause_name(cause), "wal_bytes",
                (json_int_t)s->bytes, "growing_ms", (json_int_t)((s->now_ns - w->since_ns) / NS_PER_MS),
                "checkpoints", (json_int_t)(s->checkpoints - w->checkpoints), "checkpoint_pages",
                (json_int_t)s->pages, "refused", refusals(w, s), "read_mark",
                is_refused(w, s) ? json_integer(s->refused.last_mark) : json_null(), "reader_held_ms",
                cause == WAL_PINNED ? json_integer((json_int_t)((s->now_ns - oldest(w)->since_ns) / NS_PER_MS))
                                    : json_null(),
                "readers", holders(marks, s->now_ns), "checkpoint_holder", holders(checkpoint, s->now_ns));
}
