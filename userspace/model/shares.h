/* shares.h - where the time of commits and syncs went, as parts of a whole. Pure. Layer: model. */
#pragma once

#include <stdint.h>

#include "bpf/abi.h"

/** Parts of a thousand of a.total_ns, which add up to exactly 1000: what rounding leaves over goes to those that it took most
 * from. All zero when total_ns is 0. @param ret  VIGIL_DELAYS of them */
void shares_per_mille(const struct vigil_attribution *a, unsigned *ret);

/** What came between two accounts of one database and operation. One that has fallen is a beginning: then it is @p now. */
void shares_between(const struct vigil_attribution *before, const struct vigil_attribution *now,
                    struct vigil_attribution *ret);

/** The delays by time, largest first. @param ret  VIGIL_DELAYS of enum vigil_delay
 * @return how many have any time */
unsigned shares_order(const struct vigil_attribution *a, unsigned *ret);
