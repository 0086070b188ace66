/* inspect.h - engine.inspect() in a sandboxed child. Layer: engine. */
#pragma once

#include "engine/engine.h"

/**
 * What the files of the database at @p path look like now. The content is read by a confined child with a deadline of
 * 5 s; a WAL longer than 256 MiB is scanned up to there.
 *
 * @param ret  filled but for hdr, id and db; on failure ret->error says why
 * @return 0, or -errno: -ETIME the child ran into its deadline, -EBADMSG its answer was no answer, else as inspect()
 */
int inspect_database(const struct engine *engine, const char *path, struct vigil_observed *ret);
