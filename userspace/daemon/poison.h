/* poison.h - a row that kills every child that writes it must not stand the queue for ever: it is found by halves. Pure. Layer: daemon.
 *
 * Children die of other things, too: somebody kills them, memory runs out, SQLite crashes on the file whatever is written. So a
 * row is found guilty only when a child has died of it alone POISON_PROOFS times, and each time the next one, which wrote no row at
 * all, has lived. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define POISON_DEATHS                                                                                              \
        3 /* of children that wrote the first rows, one after the other, before any of these is suspected */
#define POISON_PROOFS 3

/** Zero: nothing is suspected. */
struct poison {
        unsigned deaths;
        size_t tried;    /* rows of the attempt at hand */
        size_t suspects; /* one of the first so many rows is it; 0: none is suspected */
        unsigned proofs; /* deaths of the first row alone */
        bool control;    /* the next attempt writes nothing */
};

/** How many of the first @p n rows are to be tried now. 0, where there are some: none of them, to see whether a child lives. */
size_t poison_try(struct poison *p, size_t n);
/** The child has died. */
void poison_died(struct poison *p);
/** The child has lived, and @p n rows are stored. */
void poison_lived(struct poison *p, size_t n);
/** The first row is it. */
bool poison_found(const struct poison *p);
