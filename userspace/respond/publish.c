#include "respond/publish.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define NAMES_PER_SECOND 1000
#define EVIDENCE_DIR     "evidence"

void publish_base(const char *path, char ret[PUBLISH_BASE_LEN])
{
        static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
        static const char *const endings[] = {".db", ".sqlite", ".sqlite3"};
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        size_t n = strlen(name);

        for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
                size_t length = strlen(endings[i]);
                if (n > length && strcmp(name + n - length, endings[i]) == 0) {
                        n -= length;
                        break;
                }
        }
        if (n > PUBLISH_BASE_LEN - 1)
                n = PUBLISH_BASE_LEN - 1;
        for (size_t i = 0; i < n; i++)
                ret[i] = name[i] && strchr(safe, name[i]) ? name[i] : '_';
        if (n == 0)
                ret[n++] = '_';
        if (ret[0] == '.' || ret[0] == '-')
                ret[0] = '_';
        ret[n] = '\0';
}

/* "-20261121T031502Z", then nothing or "-N". */
static bool is_stamp(const char *p)
{
        static const char form[] = "-00000000T000000Z"; /* 0: a digit */

        for (const char *f = form; *f; f++, p++)
                if (*f == '0' ? !isdigit((unsigned char)*p) : *p != *f)
                        return false;
        if (*p == '\0')
                return true;
        size_t digits = strspn(p + 1, "0123456789");
        return *p == '-' && digits > 0 && digits < 5 && p[1 + digits] == '\0';
}

bool publish_is_id(const char *id)
{
        if (strlen(id) >= PUBLISH_ID_LEN || strchr(id, '/') || *id == '.' || *id == '-')
                return false;
        for (const char *p = strchr(id, '-'); p; p = strchr(p + 1, '-'))
                if (is_stamp(p))
                        return true;
        return false;
}

/* The nth name that is tried. */
static void make_id(char ret[PUBLISH_ID_LEN], const char *base, int64_t realtime, int n)
{
        time_t seconds = (time_t)(realtime / 1000000000);
        char stamp[32];
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
        if (n == 0)
                snprintf(ret, PUBLISH_ID_LEN, "%s-%s", base, stamp);
        else
                snprintf(ret, PUBLISH_ID_LEN, "%s-%s-%d", base, stamp, n);
}

static void with_ending(char ret[PUBLISH_ID_LEN + 8], const char *id, const char *ending)
{
        snprintf(ret, PUBLISH_ID_LEN + 8, "%s%s", id, ending);
}

int publish_noreplace(int from_dir, const char *from, int to_dir, const char *to)
{
        if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS)
                return -errno;
        if (linkat(from_dir, from, to_dir, to, 0) < 0)
                return -errno;
        return unlinkat(from_dir, from, 0) < 0 ? -errno : 0;
}

static int write_manifest(int dir, const char *name, json_t *manifest)
{
        _cleanup_free_ char *text = json_dumps(manifest, JSON_INDENT(2));
        if (!text)
                return -ENOMEM;
        _cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        int r = io_write_all(fd, text, strlen(text));
        if (r == 0)
                r = io_write_all(fd, "\n", 1);
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        return r;
}

