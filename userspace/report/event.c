/* event.c - see event.h. */
#include "report/event.h"

#include <string.h>

#include "base/text.h"

#define VALUE_MAX 4096

static void print_clean(FILE *out, const char *before, const char *text)
{
        char clean[VALUE_MAX];
        text_printable(clean, sizeof(clean), text ? text : "?");
        fprintf(out, "%s%s", before, clean);
}

static void print_value(FILE *out, const json_t *v);

/* "{bytes=4096 method=copy}" */
static void print_members(FILE *out, const json_t *o)
{
        const char *key, *before = "{";
        json_t *v;

        json_object_foreach ((json_t *)o, key, v) {
                if (json_is_null(v))
                        continue;
                print_clean(out, before, key);
                fputc('=', out);
                print_value(out, v);
                before = " ";
        }
        fputs(*before == '{' ? "{}" : "}", out);
}

/* A process as "comm[pid]". */
static void print_value(FILE *out, const json_t *v)
{
        if (json_is_string(v)) {
                print_clean(out, "", json_string_value(v));
        } else if (json_is_integer(v)) {
                fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        } else if (json_is_boolean(v)) {
                fputs(json_is_true(v) ? "yes" : "no", out);
        } else if (json_is_object(v) && !json_object_get(v, "pid")) {
                print_members(out, v);
        } else if (json_is_object(v)) {
                print_clean(out, "", json_string_value(json_object_get(v, "comm")));
                fprintf(out, "[%" JSON_INTEGER_FORMAT "]", json_integer_value(json_object_get(v, "pid")));
        } else {
                size_t i;
                json_t *item;
                json_array_foreach (v, i, item)
                        print_clean(out, i ? "," : "", json_string_value(item));
        }
}

void event_print_rest(const json_t *event, const char *const *but, FILE *out)
{
        const char *key;
        json_t *v;
        json_object_foreach ((json_t *)event, key, v) {
                size_t i = 0;
                while (but[i] && strcmp(but[i], key) != 0)
                        i++;
                if (but[i] || json_is_null(v))
                        continue;
                print_clean(out, " ", key);
                fputc('=', out);
                print_value(out, v);
        }
}

void event_print(const json_t *event, FILE *out)
{
        static const char *const shown[] = {"at", "ns", "type", NULL};
        const char *at = json_string_value(json_object_get(event, "at"));
        const char *type = json_string_value(json_object_get(event, "type"));
        char clean[64];
        print_clean(out, "", at ? at : "-");
        text_printable(clean, sizeof(clean), type ? type : "unknown");
        fprintf(out, " %-16s", clean);
        event_print_rest(event, shown, out);
        fputc('\n', out);
}
