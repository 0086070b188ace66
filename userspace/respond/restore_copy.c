/* restore_copy.c - the copy that is to get the name: made of what the backup holds, read again, and checked. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "engine/snapshot.h"
#include "respond/restoring.h"

#define BLOCK ((size_t)1 << 20)

static int copy_blocks(struct restoring *r, int from, int to, struct hash *hash)
{
        _cleanup_free_ char *block = malloc(BLOCK);
        uint64_t done = 0;

        if (!block)
                return -ENOMEM;
        for (;;) {
                ssize_t n = io_pread_all(from, block, BLOCK, done);
                if (n <= 0) {
                        r->result->bytes = done;
                        return (int)n;
                }
                int err = hash_add(hash, block, (size_t)n);
                if (err == 0)
                        err = io_pwrite_all(to, block, (size_t)n, done);
                if (err < 0)
                        return err;
                done += (uint64_t)n;
                if (r->options->on_progress)
                        r->options->on_progress(r->options->userdata, done, r->item->manifest.bytes);
        }
}

/* The copy's hash is compared while it is read: what was proven is what is restored. */
static int copy_backup(struct restoring *r)
{
        const char *from_path = r->item->path;
        _cleanup_hash_ struct hash *hash = NULL;
        _cleanup_close_ int from = open(from_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (from < 0)
                return restoring_fail(r, -errno, "cannot open %s: %s", from_path, strerror(errno));
        _cleanup_close_ int to = openat(r->work.fd, RESTORING_NEW,
                                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return restoring_fail(r, -errno, "cannot write in %s: %s", r->dir_path, strerror(errno));
        posix_fadvise(from, 0, 0, POSIX_FADV_DONTNEED);
        int err = hash_new(&hash);
        if (err == 0)
                err = copy_blocks(r, from, to, hash);
        if (err == 0)
                err = hash_end(hash, r->result->sha256);
        if (err == 0)
                err = restoring_own(r, to);
        if (err < 0)
                return restoring_fail(r, err, "cannot copy %s: %s", from_path, strerror(-err));
        if (strcmp(r->result->sha256, r->item->manifest.sha256) != 0)
                return restoring_fail(r, -EUCLEAN,
                                      "%s has changed since it was proven: SHA-256 %.12s..., its manifest "
                                      "says %.12s...; take another one",
                                      from_path, r->result->sha256, r->item->manifest.sha256);
        return 0;
}

/* Evidence has companions: they are merged as the next opener of the corrupt database would have done. */
static int copy_evidence(struct restoring *r)
{
        struct snapshot_options how = {.others_may_write = false};
        struct snapshot_result s;
        _cleanup_free_ char *from = NULL;

        if (asprintf(&from, "%s/%s", r->item->path, r->item->manifest.files[0].name) < 0) {
                from = NULL;
                return -ENOMEM;
        }
        int err = snapshot_take(from, r->work.fd, RESTORING_NEW, &how, &s);
        if (err < 0)
                return restoring_fail(r, err, "the evidence does not make one database: %s", s.reason);
        _cleanup_close_ int fd = openat(r->work.fd, RESTORING_NEW, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        err = fd < 0 ? -errno : restoring_own(r, fd);
        if (err < 0)
                return restoring_fail(r, err, "cannot write in %s: %s", r->dir_path, strerror(-err));
        memcpy(r->result->sha256, s.sha256, sizeof(r->result->sha256));
        return 0;
}

int restoring_copy(struct restoring *r)
{
        return r->item->evidence ? copy_evidence(r) : copy_backup(r);
}

/* What was written is read back before anything is replaced by it. */
int restoring_reread(struct restoring *r)
{
        char hex[HASH_HEX_LEN];

        int err = verify_hash(r->work.fd, RESTORING_NEW, 0, r->options->on_progress, r->options->userdata, hex,
                              &r->result->bytes);
        if (err < 0)
                return restoring_fail(r, err, "cannot read the new file back: %s", strerror(-err));
        if (strcmp(hex, r->result->sha256) != 0)
                return restoring_fail(r, -EIO, "the disk under %s gives back other bytes than were written to it",
                                      r->dir_path);
        return 0;
}

int restoring_check(struct restoring *r)
{
        const struct restore_options *o = r->options;
        struct check_options how = {.method = o->check, .scratch = o->scratch};
        struct check_result *c = &r->result->check;
        _cleanup_free_ char *path = NULL;

        if (o->check == CHECK_NONE)
                return 0;
        if (asprintf(&path, "%s/%s/" RESTORING_NEW, r->dir_path, r->work.name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        check_result_done(c);
        int err = check_database(path, &how, c);
        if (err < 0)
                return err;
        r->result->verified = c->outcome == CHECK_OK;
        if (r->result->verified)
                return 0;
        if (r->item->evidence || !r->item->manifest.verified) {
                restoring_note(r, true, "it was restored because of --force, but %s says: %s", c->method,
                               check_outcome_name(c->outcome));
                return 0;
        }
        return restoring_fail(r, c->outcome == CHECK_CORRUPT ? -EUCLEAN : -ENOTRECOVERABLE,
                              "the restored copy of %s is not proven, nothing was replaced: %s: %s%s%s", o->id,
                              c->method, check_outcome_name(c->outcome), c->reason ? ", " : "",
                              c->reason ? c->reason : "");
}
