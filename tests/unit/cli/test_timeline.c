/* test_timeline.c - any record becomes one line. */
#include "cli/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/recording.h"
#include "suite.h"

static char *line_of(const struct vigil_hdr *h)
{
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);
        ck_assert_int_eq(timeline_print(h, 1, NULL, out), 0);
        fclose(out);
        return text;
}

START_TEST(every_type_has_a_line_and_an_object)
{
        static _Alignas(8) unsigned char bytes[RECORDING_RECORD_MAX];
        struct vigil_hdr *h = (void *)bytes;
        for (uint16_t type = 0; type < 40; type++) {
                *h = (struct vigil_hdr){.magic = VIGIL_MAGIC, .version = 1, .type = type};
                h->size = record_min_size(type);
                ck_assert_int_eq(record_validate(h, h->size, NULL), 0);
                char *line = line_of(h);
                ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
                free(line);
                json_t *o = timeline_json(h, 0);
                bool known = type >= VIGIL_SESSION && type <= VIGIL_NEIGHBOUR;
                ck_assert_int_eq(strcmp(json_string_value(json_object_get(o, "type")), "unknown") != 0, known);
                ck_assert(json_is_null(json_object_get(o, "at")));
                json_decref(o);
        }
}
END_TEST

START_TEST(names_cannot_break_the_line)
{
        struct vigil_pathop r = {
                .hdr = {.magic = VIGIL_MAGIC, .version = 1, .type = VIGIL_PATHOP, .size = sizeof(r)},
                .id = {.tgid = 7, .comm = "a\nb"},
                .op = VIGIL_OP_UNLINK,
                .name = "x\033[2J\n"};
        char *line = line_of(&r.hdr);
        ck_assert_ptr_nonnull(strstr(line, "process=a?b[7]"));
        ck_assert_ptr_nonnull(strstr(line, "name=x?[2J?"));
        ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
        free(line);
}
END_TEST

SUITE("timeline", every_type_has_a_line_and_an_object, names_cannot_break_the_line)
