/* latency_private.h - between latency.c, which knows the database, and latency_series.c, which judges one operation. */
#pragma once

#include "detect/latency.h"

struct latency_series *series_new(unsigned role, unsigned op); /* NULL: out of memory */
void series_free(struct latency_series *s);

struct series_judgement {
        bool sampled; /* there was one in this turn */
        bool slow;
        bool lingers; /* slow by half the measure: too slow to call a spike over */
};

/** Ends the turn of @p s. @p spike: one is on; then what is usual stays what it was when it began. */
struct series_judgement series_turn(struct latency_series *s, const struct latency_limits *limits,
                                    const struct latency_turn *turn, bool spike);

/** @return when the first turn of the window began that has a slow sample; 0: none has */
uint64_t series_begin_spike(struct latency_series *s);
/** Takes the peak of this turn; the series is affected from here on. */
void series_follow(struct latency_series *s);
/** Adds the slow samples of the turn that ended last to those of the spike. @return how many they are */
uint64_t series_count_slow(struct latency_series *s);
/** With @p forget what was usual is unlearned. */
void series_end_spike(struct latency_series *s, bool forget);
