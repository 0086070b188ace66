/* test_recordings.c - recordings of real runs, frozen: each must stay readable and give the same verdicts for ever.
 *
 * recordings/NAME.vigil is what `vigil exec --record` wrote, NAME.expected what it means, one line per certificate and
 * finding. recordings/record.sh makes new ones; old ones are never made again. A mismatch prints what was found. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "detect/detect.h"
#include "detect/wording.h"
#include "report/build.h"
#include "sensor/recording.h"
#include "suite.h"

#define DIRECTORY VIGIL_TESTS_DIR "/replay/recordings"

static struct model *model_of(const char *path)
{
        struct recording *r;
        const struct vigil_hdr *h;
        struct model *m = model_new();
        int k;
        ck_assert_msg(recording_open(path, &r) == 0, "%s cannot be opened", path);
        while ((k = recording_next(r, &h)) > 0)
                ck_assert_int_eq(model_feed(m, h), 0);
        ck_assert_msg(k == 0, "%s: %s", path, recording_error(r));
        ck_assert_int_eq(model_finish(m), 0);
        recording_free(r);
        return m;
}

static void put_list(FILE *out, json_t *names)
{
        for (size_t i = 0; i < json_array_size(names); i++)
                fprintf(out, "%s%s", i ? "," : "", json_string_value(json_array_get(names, i)));
        json_decref(names);
}

static void put_certificate(FILE *out, const struct certificate *c)
{
        fprintf(out, "%s %s ", c->death->id.comm, verdict_name(c->verdict));
        for (size_t i = 0; i < c->nreasons; i++)
                fprintf(out, "%s%s", i ? "," : "", c->reason[i]);
        fprintf(out, " | %s %s from %s | ", cause_name(c->ending.cause), c->ending.how ? c->ending.how : "-",
                c->ending.sender_named ? c->ending.by->sender_comm : "-");
        put_list(out, lock_names(c->locks));
        fprintf(out, " | %s | %s\n", held_txn_name(c->held), c->prediction);
}

/* What the recording means, as text. */
static char *meaning(const char *path)
{
        char *text = NULL;
        size_t n;
        struct model *m = model_of(path);
        struct detection *d;
        FILE *out = open_memstream(&text, &n);
        ck_assert_int_eq(detect_run(m, &d), 0);
        fprintf(out, "trust %s\n", trust_level_name(model_trust(m)->level));
        for (size_t i = 0; i < model_n_databases(m); i++)
                if (model_database(m, i)->shown)
                        fprintf(out, "%s %s\n", model_database(m, i)->path, journal_mode(model_database(m, i)));
        for (size_t i = 0; i < detection_n_certificates(d); i++)
                put_certificate(out, detection_certificate(d, i));
        for (size_t i = 0; i < detection_n_findings(d); i++)
                fprintf(out, "%s %s: %s\n", severity_name(detection_finding(d, i)->severity),
                        detection_finding(d, i)->code, detection_finding(d, i)->detail);
        fclose(out);
        detection_free(d);
        model_free(m);
        return text;
}

START_TEST(recordings_mean_what_they_meant)
{
        DIR *dir = opendir(DIRECTORY);
        ck_assert_ptr_nonnull(dir);
        size_t n = 0;
        for (struct dirent *e; (e = readdir(dir));) {
                char path[512], expected_path[512], *expected = NULL;
                const char *suffix = strstr(e->d_name, ".vigil");
                if (!suffix)
                        continue;
                snprintf(path, sizeof(path), DIRECTORY "/%s", e->d_name);
                snprintf(expected_path, sizeof(expected_path), DIRECTORY "/%.*s.expected",
                         (int)(suffix - e->d_name), e->d_name);
                char *found = meaning(path);
                ck_assert_msg(io_read_file(expected_path, 65536, &expected, NULL) == 0, "no %s; found:\n%s",
                              expected_path, found);
                ck_assert_msg(strcmp(found, expected) == 0, "%s means:\n%s\nexpected:\n%s", e->d_name, found,
                              expected);
                free(found);
                free(expected);
                n++;
        }
        closedir(dir);
        ck_assert_uint_gt(n, 0);
}
END_TEST

SUITE("recordings", recordings_mean_what_they_meant)
