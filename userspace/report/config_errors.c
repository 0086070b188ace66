/* config_errors.c - see config_errors.h. */
#include "report/config_errors.h"

#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "report/pick.h"

static json_t *items(const struct config_errors *errors, bool notes)
{
        json_t *list = json_array();

        for (size_t i = 0; i < errors->n; i++) {
                const struct config_error *e = &errors->item[i];
                if (e->note != notes)
                        continue;
                json_t *item = json_object();
                json_object_set_new(item, "line", e->line ? json_integer(e->line) : json_null());
                text_json_set(item, "text", e->text, strlen(e->text));
                json_array_append_new(list, item);
        }
        return list;
}

json_t *config_errors_json(const char *schema, const char *file, bool valid, const struct config_errors *errors)
{
        json_t *o = json_pack("{s:s}", "schema", schema);

        if (!o || text_json_set(o, "file", file, strlen(file)) < 0 ||
            json_object_set_new(o, "valid", json_boolean(valid)) < 0 ||
            json_object_set_new(o, "errors", items(errors, false)) < 0 ||
            json_object_set_new(o, "notes", items(errors, true)) < 0 ||
            json_object_set_new(o, "not_listed", json_integer((json_int_t)errors->lost)) < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}

static void print(const json_t *list, const char *file, const char *kind, FILE *out)
{
        size_t i;
        json_t *e;

        json_array_foreach (list, i, e) {
                unsigned long long line = pick_number(e, "line");
                char text[512];

                text_printable(text, sizeof(text), pick_text(e, "text", "?"));
                fprintf(out, line ? "%s:%llu: %s%s\n" : "%s:%.0llu %s%s\n", file, line, kind, text);
        }
}

void config_errors_text(const json_t *document, FILE *out)
{
        char file[PATH_MAX];
        unsigned long long more = pick_number(document, "not_listed");

        text_printable(file, sizeof(file), pick_text(document, "file", "?"));
        print(json_object_get(document, "errors"), file, "", out);
        print(json_object_get(document, "notes"), file, "note: ", out);
        if (more)
                fprintf(out, "%s: %llu more\n", file, more);
}
