/* set_aside.c - a row that children die of, in a file for people. See keeper_private.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "daemon/keeper_private.h"
#include "daemon/scribe.h"

/* What an earlier one had begun when it died is no line: the file ends behind the last one. @return its size, or -errno */
static int64_t cut(int fd)
{
        char bytes[4096];
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        for (off_t end = st.st_size, at = 0; end > 0; end = at) {
                at = (end - 1) / (off_t)sizeof(bytes) * (off_t)sizeof(bytes);
                ssize_t n = io_pread_all(fd, bytes, (size_t)(end - at), (uint64_t)at);
                if (n < 0)
                        return n;
                const char *last = memrchr(bytes, '\n', (size_t)n);
                if (last && at + (last - bytes) + 1 == st.st_size)
                        return st.st_size;
                if (last || at == 0) {
                        off_t size = last ? at + (last - bytes) + 1 : 0;
                        return ftruncate(fd, size) < 0 ? -errno : size;
                }
        }
        return 0;
}

static int append(const char *dir, const char *line, size_t n)
{
        _cleanup_close_ int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int fd = dirfd < 0 ? -1
                                           : openat(dirfd, SET_ASIDE_FILE,
                                                    O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0)
                return -errno;
        int64_t size = cut(fd);
        if (size < 0)
                return (int)size;
        if ((uint64_t)size + n > SET_ASIDE_BYTES)
                return -EFBIG;
        int r = io_write_all(fd, line, n);
        if (r < 0)
                return r;
        return fsync(fd) < 0 || fsync(dirfd) < 0 ? -errno : 0;
}

static int write_down(const struct set_aside *a)
{
        char at[TEXT_TIME_LEN];
        json_t *o = row_json(a->row);

        text_time(at, a->at_ns);
        json_object_set_new(o, "at", json_string(at));
        json_object_set_new(o, "died_of", json_string(a->died_of));
        _cleanup_free_ char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
        json_decref(o);
        _cleanup_free_ char *line = NULL;
        int n = text ? asprintf(&line, "%s\n", text) : -1;
        if (n < 0) {
                line = NULL;
                return -ENOMEM;
        }
        return append(a->dir, line, (size_t)n);
}

int set_aside_work(int answer_fd, void *arg)
{
        return scribe_tell(answer_fd, write_down(arg));
}

bool set_aside_stands(const char *dir)
{
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%s/" SET_ASIDE_FILE, dir) < 0) {
                path = NULL;
                return true;
        }
        return access(path, F_OK) == 0;
}

size_t set_aside_count(const char *dir)
{
        _cleanup_free_ char *path = NULL, *text = NULL;
        size_t size = 0, n = 0;

        if (asprintf(&path, "%s/" SET_ASIDE_FILE, dir) < 0) {
                path = NULL;
                return 0;
        }
        if (io_read_file(path, SET_ASIDE_BYTES, &text, &size) < 0)
                return 0;
        for (size_t i = 0; i < size; i++)
                n += text[i] == '\n';
        return n;
}
