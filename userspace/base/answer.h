/* answer.h - reads what a worker says, believing nothing. Layer: base. Used by child.c; apart from it so that it can be fuzzed.
 *
 * The answer comes in pieces. Each line is JSON: {"done":…,"total":…} and nothing else is progress; any other line is the
 * answer as far as it goes, and the last one counts. A worker that ends with rubbish has not answered. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An answer that is being read. */
struct answer {
        size_t limit; /* bytes that lines which are no progress may have together, and that any line may have */
        void (*on_progress)(void *userdata, uint64_t done, uint64_t total); /* may be NULL */
        void *userdata;
        bool flooded; /* the limit was reached: nothing more is taken */
        json_t *last; /* the last line that is no progress, if it is an object */
        char *line;   /* the unfinished line */
        size_t used;  /* bytes of it */
        size_t said;  /* bytes of all finished lines that were no progress */
};

/** Prepares @p a, whose first three fields are set. Release with answer_done(). @return 0 or -ENOMEM */
int answer_begin(struct answer *a);

/** Takes @p n bytes. */
void answer_feed(struct answer *a, const char *bytes, size_t n);

/** Nothing more will come: an unfinished last line counts as a line. @return the answer, owned by the caller; NULL: none */
json_t *answer_end(struct answer *a);

void answer_done(struct answer *a);
