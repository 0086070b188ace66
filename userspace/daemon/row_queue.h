/* row_queue.h - rows on their way to the store, in order, in bounded memory. Layer: daemon.
 *
 * When there is no room left, what is only good to know (row.spare) goes first, oldest first, and is counted; the rest stays,
 * whatever it takes: it is the caller's promise. Rows know nothing of the store here. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct row;

struct row_queue {
        struct row *first, *last;
        size_t bytes;      /* of all rows that wait */
        uint64_t given_up; /* rows there was no room or no memory for */
};

/**
 * Puts @p r last; takes it over. NULL, for one that could not be made, is counted as given up.
 * @param limit  bytes that the queue may have
 * @param held  so many of the first rows are never given up: somebody is at work with them
 * @return it; NULL: there is no room for it, and it is gone
 */
struct row *row_queue_add(struct row_queue *q, struct row *r, size_t limit, size_t held);
/** Takes the first row out. It is the caller's, for row_free(). NULL: there is none. */
struct row *row_queue_take(struct row_queue *q);
/** How many rows wait, @p most at most, without a part of those that belong together (row.with_next) unless these are more than that. */
size_t row_queue_count(const struct row_queue *q, size_t most);
/** Nobody waits any longer for the row whose columns are @p o: its `stored` is not called. */
void row_queue_forget(struct row_queue *q, const json_t *o);
/** Frees what waits. */
void row_queue_done(struct row_queue *q);
