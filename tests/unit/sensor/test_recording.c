/* test_recording.c - recordings: written within bounds, read without trust. */
#include "sensor/recording.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static char dir[64], path[96];

static void enter(void)
{
        strcpy(dir, "/tmp/vigil-recording-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/run.vigil", dir);
}

static void leave(void)
{
        unlink(path);
        ck_assert_int_eq(rmdir(dir), 0);
}

static struct vigil_fork fork_record(uint64_t seq)
{
        struct vigil_fork f = {.hdr = {.magic = VIGIL_MAGIC,
                                       .version = VIGIL_ABI_VERSION,
                                       .type = VIGIL_FORK,
                                       .size = sizeof(f),
                                       .seq = seq}};
        return f;
}

static void write_forks(uint64_t n)
{
        struct recording_writer *w;
        ck_assert_int_eq(recording_create(path, 0, &w), 0);
        for (uint64_t i = 0; i < n; i++) {
                struct vigil_fork f = fork_record(i);
                ck_assert_int_eq(recording_append(w, &f.hdr), 0);
        }
        ck_assert_int_eq(recording_finish(w), 0);
        recording_writer_free(w);
}

/* Overwrites @p n bytes at @p at. */
static void damage(off_t at, const void *bytes, size_t n)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite(fd, bytes, n, at), (ssize_t)n);
        close(fd);
}

/* Reads to the end. @return records, or the error */
static int read_all(struct recording **ret)
{
        const struct vigil_hdr *h;
        int n = 0, r;
        ck_assert_int_eq(recording_open(path, ret), 0);
        while ((r = recording_next(*ret, &h)) > 0)
                n++;
        return r < 0 ? r : n;
}

START_TEST(what_was_written_is_read)
{
        enter();
        struct recording *r;
        write_forks(5000);
        ck_assert_int_eq(read_all(&r), 5000);
        ck_assert(!recording_truncated(r));
        recording_free(r);
        struct stat st;
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        leave();
}
END_TEST

START_TEST(a_cut_tail_is_no_error_and_is_said)
{
        enter();
        struct recording *r;
        write_forks(10);
        ck_assert_int_eq(truncate(path, 10 * (off_t)sizeof(struct vigil_fork) - 5), 0);
        ck_assert_int_eq(read_all(&r), 9);
        ck_assert(recording_truncated(r));
        recording_free(r);
        leave();
}
END_TEST

START_TEST(a_damaged_record_is_refused_with_its_offset_and_stays_refused)
{
        enter();
        struct recording *r;
        const struct vigil_hdr *h;
        char at[32];
        write_forks(10);
        damage(3 * sizeof(struct vigil_fork), "XXXX", 4);
        ck_assert_int_eq(read_all(&r), -EBADMSG);
        snprintf(at, sizeof(at), "byte %zu:", 3 * sizeof(struct vigil_fork));
        ck_assert_int_eq(strncmp(recording_error(r), at, strlen(at)), 0);
        ck_assert_int_eq(recording_next(r, &h), -EBADMSG);
        recording_free(r);
        leave();
}
END_TEST

START_TEST(a_newer_version_is_refused_as_such)
{
        enter();
        struct recording *r;
        uint16_t version = VIGIL_ABI_VERSION + 1;
        write_forks(2);
        damage(offsetof(struct vigil_hdr, version), &version, sizeof(version));
        ck_assert_int_eq(read_all(&r), -EPROTONOSUPPORT);
        ck_assert_ptr_nonnull(strstr(recording_error(r), "version 2"));
        recording_free(r);
        leave();
}
END_TEST

START_TEST(a_lying_size_is_refused)
{
        enter();
        struct recording *r;
        for (size_t i = 0; i < 3; i++) {
                uint32_t size = (const uint32_t[]){0, 40, 0xffffffff}[i];
                write_forks(2);
                damage(offsetof(struct vigil_hdr, size), &size, sizeof(size));
                ck_assert_int_eq(read_all(&r), -EBADMSG);
                recording_free(r);
        }
        leave();
}
END_TEST

START_TEST(text_without_an_end_is_refused)
{
        enter();
        struct recording *r;
        char comm[VIGIL_COMM_LEN];
        memset(comm, 'x', sizeof(comm));
        write_forks(2);
        damage(offsetof(struct vigil_fork, parent.comm), comm, sizeof(comm));
        ck_assert_int_eq(read_all(&r), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(recording_error(r), "parent.comm"));
        recording_free(r);
        leave();
}
END_TEST

