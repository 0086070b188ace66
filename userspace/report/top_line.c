/* top_line.c - see top_line.h. */
#include "report/top_line.h"

#include <stdlib.h>

#include "base/text.h"

#define TEXT_LEN 1024

static struct page page_of(const struct top_line *l)
{
        return (struct page){.out = l->out, .colour = l->colour};
}

void top_cell(struct top_line *l, enum ink ink, int width, const char *text)
{
        struct page p = page_of(l);
        char clean[TEXT_LEN];
        unsigned most = width ? (unsigned)abs(width) : l->left;

        text_printable(clean, sizeof(clean), text);
        most = most < l->left ? most : l->left;
        unsigned columns = (unsigned)page_columns(clean);
        columns = columns < most ? columns : most;
        unsigned blanks = width ? most - columns : 0;
        if (width > 0)
                fprintf(l->out, "%*s", (int)blanks, "");
        page_cut(&p, ink, most, clean);
        if (width < 0)
                fprintf(l->out, "%*s", (int)blanks, "");
        l->left -= columns + blanks;
}

void top_text(struct top_line *l, enum ink ink, unsigned keep, const char *text)
{
        struct page p = page_of(l);
        char clean[TEXT_LEN];

        text_printable(clean, sizeof(clean), text);
        l->left -= page_cut(&p, ink, l->left > keep ? l->left - keep : 0, clean);
}
