/* test_copy.c - bytes from one file to another, in whatever way the kernel allows. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"
#include "engine/copy.h"

static int64_t stepped;

static int count(void *userdata, uint64_t bytes)
{
        (void)userdata;
        stepped += (int64_t)bytes;
        return 0;
}

static int refuse(void *userdata, uint64_t bytes)
{
        (void)bytes;
        return *(int *)userdata;
}

static void fill(const char *path, size_t n)
{
        uint8_t *data = malloc(n + 1);
        for (size_t i = 0; i < n; i++)
                data[i] = (uint8_t)(i * 2654435761u >> 13);
        spill(path, data, n);
        free(data);
}

static int64_t copy(const char *from, const char *to, uint64_t size)
{
        int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ck_assert(in >= 0 && out >= 0);
        stepped = 0;
        int64_t got = copy_bytes(in, out, size, true, count, NULL);
        close(in);
        close(out);
        return got;
}

START_TEST(all_sizes_arrive_whole)
{
        static const size_t sizes[] = {0, 1, 4095, 4096, (4 << 20) - 1, 4 << 20, (9 << 20) + 17};
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                fill(place("from"), sizes[i]);
                ck_assert_int_eq(copy(place("from"), place("to"), sizes[i]), (int64_t)sizes[i]);
                ck_assert_int_eq(stepped, (int64_t)sizes[i]);
                ck_assert_str_eq(hash_of(place("to")), hash_of(place("from")));
        }
}
END_TEST

START_TEST(two_file_systems_make_no_difference)
{
        char to[64];
        snprintf(to, sizeof(to), "/dev/shm/vigil-copy-test-%d", (int)getpid());
        fill(place("from"), 5000000);
        int64_t got = copy(place("from"), to, 5000000);
        const char *hash = hash_of(to);
        unlink(to);
        ck_assert_int_eq(got, 5000000);
        ck_assert_str_eq(hash, hash_of(place("from")));
}
END_TEST

START_TEST(a_source_that_ends_early_is_told_by_the_count)
{
        fill(place("from"), 1000);
        ck_assert_int_eq(copy(place("from"), place("to"), 5000), 1000);
}
END_TEST

START_TEST(a_source_that_the_kernel_cannot_splice_is_read)
{
        int64_t got = copy("/proc/self/status", place("to"), 100);
        ck_assert_int_eq(got, 100);
        ck_assert_int_eq(size_of(place("to")), 100);
}
END_TEST

START_TEST(holes_stay_holes)
{
        const char *from = place("from"), *to = place("to");
        struct stat st;
        fill(from, 100000);
        ck_assert_int_eq(truncate(from, 200 << 20), 0);
        int fd = open(from, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite(fd, "x", 1, 100 << 20), 1);
        close(fd);
        ck_assert_int_eq(copy(from, to, 200 << 20), 200 << 20);
        ck_assert_str_eq(hash_of(to), hash_of(from));
        ck_assert_int_eq(stat(to, &st), 0);
        ck_assert_int_lt(st.st_blocks * 512, 16 << 20);
}
END_TEST

START_TEST(a_refused_step_ends_the_copy)
{
        int refusal = -EBUSY;
        fill(place("from"), 9 << 20);
        int in = open(place("from"), O_RDONLY | O_CLOEXEC);
        int out = open(place("to"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_eq(copy_bytes(in, out, 9 << 20, false, refuse, &refusal), -EBUSY);
        close(in);
        close(out);
        ck_assert_int_lt(size_of(place("to")), 9 << 20);
}
END_TEST

SUITE("copy", holes_stay_holes, all_sizes_arrive_whole, two_file_systems_make_no_difference,
      a_source_that_ends_early_is_told_by_the_count, a_source_that_the_kernel_cannot_splice_is_read,
      a_refused_step_ends_the_copy)
