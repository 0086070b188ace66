/* recording_read.c - reads a recording; nothing in the file is believed before it is checked. */
#include "sensor/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

struct recording {
        FILE *file;
        uint64_t next;   /* offset of the next record */
        uint64_t offset; /* of the last one */
        bool truncated;
        int failed; /* -errno, kept: no record is looked for behind a broken one */
        char error[RECORDING_ERROR_LEN + 48];
        _Alignas(8) unsigned char record[RECORDING_RECORD_MAX];
};

int recording_open(const char *path, struct recording **ret)
{
        /* O_NONBLOCK: a FIFO must not hang us before it is refused. */
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        struct stat st;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;

        _cleanup_free_ struct recording *r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->file = fdopen(fd, "rb");
        if (!r->file)
                return -errno;
        TAKE_FD(fd);
        *ret = TAKE_PTR(r);
        return 0;
}

static int fail(struct recording *r, int error, const char *why)
{
        snprintf(r->error, sizeof(r->error), "byte %" PRIu64 ": %s", r->offset, why);
        return r->failed = error;
}

/* @return 1 when all @p n bytes were read; 0 at the end of the file, which is a cut record unless it begins here */
static int read_part(struct recording *r, size_t at, size_t n)
{
        errno = 0;
        size_t got = fread(r->record + at, 1, n, r->file);
        if (got == n)
                return 1;
        if (ferror(r->file))
                return fail(r, errno ? -errno : -EIO, strerror(errno ? errno : EIO));
        r->truncated = at + got > 0;
        return 0;
}

int recording_next(struct recording *r, const struct vigil_hdr **ret)
{
        if (r->failed)
                return r->failed;
        if (r->truncated)
                return 0;
        r->offset = r->next;
        struct vigil_hdr *h = (struct vigil_hdr *)(void *)r->record;
        memset(r->record, 0,
               sizeof(struct vigil_proc)); /* the longest that is known: short old records end in zeros */
        int k = read_part(r, 0, sizeof(*h));
        if (k <= 0)
                return k;

        /* The header alone decides how much may be read. */
        char why[RECORDING_ERROR_LEN];
        if (h->magic != VIGIL_MAGIC || h->size < sizeof(*h) || h->size > sizeof(r->record))
                return fail(r, -EBADMSG,
                            h->magic != VIGIL_MAGIC ? "not a record (bad magic)"
                                                    : "a record claims an impossible size");
        k = read_part(r, sizeof(*h), h->size - sizeof(*h));
        if (k <= 0)
                return k;
        k = record_validate(r->record, h->size, why);
        if (k < 0)
                return fail(r, k, why);
        r->next += h->size;
        *ret = h;
        return 1;
}

const char *recording_error(const struct recording *r)
{
        return r->error;
}

bool recording_truncated(const struct recording *r)
{
        return r->truncated;
}

uint64_t recording_offset(const struct recording *r)
{
        return r->offset;
}

void recording_free(struct recording *r)
{
        if (!r)
                return;
        fclose(r->file);
        free(r);
}
