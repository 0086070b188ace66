/* test_episode_record.c - which of an incident's recordings are kept. That one replays to the same is told in test_episode.c. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/episode.h"
#include "stream.h"
#include "suite.h"

static char dir[] = "/tmp/vigil-episode-XXXXXX";

/* Returns the inode, which tells a file from the one that replaces it. 0: there is none. */
static ino_t inode(const char *name)
{
        char path[96];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%s", dir, name);
        return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* One death. */
static struct episode *one(struct stream *s, struct memory **ret)
{
        static const struct vigil_session session = {.mode = VIGIL_MODE_ATTACH,
                                                     .boot_id = "0f3c8a1e-0000-4000-8000-000000000001"};
        struct actor a = actor(100, "app");
        struct episode *e = NULL;
        unsigned wait_ms;
        uint32_t db;

        *ret = memory_new(&session, false);
        ck_assert_ptr_nonnull(*ret);
        stream_open(s);
        stream_act(s, &a, VIGIL_EXIT);
        for (size_t at = 0; at < s->n;) {
                const struct vigil_hdr *h = (const void *)(s->bytes + at);
                ck_assert_int_ge(memory_take(*ret, h, &db), 0);
                at += h->size;
        }
        ck_assert_int_eq(episode_begin(*ret, s->now + SECOND, &e, &wait_ms), 1);
        ck_assert_int_eq(episode_complete(e, NULL), 0);
        return e;
}

START_TEST(the_first_recording_stays_and_the_newest_is_beside_it)
{
        struct stream s;
        struct memory *m;
        struct episode *e = one(&s, &m);
        char command[64];

        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(episode_keep(e, dir), 0);
        ino_t first = inode("recording.vigil");
        ck_assert_uint_ne(first, 0);
        ck_assert_uint_eq(inode("recording-last.vigil"), 0);
        ck_assert_int_eq(episode_keep(e, dir), 0);
        ino_t last = inode("recording-last.vigil");
        ck_assert_uint_ne(last, 0);
        ck_assert_int_eq(episode_keep(e, dir), 0);
        ck_assert_uint_eq(inode("recording.vigil"), first);
        ck_assert_uint_ne(inode("recording-last.vigil"), last);
        ck_assert_uint_eq(inode("recording.new"), 0);
        episode_free(e);
        memory_free(m);
        stream_done(&s, NULL);
        snprintf(command, sizeof(command), "rm -r %s", dir);
        ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): a fixed command on a directory of our own */
}
END_TEST

SUITE("episode_record", the_first_recording_stays_and_the_newest_is_beside_it)
