/* id.h - ids out of what does not change: boot id, code, database, time. Layer: incident. */
#pragma once

#include <stdint.h>

#include "detect/detect.h"

/** A hash in progress (FNV-1a, 64 bit). The parts go in with their lengths, so that no two lists of parts run together. */
struct incident_hash {
        uint64_t state;
};

void incident_hash_begin(struct incident_hash *h);
void incident_hash_text(struct incident_hash *h, const char *text);
void incident_hash_number(struct incident_hash *h, uint64_t n);
void incident_hash_end(const struct incident_hash *h, char prefix, char ret[DETECT_ID_LEN]);
