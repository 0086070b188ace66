/* latency.c - see latency.h. Here the spike of a database; what is slow is judged in latency_series.c. */
#include "detect/latency.h"

#include <errno.h>
#include <stdlib.h>

#include "detect/latency_private.h"

struct latency {
        struct latency_limits limits;
        struct latency_series *series[LATENCY_SERIES];
        size_t n;
        struct latency_spike spike;
        uint64_t hold_ns;    /* of the spike that is on */
        uint64_t calm_ns;    /* since when nothing is slow any more; 0: something is */
        uint64_t sampled_ns; /* when an affected series had a sample last */
};

int latency_new(const struct latency_limits *limits, struct latency **ret)
{
        *ret = calloc(1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        (*ret)->limits = *limits;
        return 0;
}

void latency_free(struct latency *l)
{
        for (size_t i = 0; l && i < l->n; i++)
                series_free(l->series[i]);
        free(l);
}

void latency_limit(struct latency *l, const struct latency_limits *limits)
{
        l->limits = *limits;
}

struct latency_series *latency_series(struct latency *l, unsigned role, unsigned op)
{
        enum latency_op judged;

        for (size_t i = 0; i < l->n; i++)
                if (l->series[i]->role == role && l->series[i]->op == op)
                        return l->series[i];
        if (l->n == LATENCY_SERIES || role >= VIGIL_ROLES || !latency_op_of(op, &judged))
                return NULL;
        struct latency_series *s = series_new(role, op);
        if (s)
                l->series[l->n++] = s;
        return s;
}

size_t latency_count(const struct latency *l)
{
        return l->n;
}

struct latency_series *latency_at(const struct latency *l, size_t i)
{
        return i < l->n ? l->series[i] : NULL;
}

const struct latency_spike *latency_spike(const struct latency *l)
{
        return &l->spike;
}

/* ---- one spike for all series ---- */

static void begin(struct latency *l, const struct latency_turn *turn)
{
        struct latency_spike *k = &l->spike;
        bool again = k->to_ns && turn->to_ns - k->to_ns < LATENCY_AGAIN_NS;

        l->hold_ns = !again                              ? l->limits.hold_ns
                     : 2 * l->hold_ns > LATENCY_AGAIN_NS ? LATENCY_AGAIN_NS
                                                         : 2 * l->hold_ns;
        l->calm_ns = 0;
        *k = (struct latency_spike){.on = true, .from_ns = turn->from_ns, .to_ns = turn->to_ns};
        for (size_t i = 0; i < l->n; i++) {
                uint64_t first = series_begin_spike(l->series[i]);
                if (l->series[i]->state == LATENCY_SLOW && first && first < k->from_ns)
                        k->from_ns = first;
        }
}

static enum latency_event end(struct latency *l, bool accepted, bool idle)
{
        l->spike.on = false;
        l->spike.accepted = accepted;
        l->spike.idle = idle;
        for (size_t i = 0; i < l->n; i++)
                series_end_spike(l->series[i], accepted);
        return LATENCY_OVER;
}

/* @return whether the spike has become worse in a way worth telling */
static bool follow(struct latency *l, const struct latency_turn *turn)
{
        struct latency_spike *k = &l->spike;
        bool grows = false;

        for (size_t i = 0; i < l->n; i++) {
                struct latency_series *s = l->series[i];
                if (s->state != LATENCY_SLOW)
                        continue;
                grows |= !s->affected;
                series_follow(s);
                if (s->peak_factor <= k->factor)
                        continue;
                /* A little higher is no news. */
                grows |= s->peak_factor > 1.25 * k->factor;
                k->factor = s->peak_factor;
                k->peak_ns = turn->to_ns;
                k->peak_role = s->role;
                k->peak_op = s->op;
        }
        return grows;
}

static enum latency_event go_on(struct latency *l, const struct latency_turn *turn, bool slow, bool lingers)
{
        bool at_work = false;

        for (size_t i = 0; i < l->n; i++) {
                struct latency_series *s = l->series[i];
                if (s->affected && series_count_slow(s))
                        l->spike.to_ns = turn->to_ns;
                at_work |= s->affected && s->window.count;
        }
        bool grows = follow(l, turn);
        if (turn->to_ns - l->spike.from_ns >= l->limits.accept_ns)
                return end(l, true, false);
        if (turn->to_ns - l->sampled_ns >= LATENCY_IDLE_NS)
                return end(l, false, true);
        if (slow || lingers || !at_work) /* what hangs ends no operation, and is not over */
                l->calm_ns = 0;
        else if (!l->calm_ns)
                l->calm_ns = turn->to_ns;
        if (l->calm_ns && turn->to_ns - l->calm_ns >= l->hold_ns)
                return end(l, false, false);
        return grows ? LATENCY_GROWS : LATENCY_NOTHING;
}

enum latency_event latency_turn(struct latency *l, const struct latency_turn *turn)
{
        bool slow = false, lingers = false;

        for (size_t i = 0; i < l->n; i++) {
                struct latency_series *s = l->series[i];
                struct series_judgement j = series_turn(s, &l->limits, turn, l->spike.on);
                slow |= j.slow;
                lingers |= s->affected && j.lingers;
                if (j.sampled && (s->affected || !l->spike.on))
                        l->sampled_ns = turn->to_ns;
        }
        if (l->spike.on)
                return go_on(l, turn, slow, lingers);
        if (!slow)
                return LATENCY_NOTHING;
        begin(l, turn);
        follow(l, turn);
        return LATENCY_BEGAN;
}
