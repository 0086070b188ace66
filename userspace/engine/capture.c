/* capture.c - attempts at a consistent copy until one holds, or time is up. */
#include "engine/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/cleanup.h"
#include "engine/capture_work.h"
#include "engine/deadline.h"
#include "engine/engine.h"
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
        [CAPTURE_GROWN] = "its -wal grew past the cap while it was copied; the locks were given back",
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

/* The copy and what recovery adds to it, and a tenth of the file system left to its users. */
static int check_room(struct run *r, uint64_t main, uint64_t wal)
{
        struct statvfs fs;
        if (r->options->byte_budget && main + wal > r->options->byte_budget)
                return explain(r, -EFBIG, "%s: %" PRIu64 " bytes are more than the budget of %" PRIu64, r->path,
                               main + wal, r->options->byte_budget);
        if (fstatvfs(r->scratch->dir, &fs) < 0)
                return explain(r, -errno, "cannot ask for free space: %s", strerror(errno));
        uint64_t need = main + wal + (main + wal) / 5;
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

/* The worker's word on its copy. It is believed in nothing that the parent acts upon unchecked. */
static int take_answer(struct run *r, const json_t *answer)
{
        static const char *const keys[] = {"error",   "why",   "method", "main",      "wal",
                                           "commits", "salt0", "salt1",  "page_size", "recover"};
        uint64_t v[sizeof(keys) / sizeof(keys[0])];
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
                if (worker_get_u64(answer, keys[i], &v[i]) < 0)
                        return -EBADMSG;
        if (v[0] > 4095 || v[1] >= CAPTURE_WHYS || v[2] > 2 || v[6] > UINT32_MAX || v[7] > UINT32_MAX ||
            v[8] > 65536)
                return -EBADMSG;
        r->why = (enum capture_why)v[1];
        if (v[0] != 0)
                return -(int)v[0];
        struct snapshot_result *s = r->result;
        s->method = capture_methods[v[2]];
        s->source_main_bytes = v[3];
        s->source_wal_bytes = v[4];
        s->wal_commits = v[5];
        s->wal_salt[0] = (uint32_t)v[6];
        s->wal_salt[1] = (uint32_t)v[7];
        s->page_size = (uint32_t)v[8];
        r->capture->must_recover = v[9] != 0;
        r->capture->empty = v[3] == 0;
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
                err = take_answer(r, child.answer);
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
                return explain(r, err, "cannot open %s: %s", r->path,
                               err == -EINVAL ? "not a regular file" : strerror(-err));
        err = check_room(r, (uint64_t)files.main_stat.st_size, size_of(files.fd[VIGIL_ROLE_WAL]));
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
