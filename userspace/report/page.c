/* page.c - see page.h. */
#include "report/page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static void print_clean(struct page *p, const char *text)
{
        size_t size = strlen(text) + 1;
        _cleanup_free_ char *clean = malloc(size);
        if (!clean)
                return;
        text_printable(clean, size, text);
        fputs(clean, p->out);
}

void page_ink(struct page *p, enum ink ink, const char *text)
{
        /* ECMA-48, select graphic rendition */
        static const char *const codes[] = {
                [INK_PLAIN] = NULL,  [INK_BOLD] = "1",   [INK_GOOD] = "1;32",
                [INK_WARN] = "1;33", [INK_BAD] = "1;31", [INK_DIM] = "2",
        };
        bool coloured = p->colour && codes[ink];
        if (coloured)
                fprintf(p->out, "\033[%sm", codes[ink]);
        print_clean(p, text);
        if (coloured)
                fputs("\033[0m", p->out);
}

/* Columns of UTF-8 text: continuation bytes take none. Wide characters count as one, which only wraps later. */
static size_t columns(const char *text, size_t n)
{
        size_t c = 0;
        for (size_t i = 0; i < n; i++)
                c += ((unsigned char)text[i] & 0xc0) != 0x80;
        return c;
}

size_t page_columns(const char *text)
{
        return columns(text, strlen(text));
}

size_t page_bytes(const char *text, size_t most)
{
        const char *end = text;
        for (size_t c = 0; *end; end++) {
                bool begins = ((unsigned char)*end & 0xc0) != 0x80;
                if (begins && c == most)
                        break;
                c += begins;
        }
        return (size_t)(end - text);
}

unsigned page_cut(struct page *p, enum ink ink, unsigned most, const char *text)
{
        _cleanup_free_ char *cut = NULL;
        size_t all = page_columns(text);
        if (all <= most) {
                page_ink(p, ink, text);
                return (unsigned)all;
        }
        /* ASCII, since not every console at 3 am has more; a short name needs its letters. */
        const char *dots = most < 12 ? ".." : "...";
        size_t ndots = strlen(dots) < most ? strlen(dots) : most;
        if (asprintf(&cut, "%.*s%.*s", (int)page_bytes(text, most - ndots), text, (int)ndots, dots) < 0) {
                cut = NULL;
                return 0;
        }
        page_ink(p, ink, cut);
        return most;
}

void page_flow(struct page *p, unsigned *column, const char *margin, enum ink ink, const char *text)
{
        _cleanup_free_ char *word = malloc(strlen(text) + 1);
        while (word && *text) {
                size_t blanks = strspn(text, " "), n = strcspn(text + blanks, " ");
                unsigned width = (unsigned)columns(text + blanks, n);
                memcpy(word, text + blanks, n);
                word[n] = '\0';
                text += blanks + n;
                if (!n)
                        return;
                if (blanks && *column + blanks + width > p->width) {
                        fprintf(p->out, "\n%s", margin);
                        *column = (unsigned)page_columns(margin);
                } else {
                        fprintf(p->out, "%*s", (int)blanks, "");
                        *column += (unsigned)blanks;
                }
                page_ink(p, ink, word);
                *column += width;
        }
}

void page_paragraph(struct page *p, enum ink ink, const char *label, unsigned indent, const char *fmt, ...)
{
        _cleanup_free_ char *text = NULL, *clean = NULL;
        va_list ap;
        va_start(ap, fmt);
        int n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n < 0) {
                text = NULL;
                return;
        }
        clean = malloc((size_t)n + 1);
        if (!clean)
                return;
        text_printable(clean, (size_t)n + 1, text);
        fputs("  ", p->out);
        page_ink(p, ink, label);
        size_t used = 2 + strlen(label);
        fprintf(p->out, "%*s", used < indent ? (int)(indent - used) : 1, "");
        unsigned column = used < indent ? indent : (unsigned)used + 1;
        char margin[64];
        snprintf(margin, sizeof(margin), "%*s", (int)indent, "");
        page_flow(p, &column, margin, INK_PLAIN, clean);
        page_line(p);
}

void page_line(struct page *p)
{
        fputc('\n', p->out);
}

void page_cell(struct page *p, enum ink ink, unsigned width, const char *text)
{
        size_t used = columns(text, strlen(text));
        page_ink(p, ink, text);
        fprintf(p->out, "%*s", used < width ? (int)(width - used) : 1, "");
}

void page_number(struct page *p, unsigned width, const char *text)
{
        size_t used = columns(text, strlen(text));
        fprintf(p->out, "%*s", used < width ? (int)(width - used) : 0, "");
        page_ink(p, INK_PLAIN, text);
        fputs("  ", p->out);
}
