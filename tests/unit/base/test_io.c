/* test_io.c - whole reads, whole writes, files that appear complete or not at all. */
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/io.h"

static char dir[64];

static void setup(void)
{
        strcpy(dir, "/tmp/vigil-io-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(chdir(dir), 0);
}

/* Every file in it is removed first: tests make no directories. */
static int entries(bool remove)
{
        int n = 0;
        _cleanup_closedir_ DIR *d = opendir(".");
        for (struct dirent *e; (e = readdir(d));) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                n++;
                if (remove)
                        unlink(e->d_name);
        }
        return n;
}

static void teardown(void)
{
        entries(true);
        ck_assert_int_eq(rmdir(dir), 0);
}

static void expect(const char *path, const char *content)
{
        _cleanup_free_ char *data = NULL;
        size_t n = 0;
        ck_assert_int_eq(io_read_file(path, 1 << 20, &data, &n), 0);
        ck_assert_uint_eq(n, strlen(content));
        ck_assert_str_eq(data, content);
}

START_TEST(a_file_is_written_with_its_mode_whatever_the_umask)
{
        setup();
        umask(0777);
        ck_assert_int_eq(io_write_file_atomic("report", "hello", 5, 0640), 0);
        struct stat st;
        ck_assert_int_eq(stat("report", &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0640);
        ck_assert_int_eq(entries(false), 1);
        expect("report", "hello");
        teardown();
}
END_TEST

START_TEST(an_existing_file_is_replaced_not_written_into)
{
        setup();
        ck_assert_int_eq(io_write_file_atomic("report", "old", 3, 0600), 0);
        _cleanup_close_ int old = open("report", O_RDONLY);
        ck_assert_int_eq(io_write_file_atomic("./report", "new!", 4, 0600), 0);
        expect("report", "new!");
        char bytes[8];
        ck_assert_int_eq(io_pread_all(old, bytes, sizeof(bytes), 0), 3);
        ck_assert_int_eq(memcmp(bytes, "old", 3), 0);
        teardown();
}
END_TEST

START_TEST(a_failure_leaves_the_old_file_and_nothing_else)
{
        setup();
        ck_assert_int_eq(io_write_file_atomic("report", "old", 3, 0600), 0);
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit small = {.rlim_cur = 2, .rlim_max = RLIM_INFINITY}, large = {RLIM_INFINITY, RLIM_INFINITY};
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        int r = io_write_file_atomic("report", "much too long", 13, 0600);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &large), 0);
        ck_assert_int_eq(r, -EFBIG);
        expect("report", "old");
        ck_assert_int_eq(entries(false), 1);
        teardown();
}
END_TEST

START_TEST(a_link_stays_and_its_target_is_replaced)
{
        setup();
        ck_assert_int_eq(io_write_file_atomic("real", "old", 3, 0600), 0);
        ck_assert_int_eq(symlink("real", "link"), 0);
        ck_assert_int_eq(io_write_file_atomic("link", "new", 3, 0600), 0);
        struct stat st;
        ck_assert_int_eq(lstat("link", &st), 0);
        ck_assert(S_ISLNK(st.st_mode));
        expect("real", "new");
        teardown();
}
END_TEST

START_TEST(a_device_or_pipe_is_written_to_and_stays_what_it_is)
{
        setup();
        ck_assert_int_eq(io_write_file_atomic("/dev/null", "x", 1, 0600), 0);
        struct stat st;
        ck_assert_int_eq(stat("/dev/null", &st), 0);
        ck_assert(S_ISCHR(st.st_mode));

        ck_assert_int_eq(mkfifo("pipe", 0600), 0);
        _cleanup_close_ int reader = open("pipe", O_RDONLY | O_NONBLOCK);
        ck_assert_int_eq(io_write_file_atomic("pipe", "xyz", 3, 0600), 0);
        char bytes[8];
        ck_assert_int_eq(read(reader, bytes, sizeof(bytes)), 3);
        ck_assert_int_eq(lstat("pipe", &st), 0);
        ck_assert(S_ISFIFO(st.st_mode));
        teardown();
}
END_TEST

START_TEST(places_where_no_file_can_be_are_refused)
{
        setup();
        ck_assert_int_eq(io_write_file_atomic(".", "x", 1, 0600), -EISDIR);
        ck_assert_int_eq(io_write_file_atomic("new/", "x", 1, 0600), -EISDIR);
        ck_assert_int_eq(io_write_file_atomic("", "x", 1, 0600), -ENOENT);
        ck_assert_int_eq(io_write_file_atomic("none/report", "x", 1, 0600), -ENOENT);
        char name[NAME_MAX + 2];
        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        ck_assert_int_eq(io_write_file_atomic(name, "x", 1, 0600), -ENAMETOOLONG);
        ck_assert_int_eq(entries(false), 0);
        name[NAME_MAX] = '\0';
        ck_assert_int_eq(io_write_file_atomic(name, "x", 1, 0600), 0);
        teardown();
}
END_TEST

