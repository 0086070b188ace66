/* latency_series.c - see latency.h: one operation on one file, turn by turn. */
#include <stdlib.h>

#include "detect/latency_private.h"

/* One of so many samples, or one part of so many of the time. */
#define MANY_OF 20
#define LONG_OF 4
/* Bytes may take twice their usual time in a large transaction. */
#define PACE    2
#define SLACK_S 300

/* The turns of the window, the oldest of which is overwritten. */
struct latency_ring {
        unsigned turns, next; /* turns: how many the window has */
        struct ring_turn {
                struct latency_turn turn;
                struct vigil_hist hist;
        } * at;
        struct vigil_hist now; /* of the turn that is not over */
        unsigned spiked;       /* turns that left while a spike was on */
        bool warm;             /* enough is known */
};

bool latency_op_of(unsigned op, enum latency_op *ret)
{
        static const struct {
                unsigned op;
                enum latency_op judged;
        } table[] = {{VIGIL_OP_READ, LATENCY_READ},
                     {VIGIL_OP_SYNC, LATENCY_SYNC},
                     {VIGIL_OP_LOCK_WAIT, LATENCY_LOCK},
                     {VIGIL_OP_COMMIT, LATENCY_COMMIT},
                     {VIGIL_OP_CHECKPOINT, LATENCY_CHECKPOINT}};

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                if (table[i].op != op)
                        continue;
                *ret = table[i].judged;
                return true;
        }
        return false;
}

const char *latency_state_name(enum latency_state s)
{
        static const char *const names[] = {[LATENCY_IDLE] = "idle",
                                            [LATENCY_LEARNING] = "learning",
                                            [LATENCY_USUAL] = "usual",
                                            [LATENCY_SLOW] = "slow"};
        return names[s];
}

struct latency_series *series_new(unsigned role, unsigned op)
{
        struct latency_series *s = calloc(1, sizeof(*s));

        if (s)
                s->ring = calloc(1, sizeof(*s->ring));
        if (!s || !s->ring) {
                free(s);
                return NULL;
        }
        s->role = (uint8_t)role;
        s->op = (uint8_t)op;
        return s;
}

void series_free(struct latency_series *s)
{
        baseline_done(&s->baseline);
        free(s->ring->at);
        free(s->ring);
        free(s);
}

void latency_add(struct latency_series *s, const struct vigil_hist *h)
{
        hist_add(&s->ring->now, h);
}

/* ---- the window ---- */

/* Where something was written and nobody had to wait for a lock, that is what is usual. */
static const struct vigil_hist no_wait = {.count = 1, .bucket = {1}};

/* What leaves the window is learned: nobody can have found it slow before it came in. */
static void learn(struct latency_series *s, const struct ring_turn *old, bool spike)
{
        bool unhindered = s->op == VIGIL_OP_LOCK_WAIT && !old->hist.count && old->turn.bytes;

        if ((!old->hist.count && !unhindered) || old->turn.disturbed)
                return;
        if (spike && s->ring->spiked++ % LATENCY_SPIKE_LEARNS != LATENCY_SPIKE_LEARNS - 1)
                return;
        /* Out of memory: it stays unknown, as everything before it was. */
        if (baseline_learn(&s->baseline, old->turn.at_s, unhindered ? &no_wait : &old->hist, old->turn.bytes) == 0)
                s->changed = true;
}

static unsigned turns_of(const struct latency_limits *limits)
{
        uint64_t n = limits->window_ns / limits->turn_ns;

        return n < 1 ? 1 : n > LATENCY_MAX_WINDOW ? LATENCY_MAX_WINDOW : (unsigned)n;
}

/* Another window begins empty. Where there is no memory for it, the one that is there stays. */
static void resize(struct latency_ring *r, unsigned turns)
{
        struct ring_turn *at = turns == r->turns ? NULL : calloc(turns, sizeof(*at));

        if (!at)
                return;
        free(r->at);
        r->at = at;
        r->turns = turns;
        r->next = 0;
}

