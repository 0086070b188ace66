/* registry.c - the one list of detectors. */
#include <stddef.h>

#include "detect/detector.h"

const struct detector *const detectors[] = {
        &detector_shutdown,   &detector_sync,  &detector_copy, &detector_removed,
        &detector_unreadable, &detector_trust, NULL,
};
