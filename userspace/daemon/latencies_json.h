/* latencies_json.h - how long operations take, as findings and documents tell it. Layer: daemon. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "daemon/tally.h"
#include "detect/detect.h"

struct daemon;
struct guard;

/** The spike of @p g in one sentence. */
void latencies_detail(struct daemon *d, const struct guard *g, char ret[DETECT_DETAIL_LEN]);

/** The spike that is on, or the last one, as evidence of `latency-spike`. New reference. */
json_t *latencies_spike_json(struct daemon *d, const struct guard *g);

/** Notes which programs took most of the time in a turn of which @p rows tell, for databases with something slow. */
void latencies_programs(struct daemon *d, const struct tally *rows);

/**
 * vigil.latency/1: every operation that is judged, and whether it is as usual. New reference; NULL: out of memory.
 * @param database  only that one; NULL: all
 * @param why       with where the time of the last window went
 */
json_t *latencies_document(struct daemon *d, const char *database, bool why);