/* Gives the copy the first free name; its manifest gets that name within the workdir first. */
static int claim(const struct workdir *w, int dir, const char *base, int64_t realtime, char ret_id[PUBLISH_ID_LEN])
{
        char manifest[PUBLISH_ID_LEN + 8], copy[PUBLISH_ID_LEN + 8], before[PUBLISH_ID_LEN + 8] = PUBLISH_MANIFEST;

        for (int n = 0; n < NAMES_PER_SECOND; n++) {
                make_id(ret_id, base, realtime, n);
                with_ending(manifest, ret_id, ".json");
                with_ending(copy, ret_id, ".db");
                if (faccessat(dir, manifest, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        continue;
                if (renameat(w->fd, before, w->fd, manifest) < 0)
                        return -errno;
                memcpy(before, manifest, sizeof(before));
                int r = publish_noreplace(w->fd, PUBLISH_COPY, dir, copy);
                if (r != -EEXIST)
                        return r;
        }
        return -EEXIST;
}

int publish_backup(const struct workdir *w, int dir, const char *base, int64_t realtime, json_t *manifest,
                   char ret_id[PUBLISH_ID_LEN])
{
        char id[PUBLISH_ID_LEN], manifest_name[PUBLISH_ID_LEN + 8], copy_name[PUBLISH_ID_LEN + 8];

        int r = write_manifest(w->fd, PUBLISH_MANIFEST, manifest);
        if (r == 0)
                r = claim(w, dir, base, realtime, id);
        if (r < 0)
                return r;
        with_ending(manifest_name, id, ".json");
        with_ending(copy_name, id, ".db");
        /* The copy's name must be on the disk before the manifest says that it is there. */
        if (fsync(dir) < 0)
                r = -errno;
        if (r == 0)
                r = publish_noreplace(w->fd, manifest_name, dir, manifest_name);
        if (r < 0) {
                unlinkat(dir, copy_name, 0);
                return r;
        }
        if (fsync(dir) < 0) {
                r = -errno;
                unlinkat(dir, manifest_name, 0);
                unlinkat(dir, copy_name, 0);
                return r;
        }
        memcpy(ret_id, id, sizeof(id));
        return 0;
}

static int open_evidence_dir(int dir)
{
        if (mkdirat(dir, EVIDENCE_DIR, 0700) < 0 && errno != EEXIST)
                return -errno;
        int fd = openat(dir, EVIDENCE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int fsync_at(int dir, const char *name)
{
        _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int publish_evidence(const struct workdir *w, int dir, const char *base, int64_t realtime, json_t *manifest,
                     char ret_id[PUBLISH_ID_LEN])
{
        static const char in_workdir[] = PUBLISH_EVIDENCE "/" PUBLISH_MANIFEST;
        char id[PUBLISH_ID_LEN];
        _cleanup_close_ int evidence = open_evidence_dir(dir);
        if (evidence < 0)
                return evidence;

        int r = write_manifest(w->fd, in_workdir, manifest);
        if (r == 0)
                r = fsync_at(w->fd, PUBLISH_EVIDENCE);
        if (r < 0)
                return r;
        r = -EEXIST;
        for (int n = 0; n < NAMES_PER_SECOND && r == -EEXIST; n++) {
                make_id(id, base, realtime, n);
                r = renameat2(w->fd, PUBLISH_EVIDENCE, evidence, id, RENAME_NOREPLACE) < 0 ? -errno : 0;
                /* Without that flag a plain rename replaces at most an empty directory. */
                if (r == -EINVAL || r == -ENOSYS)
                        r = renameat(w->fd, PUBLISH_EVIDENCE, evidence, id) < 0 ? -errno : 0;
                if (r == -ENOTEMPTY)
                        r = -EEXIST;
        }
        if (r == 0 && (fsync(evidence) < 0 || fsync(dir) < 0))
                r = -errno;
        if (r == 0)
                snprintf(ret_id, PUBLISH_ID_LEN, "%s/%.*s", EVIDENCE_DIR, PUBLISH_ID_LEN - 10, id);
        return r;
}

void publish_finish(int dir, int workdir)
{
        /* With the copy still here nothing was published yet. */
        if (faccessat(workdir, PUBLISH_COPY, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return;
        int copy = openat(workdir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *stream = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *e;
        while (stream && (e = readdir(stream))) {
                char id[PUBLISH_ID_LEN], copy_name[PUBLISH_ID_LEN + 8];
                size_t n = strlen(e->d_name);
                if (n <= 5 || n - 5 >= sizeof(id) || strcmp(e->d_name + n - 5, ".json") != 0)
                        continue;
                memcpy(id, e->d_name, n - 5);
                id[n - 5] = '\0';
                with_ending(copy_name, id, ".db");
                if (!publish_is_id(id) || faccessat(dir, copy_name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (publish_noreplace(workdir, e->d_name, dir, e->d_name) == 0)
                        fsync(dir);
        }
}
