#include "respond/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"

#define EVIDENCE_DIR "evidence"

/* Where the items of one directory are gathered. */
struct scan {
        int dir;          /* the backup directory, or evidence/ in it */
        const char *path; /* of dir, absolute */
        struct backup_list *list;
};

static void item_done(struct backup_item *i)
{
        free(i->path);
        manifest_done(&i->manifest);
}

void backup_list_done(struct backup_list *l)
{
        for (size_t i = 0; i < l->n; i++)
                item_done(&l->items[i]);
        free(l->items);
        *l = (struct backup_list){0};
}

/* @return 0; -ENOMSG no manifest; -EBADMSG with *ret_problem; -ENOMEM */
static int read_manifest(int dir, const char *name, struct manifest *ret, const char **ret_problem)
{
        struct stat st;
        _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)MANIFEST_MAX_BYTES)
                return -ENOMSG;
        size_t size = (size_t)st.st_size;
        _cleanup_free_ char *text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        ssize_t n = io_pread_all(fd, text, size, 0);
        return n < 0 ? -ENOMSG : manifest_parse(text, (size_t)n, ret, ret_problem);
}

/* What lies under @p name against what the manifest says of it. @return static text, or NULL */
static const char *compare_file(int dir, const char *name, uint64_t bytes)
{
        struct stat st;

        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? "the copy is missing" : "the copy cannot be read";
        if (!S_ISREG(st.st_mode))
                return "the copy is no regular file";
        return (uint64_t)st.st_size == bytes ? NULL : "the copy has not the size that its manifest says";
}

static const char *compare_evidence(int dir, const struct manifest *m)
{
        const char *problem = NULL;

        for (size_t i = 0; i < m->n_files && !problem; i++)
                problem = compare_file(dir, m->files[i].name, m->files[i].bytes);
        return problem;
}

static int append(struct scan *s, struct backup_item *item, const char *id, const char *copy_name)
{
        struct backup_list *l = s->list;

        if (asprintf(&item->path, "%s/%s", s->path, copy_name) < 0) {
                item->path = NULL;
                return -ENOMEM;
        }
        if (l->n % 64 == 0) {
                struct backup_item *more = realloc(l->items, (l->n + 64) * sizeof(*more));
                if (!more)
                        return -ENOMEM;
                l->items = more;
        }
        snprintf(item->id, sizeof(item->id), "%s", id);
        l->items[l->n++] = *item;
        return 0;
}

