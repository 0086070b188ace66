/* capture_work.c - one attempt at a consistent copy, in a confined child that has descriptors and nothing else. */
#include "engine/capture_work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/copy.h"
#include "engine/journal.h"
#include "engine/locks.h"
#include "engine/shm.h"
#include "engine/sqlite_header.h"
#include "engine/wal.h"
#include "engine/worker.h"

/* The -wal is looked at so far; what recovery makes of the rest is recovery's business. */
#define WAL_LIMIT (1ULL << 30)

/* A progress line per so many bytes. */
#define PROGRESS_BYTES (16ULL << 20)

/* The header of a -wal may change once under a pin, and after a rollback; more often it does not happen by chance. */
#define WAL_TRIES 4

/* How often the locks are asked for, 0.2 ms apart. */
#define PIN_TRIES 250

enum method { METHOD_COPY, METHOD_READ_TRANSACTION, METHOD_REFLINK };
const char *const capture_methods[] = {"copy", "read-transaction", "reflink", NULL};

/* State of one attempt. */
struct attempt {
        const struct capture_job *job;
        int answer_fd;
        uint64_t total, done, reported;
        bool pinned;
        uint64_t wal_start; /* size of the -wal when the attempt began */
        enum capture_why why;
        enum method method;
        struct sqlite_header header; /* zero for an empty file */
        uint64_t main_bytes;
        uint64_t wal_bytes;
        struct wal_scan wal;
        uint32_t unreadable; /* committed frames of the -wal that recovery of the copy will not find */
        bool recover_wal;    /* the -wal holds commits */
        struct journal_info journal;
};

static int fail(struct attempt *a, enum capture_why why, int err)
{
        a->why = why;
        return err;
}

static int from(const struct attempt *a, enum vigil_role role)
{
        return a->job->from->fd[role];
}

