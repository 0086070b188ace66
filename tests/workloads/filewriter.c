/* filewriter - writes a plain file in every way that matters to durability, and tells the result of each call.
 *
 *   filewriter [-t TRUTH] FILE STEP...
 *
 * A step is NAME or NAME=VALUE:
 *   create, open, open-dsync, open-trunc   a descriptor for the steps that follow
 *   write=BYTES                            write(2) at the file position, 64 KiB at a time
 *   write-dsync=BYTES                      pwritev2(2) with RWF_DSYNC at the end of the file
 *   fsync, fdatasync, sync-range, syncfs   what is durable, or, for sync_file_range(2), is not
 *   truncate=BYTES, close, unlink
 *   ready=FILE, wait=FILE                  synchronise with a test
 *   exit=STATUS                            _exit(2) with the file open
 * A call that fails is told and does not end the program: what it does next is the point of the test. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "truth.h"

enum { CHUNK = 64 * 1024, WAIT_LIMIT_MS = 300000 };

struct writer {
        const char *path;
        int fd;
        long written; /* bytes that write calls returned */
};

static int reopen(struct writer *w, int flags)
{
        if (w->fd >= 0)
                close(w->fd);
        w->fd = open(w->path, flags | O_CLOEXEC, 0644);
        return w->fd < 0 ? -errno : 0;
}

static long do_create(struct writer *w, const char *value)
{
        (void)value;
        return reopen(w, O_RDWR | O_CREAT);
}

static long do_open(struct writer *w, const char *value)
{
        (void)value;
        return reopen(w, O_RDWR);
}

static long do_open_dsync(struct writer *w, const char *value)
{
        (void)value;
        return reopen(w, O_RDWR | O_CREAT | O_DSYNC);
}

static long do_open_trunc(struct writer *w, const char *value)
{
        (void)value;
        return reopen(w, O_RDWR | O_TRUNC);
}

static long do_write(struct writer *w, const char *value)
{
        static char chunk[CHUNK];
        long total = strtol(value, NULL, 10), done = 0;

        memset(chunk, 'v', sizeof(chunk));
        while (done < total) {
                size_t n = total - done < CHUNK ? (size_t)(total - done) : CHUNK;
                ssize_t r = write(w->fd, chunk, n);
                if (r < 0)
                        return -errno;
                done += r;
                w->written += r;
        }
        return done;
}

static long do_write_dsync(struct writer *w, const char *value)
{
        size_t n = strtoul(value, NULL, 10);
        char *bytes = calloc(1, n);

        if (!bytes)
                return -ENOMEM;
        struct iovec v = {bytes, n};
        ssize_t r = pwritev2(w->fd, &v, 1, lseek(w->fd, 0, SEEK_END), RWF_DSYNC);
        int error = errno;
        free(bytes);
        if (r < 0)
                return -error;
        w->written += r;
        return r;
}

static long do_fsync(struct writer *w, const char *value)
{
        (void)value;
        return fsync(w->fd) < 0 ? -errno : 0;
}

static long do_fdatasync(struct writer *w, const char *value)
{
        (void)value;
        return fdatasync(w->fd) < 0 ? -errno : 0;
}

static long do_sync_range(struct writer *w, const char *value)
{
        const unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
        (void)value;
        return sync_file_range(w->fd, 0, 0, all) < 0 ? -errno : 0;
}

static long do_syncfs(struct writer *w, const char *value)
{
        (void)value;
        return syncfs(w->fd) < 0 ? -errno : 0;
}

static long do_truncate(struct writer *w, const char *value)
{
        return ftruncate(w->fd, strtol(value, NULL, 10)) < 0 ? -errno : 0;
}

static long do_close(struct writer *w, const char *value)
{
        int fd = w->fd;
        (void)value;
        w->fd = -1;
        return close(fd) < 0 ? -errno : 0;
}

static long do_unlink(struct writer *w, const char *value)
{
        (void)value;
        return unlink(w->path) < 0 ? -errno : 0;
}

static long do_ready(struct writer *w, const char *value)
{
        (void)w;
        int fd = open(value, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        return fd < 0 ? -errno : (close(fd), 0);
}

static long do_wait(struct writer *w, const char *value)
{
        const struct timespec step = {.tv_nsec = 2000000};
        (void)w;
        for (int ms = 0; access(value, F_OK) < 0; ms += 2) {
                if (ms > WAIT_LIMIT_MS)
                        return -ETIME;
                nanosleep(&step, NULL);
        }
        return 0;
}

static long do_exit(struct writer *w, const char *value)
{
        (void)w;
        _exit((int)strtol(value, NULL, 10));
}

static const struct {
        const char *name;
        long (*run)(struct writer *w, const char *value);
} steps[] = {
        {"create", do_create},
        {"open", do_open},
        {"open-dsync", do_open_dsync},
        {"open-trunc", do_open_trunc},
        {"write", do_write},
        {"write-dsync", do_write_dsync},
        {"fsync", do_fsync},
        {"fdatasync", do_fdatasync},
        {"sync-range", do_sync_range},
        {"syncfs", do_syncfs},
        {"truncate", do_truncate},
        {"close", do_close},
        {"unlink", do_unlink},
        {"ready", do_ready},
        {"wait", do_wait},
        {"exit", do_exit},
};

static int run_step(struct writer *w, const char *arg)
{
        size_t n = strcspn(arg, "=");

        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                if (strlen(steps[i].name) != n || strncmp(steps[i].name, arg, n) != 0)
                        continue;
                long rc = steps[i].run(w, arg[n] ? arg + n + 1 : "");
                truth_tell(json_pack("{s:s, s:I, s:I}", "step", arg, "result", (json_int_t)rc, "written",
                                     (json_int_t)w->written));
                return 0;
        }
        fprintf(stderr, "filewriter: no step %s\n", arg);
        return -1;
}

int main(int argc, char **argv)
{
        struct writer w = {.fd = -1};
        const char *truth = NULL;
        int opt;

        while ((opt = getopt(argc, argv, "+t:")) != -1) {
                if (opt != 't')
                        return 2;
                truth = optarg;
        }
        if (optind >= argc || truth_open(truth) < 0) {
                fprintf(stderr, "usage: filewriter [-t TRUTH] FILE STEP...\n");
                return 2;
        }
        w.path = argv[optind++];
        for (; optind < argc; optind++)
                if (run_step(&w, argv[optind]) < 0)
                        return 2;
        return 0;
}
