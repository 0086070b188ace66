/* jobs.c - how a source of jobs can be read now without being felt, and the proof afterwards. */
#include "engine/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/capture.h"
#include "engine/deadline.h"
#include "engine/engine.h"
#include "engine/jobs_work.h"
#include "engine/moment.h"
#include "engine/sqlite_header.h"
#include "engine/worker.h"

/* A writer between whose commits there is no gap of this kind is not read. */
#define TRIES    8
#define PAUSE_MS 10

/* The worker is killed so long after it should have stopped itself. */
#define GRACE_MS 500

#define JOURNAL_MAGIC 8

struct reading {
        const struct jobs_source *source;
        struct jobs_result *result;
        uint64_t deadline;
};

void jobs_result_done(struct jobs_result *r)
{
        json_decref(r->rows);
        json_decref(r->odd);
        r->rows = r->odd = NULL;
}

static int fail(struct reading *r, int error, const char *reason)
{
        snprintf(r->result->reason, sizeof(r->result->reason), "%s", reason);
        return error;
}

/* ---- the worker ---- */

/* Only its shape: each row is checked by whoever uses it. */
static int take_answer(struct reading *r, const json_t *answer)
{
        json_t *rows = json_object_get(answer, "rows"), *odd = json_object_get(answer, "odd");
        const json_t *error = json_object_get(answer, "error");
        const char *reason = json_string_value(json_object_get(answer, "reason"));
        uint64_t nodd;

        if (!json_is_array(rows) || !json_is_array(odd) || !json_is_integer(error) || !reason ||
            worker_get_u64(answer, "nodd", &nodd) < 0 || json_array_size(odd) > JOBS_ODD_MAX ||
            json_array_size(rows) > r->source->max_rows)
                return fail(r, -EBADMSG, "the answer of the worker that reads them makes no sense");
        json_array_clear(r->result->rows);
        json_array_clear(r->result->odd);
        json_array_extend(r->result->rows, rows);
        json_array_extend(r->result->odd, odd);
        r->result->nodd = nodd;
        r->result->partial = json_is_true(json_object_get(answer, "partial"));
        r->result->more = json_is_true(json_object_get(answer, "more"));
        r->result->lasting = json_is_true(json_object_get(answer, "lasting"));
        json_int_t e = json_integer_value(error);
        return fail(r, e < 0 && e > -4096 ? (int)e : 0, reason);
}

static int run_worker(struct reading *r, struct child_options *options, const int *keep, child_fn fn,
                      struct jobs_job *job)
{
        struct child_result child;
        char text[128];

        job->source = r->source;
        job->deadline = r->deadline;
        options->answer_limit = JOBS_ANSWER_MAX;
        int err = child_run(options, keep, fn, job, &child);
        if (err == 0) {
                err = take_answer(r, child.answer);
        } else if (err == -ETIME) {
                err = fail(r, -ETIME, "they could not be read within the deadline");
        } else {
                snprintf(text, sizeof(text), "the worker that reads them failed (status %#x): %s",
                         (unsigned)child.status, strerror(-err));
                err = fail(r, err == -ECHILD ? -EIO : err, text);
        }
        child_result_done(&child);
        return err;
}

/* ---- state files ---- */

/* The directory above the first component that is a pattern. */
static char *directory_of(const char *glob)
{
        size_t n = strcspn(glob, "*?[\\"), slash = 0;

        for (size_t i = 0; i < n; i++)
                if (glob[i] == '/')
                        slash = i;
        return strndup(glob, slash ? slash : 1);
}

static int read_files(struct reading *r)
{
        _cleanup_free_ char *directory = directory_of(r->source->files);
        struct stat st;

        r->result->method = "files";
        if (!directory)
                return -ENOMEM;
        if (stat(directory, &st) < 0)
                return fail(r, -errno,
                            errno == ENOENT ? "the directory of the state files does not exist"
                                            : "the directory of the state files cannot be reached");
        const char *const readable[] = {directory, NULL};
        struct child_options options = worker_options(geteuid(), getegid(),
                                                      deadline_left_ms(r->deadline) + GRACE_MS);
        struct jobs_job job = {0};
        options.read_only = readable;
        return run_worker(r, &options, NULL, jobs_files_work, &job);
}

