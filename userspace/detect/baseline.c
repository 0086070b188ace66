/* baseline.c - see baseline.h. */
#include "detect/baseline.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_S 3600
#define WEEK_S (BASELINE_SLOTS * HOUR_S)
/* The epoch was a Thursday: the Monday before it began that much earlier. */
#define MONDAY_S (3 * 24 * HOUR_S)

#define PACKED_VERSION 1
#define PACKED_HEAD    (1 + 4 + 2 + 4)
#define PACKED_PAIR    3

void baseline_done(struct baseline *b)
{
        for (unsigned i = 0; i < BASELINE_SLOTS; i++)
                free(b->slot[i]);
        *b = (struct baseline){0};
}

unsigned baseline_hour(int64_t at_s, uint32_t *ret_week)
{
        uint64_t s = at_s > 0 ? (uint64_t)at_s + MONDAY_S : MONDAY_S;

        if (ret_week)
                *ret_week = (uint32_t)(s / WEEK_S);
        return (unsigned)(s % WEEK_S / HOUR_S);
}

/* ---- learning ---- */

static unsigned half_octave(unsigned bucket)
{
        return bucket == 0 ? 0 : bucket == VIGIL_HIST_BUCKETS - 1 ? BASELINE_BUCKETS - 1 : 1 + (bucket - 1) / 2;
}

static uint64_t bound_of(unsigned half)
{
        return half == 0                      ? hist_bound(0)
               : half == BASELINE_BUCKETS - 1 ? hist_bound(VIGIL_HIST_BUCKETS - 1)
                                              : hist_bound(2 * half);
}

static void halve(struct baseline_slot *s)
{
        for (unsigned i = 0; i < BASELINE_BUCKETS; i++)
                s->bucket[i] /= 2;
        s->turns /= 2;
}

static void begin_week(struct baseline_slot *s, uint32_t week)
{
        for (; s->week < week && s->turns; s->week++)
                halve(s);
        s->week = week;
}

static void add(struct baseline_slot *s, unsigned half, uint32_t n)
{
        while (n && s->bucket[half] > UINT16_MAX - n)
                halve(s);
        s->bucket[half] = (uint16_t)(s->bucket[half] + n);
}

/* A mean that forgets: of the last hour or so of turns. */
static void learn_pace(struct baseline_slot *s, uint64_t ns, uint64_t bytes)
{
        float pace = bytes ? (float)ns / (float)bytes : 0;
        float n = s->turns < 720 ? (float)s->turns + 1 : 720;

        if (pace > 0)
                s->ns_per_byte = s->ns_per_byte > 0 ? s->ns_per_byte + (pace - s->ns_per_byte) / n : pace;
}

int baseline_learn(struct baseline *b, int64_t at_s, const struct vigil_hist *turn, uint64_t bytes)
{
        uint32_t week = 0, half[BASELINE_BUCKETS] = {0};
        uint64_t total = 0, seen = 0, put = 0;
        unsigned hour = baseline_hour(at_s, &week);

        for (unsigned i = 0; i < VIGIL_HIST_BUCKETS; i++) {
                uint32_t *h = &half[half_octave(i)];
                *h = UINT32_MAX - *h < turn->bucket[i] ? UINT32_MAX : *h + turn->bucket[i];
                total += turn->bucket[i];
        }
        if (total == 0)
                return 0;
        struct baseline_slot *s = b->slot[hour];
        if (!s)
                s = b->slot[hour] = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        begin_week(s, week);
        learn_pace(s, turn->sum_ns, bytes);
        uint64_t samples = total < BASELINE_TURN_SAMPLES ? total : BASELINE_TURN_SAMPLES;
        /* The n-th of the samples that count is that of the same rank among all. */
        for (unsigned i = 0; i < BASELINE_BUCKETS; i++) {
                seen += half[i];
                uint64_t until = (seen * samples + total / 2) / total;
                add(s, i, (uint32_t)(until - put));
                put = until;
        }
        if (s->turns < UINT16_MAX)
                s->turns++;
        return 0;
}

/* ---- asking ---- */

struct sum {
        uint32_t bucket[BASELINE_BUCKETS];
        uint32_t samples, turns;
        double pace, paced; /* weighted by turns */
};

static void sum_slot(struct sum *sum, const struct baseline *b, unsigned hour)
{
        const struct baseline_slot *s = b->slot[hour % BASELINE_SLOTS];

        if (!s)
                return;
        for (unsigned i = 0; i < BASELINE_BUCKETS; i++) {
                sum->bucket[i] += s->bucket[i];
                sum->samples += s->bucket[i];
        }
        sum->turns += s->turns;
        if (s->ns_per_byte > 0) {
                sum->pace += (double)s->ns_per_byte * s->turns;
                sum->paced += s->turns;
        }
}

