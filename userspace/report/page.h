/* page.h - lines of text of a bounded width for a terminal. Layer: report. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum ink { INK_PLAIN, INK_BOLD, INK_GOOD, INK_WARN, INK_BAD, INK_DIM };

struct page {
        FILE *out;
        unsigned width;
        bool colour;
};

/** Writes @p text in colour, where that was asked for. Control characters become '?'. */
void page_ink(struct page *p, enum ink ink, const char *text);

/**
 * One paragraph: @p label in @p ink after a left margin of 2 columns, the text from column @p indent on, wrapped between words at the
 * width of the page. A word that is longer than a line (a path) is not broken.
 */
void page_paragraph(struct page *p, enum ink ink, const char *label, unsigned indent, const char *fmt, ...)
        __attribute__((format(printf, 5, 6)));
void page_line(struct page *p);
/**
 * Goes on with a line at @p column: words that do not fit begin a new one after @p margin. A text that begins with a blank may begin a new
 * line, too.
 */
void page_flow(struct page *p, unsigned *column, const char *margin, enum ink ink, const char *text);
/** Columns that @p text takes: UTF-8, wide characters count as one. */
size_t page_columns(const char *text);
/** Bytes of @p text that fit into @p columns. */
size_t page_bytes(const char *text, size_t columns);
/** Writes @p text in at most @p columns; dots stand for what is cut. @return columns that were written */
unsigned page_cut(struct page *p, enum ink ink, unsigned columns, const char *text);
/** One cell of a table: the text, then blanks up to @p width columns, at least one. A longer text is not cut. */
void page_cell(struct page *p, enum ink ink, unsigned width, const char *text);
/** The same with the blanks before it and two behind: for numbers. */
void page_number(struct page *p, unsigned width, const char *text);
