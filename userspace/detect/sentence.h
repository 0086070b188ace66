/* sentence.h - a sentence about processes, put together piece by piece; what does not fit is cut off. Layer: detect. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "detect/detect.h"

struct sentence {
        char text[DETECT_DETAIL_LEN];
        size_t n; /* that it would have; zeroed before the first piece */
};

void sentence_add(struct sentence *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** "python3 (pid 12)". */
void sentence_process(struct sentence *s, const struct vigil_ident *id);

/** @p before and how long ago @p since was, as " for 3 s"; nothing where that is not known. */
void sentence_span(struct sentence *s, const char *before, uint64_t since, uint64_t now);
