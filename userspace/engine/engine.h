/* engine.h - what Vigil must know of a kind of database: one const struct per engine. Layer: engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "engine/files.h"

#define ENGINE_QUESTION_LEN 1024

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
         * @param ret_question  what cannot be answered from these files, or "": goes to answer()
         * @return 0 or -errno, the same as in ret->error. A file that does not exist is no error: its flag stays clear.
         */
        int (*inspect)(const struct engine_files *files, uint64_t wal_limit, struct vigil_observed *ret,
                       char ret_question[ENGINE_QUESTION_LEN]);

        /** Answers the question of inspect() in @p o. For the caller, who sees the host's files; reads none of them. */
        void (*answer)(const struct engine_files *files, const char *question, struct vigil_observed *o);

        /** True when the first @p n bytes of a file (n >= 16) are how this engine's main file begins. */
        bool (*is_main)(const void *bytes, size_t n);
};

extern const struct engine engine_sqlite;

/** Every engine, ended by NULL. A new one is added here and in its own file. */
extern const struct engine *const engines[];
