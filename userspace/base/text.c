/* text.c - bytes that may be anything, made fit for JSON and for a terminal. */
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Well-formed byte sequences, Unicode 15 table 3-7: what the first byte demands of the second. Later ones are 80..BF. */
static const struct lead {
        unsigned char first, last, length, low, high;
} leads[] = {
        {0x00, 0x7f, 1, 0, 0},       /* ASCII */
        {0xc2, 0xdf, 2, 0x80, 0xbf}, /* C0, C1 would be overlong */
        {0xe0, 0xe0, 3, 0xa0, 0xbf}, /* below A0: overlong */
        {0xe1, 0xec, 3, 0x80, 0xbf}, /**/
        {0xed, 0xed, 3, 0x80, 0x9f}, /* above 9F: surrogates */
        {0xee, 0xef, 3, 0x80, 0xbf}, /**/
        {0xf0, 0xf0, 4, 0x90, 0xbf}, /* below 90: overlong */
        {0xf1, 0xf3, 4, 0x80, 0xbf}, /**/
        {0xf4, 0xf4, 4, 0x80, 0x8f}, /* above 8F: beyond U+10FFFF */
};

/* Length of the character at @p s, of which @p n > 0 bytes are there; 0: none. */
static size_t character(const unsigned char *s, size_t n)
{
        for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
                const struct lead *l = &leads[i];
                if (s[0] < l->first || s[0] > l->last)
                        continue;
                if (l->length > n || (l->length > 1 && (s[1] < l->low || s[1] > l->high)))
                        return 0;
                for (size_t k = 2; k < l->length; k++)
                        if (s[k] < 0x80 || s[k] > 0xbf)
                                return 0;
                return l->length;
        }
        return 0;
}

bool text_is_utf8(const char *bytes, size_t n)
{
        const unsigned char *s = (const unsigned char *)bytes;
        for (size_t i = 0; i < n;) {
                size_t length = character(s + i, n - i);
                if (length == 0)
                        return false;
                i += length;
        }
        return true;
}

json_t *text_json(const char *bytes, size_t n)
{
        if (text_is_utf8(bytes, n))
                return json_stringn(bytes, n);

        size_t room = 0, used = 0;
        if (__builtin_mul_overflow(n, sizeof(TEXT_REPLACED) - 1, &room))
                return NULL;
        _cleanup_free_ char *clean = malloc(room);
        if (!clean)
                return NULL;
        const unsigned char *s = (const unsigned char *)bytes;
        for (size_t i = 0; i < n;) {
                size_t length = character(s + i, n - i);
                const void *from = length ? (const void *)(s + i) : TEXT_REPLACED;
                size_t take = length ? length : sizeof(TEXT_REPLACED) - 1;
                memcpy(clean + used, from, take);
                used += take;
                i += length ? length : 1;
        }
        return json_stringn(clean, used);
}

static json_t *hex(const char *bytes, size_t n)
{
        static const char digits[] = "0123456789abcdef";
        if (n > SIZE_MAX / 2 - 1)
                return NULL;
        _cleanup_free_ char *text = malloc(n * 2 + 1);
        if (!text)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                text[2 * i] = digits[(unsigned char)bytes[i] >> 4];
                text[2 * i + 1] = digits[bytes[i] & 15];
        }
        return json_stringn_nocheck(text, n * 2);
}

int text_json_set(json_t *object, const char *key, const char *bytes, size_t n)
{
        if (json_object_set_new(object, key, text_json(bytes, n)) < 0)
                return -ENOMEM;
        if (text_is_utf8(bytes, n))
                return 0;
        _cleanup_free_ char *hex_key = NULL;
        if (asprintf(&hex_key, "%s_hex", key) < 0)
                return -ENOMEM;
        return json_object_set_new(object, hex_key, hex(bytes, n)) < 0 ? -ENOMEM : 0;
}

/* C0 controls, DEL, and the C1 controls U+0080..U+009F, one of which starts an escape sequence as ESC [ does. */
static bool is_control(const unsigned char *s, size_t length)
{
        return (length == 1 && (s[0] < 0x20 || s[0] == 0x7f)) || (length == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

/* Characters that show nothing and change how others look: joiners and marks of direction, separators of lines, embeddings and
 * overrides that turn the rest of a line around, the byte order mark. */
static bool is_format(const unsigned char *s, size_t length)
{
        static const struct {
                uint32_t first, last;
        } formats[] = {{0x61c, 0x61c}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}};
        uint32_t c = length == 2 ? s[0] & 0x1fu : s[0] & 0x0fu;

        if (length != 2 && length != 3)
                return false;
        for (size_t i = 1; i < length; i++)
                c = c << 6 | (s[i] & 0x3fu);
        for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
                if (c >= formats[i].first && c <= formats[i].last)
                        return true;
        return false;
}

void text_printable(char *ret, size_t size, const char *text)
{
        const unsigned char *s = (const unsigned char *)text;
        size_t n = strlen(text), used = 0;
        if (size == 0)
                return;
        for (size_t i = 0; i < n;) {
                size_t length = character(s + i, n - i);
                bool keep = length > 0 && !is_control(s + i, length) && !is_format(s + i, length);
                size_t take = keep ? length : 1;
                if (take > size - 1 - used)
                        break;
                memcpy(ret + used, keep ? (const void *)(s + i) : "?", take);
                used += take;
                i += length ? length : 1;
        }
        ret[used] = '\0';
}
