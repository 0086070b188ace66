/* table.c - see table.h. */
#include "report/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MARGIN     2
#define WIDE_GAP   2
#define NAME_LEAST 8

struct table_cell {
        char *text;
        enum ink ink;
};

void table_add(struct table *t, enum ink ink, const char *text)
{
        if (t->failed)
                return;
        if (t->ncells == t->room) {
                size_t room = t->room ? t->room * 2 : 64;
                struct table_cell *cell = reallocarray(t->cell, room, sizeof(*cell));
                if (!cell) {
                        t->failed = true;
                        return;
                }
                t->cell = cell;
                t->room = room;
        }
        char *copy = strdup(text);
        if (!copy) {
                t->failed = true;
                return;
        }
        text_printable(copy, strlen(copy) + 1, text);
        t->cell[t->ncells++] = (struct table_cell){.text = copy, .ink = ink};
}

/* ---- layout ---- */

static unsigned title_width(const struct table_column *c)
{
        return (unsigned)page_columns(c->title);
}

static unsigned total(const struct table *t)
{
        unsigned sum = MARGIN, shown = 0;

        for (size_t k = 0; k < t->ncolumns; k++) {
                sum += t->width[k];
                shown += t->width[k] > 0;
        }
        return sum + (shown ? shown - 1 : 0) * t->gap;
}

static unsigned least(const struct table_column *c)
{
        return title_width(c) > NAME_LEAST ? title_width(c) : NAME_LEAST;
}

/* One column off the widest name that can spare it. */
static bool shrink(struct table *t)
{
        size_t widest = t->ncolumns;

        for (size_t k = 0; k < t->ncolumns; k++)
                if (!t->column[k].whole && t->width[k] > least(&t->column[k]) &&
                    (widest == t->ncolumns || t->width[k] > t->width[widest]))
                        widest = k;
        if (widest == t->ncolumns)
                return false;
        t->width[widest]--;
        return true;
}

static bool leave_out(struct table *t)
{
        for (size_t k = t->ncolumns; k-- > 0;)
                if (t->column[k].spare && t->width[k]) {
                        t->width[k] = 0;
                        return true;
                }
        return false;
}

size_t table_fit(struct table *t, const struct page *p)
{
        size_t out = 0;

        t->gap = WIDE_GAP;
        for (size_t k = 0; k < t->ncolumns; k++)
                t->width[k] = title_width(&t->column[k]);
        for (size_t i = 0; t->ncolumns && i < t->ncells; i++) {
                unsigned *width = &t->width[i % t->ncolumns], columns = (unsigned)page_columns(t->cell[i].text);
                *width = *width > columns ? *width : columns;
        }
        while (total(t) > p->width)
                if (!shrink(t)) {
                        if (t->gap > 1)
                                t->gap--;
                        else if (leave_out(t))
                                out++;
                        else
                                break;
                }
        return out;
}

/* ---- printing ---- */

static void print_cell(const struct table *t, struct page *p, size_t k, enum ink ink, const char *text)
{
        unsigned columns = (unsigned)page_columns(text), width = t->width[k];
        int blanks = columns < width ? (int)(width - columns) : 0;
        bool last = true;

        for (size_t after = k + 1; after < t->ncolumns; after++)
                last = last && !t->width[after];
        if (t->column[k].right)
                fprintf(p->out, "%*s", blanks, "");
        page_cut(p, ink, width, text);
        if (!t->column[k].right && !last)
                fprintf(p->out, "%*s", blanks, "");
        fprintf(p->out, "%*s", last ? 0 : (int)t->gap, "");
}

void table_print_head(const struct table *t, struct page *p)
{
        fprintf(p->out, "\n%*s", MARGIN, "");
        for (size_t k = 0; k < t->ncolumns; k++)
                if (t->width[k])
                        print_cell(t, p, k, INK_DIM, t->column[k].title);
        page_line(p);
}

void table_print_row(const struct table *t, struct page *p, size_t i)
{
        if ((i + 1) * t->ncolumns > t->ncells)
                return;
        fprintf(p->out, "%*s", MARGIN, "");
        for (size_t k = 0; k < t->ncolumns; k++) {
                const struct table_cell *c = &t->cell[i * t->ncolumns + k];
                if (t->width[k])
                        print_cell(t, p, k, c->ink, c->text);
        }
        page_line(p);
}

void table_print_left_out(struct page *p, size_t out)
{
        if (out)
                page_paragraph(p, INK_DIM, "", 4, "too narrow for %zu more column%s", out, out == 1 ? "" : "s");
}

void table_done(struct table *t)
{
        for (size_t i = 0; i < t->ncells; i++)
                free(t->cell[i].text);
        free(t->cell);
}