static uint64_t quantile(const struct sum *sum, unsigned per_mille)
{
        uint64_t rank = ((uint64_t)sum->samples * per_mille + 999) / 1000, seen = 0;

        for (unsigned i = 0; i < BASELINE_BUCKETS; i++) {
                seen += sum->bucket[i];
                if (seen && seen >= rank)
                        return bound_of(i);
        }
        return 0;
}

static struct baseline_usual usual_of(const struct sum *sum, enum baseline_from from)
{
        return (struct baseline_usual){.from = sum->samples ? from : BASELINE_NONE,
                                       .p50_ns = quantile(sum, 500),
                                       .p95_ns = quantile(sum, 950),
                                       .ns_per_byte = sum->paced > 0 ? sum->pace / sum->paced : 0,
                                       .samples = sum->samples,
                                       .turns = sum->turns};
}

struct baseline_usual baseline_overall(const struct baseline *b)
{
        struct sum all = {0};

        for (unsigned i = 0; i < BASELINE_SLOTS; i++)
                sum_slot(&all, b, i);
        return usual_of(&all, BASELINE_ALL);
}

struct baseline_usual baseline_usual(const struct baseline *b, int64_t at_s)
{
        unsigned hour = baseline_hour(at_s, NULL);
        struct sum sum = {0};

        sum_slot(&sum, b, hour);
        if (sum.turns >= BASELINE_SLOT_TURNS)
                return usual_of(&sum, BASELINE_HOUR);
        for (unsigned day = 1; day < 7; day++)
                sum_slot(&sum, b, hour + day * 24);
        if (sum.turns >= BASELINE_SLOT_TURNS)
                return usual_of(&sum, BASELINE_DAILY);
        sum_slot(&sum, b, hour + 1);
        sum_slot(&sum, b, hour + BASELINE_SLOTS - 1);
        return sum.turns >= BASELINE_SLOT_TURNS ? usual_of(&sum, BASELINE_NEIGHBOURS) : baseline_overall(b);
}

const char *baseline_from_name(enum baseline_from f)
{
        static const char *const names[] = {[BASELINE_NONE] = "none",
                                            [BASELINE_HOUR] = "hour",
                                            [BASELINE_DAILY] = "daily",
                                            [BASELINE_NEIGHBOURS] = "neighbours",
                                            [BASELINE_ALL] = "all"};
        return names[f];
}

/* ---- as bytes ---- */

static size_t put_number(uint8_t *p, uint32_t n, unsigned bytes)
{
        for (unsigned i = 0; i < bytes; i++)
                p[i] = (uint8_t)(n >> 8 * i);
        return bytes;
}

static uint32_t get_number(const uint8_t *p, unsigned bytes)
{
        uint32_t n = 0;
        for (unsigned i = 0; i < bytes; i++)
                n |= (uint32_t)p[i] << 8 * i;
        return n;
}

size_t baseline_pack(const struct baseline *b, unsigned hour, uint8_t ret[BASELINE_PACKED_MAX])
{
        const struct baseline_slot *s = b->slot[hour];
        uint32_t pace;
        size_t n = 0;

        if (!s || !s->turns)
                return 0;
        memcpy(&pace, &s->ns_per_byte, sizeof(pace));
        n += put_number(ret + n, PACKED_VERSION, 1);
        n += put_number(ret + n, s->week, 4);
        n += put_number(ret + n, s->turns, 2);
        n += put_number(ret + n, pace, 4);
        for (unsigned i = 0; i < BASELINE_BUCKETS; i++) {
                if (!s->bucket[i])
                        continue;
                n += put_number(ret + n, i, 1);
                n += put_number(ret + n, s->bucket[i], 2);
        }
        return n;
}

int baseline_unpack(struct baseline *b, unsigned hour, const void *data, size_t n)
{
        const uint8_t *p = data;
        struct baseline_slot s = {0};

        if (hour >= BASELINE_SLOTS || n < PACKED_HEAD || (n - PACKED_HEAD) % PACKED_PAIR || p[0] != PACKED_VERSION)
                return -EBADMSG;
        uint32_t pace = get_number(p + 7, 4);
        s.week = get_number(p + 1, 4);
        s.turns = (uint16_t)get_number(p + 5, 2);
        memcpy(&s.ns_per_byte, &pace, sizeof(pace));
        if (!isfinite(s.ns_per_byte) || s.ns_per_byte < 0)
                return -EBADMSG;
        for (p += PACKED_HEAD, n -= PACKED_HEAD; n; p += PACKED_PAIR, n -= PACKED_PAIR) {
                if (p[0] >= BASELINE_BUCKETS)
                        return -EBADMSG;
                s.bucket[p[0]] = (uint16_t)get_number(p + 1, 2);
        }
        if (!b->slot[hour] && !(b->slot[hour] = calloc(1, sizeof(s))))
                return -ENOMEM;
        *b->slot[hour] = s;
        return 0;
}
