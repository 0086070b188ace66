#include "respond/run.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "respond/manifest.h"

int backup_fail(struct backup_run *r, int err, const char *fmt, ...)
{
        va_list ap;
        char *text, *both;

        va_start(ap, fmt);
        int n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n < 0)
                return err;
        if (!r->result->reason) {
                r->result->reason = text;
                return err;
        }
        if (asprintf(&both, "%s; and its evidence could not be kept: %s", r->result->reason, text) >= 0) {
                free(r->result->reason);
                r->result->reason = both;
        }
        free(text);
        return err;
}

int backup_corrupt(struct backup_run *r, const char *why)
{
        const char *damage = r->options->damage;

        r->corrupt = true;
        if (!damage || strcmp(damage, why) == 0)
                return backup_fail(r, -EUCLEAN, "%s", why);
        return backup_fail(r, -EUCLEAN, "%s; %s", damage, why);
}

uint64_t backup_left_ms(const struct backup_run *r)
{
        uint64_t now = clock_boottime_ns();

        if (!r->deadline_ns)
                return 0;
        return r->deadline_ns > now + 1000000 ? (r->deadline_ns - now) / 1000000 : 1;
}

void backup_progress(void *run, uint64_t done, uint64_t total)
{
        const struct backup_run *r = run;

        if (r->options->on_progress)
                r->options->on_progress(r->options->userdata, r->phase, done, total);
}

int backup_own(const struct backup_run *r, int fd)
{
        /* A file system without owners (vfat) refuses; what it keeps is no better with an error. */
        if (geteuid() == 0 && fchown(fd, r->source_stat.st_uid, r->source_stat.st_gid) < 0 && errno != EPERM)
                return -errno;
        if (fchmod(fd, 0600) < 0 && errno != EPERM)
                return -errno;
        return fsync(fd) < 0 ? -errno : 0;
}

int64_t backup_now(void)
{
        return (int64_t)clock_boottime_ns() + clock_realtime_offset_ns();
}

/* Both stay for the life of the process: one boot, one host. */
static char *boot_id(void)
{
        static char id[40];
        _cleanup_free_ char *text = NULL;

        if (!*id && io_read_file("/proc/sys/kernel/random/boot_id", sizeof(id), &text, NULL) == 0)
                snprintf(id, sizeof(id), "%.*s", (int)strcspn(text, "\n"), text);
        return id;
}

static char *host(void)
{
        static struct utsname name;

        if (!*name.nodename)
                uname(&name);
        return name.nodename;
}

void backup_describe(const struct backup_run *r, struct manifest *ret)
{
        static char vigil[] = VIGIL_VERSION, manual[] = "manual";
        static char salt[32];
        const struct snapshot_result *s = &r->result->snapshot;
        struct manifest m = {
                .database = (char *)r->base,
                .reason = r->options->reason ? (char *)r->options->reason : manual,
                .verdict = (char *)r->options->verdict,
                .incident = (char *)r->options->incident,
                .method = (char *)s->method,
                .vigil = vigil,
                .host = host(),
                .boot_id = boot_id(),
                .page_size = s->page_size,
                .source = r->source,
                .source_bytes = s->source_main_bytes,
                .source_wal_bytes = s->source_wal_bytes,
                .source_inode = r->source_stat.st_ino,
                .uid = r->source_stat.st_uid,
                .gid = r->source_stat.st_gid,
                .mode = r->source_stat.st_mode & 07777,
                .wal_commits = s->wal_commits,
                .attempts = s->attempts,
                .ms = (clock_boottime_ns() - r->started_ns) / 1000000,
        };

        if (s->wal_salt[0] || s->wal_salt[1]) {
                snprintf(salt, sizeof(salt), "%08x %08x", s->wal_salt[0], s->wal_salt[1]);
                m.wal_salt = salt;
        }
        text_time(m.created_at, backup_now());
        text_time(m.from, r->copy_from);
        text_time(m.until, r->copy_until);
        *ret = m;
}

json_t *backup_json(const struct backup_result *r)
{
        static const char *const classes[] = {
                [BACKUP_FAILED] = NULL, [BACKUP_DONE] = "backup", [BACKUP_KEPT_EVIDENCE] = "evidence"};
        const struct {
                const char *key, *value;
        } texts[] = {{"path", r->path},
                     {"id", r->id},
                     {"class", classes[r->outcome]},
                     {"sha256", *r->sha256 ? r->sha256 : NULL},
                     {"reason", r->reason},
                     {"last_good", r->last_good}};
        json_t *o = json_pack("{s:I, s:b, s:I, s:s, s:I, s:{s:I}}", "bytes", (json_int_t)r->bytes, "verified",
                              r->verified, "ms", (json_int_t)r->ms, "method", r->snapshot.method, "durable_ms",
                              (json_int_t)r->durable_ms, "contains", "wal_commits",
                              (json_int_t)r->snapshot.wal_commits);

        for (size_t i = 0; o && i < sizeof(texts) / sizeof(*texts); i++) {
                int failed = texts[i].value ? text_json_set(o, texts[i].key, texts[i].value, strlen(texts[i].value))
                                            : json_object_set_new(o, texts[i].key, json_null());
                if (failed) {
                        json_decref(o);
                        o = NULL;
                }
        }
        return o;
}
