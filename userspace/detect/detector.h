/* detector.h - a detector: one const struct in one file, named in one list. Layer: detect. */
#pragma once

#include "detect/detect.h"

/** Looks at a finished model, with every certificate issued, and adds what it finds. */
struct detector {
        const char *name;
        const char *const *codes; /* every code it may add, ended by NULL: docs/JSON.md is held against it */
        /** @return 0 or -ENOMEM */
        int (*run)(struct detection *d);
};

extern const struct detector detector_shutdown;
extern const struct detector detector_sync;
extern const struct detector detector_copy;
extern const struct detector detector_removed;
extern const struct detector detector_unreadable;
extern const struct detector detector_trust;

/** Every detector, ended by NULL. A new one is added here and in its own file. */
extern const struct detector *const detectors[];

/**
 * Adds a finding; `id` and, without a certificate, `trust` are filled in. Findings of a database that is not shown are
 * dropped.
 *
 * @param f         copied
 * @param evidence  object, reference taken also on failure; NULL: out of memory
 * @return 0 or -ENOMEM
 */
int finding_add(struct detection *d, const struct finding *f, json_t *evidence);
