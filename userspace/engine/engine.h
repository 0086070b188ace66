/* engine.h - what Vigil must know of a kind of database: one const struct per engine. Layer: engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "engine/files.h"

/** A kind of database. All functions that read files of the database may meet hostile content: call them in a worker. */
struct engine {
        const char *name; /* as in reports: "sqlite" */

        /** Suffixes of the companion files, with the role each plays; ended by a NULL suffix. */
        const struct engine_companion *companions;

        /**
         * Looks at the files as they are now, read-only and without locks, through the descriptors of @p files. Never
         * through a library of the database.
         *
         * @param wal_limit  bytes of the -wal that are scanned at most; beyond it VIGIL_OBS_WAL_CUT is set
         * @param ret        filled but for hdr, id and db; ret->error is the -errno of what could not be read
         * @return 0 or -errno, the same as in ret->error. A file that does not exist is no error: its flag stays clear.
         */
        int (*inspect)(const struct engine_files *files, uint64_t wal_limit, struct vigil_observed *ret);

        /** True when the first @p n bytes of a file (n >= 16) are how this engine's main file begins. */
        bool (*is_main)(const void *bytes, size_t n);
};

extern const struct engine engine_sqlite;

/** Every engine, ended by NULL. A new one is added here and in its own file. */
extern const struct engine *const engines[];