static uint64_t size_of(int fd)
{
        struct stat st;
        return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* After every chunk: progress, and a log that must not grow without bound because of us. */
static int step(void *userdata, uint64_t bytes)
{
        struct attempt *a = userdata;
        a->done += bytes;
        if (a->done - a->reported >= PROGRESS_BYTES) {
                a->reported = a->done;
                uint64_t total = a->done > a->total ? a->done : a->total;
                dprintf(a->answer_fd, "{\"done\":%llu,\"total\":%llu}\n", (unsigned long long)a->done,
                        (unsigned long long)total);
        }
        uint64_t wal = a->pinned ? size_of(from(a, VIGIL_ROLE_WAL)) : 0;
        bool grown = wal > a->wal_start && wal - a->wal_start > a->job->wal_cap;
        return grown ? fail(a, CAPTURE_GROWN, -EBUSY) : 0;
}

/* The first @p size bytes of a file, or all that a reflink brings along. @return bytes or -errno */
static int64_t copy_file(struct attempt *a, enum vigil_role role, uint64_t size)
{
        int in = from(a, role), out = a->job->to[role];
        if (ftruncate(out, 0) < 0)
                return fail(a, CAPTURE_WRITE, -errno);
        if (copy_reflink(in, out) == 0) {
                if (role == VIGIL_ROLE_MAIN && !a->pinned)
                        a->method = METHOD_REFLINK;
                return (int64_t)size_of(out);
        }
        int64_t got = copy_bytes(in, out, size, a->job->flush, step, a);
        if (got < 0 && a->why == CAPTURE_NO_REASON)
                a->why = got == -ENOSPC || got == -EDQUOT || got == -EFBIG ? CAPTURE_WRITE : CAPTURE_READ;
        if (got >= 0 && (uint64_t)got < size)
                return fail(a, CAPTURE_CHANGED, -EAGAIN);
        return got;
}

static int copy_main(struct attempt *a)
{
        int64_t got = copy_file(a, VIGIL_ROLE_MAIN, size_of(from(a, VIGIL_ROLE_MAIN)));
        if (got < 0)
                return (int)got;
        a->main_bytes = (uint64_t)got;
        return 0;
}

static bool same_time(struct timespec x, struct timespec y)
{
        return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
}

static bool unchanged(int fd, const struct stat *was)
{
        struct stat st;
        return fstat(fd, &st) == 0 && st.st_size == was->st_size && same_time(st.st_mtim, was->st_mtim) &&
               same_time(st.st_ctim, was->st_ctim);
}

/* Header of the -wal, zero when there is none: a reset, a restart and a truncation all change it. */
static void wal_header(const struct attempt *a, uint8_t ret[WAL_HEADER_LEN])
{
        memset(ret, 0, WAL_HEADER_LEN);
        if (from(a, VIGIL_ROLE_WAL) >= 0 && pread(from(a, VIGIL_ROLE_WAL), ret, WAL_HEADER_LEN, 0) < 0)
                memset(ret, 0, WAL_HEADER_LEN);
}

/* How much of the -wal is copied: up to its last commit, which nobody overwrites while its header stands. What lies behind is
 * an older generation, or not committed, or a hole that claims to be frames. */
static int measure_wal(struct attempt *a, uint64_t *ret_size)
{
        struct reader r;
        struct shm_info before, after;
        shm_now(from(a, VIGIL_ROLE_SHM), &before);
        int err = reader_of_fd(from(a, VIGIL_ROLE_WAL), &r);
        if (err == 0)
                err = wal_scan(&r, WAL_LIMIT, &a->wal);
        if (err < 0)
                return fail(a, CAPTURE_READ, err);
        shm_now(from(a, VIGIL_ROLE_SHM), &after);
        a->unreadable = shm_unreadable(&before, &after, &a->wal);
        a->wal_bytes = r.size;
        *ret_size = a->job->raw || a->wal.cut ? r.size : a->wal.commit_end;
        return 0;
}

/* The -wal with one header from beginning to end. While the main file stands still, any prefix of its commits fits it that
 * holds all that were made before it stood still. */
static int copy_wal(struct attempt *a)
{
        uint8_t before[WAL_HEADER_LEN], after[WAL_HEADER_LEN];
        if (from(a, VIGIL_ROLE_WAL) < 0)
                return 0;
        for (int i = 0; i < WAL_TRIES; i++) {
                uint64_t size;
                a->why = CAPTURE_NO_REASON;
                wal_header(a, before);
                int err = measure_wal(a, &size);
                if (err < 0)
                        return err;
                int64_t got = copy_file(a, VIGIL_ROLE_WAL, size);
                if (got < 0 && a->why != CAPTURE_CHANGED)
                        return (int)got;
                wal_header(a, after);
                if (got >= 0 && memcmp(before, after, sizeof(before)) == 0)
                        return 0;
        }
        return fail(a, CAPTURE_CHANGED, -EAGAIN);
}

/* The database header as it stands in @p fd. An empty file is a database, too. */
static int read_header(struct attempt *a, int fd)
{
        uint8_t bytes[SQLITE_HEADER_LEN];
        ssize_t n = pread(fd, bytes, sizeof(bytes), 0);
        if (n < 0)
                return fail(a, CAPTURE_READ, -errno);
        a->header = (struct sqlite_header){0};
        if (n > 0 && sqlite_header_parse(bytes, (size_t)n, &a->header) < 0 && !a->job->raw)
                return fail(a, CAPTURE_FOREIGN, -EBADMSG);
        return 0;
}

/* Under the locks of a reader: see locks_pin(). */
static int copy_pinned(struct attempt *a)
{
        const struct engine_files *files = a->job->from;
        struct stat main, shm, wal;
        /* What was true before the locks may have ended in between: mode, names, and that others have it open. */
        if (fstat(files->fd[VIGIL_ROLE_MAIN], &main) < 0 || fstat(files->fd[VIGIL_ROLE_SHM], &shm) < 0 ||
            fstat(files->fd[VIGIL_ROLE_WAL], &wal) < 0)
                return fail(a, CAPTURE_READ, -errno);
        if (main.st_nlink == 0 || shm.st_nlink == 0 || wal.st_nlink == 0 || locks_wal_in_use(files) != 1)
                return fail(a, CAPTURE_CHANGED, -EAGAIN);
        int err = read_header(a, files->fd[VIGIL_ROLE_MAIN]);
        if (err < 0)
                return err;
        if (!a->header.wal)
                return fail(a, CAPTURE_CHANGED, -EAGAIN);

        a->method = METHOD_READ_TRANSACTION;
        /* The log first: it holds every commit that the main file has part of, and is not as long yet as it will be. */
        err = copy_wal(a);
        if (err == 0)
                err = copy_main(a);
        /* Nobody who keeps SQLite's rules has written it. */
        if (err == 0 && !unchanged(files->fd[VIGIL_ROLE_MAIN], &main))
                err = fail(a, CAPTURE_CHANGED, -EAGAIN);
        return err;
}

/* A journal that is not hot changes nothing in what the main file means, so it may come and go. */
static bool journal_matters(const struct attempt *a)
{
        struct journal_info info;
        struct reader r;
        int fd = from(a, VIGIL_ROLE_JOURNAL);
        if (fd < 0)
                return false;
        return a->job->raw || reader_of_fd(fd, &r) < 0 || journal_scan(&r, &info) < 0 || info.hot;
}

/* Without locks. The main file stood still from before its companions were looked for until the end, and the journal, when it
 * matters, during the copy: so the copy is what one instant had, committed or to be rolled back. */
static int copy_quietly(struct attempt *a)
{
        const struct engine_files *files = a->job->from;
        int main = files->fd[VIGIL_ROLE_MAIN], journal = files->fd[VIGIL_ROLE_JOURNAL];
        struct timespec now;
        struct stat was_journal;
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        if (engine_may_hide_a_write(&files->main_stat, files->main_now))
                return fail(a, CAPTURE_RECENT, -EAGAIN);
        if (files->main_stat.st_nlink == 0 || !unchanged(main, &files->main_stat))
                return fail(a, CAPTURE_CHANGED, -EAGAIN);

        bool with_journal = journal_matters(a);
        if (with_journal && (fstat(journal, &was_journal) < 0 || engine_may_hide_a_write(&was_journal, now)))
                return fail(a, CAPTURE_RECENT, -EAGAIN);
        int err = copy_wal(a);
        if (err == 0)
                err = copy_main(a);
        if (err == 0 && with_journal) {
                int64_t got = copy_file(a, VIGIL_ROLE_JOURNAL, size_of(journal));
                err = got < 0 ? (int)got : 0;
        }
        if (err == 0 &&
            (!unchanged(main, &files->main_stat) || (with_journal && !unchanged(journal, &was_journal))))
                err = fail(a, CAPTURE_CHANGED, -EAGAIN);
        return err;
}

static int look_at_journal(struct attempt *a)
{
        struct reader r;
        int err = reader_of_fd(a->job->to[VIGIL_ROLE_JOURNAL], &r);
        if (err == 0)
                err = journal_scan(&r, &a->journal);
        if (err < 0)
                return fail(a, CAPTURE_READ, err);
        if (!a->journal.hot && ftruncate(a->job->to[VIGIL_ROLE_JOURNAL], 0) < 0)
                return fail(a, CAPTURE_WRITE, -errno);
        return 0;
}

/* What of the companions recovery would use; of an empty main file SQLite uses none (pager.c). */
static int settle(struct attempt *a)
{
        int wal = a->job->to[VIGIL_ROLE_WAL], journal = a->job->to[VIGIL_ROLE_JOURNAL];
        if (a->job->raw)
                return 0;
        a->recover_wal = a->main_bytes > 0 && (a->wal.commits > 0 || a->wal.cut);
        if (!a->recover_wal && ftruncate(wal, 0) < 0)
                return fail(a, CAPTURE_WRITE, -errno);
        if (a->main_bytes == 0)
                return ftruncate(journal, 0) < 0 ? fail(a, CAPTURE_WRITE, -errno) : 0;
        return look_at_journal(a);
}

/* A checkpoint takes a moment, a new worker takes longer. */
static int pin(const struct engine_files *files)
{
        static const struct timespec moment = {.tv_nsec = 200000};
        int err = -EAGAIN;
        for (int i = 0; i < PIN_TRIES && err == -EAGAIN; i++) {
                if (i > 0)
                        nanosleep(&moment, NULL);
                err = locks_pin(files);
        }
        return err;
}

static int capture(struct attempt *a)
{
        const struct engine_files *files = a->job->from;
        int err = read_header(a, files->fd[VIGIL_ROLE_MAIN]);
        if (err < 0)
                return err;
        a->wal_start = size_of(files->fd[VIGIL_ROLE_WAL]);
        a->total = size_of(files->fd[VIGIL_ROLE_MAIN]) + size_of(files->fd[VIGIL_ROLE_JOURNAL]);

        if (a->job->others_may_write && a->header.wal && files->fd[VIGIL_ROLE_WAL] >= 0 &&
            locks_wal_in_use(files) == 1) {
                err = pin(files);
                if (err < 0)
                        return fail(a, err == -EAGAIN ? CAPTURE_LOCKED : CAPTURE_READ, err);
                a->pinned = true;
                err = copy_pinned(a);
                locks_unpin(files);
        } else {
                err = copy_quietly(a);
        }
        if (err == 0)
                err = read_header(a, a->job->to[VIGIL_ROLE_MAIN]);
        return err < 0 ? err : settle(a);
}

int capture_work(int answer_fd, void *userdata)
{
        struct attempt a = {.job = userdata, .answer_fd = answer_fd};
        int err = capture(&a);
        const struct {
                const char *key;
                uint64_t value;
        } numbers[] = {
                {"error", (uint64_t)-err},
                {"why", a.why},
                {"method", a.method},
                {"main", a.main_bytes},
                {"wal", a.wal_bytes},
                {"commits", a.wal.commits},
                {"unreadable", a.unreadable},
                {"salt0", a.wal.header.salt[0]},
                {"salt1", a.wal.header.salt[1]},
                {"page_size", a.header.page_size},
                {"recover_wal", a.recover_wal},
                {"hot", a.journal.hot},
                {"super_at", a.journal.super_at},
        };
        json_t *answer = json_pack("{s:o}", "super", worker_hex(a.journal.super));
        for (size_t i = 0; answer && i < sizeof(numbers) / sizeof(numbers[0]); i++)
                json_object_set_new(answer, numbers[i].key, json_integer((json_int_t)numbers[i].value));
        return worker_answer(answer_fd, answer);
}
