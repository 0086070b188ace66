/* top.h - one frame of `vigil top`: as many lines of as many columns as the terminal has. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum top_view { TOP_DATABASES, TOP_OPERATIONS, TOP_PROGRAMS, TOP_VIEWS };
enum top_sort { TOP_WORST, TOP_RATE, TOP_BYTES, TOP_TIME, TOP_NAME, TOP_SORTS };

/** What is to be seen. */
struct top_page {
        enum top_view view;
        enum top_sort sort;
        size_t scroll; /* entries that are passed over; beyond the last page it is brought back */
        bool paused, help;
        bool colour;
        unsigned lines, columns; /* of the terminal; lines 0: all entries, without the keys */
        const char *notice;      /* instead of the health: "no daemon answers: …"; NULL: none */
};

/**
 * Writes the frame: lines that end with a newline, the last one without. No line is longer than the page, and there are as many as it
 * has, but five at least. What a document does not have is shown as unknown.
 *
 * @param document  vigil.top/1; NULL: none yet
 * @return 0 or -errno
 */
int top_print(const json_t *document, struct top_page *page, FILE *out);
