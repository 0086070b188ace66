/* capture.c - attempts at a consistent copy until one holds, or time is up. */
#include "engine/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/capture_work.h"
#include "engine/deadline.h"
#include "engine/engine.h"
#include "engine/journal.h"
#include "engine/worker.h"

#define MIN_WAL_CAP      (64ULL << 20)
#define PATIENCE_MS      60000 /* without a deadline: how long a gap between writers is looked for */
#define FIRST_BACKOFF_MS 2
#define MAX_BACKOFF_MS   100

static const char *const why_text[CAPTURE_WHYS] = {
        [CAPTURE_NO_REASON] = "the copy failed",
        [CAPTURE_CHANGED] = "a writer changed it during every attempt to copy it",
        [CAPTURE_RECENT] = "it was written too recently during every attempt to copy it",
        [CAPTURE_LOCKED] = "a checkpoint or an exclusive user did not let go of it",
        [CAPTURE_GROWN] = "its -wal grew by more than the cap while it was copied; the locks were given back",
        [CAPTURE_FOREIGN] = "not an SQLite database (or encrypted)",
        [CAPTURE_READ] = "reading it failed",
        [CAPTURE_WRITE] = "writing the copy failed",
};

/* One call of capture_database(). */
struct run {
        const char *path;
        struct scratch *scratch;
        const struct snapshot_options *options;
        struct capture *capture;
        struct snapshot_result *result;
        uint64_t deadline;
        int to[VIGIL_ROLES];
        bool flush;
        enum capture_why why;
};

static int __attribute__((format(printf, 3, 4))) explain(struct run *r, int err, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(r->result->reason, sizeof(r->result->reason), fmt, ap);
        va_end(ap);
        return err;
}

static uint64_t size_of(int fd)
{
        struct stat st;
        return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Bytes that a copy takes: holes stay holes. */
static uint64_t allocated(int fd)
{
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0)
                return 0;
        uint64_t size = (uint64_t)st.st_size, blocks = (uint64_t)st.st_blocks * 512;
        return blocks < size ? blocks : size;
}

/* The copy and what recovery adds to it, and a tenth of the file system left to its users. */
static int check_room(struct run *r, uint64_t bytes)
{
        struct statvfs fs;
        if (r->options->byte_budget && bytes > r->options->byte_budget)
                return explain(r, -EFBIG, "%s: %" PRIu64 " bytes are more than the budget of %" PRIu64, r->path,
                               bytes, r->options->byte_budget);
        if (fstatvfs(r->scratch->dir, &fs) < 0)
                return explain(r, -errno, "cannot ask for free space: %s", strerror(errno));
        uint64_t need = bytes + bytes / 5;
        uint64_t keep = (uint64_t)fs.f_blocks / 10 * fs.f_frsize, free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
        if (free_bytes < keep || free_bytes - keep < need)
                return explain(r, -ENOSPC,
                               "no space: a copy needs %" PRIu64 " bytes, %" PRIu64
                               " are free, and a tenth of the file system (%" PRIu64 ") is left free",
                               need, free_bytes, keep);
        return 0;
}

static int make_targets(struct run *r)
{
        static const struct {
                enum vigil_role role;
                const char *name;
        } targets[] = {{VIGIL_ROLE_MAIN, SCRATCH_DB},
                       {VIGIL_ROLE_WAL, SCRATCH_WAL},
                       {VIGIL_ROLE_JOURNAL, SCRATCH_JOURNAL}};
        for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
                int fd = scratch_create(r->scratch, targets[i].name);
                if (fd < 0)
                        return explain(r, fd, "cannot create the copy: %s", strerror(-fd));
                r->to[targets[i].role] = fd;
        }
        return 0;
}

/* The worker's answer; the largest value that makes sense of each number. */
struct answer {
        uint64_t error, why, method, main, wal, commits, unreadable, salt0, salt1, page_size, recover_wal, hot,
                super_at;
        char super[JOURNAL_SUPER_MAX];
};

