/* mounts.c - see mounts.h. */
#include "sensor/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/io.h"

#define MOUNTINFO_LIMIT (4u << 20)

/* ---- reading ---- */

/* In place: a blank, a tab, a line feed and a backslash are written as three octal digits. */
static char *unescape(char *text)
{
        char *to = text;

        for (const char *p = text; *p; p++) {
                bool octal = p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
                             p[3] >= '0' && p[3] <= '7';
                if (octal) {
                        *to++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
                        p += 3;
                } else {
                        *to++ = *p;
                }
        }
        *to = '\0';
        return text;
}

/* "36 35 98:0 /root /point options [tags]... - type source options". @return false: it is no such line */
static bool read_line(char *line, struct mount *ret)
{
        char *word[5], *rest = line, *behind = strstr(line, " - ");
        const char *type, *source, *options;
        unsigned major, minor;

        if (!behind)
                return false;
        *behind = '\0';
        behind += 3;
        type = strsep(&behind, " ");
        source = strsep(&behind, " ");
        options = strsep(&behind, " ");
        for (size_t i = 0; i < 5; i++)
                if (!(word[i] = strsep(&rest, " ")))
                        return false;
        if (sscanf(word[2], "%u:%u", &major, &minor) != 2)
                return false;
        *ret = (struct mount){.id = (int)strtol(word[0], NULL, 10), .dev = makedev(major, minor)};
        snprintf(ret->type, sizeof(ret->type), "%s", type);
        ret->root = strdup(unescape(word[3]));
        ret->point = strdup(unescape(word[4]));
        ret->source = strdup(source ? source : "");
        ret->options = strdup(options ? options : "");
        return true;
}

static void mount_done(struct mount *m)
{
        free(m->root);
        free(m->point);
        free(m->source);
        free(m->options);
}

int mounts_parse(char *text, struct mounts *ret)
{
        struct mounts m = {0};
        size_t room = 0;

        for (char *line; (line = strsep(&text, "\n"));) {
                struct mount one;
                if (!read_line(line, &one))
                        continue;
                if (m.n == room) {
                        room = room ? 2 * room : 64;
                        struct mount *grown = reallocarray(m.item, room, sizeof(*grown));
                        if (!grown) {
                                mount_done(&one);
                                mounts_done(&m);
                                return -ENOMEM;
                        }
                        m.item = grown;
                }
                m.item[m.n++] = one;
                if (!one.root || !one.point || !one.source || !one.options) {
                        mounts_done(&m);
                        return -ENOMEM;
                }
        }
        *ret = m;
        return 0;
}

int mounts_read(int procfd, struct mounts *ret)
{
        _cleanup_free_ char *text = NULL;
        char path[64];

        if (procfd < 0)
                strcpy(path, "/proc/self/mountinfo");
        else
                snprintf(path, sizeof(path), "/proc/self/fd/%d/mountinfo", procfd);
        int r = io_read_file(path, MOUNTINFO_LIMIT, &text, NULL);
        return r < 0 ? r : mounts_parse(text, ret);
}

void mounts_done(struct mounts *m)
{
        for (size_t i = 0; i < m->n; i++)
                mount_done(&m->item[i]);
        free(m->item);
        *m = (struct mounts){0};
}

/* ---- asking ---- */

bool mounts_has_option(const char *list, const char *option)
{
        size_t n = strlen(option);

        for (const char *p = list; p; p = strchr(p, ',')) {
                p += *p == ',';
                if (strncmp(p, option, n) == 0 && (p[n] == '\0' || p[n] == ','))
                        return true;
        }
        return false;
}

const char *mounts_type(const struct mounts *m, dev_t dev)
{
        for (size_t i = 0; i < m->n; i++)
                if (m->item[i].dev == dev)
                        return m->item[i].type;
        return NULL;
}

static bool is_among(const char *type, const char *const *list)
{
        for (; type && *list; list++)
                if (strcmp(type, *list) == 0)
                        return true;
        return false;
}

bool mounts_type_is_remote(const char *type)
{
        static const char *const remote[] = {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "virtiofs", NULL};

        return type && (strncmp(type, "fuse", 4) == 0 || is_among(type, remote));
}

bool mounts_type_is_volatile(const char *type)
{
        static const char *const in_memory[] = {"tmpfs", "ramfs", "devtmpfs", "hugetlbfs", NULL};

        return is_among(type, in_memory);
}

/* What follows @dir in @path, "" or with a '/' first; NULL: it does not lie below. */
static const char *below(const char *path, const char *dir)
{
        size_t n = strcmp(dir, "/") == 0 ? 0 : strlen(dir);

        return strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]) ? path + n : NULL;
}

char *mounts_translate(const struct mounts *theirs, int id, const char *path, const struct mounts *ours, size_t *at)
{
        const struct mount *mount = NULL;
        _cleanup_free_ char *within = NULL;
        char *found = NULL;

        for (size_t i = 0; i < theirs->n && !mount; i++)
                if (theirs->item[i].id == id)
                        mount = &theirs->item[i];
        const char *rest = mount ? below(path, mount->point) : NULL;
        if (!rest || asprintf(&within, "%s%s", strcmp(mount->root, "/") == 0 ? "" : mount->root, rest) < 0) {
                within = NULL;
                return NULL;
        }
        for (; *at < ours->n && !found; (*at)++) {
                const struct mount *o = &ours->item[*at];
                rest = o->dev == mount->dev ? below(within, o->root) : NULL;
                if (rest && asprintf(&found, "%s%s", strcmp(o->point, "/") == 0 ? "" : o->point, rest) < 0)
                        return NULL;
        }
        return found;
}
