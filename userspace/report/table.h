/* table.h - a table as wide as what stands in it, and no wider than the page: names are cut where it must be, numbers never. Layer: report.
 *
 * All cells are added before the first line is printed. Where the page is too narrow the longest names shrink first, to a
 * least width; then the gaps do, and at last columns that are spared are left out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "report/page.h"

#define TABLE_COLUMNS 16

struct table_column {
        const char *title;
        bool whole; /* never cut, as numbers are not */
        bool right; /* stands on the right */
        bool spare; /* left out before the table is wider than the page */
};

struct table {
        const struct table_column *column;
        size_t ncolumns; /* at most TABLE_COLUMNS */
        struct table_cell *cell;
        size_t ncells, room;
        bool failed;                   /* out of memory: rows are missing at the end */
        unsigned width[TABLE_COLUMNS]; /* 0: left out */
        unsigned gap;
};

/** One cell; ncolumns of them are a row. @p text is copied. */
void table_add(struct table *t, enum ink ink, const char *text);
/** Lays it out for @p p. @return how many columns are left out */
size_t table_fit(struct table *t, const struct page *p);
/** The titles, after an empty line. */
void table_print_head(const struct table *t, struct page *p);
/** Row @p i, the first is 0; the margin on the left is 2 columns. */
void table_print_row(const struct table *t, struct page *p, size_t i);
/** Says that @p out columns are left out, where any are. */
void table_print_left_out(struct page *p, size_t out);
void table_done(struct table *t);
