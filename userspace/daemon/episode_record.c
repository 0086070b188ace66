/* episode_record.c - an episode as a recording, behind what happened right before it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/compose.h"
#include "sensor/recording.h"

#define FIRST "recording.vigil"
#define LAST  "recording-last.vigil"
#define NEW   "recording.new" /* one that a kill has cut short is replaced by the next */

static const struct vigil_hdr *at(const unsigned char *bytes)
{
        return (const void *)bytes;
}

/* The database that a record of struct recent speaks of. */
static uint32_t db_of(const struct vigil_hdr *h)
{
        const void *r = h;

        return h->type == VIGIL_PATHOP ? ((const struct vigil_pathop *)r)->db : ((const struct vigil_op *)r)->e.db;
}

/* Reads are for a detector that looks at a whole run; of what an episode holds it would see a part. */
static bool is_read(const struct vigil_hdr *h)
{
        const struct vigil_op *r = (const void *)h;

        return h->type == VIGIL_OP && (r->e.op == VIGIL_OP_READ || r->e.op == VIGIL_OP_COPY_FROM);
}

/* What was taken stands in the episode itself, as far as its verdicts go by it. */
static bool is_judged(const struct vigil_hdr *h)
{
        const void *r = h;
        const struct vigil_pathop *p = r;

        if (h->type == VIGIL_PATHOP)
                return p->taken || (p->op == VIGIL_OP_UNLINK && p->confirmed);
        return ((const struct vigil_op *)r)->taken;
}

/* Their numbers would have holes where other databases were: they become records of user space. */
static int append_recent(const struct episode *e, struct recording_writer *w, unsigned half)
{
        const struct recent *c = &e->memory->recent;
        int r = 0;

        for (size_t i = 0; r == 0 && i < c->used[half]; i += at(c->half[half] + i)->size) {
                const struct vigil_hdr *h = at(c->half[half] + i);
                union {
                        struct vigil_hdr hdr;
                        struct vigil_op op;
                        struct vigil_pathop pathop;
                } copy;
                if (!e->has[db_of(h)] || is_read(h) || is_judged(h))
                        continue;
                if (h->type == VIGIL_PATHOP)
                        copy.pathop = *(const struct vigil_pathop *)(const void *)h;
                else
                        copy.op = *(const struct vigil_op *)(const void *)h;
                copy.hdr.cpu = VIGIL_CPU_USER;
                copy.hdr.seq = 0;
                r = recording_append(w, &copy.hdr);
        }
        return r;
}

static int append_all(const struct episode *e, struct recording_writer *w)
{
        size_t session = at(e->bytes)->size;
        int r = recording_append(w, at(e->bytes));

        if (r == 0)
                r = append_recent(e, w, e->memory->recent.newer ^ 1);
        if (r == 0)
                r = append_recent(e, w, e->memory->recent.newer);
        for (size_t i = session; r == 0 && i < e->used; i += at(e->bytes + i)->size)
                r = recording_append(w, at(e->bytes + i));
        return r;
}

int episode_record(const struct episode *e, const char *path)
{
        struct recording_writer *w = NULL;
        int r = recording_create(path, 0, &w);

        if (r < 0)
                return r;
        r = append_all(e, w);
        if (r == 0)
                r = recording_finish(w);
        recording_writer_free(w);
        return r;
}

int episode_keep(const struct episode *e, const char *directory)
{
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (dir < 0)
                return -errno;
        if (asprintf(&path, "%s/" NEW, directory) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        int r = episode_record(e, path);
        bool first = faccessat(dir, FIRST, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
        if (r == 0 && renameat(dir, NEW, dir, first ? FIRST : LAST) < 0)
                r = -errno;
        /* Some file systems cannot sync a directory; the content is safe all the same. */
        if (r == 0 && fsync(dir) < 0 && errno != EINVAL && errno != ENOTSUP)
                r = -errno;
        if (r < 0 && r != -EEXIST) /* that one is none of ours */
                unlinkat(dir, NEW, 0);
        return r;
}
