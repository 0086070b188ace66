/* check_errors.c - lines of SQLite into errors. */
#include "engine/check_errors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static bool starts(const char *text, size_t n, const char *word)
{
        return n >= strlen(word) && strncasecmp(text, word, strlen(word)) == 0;
}

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool check_error_page(const char *text, size_t n, uint32_t *ret_page)
{
        for (size_t i = 0; i < n; i++) {
                if ((i > 0 && is_letter(text[i - 1])) || !starts(text + i, n - i, "page "))
                        continue;
                size_t at = i + strlen("page ");
                if (starts(text + at, n - at, "number "))
                        at += strlen("number ");
                uint64_t page = 0;
                size_t digits = 0;
                for (; at < n && text[at] >= '0' && text[at] <= '9' && digits < 11; at++, digits++)
                        page = page * 10 + (uint64_t)(text[at] - '0');
                if (digits > 0 && page <= UINT32_MAX) {
                        *ret_page = (uint32_t)page;
                        return true;
                }
        }
        return false;
}

static int add_line(struct check_errors *e, const char *line, size_t n)
{
        uint32_t page;
        if (n == 0 || (n == 2 && memcmp(line, "ok", 2) == 0) || starts(line, n, "*** in database "))
                return 0;
        if (!e->list && !(e->list = json_array()))
                return -ENOMEM;
        if (json_array_size(e->list) >= CHECK_ERRORS_MAX) {
                e->more++;
                return 0;
        }
        json_t *about = check_error_page(line, n, &page) ? json_integer((json_int_t)page) : json_null();
        json_t *error = json_pack("{s:o,s:o}", "page", about, "text",
                                  text_json(line, n < CHECK_TEXT_MAX ? n : CHECK_TEXT_MAX));
        return error && json_array_append_new(e->list, error) == 0 ? 0 : -ENOMEM;
}

int check_errors_add(struct check_errors *e, const char *row, size_t n)
{
        while (n > 0) {
                const char *end = memchr(row, '\n', n);
                size_t line = end ? (size_t)(end - row) : n;
                int err = add_line(e, row, line);
                if (err < 0)
                        return err;
                row += end ? line + 1 : line;
                n -= end ? line + 1 : line;
        }
        return 0;
}

int check_errors_end(struct check_errors *e)
{
        char text[64];
        if (!e->list && !(e->list = json_array()))
                return -ENOMEM;
        if (e->more == 0)
                return 0;
        snprintf(text, sizeof(text), "%" PRIu64 " more errors were found", e->more);
        return json_array_append_new(e->list, json_pack("{s:n,s:s}", "page", "text", text)) == 0 ? 0 : -ENOMEM;
}