static const struct {
        const char *key;
        size_t offset;
        uint64_t max;
} answer_numbers[] = {
#define NUMBER(name, max)                                                                                          \
        {                                                                                                          \
#name, offsetof(struct answer, name), max                                                          \
        }
        NUMBER(error, 4095), /* MAX_ERRNO of the kernel */
        NUMBER(why, CAPTURE_WHYS - 1), NUMBER(method, 2),
        NUMBER(main, INT64_MAX),       NUMBER(wal, INT64_MAX),
        NUMBER(commits, INT64_MAX),    NUMBER(salt0, UINT32_MAX),
        NUMBER(salt1, UINT32_MAX),     NUMBER(page_size, 65536),
        NUMBER(recover_wal, 1),        NUMBER(hot, 1),
        NUMBER(super_at, INT64_MAX),   NUMBER(unreadable, UINT32_MAX),
#undef NUMBER
};

static int parse(const json_t *json, struct answer *ret)
{
        for (size_t i = 0; i < sizeof(answer_numbers) / sizeof(answer_numbers[0]); i++) {
                uint64_t value = 0;
                if (worker_get_u64(json, answer_numbers[i].key, &value) < 0 || value > answer_numbers[i].max)
                        return -EBADMSG;
                memcpy((char *)ret + answer_numbers[i].offset, &value, sizeof(value));
        }
        return worker_get_hex(json, "super", ret->super, sizeof(ret->super));
}

/* A journal that names a super-journal asks it whether the transaction is committed. Answered here, of the original: what
 * recovers the copy cannot see that, and must not. */
static int settle_super(struct run *r, const struct engine_files *files, struct answer *a)
{
        if (a->super[0] == '\0' || r->options->raw)
                return 0;
        if (journal_super_gone(a->super, files->path))
                a->hot = 0;
        if (ftruncate(r->to[VIGIL_ROLE_JOURNAL], a->hot ? (off_t)a->super_at : 0) < 0)
                return explain(r, -errno, "cannot cut the copy of the journal: %s", strerror(errno));
        return 0;
}

/* The worker's word on its copy. It is believed in nothing that reaches beyond the copy. */
static int take_answer(struct run *r, const struct engine_files *files, const json_t *json)
{
        struct answer a;
        int err = parse(json, &a);
        if (err < 0)
                return explain(r, err, "%s: the answer of the worker that copies it makes no sense", r->path);
        r->why = (enum capture_why)a.why;
        if (a.error != 0)
                return -(int)a.error;
        err = settle_super(r, files, &a);
        if (err < 0)
                return err;
        struct snapshot_result *s = r->result;
        s->method = capture_methods[a.method];
        s->source_main_bytes = a.main;
        s->source_wal_bytes = a.wal;
        s->wal_commits = a.commits;
        s->wal_unreadable = (uint32_t)a.unreadable;
        s->wal_salt[0] = (uint32_t)a.salt0;
        s->wal_salt[1] = (uint32_t)a.salt1;
        s->page_size = (uint32_t)a.page_size;
        r->capture->must_recover = a.recover_wal || a.hot;
        r->capture->empty = a.main == 0;
        return 0;
}

static int run_worker(struct run *r, const struct engine_files *files)
{
        int keep[2 * VIGIL_ROLES + 1], kept = 0;
        for (int role = VIGIL_ROLE_MAIN; role <= VIGIL_ROLE_JOURNAL; role++) {
                if (files->fd[role] >= 0)
                        keep[kept++] = files->fd[role];
                if (r->to[role] >= 0)
                        keep[kept++] = r->to[role];
        }
        keep[kept] = -1;

        uint64_t cap = 4 * size_of(files->fd[VIGIL_ROLE_MAIN]);
        struct capture_job job = {
                .from = files,
                .others_may_write = r->options->others_may_write,
                .raw = r->options->raw,
                .flush = r->flush,
                .wal_cap = r->options->wal_cap ? r->options->wal_cap
                           : cap > MIN_WAL_CAP ? cap
                                               : MIN_WAL_CAP,
        };
        memcpy(job.to, r->to, sizeof(job.to));
        struct child_options options = worker_options(files->main_stat.st_uid, files->main_stat.st_gid,
                                                      deadline_left_ms(r->deadline));
        options.on_progress = r->options->on_progress;
        options.userdata = r->options->userdata;
        struct child_result child;
        int err = child_run(&options, keep, capture_work, &job, &child);
        r->result->unconfined = child.unconfined;
        if (err == 0)
                err = take_answer(r, files, child.answer);
        else if (err != -ETIME)
                explain(r, err, "%s: the worker that copies it failed (status %#x): %s", r->path,
                        (unsigned int)child.status, strerror(-err));
        child_result_done(&child);
        return err;
}

