#include "respond/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

#define BLOCK ((size_t)1 << 20)

static int hash_blocks(int fd, uint64_t size, uint64_t deadline_ns, verify_progress progress, void *userdata,
                       struct hash *hash, uint64_t *ret_bytes)
{
        _cleanup_free_ char *block = malloc(BLOCK);
        uint64_t done = 0;

        if (!block)
                return -ENOMEM;
        for (;;) {
                if (deadline_ns && clock_boottime_ns() > deadline_ns)
                        return -ETIME;
                ssize_t n = io_pread_all(fd, block, BLOCK, done);
                if (n < 0)
                        return (int)n;
                if (n == 0)
                        break;
                int r = hash_add(hash, block, (size_t)n);
                if (r < 0)
                        return r;
                done += (uint64_t)n;
                if (progress)
                        progress(userdata, done, size);
        }
        *ret_bytes = done;
        return 0;
}

int verify_hash(int dir, const char *name, uint64_t deadline_ns, verify_progress progress, void *userdata,
                char ret_hex[HASH_HEX_LEN], uint64_t *ret_bytes)
{
        struct stat st;
        _cleanup_hash_ struct hash *hash = NULL;
        char hex[HASH_HEX_LEN];
        uint64_t bytes = 0;
        /* Not blocking: a FIFO planted under the name must not hold us. */
        _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        int r = hash_new(&hash);
        if (r == 0)
                r = hash_blocks(fd, (uint64_t)st.st_size, deadline_ns, progress, userdata, hash, &bytes);
        if (r == 0)
                r = hash_end(hash, hex);
        if (r < 0)
                return r;
        memcpy(ret_hex, hex, sizeof(hex));
        *ret_bytes = bytes;
        return 0;
}

void verify_result_done(struct verify_result *r)
{
        free(r->problem);
        check_result_done(&r->check);
        *r = (struct verify_result){0};
}

static int __attribute__((format(printf, 2, 3))) problem(struct verify_result *r, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        int n = vasprintf(&r->problem, fmt, ap);
        va_end(ap);
        if (n >= 0)
                return 0;
        r->problem = NULL;
        return -ENOMEM;
}

static int compare_one(int dir, const char *name, uint64_t bytes, const char *sha256,
                       const struct verify_options *o, struct verify_result *r)
{
        char hex[HASH_HEX_LEN];
        uint64_t found = 0;

        int err = verify_hash(dir, name, 0, o->on_progress, o->userdata, hex, &found);
        if (err < 0)
                return problem(r, "it cannot be read: %s", strerror(-err));
        if (found != bytes)
                return problem(r, "it has %llu bytes, its manifest says %llu", (unsigned long long)found,
                               (unsigned long long)bytes);
        if (strcmp(hex, sha256) != 0)
                return problem(r, "its bytes have changed: SHA-256 %.12s..., its manifest says %.12s...", hex,
                               sha256);
        return 0;
}

/* A companion beside the copy would be taken for its own by whoever opens it. */
static int refuse_companions(const struct backup_item *item, struct verify_result *r)
{
        static const char *const suffixes[] = {"-wal", "-journal"};

        for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes) && !r->problem; i++) {
                _cleanup_free_ char *path = NULL;
                struct stat st;
                if (asprintf(&path, "%s%s", item->path, suffixes[i]) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                if (lstat(path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size > 0)) {
                        int err = problem(r, "somebody opened it for writing: a %s lies beside it", suffixes[i]);
                        if (err < 0)
                                return err;
                }
        }
        return 0;
}

static int compare_hashes(const struct backup_item *item, const struct verify_options *o, struct verify_result *r)
{
        const struct manifest *m = &item->manifest;

        if (item->evidence) {
                _cleanup_close_ int dir = open(item->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (dir < 0)
                        return problem(r, "it cannot be opened: %s", strerror(errno));
                int err = 0;
                for (size_t i = 0; i < m->n_files && err == 0 && !r->problem; i++)
                        err = compare_one(dir, m->files[i].name, m->files[i].bytes, m->files[i].sha256, o, r);
                return err;
        }
        int err = compare_one(AT_FDCWD, item->path, m->bytes, m->sha256, o, r);
        return err == 0 && !r->problem ? refuse_companions(item, r) : err;
}

static int check_restored(const struct backup_item *item, const struct verify_options *o, struct verify_result *r)
{
        struct check_options check = {.method = o->check, .deadline_ms = o->deadline_ms, .scratch = o->scratch};
        struct check_result result;

        int err = check_database(item->path, &check, &result);
        if (err < 0)
                return err;
        check_result_done(&r->check);
        r->check = result;
        if (result.outcome == CHECK_OK || result.outcome == CHECK_SKIPPED)
                return 0;
        return problem(r, "its restored copy is not sound: %s%s%s (%s)", check_outcome_name(result.outcome),
                       result.reason ? ", " : "", result.reason ? result.reason : "", result.method);
}

int backup_verify(const struct backup_item *item, const struct verify_options *options, struct verify_result *ret)
{
        struct verify_result r = {.check = {.outcome = CHECK_SKIPPED, .method = "none", .on = "none"}};
        uint64_t start = clock_boottime_ns();

        int err = item->problem ? problem(&r, "%s", item->problem) : compare_hashes(item, options, &r);
        r.unchanged = err == 0 && !r.problem;
        if (r.unchanged && !item->evidence && options->check != CHECK_NONE)
                err = check_restored(item, options, &r);
        r.proven = r.unchanged && !item->evidence && r.check.outcome == CHECK_OK;
        r.ms = (clock_boottime_ns() - start) / 1000000;
        if (err < 0) {
                verify_result_done(&r);
                return err;
        }
        *ret = r;
        return 0;
}

json_t *verify_json(const struct verify_result *r)
{
        json_t *text = r->problem ? text_json(r->problem, strlen(r->problem)) : json_null();

        return json_pack("{s:s, s:b, s:o, s:o, s:I}", "result", r->problem ? "failed" : "ok", "unchanged",
                         r->unchanged, "problem", text, "check",
                         r->check.outcome == CHECK_SKIPPED ? json_null() : check_json(&r->check), "ms",
                         (json_int_t)r->ms);
}
