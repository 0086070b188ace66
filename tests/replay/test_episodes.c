/* test_episodes.c - a daemon's way to a certificate against that of a replay: each recording goes through memory and episode,
 * and must give the certificates that it gives when the whole of it goes through the model. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "daemon/episode.h"
#include "stream.h"
#include "suite.h"

#define DIRECTORY VIGIL_TESTS_DIR "/replay/recordings"

/* A recording as a daemon would have lived it: what it was told as it happened, and what it would have asked for at the end. */
struct lived {
        struct memory *memory;
        struct model *model;
        struct stream asked; /* VIGIL_OBSERVED, VIGIL_LIVE, VIGIL_LEDGER */
};

static void keep(struct stream *s, const struct vigil_hdr *h)
{
        s->bytes = realloc(s->bytes, s->n + h->size);
        memcpy(s->bytes + s->n, h, h->size);
        s->n += h->size;
}

static void live(struct lived *l, const struct vigil_hdr *h)
{
        uint32_t db;
        ck_assert_int_eq(model_feed(l->model, h), 0);
        if (h->type == VIGIL_SESSION)
                l->memory = memory_new((const void *)h, false);
        else if (h->type == VIGIL_OBSERVED || h->type == VIGIL_LIVE || h->type == VIGIL_LEDGER)
                keep(&l->asked, h);
        else
                ck_assert_int_ge(memory_take(l->memory, h, &db), 0);
}

static struct lived lived_of(const char *path)
{
        struct lived l = {.model = model_new()};
        struct recording *r;
        const struct vigil_hdr *h;
        ck_assert_int_eq(recording_open(path, &r), 0);
        while (recording_next(r, &h) > 0)
                live(&l, h);
        ck_assert_str_eq(recording_error(r), "");
        recording_free(r);
        ck_assert_int_eq(model_finish(l.model), 0);
        return l;
}

static void observe(struct episode *e, const struct stream *asked)
{
        const uint32_t *db;
        size_t n = episode_looks(e, &db);
        for (size_t i = 0; i < n; i++)
                for (size_t at = 0; at < asked->n;) {
                        const struct vigil_hdr *h = (const void *)(asked->bytes + at);
                        const struct vigil_observed *o = (const void *)h;
                        at += h->size;
                        if (h->type != VIGIL_OBSERVED || o->db != db[i] || !o->id.tgid)
                                continue;
                        ck_assert_int_eq(episode_observed(e, db[i], o), 0);
                        break;
                }
}

static struct episode *episode_of(struct lived *l, const struct detection **ret)
{
        struct episode *e = NULL;
        unsigned wait_ms;
        if (episode_begin(l->memory, UINT64_MAX, &e, &wait_ms) == 0)
                return NULL;
        observe(e, &l->asked);
        for (size_t at = 0; at < l->asked.n;) {
                const struct vigil_hdr *h = (const void *)(l->asked.bytes + at);
                ck_assert_int_eq(episode_add(e, h), 0);
                at += h->size;
        }
        ck_assert_int_eq(episode_complete(e, NULL), 0);
        ck_assert_int_eq(episode_judge(e, ret), 0);
        return e;
}

static void expect_same(const struct detection *d, const struct detection *replayed, const char *name)
{
        ck_assert_uint_eq(detection_n_certificates(d), detection_n_certificates(replayed));
        for (size_t i = 0; i < detection_n_certificates(d); i++) {
                const struct certificate *a = detection_certificate(d, i), *b = detection_certificate(replayed, i);
                char reasons[512];
                ck_assert_msg(strcmp(a->id, b->id) == 0, "%s: %s is not %s", name, a->id, b->id);
                ck_assert_str_eq(verdict_name(a->verdict), verdict_name(b->verdict));
                snprintf(reasons, sizeof(reasons), "%s", reasons_of(a));
                ck_assert_str_eq(reasons, reasons_of(b));
                ck_assert_str_eq(a->prediction, b->prediction);
                ck_assert_uint_eq(a->commits_at_risk, b->commits_at_risk);
                ck_assert_uint_eq(a->locks, b->locks);
                ck_assert_int_eq((int)a->ending.cause, (int)b->ending.cause);
                ck_assert_int_eq((int)a->trust.level, (int)b->trust.level);
                ck_assert_int_eq(a->death->process != NULL, b->death->process != NULL);
        }
        ck_assert_uint_eq(detection_n_findings(d), detection_n_findings(replayed));
        for (size_t i = 0; i < detection_n_findings(d); i++) {
                ck_assert_str_eq(detection_finding(d, i)->id, detection_finding(replayed, i)->id);
                ck_assert_str_eq(detection_finding(d, i)->detail, detection_finding(replayed, i)->detail);
        }
}

static void compare(const char *path, const char *name)
{
        struct lived l = lived_of(path);
        struct detection *replayed = NULL;
        const struct detection *d = NULL;
        ck_assert_int_eq(detect_run(l.model, &replayed), 0);
        struct episode *e = episode_of(&l, &d);
        ck_assert_ptr_nonnull(e);
        expect_same(d, replayed, name);
        episode_free(e);
        detection_free(replayed);
        model_free(l.model);
        memory_free(l.memory);
        free(l.asked.bytes);
}

START_TEST(an_episode_says_what_a_replay_says)
{
        DIR *dir = opendir(DIRECTORY);
        size_t n = 0;
        ck_assert_ptr_nonnull(dir);
        for (struct dirent *e; (e = readdir(dir));) {
                char path[512];
                if (!strstr(e->d_name, ".vigil"))
                        continue;
                snprintf(path, sizeof(path), DIRECTORY "/%s", e->d_name);
                compare(path, e->d_name);
                n++;
        }
        closedir(dir);
        ck_assert_uint_gt(n, 0);
}
END_TEST

SUITE("episodes", an_episode_says_what_a_replay_says)