static int attempt(struct run *r)
{
        _cleanup_files_ struct engine_files files = ENGINE_NO_FILES;
        int err = engine_files_open(r->path, engine_sqlite.companions, &files);
        if (err == 0 && files.fd[VIGIL_ROLE_MAIN] < 0)
                err = -ENOENT;
        if (err < 0)
                return explain(r, err, "cannot open %s: %s", r->path, engine_files_why(err));
        err = check_room(r, allocated(files.fd[VIGIL_ROLE_MAIN]) + allocated(files.fd[VIGIL_ROLE_WAL]));
        if (err < 0)
                return err;
        r->capture->owner = files.main_stat.st_uid;
        r->capture->group = files.main_stat.st_gid;
        return run_worker(r, &files);
}

static void sleep_ms(uint64_t ms)
{
        struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * NS_PER_MS)};
        nanosleep(&t, NULL);
}

/* What a later attempt may find better: a gap between two writers. */
static bool worth_another(const struct run *r, int err, uint64_t give_up)
{
        return err == -EAGAIN && r->why != CAPTURE_NO_REASON && !deadline_over(r->deadline) &&
               !deadline_over(give_up);
}

static int try_until_it_holds(struct run *r)
{
        uint64_t give_up = r->deadline ? 0 : deadline_in(PATIENCE_MS);
        uint64_t pause = FIRST_BACKOFF_MS;
        for (;;) {
                int err = attempt(r);
                if (!worth_another(r, err, give_up)) {
                        /* Out of time in one of many attempts is out of luck with the writers. */
                        if (err == -EAGAIN || (err == -ETIME && r->result->attempts > 0))
                                err = -EBUSY;
                        if (err == -ETIME)
                                return explain(r, err, "%s: time is up before the copy was complete", r->path);
                        if (err < 0 && r->result->reason[0] == '\0')
                                explain(r, err, "%s: %s%s%s", r->path, why_text[r->why],
                                        err == -EBUSY || err == -EBADMSG ? "" : ": ",
                                        err == -EBUSY || err == -EBADMSG ? "" : strerror(-err));
                        return err;
                }
                r->result->attempts++;
                sleep_ms(pause);
                pause = pause * 2 < MAX_BACKOFF_MS ? pause * 2 : MAX_BACKOFF_MS;
        }
}

/* Recovery of the copy must not find a companion that it would not find beside the original. */
static int drop_empty_companions(struct run *r)
{
        if (size_of(r->to[VIGIL_ROLE_WAL]) == 0 && unlinkat(r->scratch->dir, SCRATCH_WAL, 0) < 0)
                return explain(r, -errno, "cannot remove an empty file: %s", strerror(errno));
        if (size_of(r->to[VIGIL_ROLE_JOURNAL]) == 0 && unlinkat(r->scratch->dir, SCRATCH_JOURNAL, 0) < 0)
                return explain(r, -errno, "cannot remove an empty file: %s", strerror(errno));
        return 0;
}

int capture_database(const char *path, struct scratch *scratch, const struct snapshot_options *options, bool flush,
                     uint64_t deadline, struct capture *ret_capture, struct snapshot_result *ret)
{
        struct capture capture = {0};
        *ret = (struct snapshot_result){.method = "none"};
        struct run r = {
                .path = path,
                .scratch = scratch,
                .options = options,
                .capture = &capture,
                .result = ret,
                .deadline = deadline,
                .to = {-1, -1, -1, -1, -1, -1},
                .flush = flush,
        };
        int err = make_targets(&r);
        if (err == 0)
                err = try_until_it_holds(&r);
        if (err == 0)
                err = drop_empty_companions(&r);
        for (int role = 0; role < VIGIL_ROLES; role++)
                cleanup_close_(&r.to[role]);
        if (err == 0)
                *ret_capture = capture;
        return err;
}
