/* capture.h - the files of a live database into a private directory, as one instant had them. Layer: engine. */
#pragma once

#include "engine/scratch.h"
#include "engine/snapshot.h"

/** What stands in the private directory after capture_database(). */
struct capture {
        uid_t owner; /* of the source's main file */
        gid_t group;
        bool must_recover; /* the -wal holds commits, or the journal is hot: the copy is complete only after recovery */
        bool empty;        /* main file of 0 bytes */
};

/**
 * Copies main file, -wal and -journal (never the -shm) into @p scratch under the names of scratch.h. Companions that
 * recovery would ignore are left out unless options->raw; a hot journal is freed from its super-journal, whose verdict is
 * already in: recovery of the copy must not look at files of the original.
 *
 * @param flush     write the copy back while it is made
 * @param deadline  deadline_in(); options->deadline_ms is not looked at
 * @param ret       attempts, method, sizes, salts, commits, page_size, unconfined; reason on failure
 * @return as snapshot_take()
 */
int capture_database(const char *path, struct scratch *scratch, const struct snapshot_options *options, bool flush,
                     uint64_t deadline, struct capture *ret_capture, struct snapshot_result *ret);
