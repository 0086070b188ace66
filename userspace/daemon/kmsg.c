#include "daemon/kmsg.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define MOUNTS_MAX (4u << 20)
#define RECORD_MAX 8192 /* the kernel gives one record per read(2), at most PRINTKRB_RECORD_MAX and its prefix */

/* ---- names ---- */

static void add_name(struct kmsg_names *k, const char *name)
{
        for (unsigned i = 0; i < k->n; i++)
                if (strcmp(k->name[i], name) == 0)
                        return;
        if (k->n < KMSG_NAMES && *name && strlen(name) < sizeof(k->name[0]))
                strcpy(k->name[k->n++], name);
}

/* The device that /sys/dev/block/MAJOR:MINOR leads to, the disk of a partition, and what a stacked one stands on. */
static bool add_device(struct kmsg_names *k, dev_t dev)
{
        char path[PATH_MAX], real[PATH_MAX], check[PATH_MAX + 16];

        snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
        if (!realpath(path, real))
                return false;
        add_name(k, strrchr(real, '/') + 1);
        snprintf(check, sizeof(check), "%s/slaves", real);
        _cleanup_closedir_ DIR *below = opendir(check);
        struct dirent *e;
        while (below && (e = readdir(below)))
                if (e->d_name[0] != '.')
                        add_name(k, e->d_name);
        snprintf(check, sizeof(check), "%s/partition", real);
        if (access(check, F_OK) == 0) {
                *strrchr(real, '/') = '\0';
                add_name(k, strrchr(real, '/') + 1);
        }
        return true;
}

/* The device that is the source of the mount with the number @p dev: "36 35 0:31 / /mnt rw - btrfs /dev/sda1 rw". */
static void add_mounted(struct kmsg_names *k, dev_t dev)
{
        _cleanup_free_ char *mounts = NULL;
        char number[32], source[256];
        struct stat st;

        if (io_read_file("/proc/self/mountinfo", MOUNTS_MAX, &mounts, NULL) < 0)
                return;
        snprintf(number, sizeof(number), " %u:%u ", major(dev), minor(dev));
        for (char *save, *line = strtok_r(mounts, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                const char *at = strstr(line, number), *behind = strstr(line, " - ");
                if (at && behind && at < behind && sscanf(behind, " - %*s %255s", source) == 1 &&
                    source[0] == '/' && stat(source, &st) == 0 && S_ISBLK(st.st_mode))
                        (void)add_device(k, st.st_rdev);
        }
}

int kmsg_names(const char *path, struct kmsg_names *ret)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        *ret = (struct kmsg_names){0};
        if (!add_device(ret, st.st_dev))
                add_mounted(ret, st.st_dev);
        return 0;
}

/* ---- lines ---- */

static bool word_part(char c)
{
        return isalnum((unsigned char)c) || c == '_';
}

bool kmsg_tells_of(const struct kmsg_names *names, const char *line)
{
        for (unsigned i = 0; i < names->n; i++) {
                size_t n = strlen(names->name[i]);
                for (const char *p = line; (p = strstr(p, names->name[i])); p++)
                        if ((p == line || !word_part(p[-1])) && !word_part(p[n]))
                                return true;
        }
        return false;
}

/* "6,1234,5678901,-;text\n SUBSYSTEM=…": microseconds and text. Control characters of the text are escaped by the kernel. */
static char *line_of(char *record)
{
        char *text = strchr(record, ';'), *line;
        uint64_t us;

        if (!text || sscanf(record, "%*u,%*u,%" SCNu64, &us) != 1)
                return NULL;
        text[strcspn(text, "\n")] = '\0';
        return asprintf(&line, "[%5" PRIu64 ".%06" PRIu64 "] %s\n", us / 1000000, us % 1000000, text + 1) < 0
                       ? NULL
                       : line;
}

/* Appends, and lets go of the oldest lines beyond the bound. */
static void append(char *kept, size_t *used, const char *line)
{
        size_t n = strlen(line);

        while (*used + n > KMSG_MAX_BYTES) {
                char *end = memchr(kept, '\n', *used);
                size_t first = end ? (size_t)(end - kept) + 1 : *used;
                memmove(kept, kept + first, *used - first);
                *used -= first;
        }
        memcpy(kept + *used, line, n + 1);
        *used += n;
}

int kmsg_read(const struct kmsg_names *names, char **ret)
{
        char record[RECORD_MAX + 1];
        size_t used = 0;
        int lines = 0;
        _cleanup_free_ char *kept = malloc(KMSG_MAX_BYTES + 1);
        _cleanup_close_ int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

        if (!kept)
                return -ENOMEM;
        if (fd < 0)
                return -errno;
        kept[0] = '\0';
        for (;;) {
                ssize_t n = read(fd, record, RECORD_MAX);
                /* EPIPE: records were overwritten before they were read; the next read gives the oldest there is. */
                if (n < 0 && (errno == EPIPE || errno == EINTR))
                        continue;
                if (n < 0 && errno != EAGAIN)
                        return -errno;
                if (n <= 0)
                        break;
                record[n] = '\0';
                _cleanup_free_ char *line = line_of(record);
                if (line && kmsg_tells_of(names, line)) {
                        append(kept, &used, line);
                        lines++;
                }
        }
        *ret = TAKE_PTR(kept);
        return lines;
}
