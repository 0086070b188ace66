/* discover.c - see discover.h. */
#include "report/discover.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "config/write.h"
#include "engine/worker.h"
#include "report/page.h"
#include "report/pick.h"

#define USERS_LEN 600
#define COLUMNS   100

char *discover_path(const json_t *database, const char *key)
{
        char bytes[PATH_MAX], hex[32];
        const char *text = json_string_value(json_object_get(database, key));

        snprintf(hex, sizeof(hex), "%s_hex", key);
        if (json_object_get(database, hex) && worker_get_hex(database, hex, bytes, sizeof(bytes)) == 0)
                return strdup(bytes);
        return text ? strdup(text) : NULL;
}

/* "python3 (pid 17, uid 1000), node (pid 18, uid 0) and 3 more" */
static void list_users(const json_t *database, char ret[USERS_LEN])
{
        const json_t *processes = json_object_get(database, "processes");
        uint64_t all = pick_number(database, "users"), named = json_array_size(processes);
        size_t i, used = 0;
        json_t *p;

        ret[0] = '\0';
        json_array_foreach (processes, i, p) {
                char comm[64];
                text_printable(comm, sizeof(comm), pick_text(p, "comm", "?"));
                int n = snprintf(ret + used, USERS_LEN - used, "%s%s (pid %" PRIu64 ", uid %" PRIu64 ")",
                                 used ? ", " : "", comm, pick_number(p, "pid"), pick_number(p, "uid"));
                if (n < 0 || (size_t)n >= USERS_LEN - used)
                        return;
                used += (size_t)n;
        }
        if (all > named)
                snprintf(ret + used, USERS_LEN - used, " and %" PRIu64 " more", all - named);
}

static void describe(const json_t *d, FILE *out)
{
        char users[USERS_LEN], bytes[TEXT_BYTES_LEN], wal[TEXT_BYTES_LEN];

        list_users(d, users);
        text_bytes(bytes, pick_number(d, "bytes"));
        text_bytes(wal, pick_number(d, "wal_bytes"));
        fprintf(out, "journal mode %s, %s", pick_text(d, "journal_mode", "unknown"), bytes);
        if (pick_number(d, "wal_bytes"))
                fprintf(out, " and a WAL of %s", wal);
        fprintf(out, "; open in %s", users);
}

/* A comment of as many lines as it takes. */
static void __attribute__((format(printf, 3, 4))) comment(FILE *out, const json_t *described, const char *fmt, ...)
{
        _cleanup_free_ char *text = NULL;
        struct page p = {.out = out, .width = COLUMNS};
        unsigned column = 1;
        size_t size;
        va_list ap;
        FILE *to = open_memstream(&text, &size);

        if (!to)
                return;
        va_start(ap, fmt);
        vfprintf(to, fmt, ap);
        va_end(ap);
        if (described)
                describe(described, to);
        if (fclose(to) != 0)
                return;
        putc('#', out);
        page_flow(&p, &column, "#   ", INK_PLAIN, text);
        putc('\n', out);
}

static bool is_proposed(const json_t *d)
{
        return json_is_string(json_object_get(d, "path")) && json_is_null(json_object_get(d, "left_out"));
}

static void propose(const json_t *d, FILE *out)
{
        _cleanup_free_ char *path = discover_path(d, "path");
        char name[CONFIG_NAME_LEN];
        struct config_database database = {.name = name, .path = path};

        if (!path || config_found_name(path, name) < 0)
                return;
        config_found_policy(&database);
        putc('\n', out);
        comment(out, d, " ");
        config_write_database(out, &database);
}

static void leave_out(const json_t *d, FILE *out)
{
        const char *key = json_is_string(json_object_get(d, "path")) ? "path" : "inside";
        _cleanup_free_ char *path = discover_path(d, key);
        char shown[PATH_MAX];

        text_printable(shown, sizeof(shown), path ? path : "?");
        comment(out, d, " %s: %s; ", pick_text(d, "left_out", "?"), shown);
}

static void begin(const json_t *document, const char *host, int64_t now_ns, size_t proposed, FILE *out)
{
        char now[TEXT_TIME_LEN], name[128];
        uint64_t hidden = pick_number(document, "hidden_processes"), unread = pick_number(document, "unread_files"),
                 cut = pick_number(document, "cut");

        text_time(now, now_ns);
        text_printable(name, sizeof(name), host);
        comment(out, NULL, " SQLite databases that processes of %s had open at %s: %zu to be guarded.", name, now,
                proposed);
        fputs("# Backups after trouble only, at most one an hour, three of them, none where they would take more\n"
              "# than max-bytes. Raise that where it matters; vigil.conf(5) has every key.\n",
              out);
        if (hidden)
                fprintf(out,
                        "# %" PRIu64
                        " processes do not show their files to this user: run it as root to see them.\n",
                        hidden);
        if (unread)
                fprintf(out, "# %" PRIu64 " files on network or FUSE file systems were not looked into.\n", unread);
        if (cut)
                fprintf(out, "# There are %" PRIu64 " more, beyond what is looked at.\n", cut);
}

int discover_text(const json_t *document, const char *host, int64_t now_ns, FILE *out)
{
        const json_t *list = json_object_get(document, "databases");
        size_t i, proposed = 0, n = json_array_size(list);
        json_t *d;

        if (strcmp(pick_text(document, "schema", ""), "vigil.discover/1") != 0)
                return -EINVAL;
        json_array_foreach (list, i, d)
                proposed += is_proposed(d);
        begin(document, host, now_ns, proposed, out);
        json_array_foreach (list, i, d)
                if (is_proposed(d))
                        propose(d, out);
        if (proposed < n)
                fprintf(out, "\n# Left out: %zu (--all takes those that are not deleted and can be reached)\n",
                        n - proposed);
        json_array_foreach (list, i, d)
                if (!is_proposed(d))
                        leave_out(d, out);
        return ferror(out) || fflush(out) == EOF ? (errno ? -errno : -EIO) : 0;
}