/* Takes the turn into the window, and learns the one that leaves. @return false: there is no memory for a window */
static bool shift(struct latency_series *s, const struct latency_limits *limits, const struct latency_turn *turn,
                  bool spike)
{
        struct latency_ring *r = s->ring;

        resize(r, turns_of(limits));
        if (!r->turns)
                return false;
        struct ring_turn *at = &r->at[r->next];
        learn(s, at, spike);
        *at = (struct ring_turn){.turn = *turn};
        if (!turn->disturbed)
                at->hist = r->now;
        r->now = (struct vigil_hist){0};
        r->next = (r->next + 1) % r->turns;
        return true;
}

static const struct ring_turn *newest(const struct latency_series *s)
{
        return &s->ring->at[(s->ring->next + s->ring->turns - 1) % s->ring->turns];
}

/* ---- judging ---- */

static uint64_t lower_bound(unsigned bucket)
{
        return bucket ? hist_bound(bucket - 1) : 0;
}

struct part {
        uint64_t samples, ns; /* at least */
};

/* The samples that are certainly not below @from_ns. */
static struct part part_above(const struct vigil_hist *h, uint64_t from_ns)
{
        struct part p = {0};

        for (unsigned i = VIGIL_HIST_BUCKETS; i-- > 0 && lower_bound(i) >= from_ns;) {
                p.samples += h->bucket[i];
                p.ns += h->bucket[i] * lower_bound(i);
        }
        return p;
}

/* The median of those. */
static uint64_t median_above(const struct vigil_hist *h, uint64_t from_ns)
{
        struct vigil_hist above = {.max_ns = h->max_ns};

        for (unsigned i = 0; i < VIGIL_HIST_BUCKETS; i++)
                above.bucket[i] = lower_bound(i) >= from_ns ? h->bucket[i] : 0;
        return hist_quantile(&above, 500);
}

/* What the bytes of the window would usually have taken, twice over, explains the time. */
static bool is_bulk(const struct latency_series *s, uint64_t bytes)
{
        return s->op != VIGIL_OP_LOCK_WAIT && bytes && s->usual.ns_per_byte > 0 &&
               (double)s->window.sum_ns < PACE * s->usual.ns_per_byte * (double)bytes;
}

static bool is_slow(const struct latency_series *s, uint64_t from_ns, uint64_t span_ns)
{
        struct part p = part_above(&s->window, from_ns);

        return p.samples >= LATENCY_SLOW_SAMPLES &&
               (p.samples * MANY_OF >= s->window.count || p.ns * LONG_OF >= span_ns);
}

static uint64_t measure(const struct latency_series *s, const struct latency_limits *limits)
{
        enum latency_op op = LATENCY_SYNC;

        latency_op_of(s->op, &op);
        uint64_t slow = limits->factor * s->usual.p95_ns;
        return slow > limits->floor_ns[op] ? slow : limits->floor_ns[op];
}

/* Sums up the window. @return bytes written in it */
static uint64_t look(struct latency_series *s, uint64_t *ret_span_ns)
{
        uint64_t bytes = 0;

        s->window = (struct vigil_hist){0};
        *ret_span_ns = 0;
        for (unsigned i = 0; i < s->ring->turns; i++) {
                const struct ring_turn *t = &s->ring->at[i];
                if (t->turn.disturbed)
                        continue;
                bytes += t->turn.bytes;
                *ret_span_ns += t->turn.to_ns - t->turn.from_ns;
                hist_add(&s->window, &t->hist);
        }
        return bytes;
}

/* How many times the usual the slow samples take. Where nobody usually waits, the floor is the measure. */
static double times(const struct latency_series *s, unsigned factor)
{
        uint64_t usual = s->usual.p95_ns;

        if (s->op == VIGIL_OP_LOCK_WAIT && usual <= hist_bound(0))
                usual = s->slow_ns / factor;
        return (double)median_above(&s->window, s->slow_ns) / (double)(usual ? usual : 1);
}

