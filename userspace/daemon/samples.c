/* samples.c - see samples.h. */
#include "daemon/samples.h"

#include <stdlib.h>

#include "base/clock.h"

struct sample {
        struct vigil_ident id; /* tgid 0: free */
        uint64_t since_ns;     /* it has its place */
        uint64_t wanted_ns;
        bool has_now, has_before, hurry;
        uint64_t held_ns;
        struct process_evidence now, before;
};

struct samples {
        uint64_t start_ns[SAMPLES_MAX]; /* of one[].id: the looks are large, and lie far apart */
        struct sample one[SAMPLES_MAX];
        uint64_t left_out;
        uint64_t again_ns; /* when those who have been looked at twice may be looked at again */
};

struct samples *samples_new(void)
{
        return calloc(1, sizeof(struct samples));
}

void samples_free(struct samples *s)
{
        free(s);
}

static struct sample *find(const struct samples *s, const struct vigil_ident *who)
{
        for (size_t i = 0; i < SAMPLES_MAX; i++)
                if (s->start_ns[i] == who->start_ns && s->one[i].id.tgid == who->tgid)
                        return (struct sample *)&s->one[i];
        return NULL;
}

/* The clock of who wants it may be a little ahead of that of the turn. */
static bool is_kept(const struct sample *one, uint64_t now)
{
        return one->id.tgid && now <= one->wanted_ns + SAMPLES_KEPT_NS;
}

/* A free one; else that of whoever has had it longest, and long enough: of many that go on for long each has its turn. SAMPLES_MAX: none */
static size_t place_of(const struct samples *s, uint64_t now)
{
        size_t longest = SAMPLES_MAX;

        for (size_t i = 0; i < SAMPLES_MAX; i++) {
                const struct sample *one = &s->one[i];
                if (!is_kept(one, now))
                        return i;
                if (now >= one->since_ns + SAMPLES_TURN_NS &&
                    (longest == SAMPLES_MAX || one->since_ns < s->one[longest].since_ns))
                        longest = i;
        }
        return longest;
}

void samples_want(struct samples *s, const struct vigil_ident *who, uint64_t now)
{
        struct sample *one = who->start_ns ? find(s, who) : NULL;
        size_t place = !one && who->start_ns ? place_of(s, now) : SAMPLES_MAX;

        if (place < SAMPLES_MAX) {
                one = &s->one[place];
                one->id = *who;
                one->since_ns = now;
                one->has_now = one->has_before = one->hurry = false;
                one->held_ns = 0;
                s->start_ns[place] = who->start_ns;
        }
        if (one)
                one->wanted_ns = now;
        else
                s->left_out++;
}

void samples_hurry(struct samples *s, const struct vigil_ident *who)
{
        struct sample *one = who->start_ns ? find(s, who) : NULL;

        if (one)
                one->hurry = true;
}

uint64_t samples_pause_ns(uint64_t spent_ns)
{
        return spent_ns < SAMPLES_PAUSE_MAX_NS / SAMPLES_SHARE ? spent_ns * SAMPLES_SHARE : SAMPLES_PAUSE_MAX_NS;
}

static bool is_due(const struct samples *s, const struct sample *one, uint64_t now)
{
        if (one->has_now && one->now.gone) /* an end is for good: that look tells by when it was */
                return false;
        if (one->has_before && !one->hurry && now < s->again_ns)
                return false;
        return !one->has_now || now >= one->now.at_ns + SAMPLES_APART_NS;
}

static bool is_held(const struct process_evidence *e)
{
        return !e->gone && (e->stop.stopped || e->stop.traced || e->cgroup.frozen);
}

/* Whoever has run has been off the CPU since, or has used it. */
static bool has_run(const struct process_evidence *before, const struct process_evidence *now)
{
        return now->cpu_ns != before->cpu_ns || now->voluntary != before->voluntary ||
               now->involuntary != before->involuntary;
}

uint64_t samples_held_after(const struct process_evidence *before, const struct process_evidence *now,
                            uint64_t since)
{
        if (!is_held(now))
                return 0;
        return since && before && is_held(before) && !has_run(before, now) ? since : now->at_ns;
}

static void look(struct sample *one, struct sensor *sensor)
{
        if (one->has_now) {
                one->before = one->now;
                one->has_before = true;
        }
        one->hurry = false;
        one->has_now = sensor_evidence(sensor, &one->id, &one->now) == 0;
        if (!one->has_now)
                one->has_before = false;
        one->held_ns = !one->has_now
                               ? 0
                               : samples_held_after(one->has_before ? &one->before : NULL, &one->now, one->held_ns);
}

size_t samples_turn(struct samples *s, struct sensor *sensor, uint64_t now)
{
        uint64_t began = clock_cpu_ns();
        bool again = false;
        size_t looked = 0;

        for (size_t i = 0; i < SAMPLES_MAX; i++) {
                struct sample *one = &s->one[i];
                if (!is_kept(one, now)) {
                        one->id.tgid = 0;
                        continue;
                }
                if (!is_due(s, one, now))
                        continue;
                again = again || one->has_before;
                look(one, sensor);
                looked++;
        }
        /* Who was looked at before it was due costs the others their turn. */
        if (again)
                s->again_ns = (s->again_ns > now ? s->again_ns : now) + samples_pause_ns(clock_cpu_ns() - began);
        if (s->again_ns > now + SAMPLES_PAUSE_MAX_NS)
                s->again_ns = now + SAMPLES_PAUSE_MAX_NS;
        return looked;
}

const struct process_evidence *samples_now(const struct samples *s, const struct vigil_ident *who)
{
        const struct sample *one = find(s, who);

        return one && one->id.tgid && one->has_now ? &one->now : NULL;
}

const struct process_evidence *samples_before(const struct samples *s, const struct vigil_ident *who)
{
        const struct sample *one = find(s, who);

        return one && one->id.tgid && one->has_before ? &one->before : NULL;
}

uint64_t samples_held_ns(const struct samples *s, const struct vigil_ident *who)
{
        const struct sample *one = find(s, who);

        return one && one->id.tgid ? one->held_ns : 0;
}

const struct process_evidence *samples_each(const struct samples *s, size_t i)
{
        for (size_t k = 0; k < SAMPLES_MAX; k++)
                if (s->one[k].id.tgid && s->one[k].has_now && i-- == 0)
                        return &s->one[k].now;
        return NULL;
}

uint64_t samples_left_out(const struct samples *s)
{
        return s->left_out;
}
