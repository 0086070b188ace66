/* test_mounts.c - paths of one mount namespace, said in another. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "sensor/mounts.h"

static struct mounts parse(const char *text)
{
        struct mounts m;
        char *copy = strdup(text);

        ck_assert_int_eq(mounts_parse(copy, &m), 0);
        free(copy);
        return m;
}

static const char host[] = "21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
                           "22 21 0:30 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n"
                           "23 21 0:31 / /tmp rw - tmpfs tmpfs rw\n"
                           "24 21 254:0 /srv/data /mnt/a\\040b rw - ext4 /dev/vda rw\n";
static const char container[] = "90 80 0:30 / / rw - overlay overlay rw\n"
                                "91 90 254:0 /srv/volumes/v1 /data rw - ext4 /dev/vda rw\n"
                                "92 90 0:77 / /net rw - nfs4 server:/x rw\n";

/* All that @path on mount @id may be called here, each with a blank behind it. */
static const char *all(int id, const char *path)
{
        static char text[1000];
        struct mounts ours = parse(host), theirs = parse(container);
        size_t at = 0;

        text[0] = '\0';
        for (char *found; (found = mounts_translate(&theirs, id, path, &ours, &at)); free(found))
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", found);
        mounts_done(&ours);
        mounts_done(&theirs);
        return text;
}

START_TEST(a_volume_is_found_under_the_name_of_the_host)
{
        ck_assert_str_eq(all(91, "/data/app.db"), "/srv/volumes/v1/app.db ");
}
END_TEST

START_TEST(a_file_of_the_image_is_found_where_the_image_is_mounted)
{
        ck_assert_str_eq(all(90, "/app/app.db"), "/var/lib/docker/overlay2/x/merged/app/app.db ");
}
END_TEST

START_TEST(what_is_mounted_nowhere_else_has_no_other_name)
{
        ck_assert_str_eq(all(92, "/net/app.db"), "");
        ck_assert_str_eq(all(17, "/data/app.db"), "");
        ck_assert_str_eq(all(91, "/database/app.db"), "");
}
END_TEST

START_TEST(escapes_types_and_lines_that_are_none)
{
        struct mounts m = parse(host);

        ck_assert_uint_eq(m.n, 4);
        ck_assert_str_eq(m.item[3].point, "/mnt/a b");
        ck_assert_str_eq(mounts_type(&m, makedev(0, 31)), "tmpfs");
        ck_assert_ptr_null(mounts_type(&m, makedev(9, 9)));
        mounts_done(&m);
        m = parse("\n1 2\n- - -\n1 2 3 4 5 - x\n7 8 a:b / / rw - ext4 x rw\n1 2 0:3 / / - \n");
        ck_assert_uint_eq(m.n, 1);
        mounts_done(&m);
}
END_TEST

START_TEST(who_may_never_answer_and_what_is_memory)
{
        ck_assert(mounts_type_is_remote("fuse.sshfs") && mounts_type_is_remote("nfs4") &&
                  mounts_type_is_remote("9p"));
        ck_assert(!mounts_type_is_remote("ext4") && !mounts_type_is_remote(NULL));
        ck_assert(mounts_type_is_volatile("tmpfs") && !mounts_type_is_volatile("xfs") &&
                  !mounts_type_is_volatile(NULL));
}
END_TEST

START_TEST(our_own_can_be_read)
{
        struct mounts m;

        ck_assert_int_eq(mounts_read(-1, &m), 0);
        ck_assert_uint_gt(m.n, 0);
        mounts_done(&m);
}
END_TEST

START_TEST(what_it_was_mounted_from_and_how_are_read)
{
        struct mounts m = parse(
                "36 35 98:3 /r /mnt rw,noatime master:1 shared:2 - ext4 /dev/loop3 rw,errors=continue\n"
                "37 35 0:4 / /proc rw - proc\n");

        ck_assert_uint_eq(m.n, 2);
        ck_assert_str_eq(m.item[0].source, "/dev/loop3");
        ck_assert(mounts_has_option(m.item[0].options, "rw"));
        ck_assert(mounts_has_option(m.item[0].options, "errors=continue"));
        ck_assert(!mounts_has_option(m.item[0].options, "errors"));
        ck_assert_str_eq(m.item[1].source, "");
        ck_assert(!mounts_has_option(m.item[1].options, "rw"));
        mounts_done(&m);
}
END_TEST

SUITE("mounts", what_it_was_mounted_from_and_how_are_read, a_volume_is_found_under_the_name_of_the_host,
      a_file_of_the_image_is_found_where_the_image_is_mounted, what_is_mounted_nowhere_else_has_no_other_name,
      escapes_types_and_lines_that_are_none, who_may_never_answer_and_what_is_memory, our_own_can_be_read)
