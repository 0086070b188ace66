/* check.c - is the data intact: copy, recover, ask, remove. */
#include "engine/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "engine/capture.h"
#include "engine/check_errors.h"
#include "engine/check_work.h"
#include "engine/deadline.h"
#include "engine/files.h"
#include "engine/hashing.h"
#include "engine/sqlite_header.h"
#include "engine/worker.h"

#define DEFAULT_DEADLINE_MS (10 * 60 * 1000)

static const char *const method_names[] = {
        [CHECK_NONE] = "none", [CHECK_QUICK] = "quick_check", [CHECK_FULL] = "integrity_check"};
static const char *const outcome_names[] = {[CHECK_OK] = "ok",
                                            [CHECK_CORRUPT] = "corrupt",
                                            [CHECK_FAILED] = "failed",
                                            [CHECK_TIMEOUT] = "timeout",
                                            [CHECK_SKIPPED] = "skipped"};

const char *check_outcome_name(enum check_outcome o)
{
        return outcome_names[o];
}

void check_result_done(struct check_result *r)
{
        json_decref(r->errors);
        free(r->reason);
        r->errors = NULL;
        r->reason = NULL;
}

json_t *check_json(const struct check_result *r)
{
        json_t *errors = r->errors ? json_incref(r->errors) : json_array();
        json_t *o = json_pack("{s:s,s:s,s:s,s:o,s:I}", "result", check_outcome_name(r->outcome), "method",
                              r->method, "on", r->on, "errors", errors, "ms", (json_int_t)r->ms);
        if (o && json_object_set_new(o, "reason",
                                     r->reason ? text_json(r->reason, strlen(r->reason)) : json_null()) < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}

/* One call of check_database(). */
struct run {
        const char *path;
        const struct check_options *options;
        struct check_result *result;
        uint64_t deadline;
};

static int conclude(struct run *r, enum check_outcome outcome, const char *reason)
{
        r->result->outcome = outcome;
        if (reason && !(r->result->reason = strdup(reason)))
                return -ENOMEM;
        return 0;
}

/* Errors as the worker lists them are shown to people: their shape is checked, their number and length are bounded. */
static bool errors_sound(const json_t *errors)
{
        size_t i;
        json_t *e;
        if (!json_is_array(errors) || json_array_size(errors) > CHECK_ERRORS_MAX + 1)
                return false;
        json_array_foreach (errors, i, e) {
                const json_t *page = json_object_get(e, "page");
                if (json_object_size(e) != 2 || !json_is_string(json_object_get(e, "text")) ||
                    !(json_is_null(page) || (json_is_integer(page) && json_integer_value(page) >= 0)))
                        return false;
        }
        return true;
}

static int take_answer(struct run *r, const json_t *answer)
{
        uint64_t outcome, method;
        json_t *errors = json_object_get(answer, "errors");
        const char *reason = json_string_value(json_object_get(answer, "reason"));
        if (worker_get_u64(answer, "outcome", &outcome) < 0 || outcome > CHECK_FAILED || !reason ||
            worker_get_u64(answer, "method", &method) < 0 || method > CHECK_FULL || !errors_sound(errors))
                return conclude(r, CHECK_FAILED, "the worker's answer makes no sense");
        r->result->method = method_names[method];
        json_array_extend(r->result->errors, errors);
        return conclude(r, (enum check_outcome)outcome, reason[0] ? reason : NULL);
}

/* What became of the worker, as an outcome. Releases @p child. */
static int take_child(struct run *r, int err, struct child_result *child)
{
        char reason[160];
        if (err == 0) {
                err = take_answer(r, child->answer);
        } else if (err == -ETIME) {
                err = conclude(r, CHECK_TIMEOUT, "time is up before SQLite had read everything");
        } else {
                snprintf(reason, sizeof(reason), "the worker that checks it failed (status %#x): %s",
                         (unsigned int)child->status, strerror(-err));
                err = conclude(r, CHECK_FAILED, reason);
        }
        child_result_done(child);
        return err;
}

static int check_copy(struct run *r, struct scratch *scratch, const struct capture *capture)
{
        struct check_job job = {.scratch = scratch, .method = r->options->method};
        struct child_options options = worker_options(capture->owner, capture->group,
                                                      deadline_left_ms(r->deadline));
        options.answer_limit = CHECK_ANSWER_MAX;
        int keep[] = {scratch->dir, -1};
        struct child_result child;
        int err = scratch_give(scratch, capture->owner, capture->group);
        if (err < 0) {
                char reason[160];
                snprintf(reason, sizeof(reason), "cannot give the copy to its worker: %s", strerror(-err));
                return conclude(r, CHECK_FAILED, reason);
        }
        err = child_run(&options, keep, check_work, &job, &child);
        return take_child(r, err, &child);
}

/* Copies into @p dir and checks there. @return -ENOSPC: try another directory; else as check_database() */
static int check_in(struct run *r, int dir)
{
        _cleanup_scratch_ struct scratch scratch = SCRATCH_NONE;
        struct snapshot_options how = {
                .others_may_write = r->options->others_may_write,
                .on_progress = r->options->on_progress,
                .userdata = r->options->userdata,
        };
        struct snapshot_result copied = {0};
        struct capture capture;
        int err = scratch_make(dir, &scratch);
        if (err < 0) {
                snprintf(copied.reason, sizeof(copied.reason), "cannot make a private directory for the copy: %s",
                         strerror(-err));
                conclude(r, CHECK_FAILED, copied.reason);
                return err == -ENOSPC || err == -EROFS || err == -EACCES ? -ENOSPC : 0;
        }
        err = capture_database(r->path, &scratch, &how, false, r->deadline, &capture, &copied);
        if (err < 0) {
                r->result->error = err;
                int bad = conclude(r, err == -ETIME ? CHECK_TIMEOUT : CHECK_FAILED, copied.reason);
                return bad < 0 ? bad : err == -ENOSPC ? -ENOSPC : 0;
        }
        r->result->on = "snapshot";
        return capture.empty ? conclude(r, CHECK_OK, "it is empty (0 bytes): no page, no table")
                             : check_copy(r, &scratch, &capture);
}

/* Directories for the copy, best first; ended by NULL. */
static void candidates(const struct run *r, const char *beside, const char *ret[4])
{
        size_t n = 0;
        if (r->options->scratch) {
                ret[n++] = r->options->scratch;
        } else {
                const char *tmp = getenv("TMPDIR");
                if (tmp && tmp[0] == '/')
                        ret[n++] = tmp;
                ret[n++] = "/var/tmp";
                if (beside)
                        ret[n++] = beside;
        }
        ret[n] = NULL;
}

static int fail_to_read(struct run *r, int err)
{
        char reason[300];
        r->result->error = err;
        snprintf(reason, sizeof(reason), "cannot read %.200s: %s", r->path, engine_files_why(err));
        return conclude(r, CHECK_FAILED, reason);
}

/* The worker has said its first word, so nothing is forked any more. */
static void begin_hashing(void *userdata, uint64_t done, uint64_t total)
{
        (void)done;
        (void)total;
        hashing_start(userdata);
}

/* The hash and the check read the same bytes at the same time. The worker stays the user that Vigil is, because it opens the
 * real path; it is confined to reading that one file. */
static int check_bytes(struct run *r, const struct engine_files *files)
{
        struct check_job job = {.finished = files->path, .method = r->options->method};
        const char *const readable[] = {files->path, NULL};
        struct child_options options = worker_options(geteuid(), getegid(), deadline_left_ms(r->deadline));
        struct child_result child;
        struct hashing hashing = {
                .fd = files->fd[VIGIL_ROLE_MAIN],
                .from_disk = true,
                .deadline = r->deadline,
                .on_progress = r->options->on_progress,
                .userdata = r->options->userdata,
        };
        options.answer_limit = CHECK_ANSWER_MAX;
        options.read_only = readable;
        options.on_progress = begin_hashing;
        options.userdata = &hashing;
        int err = child_run(&options, NULL, check_work, &job, &child);
        int unread = hashing_end(&hashing, r->result->sha256, r->result->fingerprint);
        err = take_child(r, err, &child);
        if (err < 0 || unread == 0 || r->result->outcome == CHECK_TIMEOUT)
                return err;
        free(r->result->reason);
        r->result->reason = NULL;
        return fail_to_read(r, unread);
}

static int check_finished(struct run *r)
{
        static const struct engine_companion none[] = {{NULL, VIGIL_ROLE_OTHER}};
        _cleanup_files_ struct engine_files files = ENGINE_NO_FILES;
        char magic[16] = "";
        int err = engine_files_open(r->path, none, &files);
        if (err == 0 && files.fd[VIGIL_ROLE_MAIN] < 0)
                err = -ENOENT;
        if (err < 0)
                return fail_to_read(r, err);
        r->result->on = "file";
        ssize_t n = pread(files.fd[VIGIL_ROLE_MAIN], magic, sizeof(magic), 0);
        if (n < 0)
                return fail_to_read(r, -errno);
        if (n > 0 && !sqlite_header_magic(magic, (size_t)n))
                return conclude(r, CHECK_FAILED, "not an SQLite database (or encrypted)");
        return check_bytes(r, &files);
}

static int check_somewhere(struct run *r)
{
        const char *dirs[4];
        _cleanup_free_ char *real = realpath(r->path, NULL);
        char *slash = real ? strrchr(real, '/') : NULL;
        if (slash)
                slash[slash == real ? 1 : 0] = '\0';
        candidates(r, real, dirs);

        int err = 0;
        for (size_t i = 0; dirs[i]; i++) {
                _cleanup_close_ int dir = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                free(r->result->reason);
                r->result->reason = NULL;
                r->result->error = 0;
                if (dir < 0) {
                        char reason[300];
                        snprintf(reason, sizeof(reason), "cannot use %.200s for the copy: %s", dirs[i],
                                 strerror(errno));
                        err = conclude(r, CHECK_FAILED, reason);
                        continue;
                }
                err = check_in(r, dir);
                if (err != -ENOSPC)
                        return err;
        }
        return err == -ENOSPC ? 0 : err;
}

int check_database(const char *path, const struct check_options *options, struct check_result *ret)
{
        *ret = (struct check_result){.method = method_names[options->method], .on = "none", .errors = json_array()};
        struct run r = {
                .path = path,
                .options = options,
                .result = ret,
                .deadline = deadline_in(options->deadline_ms ? options->deadline_ms : DEFAULT_DEADLINE_MS),
        };
        uint64_t start = clock_boottime_ns();
        int err = -ENOMEM;
        if (ret->errors && options->method == CHECK_NONE)
                err = conclude(&r, CHECK_SKIPPED, "no check was asked for");
        else if (ret->errors)
                err = options->finished ? check_finished(&r) : check_somewhere(&r);
        ret->ms = (clock_boottime_ns() - start) / NS_PER_MS;
        if (err < 0)
                check_result_done(ret);
        return err;
}