/* Once warm it stays so: the sum over a week of hours is not made each turn. */
static bool is_warm(struct latency_series *s, const struct latency_limits *limits)
{
        if (!s->ring->warm) {
                struct baseline_usual all = baseline_overall(&s->baseline);
                s->ring->warm = all.turns * limits->turn_ns >= limits->warm_up_ns &&
                                all.samples >= limits->min_samples;
        }
        return s->ring->warm;
}

/* What is usual now, or in the hour that began or begins within SLACK_S, if that is slower: what is done each night does not
 * begin at the very second. */
static struct baseline_usual usual_around(const struct latency_series *s, int64_t at_s)
{
        struct baseline_usual usual = baseline_usual(&s->baseline, at_s);
        unsigned hour = baseline_hour(at_s, NULL);
        const int64_t beside[] = {at_s - SLACK_S, at_s + SLACK_S};

        for (unsigned i = 0; i < 2; i++) {
                if (baseline_hour(beside[i], NULL) == hour)
                        continue;
                struct baseline_usual other = baseline_usual(&s->baseline, beside[i]);
                if ((other.from == BASELINE_HOUR || other.from == BASELINE_DAILY) && other.p95_ns > usual.p95_ns)
                        usual = other;
        }
        return usual;
}

struct series_judgement series_turn(struct latency_series *s, const struct latency_limits *limits,
                                    const struct latency_turn *turn, bool spike)
{
        struct series_judgement j = {.sampled = s->ring->now.count > 0};
        uint64_t span_ns;

        if (!shift(s, limits, turn, spike))
                return j;
        uint64_t bytes = look(s, &span_ns);
        s->slow = 0;
        s->factor = 0;
        if (!spike)
                s->usual = usual_around(s, turn->at_s);
        bool known = s->usual.turns && s->usual.samples;
        s->slow_ns = known ? measure(s, limits) : 0;
        if (!s->window.count) {
                s->state = LATENCY_IDLE;
                return j;
        }
        if (!known || !is_warm(s, limits)) {
                s->state = LATENCY_LEARNING;
                return j;
        }
        s->slow = part_above(&s->window, s->slow_ns).samples;
        j.slow = is_slow(s, s->slow_ns, span_ns) && !is_bulk(s, bytes);
        j.lingers = is_slow(s, s->slow_ns / 2, span_ns);
        s->state = j.slow ? LATENCY_SLOW : LATENCY_USUAL;
        if (j.slow)
                s->factor = times(s, limits->factor);
        return j;
}

/* ---- in a spike ---- */

uint64_t series_begin_spike(struct latency_series *s)
{
        uint64_t first = 0;

        s->affected = false;
        s->peak_factor = 0;
        s->peak_p95_ns = s->max_ns = s->slow_samples = 0;
        for (unsigned i = 0; s->slow_ns && i < s->ring->turns; i++) {
                const struct ring_turn *t = &s->ring->at[i];
                if (part_above(&t->hist, s->slow_ns).samples && (!first || t->turn.from_ns < first))
                        first = t->turn.from_ns;
        }
        return first;
}

void series_follow(struct latency_series *s)
{
        uint64_t p95 = hist_quantile(&s->window, 950);

        if (!s->affected)
                s->slow_samples = s->slow;
        s->affected = true;
        if (s->factor > s->peak_factor)
                s->peak_factor = s->factor;
        if (p95 > s->peak_p95_ns)
                s->peak_p95_ns = p95;
        if (s->window.max_ns > s->max_ns)
                s->max_ns = s->window.max_ns;
}

uint64_t series_count_slow(struct latency_series *s)
{
        uint64_t n = s->slow_ns && s->ring->turns ? part_above(&newest(s)->hist, s->slow_ns).samples : 0;

        s->slow_samples += n;
        return n;
}

void series_end_spike(struct latency_series *s, bool forget)
{
        if (forget && s->affected) {
                baseline_done(&s->baseline);
                s->ring->warm = false;
                s->forgotten = true;
        }
        s->affected = false;
        s->ring->spiked = 0;
}
