/* settle.h - one file out of a captured database: the copy recovers. Layer: engine. */
#pragma once

#include "engine/capture.h"

/**
 * Lets SQLite recover the copy in @p scratch in a confined child, so that the main file alone holds everything.
 *
 * @param deadline    deadline_in()
 * @param ret_reason  on failure, why
 * @return 0; -EUCLEAN the copy is corrupt; -EIO recovery failed otherwise; -ETIME; or as child_run()
 */
int settle_copy(struct scratch *scratch, const struct capture *capture, uint64_t deadline, char *ret_reason,
                size_t size);
