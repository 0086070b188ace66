/* discovery.c - see discovery.h. */
#include "daemon/discovery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "config/write.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/scribe.h"
#include "report/discover.h"
#include "sensor/discover.h"

#define FILE_NAME "discovered.conf"

struct discoveries {
        struct config_database *item[DISCOVERY_MAX]; /* guards point to them */
        size_t n;
        size_t left_out;
        bool looking; /* a helper is at work */
        bool again;   /* one was asked for while another was at work, which may have been where something is new */
        bool swept;   /* those of the last run that are gone have been let go */
        int save_error;   /* of the last writing */
        bool unsaved;     /* more was found while it was being written */
        bool told_failed; /* that the last look failed */
};

int discoveries_new(struct discoveries **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

static void item_free(struct config_database *item)
{
        if (!item)
                return;
        free(item->name);
        free(item->path);
        free(item);
}

void discoveries_free(struct discoveries *x)
{
        for (size_t i = 0; x && i < x->n; i++)
                item_free(x->item[i]);
        free(x);
}

bool discovery_has(const struct daemon *d, const struct config_database *of)
{
        for (size_t i = 0; i < d->discoveries->n; i++)
                if (d->discoveries->item[i] == of)
                        return true;
        return false;
}

size_t discovery_left_out(const struct daemon *d)
{
        return d->discoveries->left_out;
}

/* ---- which are there ---- */

static bool same_file(const struct stat *a, const char *path)
{
        struct stat b;

        return stat(path, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

/* Under this path or, by a link, under another. */
static bool is_among(const struct config_target *list, size_t n, const char *name, const char *path)
{
        struct stat st;
        bool there = stat(path, &st) == 0;

        for (size_t i = 0; i < n; i++)
                if (!strcmp(list[i].path, path) || !strcmp(list[i].name, name) ||
                    (there && same_file(&st, list[i].path)))
                        return true;
        return false;
}

static int add_target(struct config_target **list, size_t *n, const struct config_database *item)
{
        struct config_target *grown = reallocarray(*list, *n + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        *list = grown;
        grown[*n] = (struct config_target){.name = strdup(item->name), .path = strdup(item->path), .of = item};
        return grown[*n].name && grown[(*n)++].path ? 0 : -ENOMEM;
}

int discovery_targets(struct daemon *d, struct config_target **list, size_t *n)
{
        size_t configured = *n;
        int r = 0;

        for (size_t i = 0; r == 0 && i < d->discoveries->n && *n < CONFIG_MAX_DATABASES; i++) {
                struct config_database *item = d->discoveries->item[i];
                item->latency = d->config->latency; /* as of all that have no `latency` of their own */
                if (!is_among(*list, configured, item->name, item->path))
                        r = add_target(list, n, item);
        }
        return r;
}

static bool is_known(const struct discoveries *x, const char *path)
{
        for (size_t i = 0; i < x->n; i++)
                if (strcmp(x->item[i]->path, path) == 0)
                        return true;
        return false;
}

/* @return 1 it is new; 0 it was known; -ENOSPC, -ENOMEM */
static int take(struct discoveries *x, const char *path)
{
        char name[CONFIG_NAME_LEN];

        if (is_known(x, path))
                return 0;
        if (x->n == DISCOVERY_MAX)
                return -ENOSPC;
        struct config_database *item = calloc(1, sizeof(*item));
        if (!item || config_found_name(path, name) < 0 || !(item->name = strdup(name)) ||
            !(item->path = strdup(path))) {
                item_free(item);
                return -ENOMEM;
        }
        config_found_policy(item);
        x->item[x->n++] = item;
        return 1;
}

/* ---- what stays over a restart ---- */

static char *file_of(const struct daemon *d)
{
        char *path = NULL;

        return asprintf(&path, "%s/" FILE_NAME, d->state.path) < 0 ? NULL : path;
}

static int write_file(const struct daemon *d)
{
        _cleanup_free_ char *path = file_of(d), *text = NULL;
        size_t n = 0;
        FILE *out = path ? open_memstream(&text, &n) : NULL;

        if (!out)
                return -ENOMEM;
        fputs("# Written by vigil run --discover; whatever is changed here is lost. To change what is done for one "
              "of\n"
              "# these, copy its section to the configuration.\n",
              out);
        for (size_t i = 0; i < d->discoveries->n; i++)
                config_write_database(out, d->discoveries->item[i]);
        if (fclose(out) != 0)
                return -ENOMEM;
        return io_write_file_atomic(path, text, n, 0600);
}

static int write_work(int answer_fd, void *arg)
{
        return scribe_tell(answer_fd, write_file(arg));
}

static void save(struct daemon *d);

static void on_written(void *userdata, int r, const json_t *answer)
{
        struct daemon *d = userdata;

        (void)answer;
        if (r < 0 && r != d->discoveries->save_error)
                log_error("%s/" FILE_NAME
                          ": cannot be written: %s; after a restart these databases are guarded from "
                          "when somebody has them open",
                          d->state.path, r == -ECHILD ? "the process that writes it died" : strerror(-r));
        d->discoveries->save_error = r;
        if (r == 0 && d->discoveries->unsaved && !d->ending)
                save(d);
}

static void save(struct daemon *d)
{
        int r = scribe_start(d->scribe, SCRIBE_DISCOVERED, write_work, d, on_written, d);

        d->discoveries->unsaved = r == -EALREADY; /* after the one at work */
        if (r < 0 && r != -EALREADY)
                on_written(d, r, NULL);
}

static void load(struct daemon *d)
{
        static struct config_errors errors; /* 16 KiB; there is one thread */
        _cleanup_free_ char *path = file_of(d);
        struct config *c = NULL;

        memset(&errors, 0, sizeof(errors));
        int r = path ? config_load(path, &c, &errors) : -ENOMEM;
        if (r < 0) {
                if (r != -ENOENT)
                        log_error("%s/" FILE_NAME ": %s; what the last run had found is looked for anew",
                                  d->state.path, r == -EINVAL ? errors.item[0].text : strerror(-r));
                return;
        }
        for (size_t i = 0; i < c->ndatabases; i++)
                if (c->database[i].path)
                        (void)take(d->discoveries, c->database[i].path);
        config_free(c);
}

/* Those whose file is not there any more. @return how many went */
static size_t let_go_of_missing(struct daemon *d)
{
        struct discoveries *x = d->discoveries;
        struct config_database *gone[DISCOVERY_MAX];
        size_t kept = 0, n = 0;

        for (size_t i = 0; i < x->n; i++) {
                bool missing = access(x->item[i]->path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
                if (missing)
                        gone[n++] = x->item[i];
                else
                        x->item[kept++] = x->item[i];
        }
        x->n = kept;
        /* Guards point to them until they are swept. */
        if (n && guards_apply(d) < 0) {
                for (size_t i = 0; i < n; i++)
                        x->item[x->n++] = gone[i];
                return 0;
        }
        for (size_t i = 0; i < n; i++)
                item_free(gone[i]);
        return n;
}

/* ---- looking ---- */

static void tell_full(struct discoveries *x, size_t left_out)
{
        if (left_out > x->left_out)
                log_warn("discover: %zu databases that are open are not guarded: --discover takes %d at most; name "
                         "them in the configuration",
                         left_out, DISCOVERY_MAX);
        x->left_out = left_out;
}

/* Adds what is new among them. @return how many; @p ret_left_out: for how many there was no room */
static size_t take_all(struct daemon *d, const json_t *databases, size_t *ret_left_out)
{
        struct config_target *configured = NULL;
        size_t n = 0, added = 0, i;
        json_t *one;

        *ret_left_out = 0;
        if (config_targets(d->config, &configured, &n) < 0)
                return 0; /* told of where it is applied */
        json_array_foreach (databases, i, one) {
                _cleanup_free_ char *path = json_is_null(json_object_get(one, "left_out"))
                                                    ? discover_path(one, "path")
                                                    : NULL;
                if (!path || is_among(configured, n, "", path))
                        continue;
                int r = take(d->discoveries, path);
                if (r > 0)
                        log_note("discover: %s is open and guarded from now on", path);
                added += r > 0;
                *ret_left_out += r == -ENOSPC || (r >= 0 && n + d->discoveries->n > CONFIG_MAX_DATABASES);
        }
        config_targets_free(configured, n);
        return added;
}

static void take_document(struct daemon *d, const json_t *document, bool may_let_go)
{
        const json_t *databases = json_object_get(document, "databases");
        size_t left_out, added = take_all(d, databases, &left_out), gone = 0;

        if (may_let_go && (left_out || !d->discoveries->swept)) {
                gone = let_go_of_missing(d);
                d->discoveries->swept = true;
        }
        if (gone && left_out)
                added += take_all(d, databases, &left_out);
        tell_full(d->discoveries, left_out + (size_t)json_integer_value(json_object_get(document, "cut")));
        if (added || gone || d->discoveries->save_error < 0)
                save(d);
        if (added && may_let_go && guards_apply(d) < 0)
                log_error("discover: what was found cannot be guarded: out of memory");
}

static void tell_failed(struct discoveries *x, const char *why)
{
        if (!x->told_failed)
                log_warn("discover: the open files of this host cannot be looked at: %s; tried again each minute",
                         why);
        x->told_failed = true;
}

void discovery_begin(struct daemon *d)
{
        const struct child_options how = {
                .name = "vigil-discover", .deadline_ms = DISCOVER_DEADLINE_MS, .answer_limit = DISCOVER_ANSWER};
        struct child_result result = {0};
        bool all = d->options->discover_all;

        if (!d->options->discover)
                return;
        load(d);
        int r = child_run(&how, NULL, discover_work, &all, &result);
        if (r == 0)
                r = (int)json_integer_value(json_object_get(result.answer, "error"));
        if (r < 0)
                tell_failed(d->discoveries, r == -ETIME ? "a file system does not answer" : strerror(-r));
        else
                take_document(d, json_object_get(result.answer, "document"), false);
        child_result_done(&result);
}

void discovery_look(struct daemon *d)
{
        const struct action_request r = {.kind = ACTION_DISCOVER,
                                         .database = "all databases",
                                         .path = "/proc",
                                         .discover_all = d->options->discover_all};

        if (!d->options->discover)
                return;
        d->discoveries->again = d->discoveries->looking;
        if (!d->discoveries->looking)
                d->discoveries->looking = actions_start(d->actions, &r, NULL) == 0;
}

static void take_answer(struct daemon *d, const json_t *answer, const char *failure)
{
        int r = answer ? (int)json_integer_value(json_object_get(answer, "error")) : 0;
        if (failure || r < 0) {
                tell_failed(d->discoveries, failure ? failure : strerror(-r));
                return;
        }
        d->discoveries->told_failed = false;
        take_document(d, json_object_get(answer, "document"), true);
}

void discovery_done(struct daemon *d, const json_t *answer, const char *failure)
{
        d->discoveries->looking = false;
        if (d->ending)
                return;
        take_answer(d, answer, failure);
        if (d->discoveries->again)
                discovery_look(d);
}