/* ---- a database ---- */

/* Everything that a writer changes who takes no log, as it stands now. */
struct stand {
        struct stat st;
        unsigned char header[SQLITE_HEADER_LEN];
        ssize_t header_len;
};

static bool same_stand(const struct stand *a, const struct stand *b)
{
        const struct file_moment x = file_moment_of(&a->st), y = file_moment_of(&b->st);

        return file_moment_same(&x, &y) && a->header_len == b->header_len &&
               memcmp(a->header, b->header, sizeof(a->header)) == 0;
}

static int64_t size_of(int fd)
{
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* What a transaction has begun, or a dead one left: it must be undone by somebody. */
static bool is_hot(int journal)
{
        static const unsigned char cold[JOURNAL_MAGIC];
        unsigned char magic[JOURNAL_MAGIC];

        return journal >= 0 && pread(journal, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
               memcmp(magic, cold, sizeof(cold)) != 0;
}

enum choice { CHOICE_WAL, CHOICE_UNCHANGED, CHOICE_WAIT, CHOICE_COPY };

/* @return enum choice or -errno, told */
static int look(struct reading *r, const struct engine_files *f, struct stand *ret)
{
        struct sqlite_header header;
        int main = f->fd[VIGIL_ROLE_MAIN];

        if (main < 0)
                return fail(r, -ENOENT, "the database does not exist");
        *ret = (struct stand){.st = f->main_stat};
        ret->header_len = pread(main, ret->header, sizeof(ret->header), 0);
        if (ret->header_len == 0)
                return engine_may_hide_a_write(&f->main_stat, f->main_now) ? CHOICE_WAIT : CHOICE_UNCHANGED;
        if (ret->header_len < 0 || sqlite_header_parse(ret->header, (size_t)ret->header_len, &header) < 0)
                return fail(r, -EBADMSG, "the database is no SQLite database, or encrypted");
        if (header.wal && size_of(f->fd[VIGIL_ROLE_WAL]) > 0)
                return f->fd[VIGIL_ROLE_SHM] >= 0 ? CHOICE_WAL : CHOICE_COPY;
        if (is_hot(f->fd[VIGIL_ROLE_JOURNAL]))
                return CHOICE_COPY;
        return engine_may_hide_a_write(&f->main_stat, f->main_now) ? CHOICE_WAIT : CHOICE_UNCHANGED;
}

static int look_again(struct reading *r, const char *path, struct stand *ret)
{
        _cleanup_files_ struct engine_files f = ENGINE_NO_FILES;
        int err = engine_files_open(path, engine_sqlite.companions, &f);

        return err < 0 ? err : look(r, &f, ret);
}

static int ask(struct reading *r, const char *path, enum jobs_opening opening)
{
        static const char *const methods[] = {[JOBS_OPEN_WAL] = "wal", [JOBS_OPEN_UNCHANGED] = "unchanged"};
        char companion[3][PATH_MAX];
        static const char *const suffix[] = {"-wal", "-shm", "-journal"};

        for (size_t i = 0; i < 3; i++)
                if (snprintf(companion[i], sizeof(companion[i]), "%s%s", path, suffix[i]) >= PATH_MAX)
                        return fail(r, -ENAMETOOLONG, "its path is too long");
        const char *const readable[] = {path, companion[0], companion[1], companion[2], NULL};
        /* The user that Vigil is, because the real path is opened; confined to reading these files. */
        struct child_options options = worker_options(geteuid(), getegid(),
                                                      deadline_left_ms(r->deadline) + GRACE_MS);
        struct jobs_job job = {.path = path, .opening = opening};
        options.read_only = readable;
        r->result->method = methods[opening];
        return run_worker(r, &options, NULL, jobs_query_work, &job);
}

/* What was read holds only if nobody wrote meanwhile. */
static int ask_unchanged(struct reading *r, const char *path, const struct stand *before)
{
        struct stand after;
        int err = ask(r, path, JOBS_OPEN_UNCHANGED);
        int choice = err == -EAGAIN ? err : look_again(r, path, &after);

        if (choice < 0 || !same_stand(before, &after) || choice == CHOICE_WAL)
                return fail(r, -EAGAIN, "a writer came in between");
        return err;
}

static int ask_copy(struct reading *r, const char *path, int64_t bytes)
{
        _cleanup_scratch_ struct scratch scratch = SCRATCH_NONE;
        struct snapshot_options how = {.others_may_write = true};
        struct snapshot_result copied = {0};
        struct capture capture;

        r->result->method = "copy";
        if (bytes > (int64_t)JOBS_COPY_MAX)
                return fail(r, -EFBIG,
                            "somebody must recover the database first, and it is too large to be copied for that");
        const char *tmp = getenv("TMPDIR");
        _cleanup_close_ int dir = open(tmp && tmp[0] == '/' ? tmp : "/var/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int err = dir < 0 ? -errno : scratch_make(dir, &scratch);
        if (err < 0)
                return fail(r, err, "no private directory for a copy can be made in $TMPDIR or /var/tmp");
        err = capture_database(path, &scratch, &how, false, r->deadline, &capture, &copied);
        if (err < 0)
                return fail(r, err, copied.reason);
        err = scratch_give(&scratch, capture.owner, capture.group);
        if (err < 0)
                return fail(r, err, "the copy cannot be given to its worker");
        struct child_options options = worker_options(capture.owner, capture.group,
                                                      deadline_left_ms(r->deadline) + GRACE_MS);
        struct jobs_job job = {.path = path, .opening = JOBS_OPEN_COPY, .scratch = &scratch};
        const int keep[] = {scratch.dir, -1};
        return run_worker(r, &options, keep, jobs_query_work, &job);
}

/* @return as jobs_read(); -EAGAIN: another try may do it */
static int try_once(struct reading *r, bool last)
{
        _cleanup_files_ struct engine_files f = ENGINE_NO_FILES;
        struct stand now;
        int err = engine_files_open(r->source->path, engine_sqlite.companions, &f);

        if (err < 0)
                return fail(r, err,
                            err == -ENOENT ? "the database does not exist" : "the database cannot be opened");
        int choice = look(r, &f, &now);
        int64_t bytes = size_of(f.fd[VIGIL_ROLE_MAIN]) + size_of(f.fd[VIGIL_ROLE_WAL]);
        switch (choice) {
        case CHOICE_WAL:
                err = ask(r, f.path, JOBS_OPEN_WAL);
                /* With locking_mode=EXCLUSIVE nobody else gets a lock; a copy needs none. */
                return last && err == -EAGAIN ? ask_copy(r, f.path, bytes) : err;
        case CHOICE_UNCHANGED:
                return ask_unchanged(r, f.path, &now);
        case CHOICE_COPY:
                /* A transaction that is being made looks the same as one that somebody died in: it ends soon. */
                return last ? ask_copy(r, f.path, bytes) : fail(r, -EAGAIN, "a transaction is open");
        case CHOICE_WAIT:
                return fail(r, -EAGAIN, "a writer came in between");
        default:
                return choice;
        }
}

static int read_database(struct reading *r)
{
        const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
        int err = -EAGAIN;

        for (int i = 0; i < TRIES && err == -EAGAIN && !deadline_over(r->deadline); i++) {
                if (i > 0)
                        nanosleep(&pause, NULL);
                err = try_once(r, i == TRIES - 1);
        }
        return err == -EAGAIN ? -EBUSY : err;
}

int jobs_read(const struct jobs_source *source, struct jobs_result *ret)
{
        *ret = (struct jobs_result){.rows = json_array(), .odd = json_array(), .method = "none"};
        struct reading r = {.source = source, .result = ret, .deadline = deadline_in(source->deadline_ms)};

        if (!ret->rows || !ret->odd)
                return -ENOMEM;
        int err = source->files ? read_files(&r) : read_database(&r);
        /* A copy stands for files that need somebody to recover them, and who does that may not have to write. */
        ret->lasting = ret->lasting && err == 0 && !ret->partial && strcmp(ret->method, "copy") != 0;
        if (err < 0) {
                json_array_clear(ret->rows);
                if (!ret->reason[0])
                        snprintf(ret->reason, sizeof(ret->reason), "%s", strerror(-err));
        }
        return err;
}
