/* top_line.h - one line of a frame of `vigil top`: what does not fit into it is cut, and dots stand there instead. Layer: report. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "report/page.h"

/** The line that is being written. */
struct top_line {
        FILE *out;
        unsigned left; /* columns */
        bool colour;
};

/** @p width columns of @p text, on the left (< 0) or on the right; 0: as many as it has. */
void top_cell(struct top_line *l, enum ink ink, int width, const char *text);

/** As much of @p text as leaves room for @p keep columns. */
void top_text(struct top_line *l, enum ink ink, unsigned keep, const char *text);
