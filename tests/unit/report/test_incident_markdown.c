/* test_incident_markdown.c - the report of an incident with several deaths tells how it stands at last. */
#include "report/operator.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

static char *text;

/* The new certificate of a death at 03:15:0@p second. */
static json_t *death(int pid, const char *second, const char *prediction)
{
        char at[40];
        snprintf(at, sizeof(at), "2026-11-21T03:15:0%s.000000Z", second);
        return json_pack("{s:{s:s, s:i}, s:s, s:{s:s, s:{s:s, s:i, s:i}}, s:s}", "process", "comm", "app", "pid",
                         pid, "ended_at", at, "exit", "signal", "SIGKILL", "sender", "comm", "bash", "pid", pid + 1,
                         "uid", 0, "prediction", prediction);
}

static void report(json_t *incident)
{
        static size_t size;
        json_t *document = json_pack("{s:[o], s:[o, o]}", "incidents", incident, "certificate_details",
                                     death(100, "1", "the first state"), death(200, "5", "the last state"));
        free(text);
        FILE *out = open_memstream(&text, &size);
        ck_assert_int_eq(operator_markdown(document, out), 0);
        fclose(out);
        json_decref(document);
}

static json_t *incident(const char *owed)
{
        return json_pack("{s:s, s:{s:s, s:s}, s:s, s:[s], s:{s:s, s:s, s:s}}", "last_death_at",
                         "2026-11-21T03:15:05.000000Z", "integrity", "result", "ok", "at",
                         "2026-11-21T03:15:02.000000Z", "code", "unclean-death", "ends_by", owed, "resolution",
                         "by", "recovery", "sign", "wal-recovered", "seen_at", "2026-11-21T03:15:09.000000Z");
}

START_TEST(cause_and_state_are_those_of_the_last_death)
{
        report(incident("recovery"));
        ck_assert_ptr_nonnull(strstr(text, "**Immediate Cause**: app (pid 200) "));
        ck_assert_ptr_nonnull(strstr(text, "**Killed by**: bash (pid 201, uid 0)"));
        ck_assert_ptr_nonnull(strstr(text, "**Begun by**: app (pid 100) "));
        ck_assert_ptr_nonnull(strstr(text, "**State of the data**: the last state"));
        ck_assert_ptr_null(strstr(text, "the first state"));
}
END_TEST

START_TEST(what_has_been_recovered_since_is_said_to_be)
{
        report(incident("quiet"));
        ck_assert_ptr_nonnull(
                strstr(text, "**State of the data**: recovered, 2026-11-21T03:15:09Z: wal-recovered"));
        ck_assert_ptr_null(strstr(text, "the last state"));
        ck_assert_ptr_nonnull(strstr(text, "**Integrity check**: ok, before the last death  \n"));
}
END_TEST

SUITE("incident report", cause_and_state_are_those_of_the_last_death, what_has_been_recovered_since_is_said_to_be)