/* ID.db without ID.json is no backup, but whoever looks for it must see that it is there. */
static void count_bare(struct scan *s, const char *name)
{
        char id[PUBLISH_ID_LEN], manifest[PUBLISH_ID_LEN + 8];
        size_t n = strlen(name);
        struct stat st;

        if (n <= 3 || n - 3 >= sizeof(id) || strcmp(name + n - 3, ".db") != 0)
                return;
        snprintf(id, sizeof(id), "%.*s", (int)(n - 3), name);
        snprintf(manifest, sizeof(manifest), "%s.json", id);
        if (!publish_is_id(id) || fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
            faccessat(s->dir, manifest, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
                return;
        if (s->list->n_bare++ == 0)
                snprintf(s->list->bare, sizeof(s->list->bare), "%s", name);
}

/* ID.json and ID.db. */
static int add_backup(struct scan *s, const char *name)
{
        char id[PUBLISH_ID_LEN], copy[PUBLISH_ID_LEN + 8];
        size_t n = strlen(name);

        count_bare(s, name);
        if (n <= 5 || n - 5 >= sizeof(id) || strcmp(name + n - 5, ".json") != 0)
                return 0;
        snprintf(id, sizeof(id), "%.*s", (int)(n - 5), name);
        snprintf(copy, sizeof(copy), "%s.db", id);
        if (!publish_is_id(id))
                return 0;
        struct backup_item item = {0};
        int r = read_manifest(s->dir, name, &item.manifest, &item.problem);
        if (r == -ENOMEM)
                return r;
        /* Without a copy beside it, a file that is no manifest was never ours. */
        if (r == -ENOMSG && faccessat(s->dir, copy, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        if (r == -ENOMSG)
                item.problem = "its manifest is damaged";
        else if (r == 0 && item.manifest.evidence)
                item.problem = "its manifest calls it evidence, which it is not here";
        else if (r == 0)
                item.problem = compare_file(s->dir, copy, item.manifest.bytes);
        r = append(s, &item, id, copy);
        if (r < 0)
                item_done(&item);
        return r;
}

/* evidence/ID/manifest.json and the files it lists. */
static int add_evidence(struct scan *s, const char *name)
{
        char id[PUBLISH_ID_LEN];

        if (!publish_is_id(name) || strlen(name) + sizeof(EVIDENCE_DIR) >= sizeof(id))
                return 0;
        _cleanup_close_ int dir = openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0)
                return 0;
        struct backup_item item = {.evidence = true};
        int r = read_manifest(dir, PUBLISH_MANIFEST, &item.manifest, &item.problem);
        if (r == -ENOMEM)
                return r;
        if (r == -ENOMSG)
                item.problem = "its manifest is missing or damaged";
        else if (r == 0 && !item.manifest.evidence)
                item.problem = "its manifest calls it a backup, which it is not here";
        else if (r == 0)
                item.problem = compare_evidence(dir, &item.manifest);
        snprintf(id, sizeof(id), EVIDENCE_DIR "/%.*s", (int)(sizeof(id) - sizeof(EVIDENCE_DIR) - 1), name);
        r = append(s, &item, id, name);
        if (r < 0)
                item_done(&item);
        return r;
}

static int scan_directory(struct scan *s, int (*add)(struct scan *s, const char *name))
{
        int copy = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (copy < 0)
                return -errno;
        _cleanup_closedir_ DIR *stream = fdopendir(copy);
        if (!stream) {
                close(copy);
                return -ENOMEM;
        }
        struct dirent *e;
        int r = 0;
        while (r == 0 && (e = readdir(stream))) {
                if (s->list->n >= LIST_MAX) {
                        s->list->cut = true;
                        break;
                }
                r = add(s, e->d_name);
        }
        return r;
}

static int newest_first(const void *left, const void *right)
{
        const struct backup_item *a = left, *b = right;
        int order = strcmp(b->manifest.created_at, a->manifest.created_at);

        return order ? order : strcmp(b->id, a->id);
}

static int scan_evidence(struct scan *above)
{
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int dir = openat(above->dir, EVIDENCE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (dir < 0)
                return 0;
        if (asprintf(&path, "%s/" EVIDENCE_DIR, above->path) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        struct scan s = {.dir = dir, .path = path, .list = above->list};
        return scan_directory(&s, add_evidence);
}

int backup_list_read(const char *directory, struct backup_list *ret)
{
        struct backup_list list = {0};
        _cleanup_free_ char *path = realpath(directory, NULL);
        if (!path)
                return -errno;
        _cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return -errno;

        struct scan s = {.dir = dir, .path = path, .list = &list};
        int r = scan_directory(&s, add_backup);
        if (r == 0)
                r = scan_evidence(&s);
        if (r < 0) {
                backup_list_done(&list);
                return r;
        }
        if (list.n)
                qsort(list.items, list.n, sizeof(*list.items), newest_first);
        *ret = list;
        return 0;
}

bool backup_item_good(const struct backup_item *i)
{
        return !i->evidence && !i->problem && i->manifest.verified;
}

const struct backup_item *backup_list_find(const struct backup_list *l, const char *id)
{
        for (size_t i = 0; i < l->n; i++)
                if (strcmp(l->items[i].id, id) == 0)
                        return &l->items[i];
        return NULL;
}

const struct backup_item *backup_list_last_good(const struct backup_list *l, const char *source)
{
        for (size_t i = 0; i < l->n; i++)
                if (backup_item_good(&l->items[i]) && strcmp(l->items[i].manifest.source, source) == 0)
                        return &l->items[i];
        return NULL;
}

static json_t *text_or_null(const char *text)
{
        return text && *text ? text_json(text, strlen(text)) : json_null();
}

json_t *backup_item_json(const struct backup_item *i)
{
        const struct manifest *m = &i->manifest;
        json_t *o = json_pack(
                "{s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:b, s:s, s:o, s:o, s:{s:o, s:o, s:I}}", "id", i->id,
                "database", text_or_null(m->database), "bytes", (json_int_t)m->bytes, "created_at",
                text_or_null(m->created_at), "reason", text_or_null(m->reason), "verdict", text_or_null(m->verdict),
                "incident", text_or_null(m->incident), "verified", backup_item_good(i), "class",
                i->evidence ? "evidence" : "backup", "sha256", text_or_null(m->sha256), "problem",
                text_or_null(i->problem ? i->problem : m->problem), "contains", "from", text_or_null(m->from),
                "until", text_or_null(m->until), "wal_commits", (json_int_t)m->wal_commits);

        if (o && (text_json_set(o, "path", i->path, strlen(i->path)) < 0 ||
                  (m->source ? text_json_set(o, "source", m->source, strlen(m->source))
                             : json_object_set_new(o, "source", json_null())) < 0)) {
                json_decref(o);
                return NULL;
        }
        return o;
}
