#include "daemon/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "daemon/kmsg.h"
#include "daemon/tree.h"
#include "engine/snapshot.h"
#include "respond/shm.h"

#define FILES      "files"
#define KERNEL_LOG "kernel.log"

static int __attribute__((format(printf, 3, 4))) fail(struct evidence_result *r, int err, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(r->reason, sizeof(r->reason), fmt, ap);
        va_end(ap);
        return err;
}

/* @return descriptor of DIRECTORY, with its files/ in @p ret_files; or -errno */
static int open_directory(const char *path, int *ret_files)
{
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return -errno;
        _cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0 || (mkdirat(dir, FILES, 0700) < 0 && errno != EEXIST))
                return -errno;
        int files = openat(dir, FILES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (files < 0)
                return -errno;
        *ret_files = files;
        return TAKE_FD(dir);
}

/* ---- the kernel's words ---- */

static int keep_kernel_lines(const struct evidence_options *o)
{
        _cleanup_free_ char *lines = NULL, *path = NULL;
        struct kmsg_names names;

        int n = kmsg_names(o->path, &names);
        if (n == 0)
                n = kmsg_read(&names, &lines);
        if (n <= 0 || !lines)
                return n;
        if (asprintf(&path, "%s/" KERNEL_LOG, o->directory) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        int err = io_write_file_atomic(path, lines, strlen(lines), 0600);
        return err < 0 ? err : n;
}

/* ---- the raw files ---- */

/* Bytes of all regular files below the directory that the incidents' directories stand in. */
static uint64_t bytes_of_all(const char *directory)
{
        _cleanup_free_ char *above = strdup(directory);

        if (!above || !strrchr(above, '/'))
                return 0;
        *strrchr(above, '/') = '\0';
        return tree_bytes(above);
}

/* What is left of the budget. @return false: nothing */
static bool budget_left(const struct evidence_options *o, uint64_t *ret)
{
        uint64_t used = o->byte_budget ? bytes_of_all(o->directory) : 0;

        *ret = o->byte_budget - used;
        return !o->byte_budget || used < o->byte_budget;
}

static int keep_files(const struct evidence_options *o, int files, struct evidence_result *ret)
{
        char name[NAME_MAX + 1], budget[TEXT_BYTES_LEN];
        struct snapshot_options how = {.others_may_write = true, .deadline_ms = o->deadline_ms, .raw = true};
        struct snapshot_result s;
        struct stat st;

        snprintf(name, sizeof(name), "%s.db", o->name);
        if (fstatat(files, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                ret->bytes = (uint64_t)st.st_size;
                return 0;
        }
        text_bytes(budget, o->byte_budget);
        if (!budget_left(o, &how.byte_budget))
                return fail(ret, -EDQUOT, "evidence takes all of evidence-bytes, %s, already", budget);
        int err = snapshot_take(o->path, files, name, &how, &s);
        if (err == -EFBIG)
                return fail(ret, -EDQUOT, "%s; all evidence together may take evidence-bytes, %s", s.reason,
                            budget);
        if (err < 0)
                return fail(ret, err, "%s", s.reason);
        ret->bytes = s.bytes;
        ret->method = s.method;
        snprintf(name, sizeof(name), "%s.shm", o->name);
        err = shm_keep(o->path, files, name);
        if (err < 0)
                return fail(ret, err, "cannot copy its -shm: %s", strerror(-err));
        return fsync(files) < 0 ? fail(ret, -errno, "cannot sync the directory: %s", strerror(errno)) : 0;
}

int evidence_take(const struct evidence_options *options, struct evidence_result *ret)
{
        int files_fd = -1;

        *ret = (struct evidence_result){.method = "none"};
        _cleanup_close_ int dir = open_directory(options->directory, &files_fd);
        _cleanup_close_ int files = files_fd;
        if (dir < 0)
                return fail(ret, dir, "cannot make the directory of the evidence: %s", strerror(-dir));
        ret->kernel_lines = keep_kernel_lines(options);
        int err = keep_files(options, files, ret);
        if (err == 0 && fsync(dir) < 0)
                err = fail(ret, -errno, "cannot sync the directory: %s", strerror(errno));
        return err;
}

bool evidence_kept(const char *directory, const char *name)
{
        _cleanup_free_ char *file = NULL;

        if (asprintf(&file, "%s/" FILES "/%s.db", directory, name) < 0) {
                file = NULL;
                return false;
        }
        return access(file, F_OK) == 0;
}

json_t *evidence_json(int error, const struct evidence_result *r)
{
        return json_pack("{s:i, s:I, s:s, s:o, s:o}", "error", error, "bytes", (json_int_t)r->bytes, "method",
                         r->method, "kernel_lines",
                         r->kernel_lines >= 0 ? json_integer(r->kernel_lines) : json_null(), "reason",
                         *r->reason ? text_json(r->reason, strlen(r->reason)) : json_null());
}
