/* hist.h - reading the log-linear histograms of the kernel side. Layer: model. */
#pragma once

#include <stdint.h>

#include "bpf/abi.h"

/** Adds @p from to @p into; counts that would overflow stay at their maximum. */
void hist_add(struct vigil_hist *into, const struct vigil_hist *from);

/**
 * What was added to a cumulative histogram since it was @p before. Counts that fell begin anew: it is another one, then. The
 * maximum is that of the whole, but no longer than the highest bucket that grew allows.
 */
struct vigil_hist hist_since(const struct vigil_hist *now, const struct vigil_hist *before);

/**
 * The smallest bucket bound that at least @p per_mille of the samples do not exceed: an upper bound, at most a quarter
 * above the truth and never above the maximum.
 *
 * @return nanoseconds; 0 when there is no sample
 */
uint64_t hist_quantile(const struct vigil_hist *h, unsigned per_mille);

/** Exclusive upper bound of bucket @p i in ns; UINT64_MAX for the last one. */
uint64_t hist_bound(unsigned i);