START_TEST(a_read_beyond_its_limit_fails_and_leaves_the_output_alone)
{
        setup();
        ck_assert_int_eq(io_write_file_atomic("f", "12345", 5, 0600), 0);
        char *data = NULL;
        ck_assert_int_eq(io_read_file("f", 4, &data, NULL), -EFBIG);
        ck_assert_ptr_null(data);
        ck_assert_int_eq(io_read_file("gone", 4, &data, NULL), -ENOENT);
        ck_assert_int_eq(io_read_file(".", 4, &data, NULL), -EISDIR);
        ck_assert_int_eq(io_read_file("f", 5, &data, NULL), 0);
        ck_assert_str_eq(data, "12345");
        free(data);
        teardown();
}
END_TEST

START_TEST(a_file_that_says_size_zero_is_read_whole)
{
        _cleanup_free_ char *data = NULL;
        size_t n = 0;
        ck_assert_int_eq(io_read_file("/proc/self/status", 1 << 20, &data, &n), 0);
        ck_assert_uint_gt(n, 500);
        ck_assert_uint_eq(strlen(data), n);
        ck_assert_ptr_nonnull(strstr(data, "Threads:"));
}
END_TEST

static void nothing(int sig)
{
        (void)sig;
}

/* A pipe takes 64 KiB at a time and the timer interrupts: many short writes. */
START_TEST(a_pipe_in_the_place_of_a_file_stops_nobody)
{
        char *data = NULL;
        size_t n = 0;

        setup();
        ck_assert_int_eq(mkfifo("pipe", 0600), 0);
        ck_assert_int_eq(io_read_regular_file("pipe", 64, &data, &n), -EINVAL);
        ck_assert_int_eq(io_read_regular_file(".", 64, &data, &n), -EINVAL);
        ck_assert_int_eq(io_read_regular_file("/dev/zero", 64, &data, &n), -EINVAL);
        ck_assert_ptr_null(data);
        ck_assert_int_eq(io_write_file_atomic("f", "4711\n", 5, 0600), 0);
        ck_assert_int_eq(io_read_regular_file("f", 64, &data, &n), 0);
        ck_assert_str_eq(data, "4711\n");
        free(data);
        teardown();
}
END_TEST

START_TEST(a_write_goes_on_after_short_writes_and_signals)
{
        enum { SIZE = 1 << 20 };
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        _cleanup_free_ char *data = malloc(SIZE);
        for (size_t i = 0; i < SIZE; i++)
                data[i] = (char)(i * 7 + i / 251);
        pid_t reader = fork();
        if (reader == 0) {
                close(ends[1]);
                static char got[SIZE];
                size_t n = 0;
                for (ssize_t r; n < SIZE && (r = read(ends[0], got + n, SIZE - n < 5000 ? SIZE - n : 5000)) > 0;)
                        n += (size_t)r;
                _exit(n == SIZE && memcmp(got, data, SIZE) == 0 ? 0 : 1);
        }
        sigaction(SIGALRM, &(struct sigaction){.sa_handler = nothing}, NULL);
        ualarm(100, 100);
        int r = io_write_all(ends[1], data, SIZE);
        ualarm(0, 0);
        ck_assert_int_eq(r, 0);
        int status;
        ck_assert_int_eq(waitpid(reader, &status, 0), reader);
        ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(reads_and_writes_at_an_offset_meet)
{
        setup();
        _cleanup_close_ int fd = open("f", O_RDWR | O_CREAT, 0600);
        char bytes[8];
        ck_assert_int_eq(io_pwrite_all(fd, "abcdef", 6, 10), 0);
        ck_assert_int_eq(io_pread_all(fd, bytes, 8, 12), 4);
        ck_assert_int_eq(memcmp(bytes, "cdef", 4), 0);
        ck_assert_int_eq(io_pread_all(fd, bytes, 8, 100), 0);
        ck_assert_int_eq(io_pread_all(fd, bytes, 8, UINT64_MAX), -EOVERFLOW);
        ck_assert_int_eq(io_pwrite_all(fd, "x", 1, UINT64_MAX), -EFBIG);
        ck_assert_int_eq(io_pread_all(-1, bytes, 8, 0), -EBADF);
        ck_assert_int_eq(io_pwrite_all(-1, "x", 1, 0), -EBADF);
        teardown();
}
END_TEST

SUITE("io", a_file_is_written_with_its_mode_whatever_the_umask, an_existing_file_is_replaced_not_written_into,
      a_failure_leaves_the_old_file_and_nothing_else, a_link_stays_and_its_target_is_replaced,
      a_device_or_pipe_is_written_to_and_stays_what_it_is, places_where_no_file_can_be_are_refused,
      a_read_beyond_its_limit_fails_and_leaves_the_output_alone, a_pipe_in_the_place_of_a_file_stops_nobody,
      a_file_that_says_size_zero_is_read_whole, a_write_goes_on_after_short_writes_and_signals,
      reads_and_writes_at_an_offset_meet)