START_TEST(a_count_out_of_bounds_is_refused)
{
        static struct vigil_proc p;
        char why[RECORDING_ERROR_LEN];
        p.hdr = (struct vigil_hdr){
                .magic = VIGIL_MAGIC, .version = VIGIL_ABI_VERSION, .type = VIGIL_EXIT, .size = sizeof(p)};
        ck_assert_int_eq(record_validate(&p, sizeof(p), why), 0);
        p.nuses = VIGIL_USES + 1;
        ck_assert_int_eq(record_validate(&p, sizeof(p), why), -EBADMSG);
        p.nuses = 1;
        p.use[0].db = VIGIL_MAX_DBS;
        ck_assert_int_eq(record_validate(&p, sizeof(p), why), -EBADMSG);
        p.use[0].db = 1;
        p.nsignals = 1000; /* more than are kept is fine */
        ck_assert_int_eq(record_validate(&p, sizeof(p), why), 0);
        p.signal[3].ancestors = VIGIL_ANCESTORS + 1;
        ck_assert_int_eq(record_validate(&p, sizeof(p), why), -EBADMSG);
        ck_assert_int_eq(record_validate(&p, 100, why), -EBADMSG);
}
END_TEST

START_TEST(an_older_shorter_record_reads_as_zero_behind)
{
        enter();
        /* A record of a type this version does not know may be nothing but a header. */
        struct vigil_hdr h = {.magic = VIGIL_MAGIC, .version = 1, .type = 999, .size = sizeof(h)};
        struct recording_writer *w;
        ck_assert_int_eq(recording_create(path, 0, &w), 0);
        ck_assert_int_eq(recording_append(w, &h), 0);
        recording_writer_free(w);
        struct recording *r;
        ck_assert_int_eq(read_all(&r), 1);
        recording_free(r);
        leave();
}
END_TEST

START_TEST(the_limit_keeps_room_for_the_end_and_the_count_of_what_is_missing)
{
        enter();
        struct recording_writer *w;
        struct vigil_stats stats = {
                .hdr = {.magic = VIGIL_MAGIC, .version = 1, .type = VIGIL_STATS, .size = sizeof(stats)}};
        stats.hdr.cpu = VIGIL_CPU_USER;
        ck_assert_int_eq(recording_create(path, 1000, &w), -EINVAL);
        ck_assert_int_eq(recording_create(path, 65536, &w), 0);
        for (uint64_t i = 0; i < 5000; i++) {
                struct vigil_fork f = fork_record(i);
                ck_assert_int_eq(recording_append(w, &f.hdr), 0);
        }
        uint64_t cut = recording_cut(w);
        ck_assert_uint_gt(cut, 0);
        ck_assert_int_eq(recording_append(w, &stats.hdr), 0);
        ck_assert_int_eq(recording_finish(w), 0);
        ck_assert_uint_le(recording_size(w), 65536);
        recording_writer_free(w);

        struct recording *r;
        const struct vigil_hdr *h;
        uint64_t told = 0;
        ck_assert_int_eq(recording_open(path, &r), 0);
        while (recording_next(r, &h) > 0)
                if (h->type == VIGIL_STATS)
                        told = ((const struct vigil_stats *)(const void *)h)->cut;
        ck_assert_uint_eq(told, cut);
        recording_free(r);
        leave();
}
END_TEST

START_TEST(only_a_recording_is_replaced)
{
        enter();
        struct recording_writer *w;
        FILE *f = fopen(path, "w");
        fputs("SQLite format 3", f);
        fclose(f);
        ck_assert_int_eq(recording_create(path, 0, &w), -EEXIST);
        unlink(path);
        ck_assert_int_eq(symlink("elsewhere", path), 0);
        ck_assert_int_eq(recording_create(path, 0, &w), -EEXIST);
        unlink(path);
        write_forks(3);
        write_forks(1);
        struct recording *r;
        ck_assert_int_eq(read_all(&r), 1);
        recording_free(r);
        leave();
}
END_TEST

START_TEST(what_is_no_file_is_not_opened)
{
        enter();
        struct recording *r;
        ck_assert_int_eq(recording_open(dir, &r), -EISDIR);
        ck_assert_int_eq(recording_open(path, &r), -ENOENT);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        ck_assert_int_eq(recording_open(path, &r), -EINVAL);
        leave();
}
END_TEST

SUITE("recording", what_was_written_is_read, a_cut_tail_is_no_error_and_is_said,
      a_damaged_record_is_refused_with_its_offset_and_stays_refused, a_newer_version_is_refused_as_such,
      a_lying_size_is_refused, text_without_an_end_is_refused, a_count_out_of_bounds_is_refused,
      an_older_shorter_record_reads_as_zero_behind,
      the_limit_keeps_room_for_the_end_and_the_count_of_what_is_missing, only_a_recording_is_replaced,
      what_is_no_file_is_not_opened)
