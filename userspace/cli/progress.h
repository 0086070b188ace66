/* progress.h - one line on a terminal that says how far long work is. Layer: cli. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cli;

/** A line in progress. Nothing is printed unless standard error is a terminal. */
struct progress {
        bool on;
        const char *what; /* static: "copying"; set before each phase */
        uint64_t last_ns;
        bool shown;
};

void progress_start(struct progress *p, const struct cli *cli);

/** Redraws the line, at most ten times per second. @p progress is a struct progress. */
void progress_update(void *progress, uint64_t done, uint64_t total);

/** Wipes the line. */
void progress_end(struct progress *p);
