/* pick.c - see pick.h. */
#include "report/pick.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *pick_text(const json_t *o, const char *key, const char *otherwise)
{
        const char *s = json_string_value(json_object_get(o, key));
        return s ? s : otherwise;
}

uint64_t pick_number(const json_t *o, const char *key)
{
        json_int_t n = json_integer_value(json_object_get(o, key));
        return n > 0 ? (uint64_t)n : 0;
}

enum ink pick_verdict_ink(const char *verdict)
{
        if (strcmp(verdict, "clean") == 0)
                return INK_GOOD;
        return strcmp(verdict, "unclean") == 0 ? INK_BAD : INK_WARN;
}

void pick_upper(char *ret, size_t size, const char *text)
{
        size_t i = 0;
        for (; text[i] && i + 1 < size; i++)
                ret[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
        ret[i] = '\0';
}

void pick_join(char *ret, size_t size, const json_t *array, const char *between)
{
        size_t i, used = 0;
        json_t *v;
        ret[0] = '\0';
        json_array_foreach (array, i, v) {
                int n = snprintf(ret + used, size - used, "%s%s", i ? between : "",
                                 json_string_value(v) ? json_string_value(v) : "?");
                if (n < 0 || (size_t)n >= size - used)
                        return;
                used += (size_t)n;
        }
}

enum ink pick_severity_ink(const char *severity)
{
        if (strcmp(severity, "P0") == 0 || strcmp(severity, "P1") == 0)
                return INK_BAD;
        return strcmp(severity, "P2") == 0 ? INK_WARN : INK_PLAIN;
}

void pick_when(char ret[PICK_WHEN_LEN], const json_t *o, const char *key)
{
        const char *at = pick_text(o, key, "");
        if (strlen(at) > 19)
                snprintf(ret, PICK_WHEN_LEN, "%.19sZ", at);
        else
                strcpy(ret, "-");
}

void pick_span(char ret[PICK_WHEN_LEN], uint64_t seconds)
{
        static const struct {
                uint64_t below, unit;
                const char *name;
        } units[] = {{120, 1, "s"}, {7200, 60, "min"}, {172800, 3600, "h"}, {UINT64_MAX, 86400, "d"}};
        size_t i = 0;
        while (seconds >= units[i].below && i + 1 < sizeof(units) / sizeof(units[0]))
                i++;
        snprintf(ret, PICK_WHEN_LEN, "%" PRIu64 " %s", seconds / units[i].unit, units[i].name);
}

void pick_age(char ret[PICK_WHEN_LEN], const json_t *o, const char *key, int64_t now_ns)
{
        struct tm tm = {0};
        if (!strptime(pick_text(o, key, ""), "%Y-%m-%dT%H:%M:%S", &tm)) {
                strcpy(ret, "-");
                return;
        }
        int64_t seconds = now_ns / 1000000000 - timegm(&tm);
        pick_span(ret, seconds > 0 ? (uint64_t)seconds : 0);
}
