/* silent_fuse.c DIRECTORY - mounts a file system there whose server can be stopped, as a network file system's that is gone: it has
 * app.db and app.db-wal, answers who looks for them and opens them, and nobody who reads. SIGSTOP makes it silent altogether.
 * Needs root; the mount ends with the process (umount -l takes its name away). The protocol: linux/fuse.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *const names[] = {"app.db", "app.db-wal"}; /* inodes 2 and 3 */

static struct fuse_attr attr_of(uint64_t ino)
{
        return (struct fuse_attr){.ino = ino,
                                  .size = ino == FUSE_ROOT_ID ? 0 : 8192,
                                  .blocks = 16,
                                  .mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644,
                                  .nlink = 1,
                                  .blksize = 4096};
}

static void answer(int fd, uint64_t unique, int error, const void *data, size_t size)
{
        struct fuse_out_header h = {.len = (uint32_t)(sizeof(h) + size), .error = error, .unique = unique};
        struct iovec parts[] = {{&h, sizeof(h)}, {(void *)data, size}};

        if (writev(fd, parts, size ? 2 : 1) < 0)
                perror("silent_fuse: write");
}

static void look_up(int fd, uint64_t unique, const char *name)
{
        for (uint64_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const struct fuse_entry_out e = {.nodeid = 2 + i, .entry_valid = 0, .attr = attr_of(2 + i)};
                if (strcmp(name, names[i]) == 0) {
                        answer(fd, unique, 0, &e, sizeof(e));
                        return;
                }
        }
        answer(fd, unique, -ENOENT, NULL, 0);
}

static void serve(int fd, const struct fuse_in_header *h, const void *body)
{
        const struct fuse_init_in *theirs = body;
        const struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION,
                                           .minor = h->opcode == FUSE_INIT ? theirs->minor : 0,
                                           .max_readahead = 4096,
                                           .max_write = 4096};
        const struct fuse_attr_out attr = {.attr = attr_of(h->nodeid)};
        const struct fuse_open_out open_out = {.fh = h->nodeid};

        switch (h->opcode) {
        case FUSE_INIT:
                answer(fd, h->unique, 0, &init, sizeof(init));
                return;
        case FUSE_LOOKUP:
                look_up(fd, h->unique, body);
                return;
        case FUSE_GETATTR:
                answer(fd, h->unique, 0, &attr, sizeof(attr));
                return;
        case FUSE_OPEN:
        case FUSE_OPENDIR:
                answer(fd, h->unique, 0, &open_out, sizeof(open_out));
                return;
        case FUSE_FLUSH:
        case FUSE_RELEASE:
                answer(fd, h->unique, 0, NULL, 0);
                return;
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:
        case FUSE_READ: /* never */
                return;
        default:
                answer(fd, h->unique, -ENOSYS, NULL, 0);
        }
}

int main(int argc, char **argv)
{
        static _Alignas(8) char request[1 << 17];
        char options[96];
        int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

        if (argc != 2 || fd < 0) {
                perror("silent_fuse: /dev/fuse");
                return 64;
        }
        snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
        if (mount("silent", argv[1], "fuse.silent", MS_NOSUID | MS_NODEV, options) < 0) {
                perror("silent_fuse: mount");
                return 69;
        }
        for (;;) {
                ssize_t n = read(fd, request, sizeof(request));
                if (n < 0 && errno != EINTR && errno != EAGAIN)
                        return errno == ENODEV ? 0 : 1; /* ENODEV: unmounted */
                if (n >= (ssize_t)sizeof(struct fuse_in_header))
                        serve(fd, (const struct fuse_in_header *)request, request + sizeof(struct fuse_in_header));
        }
}
