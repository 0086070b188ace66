/* keeper.c - see keeper.h. */
#include "daemon/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/keeper_private.h"
#include "engine/check.h"

#define NS_PER_MS 1000000ull

/* One transaction takes at most so many rows, so that a long queue never holds the loop for long. */
#define ROWS_AT_ONCE 256

/* Somebody's sqlite3 shell has the store locked: tried again soon, and told of only when it stays so. */
#define BUSY_RETRY_MS 50
#define BUSY_TOLD_MS  2000
/* A full or broken disk is tried again now and then. */
#define BROKEN_RETRY_MS 1000

struct keeper {
        char *dir;
        struct keeper_hooks hooks;
        uint64_t ino;        /* of the file that is open */
        struct store *store; /* NULL: damaged, and no new one could be made yet */
        struct row *first, *last;
        size_t bytes;
        uint64_t given_up;
        uint64_t retry_ns; /* not before; 0: at once */
        uint64_t busy_since_ns;
        char trouble[160]; /* empty: none */
};

/* ---- trouble ---- */

static void tell_trouble(struct keeper *k, int r)
{
        char why[sizeof(k->trouble)];

        snprintf(why, sizeof(why), "%s",
                 r == -EBUSY    ? "another process keeps vigil.db locked"
                 : r == -ENOSPC ? "no space is left for vigil.db"
                 : r == -EROFS  ? "its file system is read-only"
                                : strerror(-r));
        if (strcmp(why, k->trouble) == 0)
                return;
        memcpy(k->trouble, why, sizeof(why));
        log_error("store: cannot write to %s/vigil.db: %s; what comes now waits in memory (at most %u MiB)", k->dir,
                  why, KEEPER_BYTES >> 20);
        k->hooks.trouble(k->hooks.userdata, why);
}

static void tell_well(struct keeper *k)
{
        k->busy_since_ns = k->retry_ns = 0;
        if (!k->trouble[0])
                return;
        k->trouble[0] = 0;
        log_note("store: %s/vigil.db can be written again; %llu row%s given up for want of room", k->dir,
                 (unsigned long long)k->given_up, k->given_up == 1 ? " was" : "s were");
        k->hooks.trouble(k->hooks.userdata, NULL);
}

static void later(struct keeper *k, int r)
{
        uint64_t now = clock_boottime_ns();

        if (r != -EBUSY) {
                k->retry_ns = now + BROKEN_RETRY_MS * NS_PER_MS;
                tell_trouble(k, r);
                return;
        }
        k->retry_ns = now + BUSY_RETRY_MS * NS_PER_MS;
        if (!k->busy_since_ns)
                k->busy_since_ns = now;
        if (now - k->busy_since_ns > BUSY_TOLD_MS * NS_PER_MS)
                tell_trouble(k, r);
}

/* ---- opening ---- */

/* 0: there is none. */
static uint64_t ino_of(const struct keeper *k)
{
        _cleanup_free_ char *path = NULL;
        struct stat st;

        return asprintf(&path, "%s/vigil.db", k->dir) >= 0 && stat(path, &st) == 0 ? st.st_ino : 0;
}

static int open_store(struct keeper *k, bool corrupt)
{
        _cleanup_free_ char *aside = NULL;
        enum store_opened how;
        int r = store_open(k->dir, corrupt, &k->store, &how, &aside);

        k->ino = ino_of(k);
        if (r == -EPROTONOSUPPORT)
                log_error("store: %s/vigil.db was made by a newer Vigil, and is left alone; install that version, "
                          "or name "
                          "another directory with --state-dir",
                          k->dir);
        else if (r == -EBUSY)
                log_error("store: another process keeps %s/vigil.db locked; end it (fuser %s/vigil.db)", k->dir,
                          k->dir);
        else if (r < 0)
                log_error("store: cannot open %s/vigil.db: %s", k->dir, strerror(-r));
        else if (how == STORE_SET_ASIDE)
                log_error("store: vigil.db was damaged: it was set aside as %s, and a new one begun; incidents of "
                          "before "
                          "are in that file only",
                          aside ? aside : "vigil.db.corrupt-…");
        else if (how == STORE_MIGRATED)
                log_note("store: %s/vigil.db was brought to version %d", k->dir, STORE_VERSION);
        return r;
}

/* SQLite looks at a damaged page only when it comes there. A worker looks at all of them, on a copy. */
static bool found_damage(const char *path)
{
        const struct check_options o = {.method = CHECK_QUICK, .deadline_ms = 30000, .others_may_write = true};
        struct check_result result;

        if (access(path, F_OK) < 0 || check_database(path, &o, &result) < 0)
                return false;
        bool corrupt = result.outcome == CHECK_CORRUPT;
        check_result_done(&result);
        return corrupt;
}

int keeper_open(const char *dir, const struct keeper_hooks *hooks, struct keeper **ret)
{
        struct keeper *k = calloc(1, sizeof(*k));
        _cleanup_free_ char *path = NULL;

        if (!k || !(k->dir = strdup(dir)) || asprintf(&path, "%s/vigil.db", dir) < 0) {
                keeper_close(k);
                return log_error_r(-ENOMEM, "store: out of memory");
        }
        k->hooks = *hooks;
        int r = open_store(k, found_damage(path));
        if (r < 0)
                keeper_close(k);
        else
                *ret = k;
        return r;
}

void keeper_close(struct keeper *k)
{
        if (!k)
                return;
        size_t before;
        do { /* as long as it helps */
                before = k->bytes;
                k->retry_ns = 0;
                if (k->store)
                        keeper_turn(k);
        } while (k->first && k->bytes < before);
        if (k->first)
                log_error("store: %zu bytes of what was seen last could not be written", k->bytes);
        while (k->first) {
                struct row *r = k->first;
                k->first = r->next;
                row_free(r);
        }
        store_close(k->store);
        free(k->dir);
        free(k);
}

struct store *keeper_store(struct keeper *k)
{
        return k->store;
}

/* ---- the queue ---- */

static void take_out(struct keeper *k, struct row **at)
{
        struct row *r = *at;

        *at = r->next;
        k->bytes -= r->bytes;
        k->given_up++;
        row_free(r);
}

/* What can be spared goes, oldest first, until @bytes more have room. */
static void make_room(struct keeper *k, size_t bytes)
{
        struct row **at = &k->first;

        while (*at && k->bytes + bytes > KEEPER_BYTES) {
                if ((*at)->spare)
                        take_out(k, at);
                else
                        at = &(*at)->next;
        }
        k->last = NULL;
        for (struct row *r = k->first; r; r = r->next)
                k->last = r;
}

struct row *keeper_add(struct keeper *k, struct row *r)
{
        if (r && k->bytes + r->bytes > KEEPER_BYTES)
                make_room(k, r->bytes);
        if (!r || (r->spare && k->bytes + r->bytes > KEEPER_BYTES)) {
                row_free(r);
                k->given_up++;
                return NULL;
        }
        *(k->last ? &k->last->next : &k->first) = r;
        k->last = r;
        k->bytes += r->bytes;
        return r;
}

void keeper_forget(struct keeper *k, const json_t *ticket)
{
        for (struct row *r = k->first; r; r = r->next)
                if (r->o == ticket)
                        r->stored = NULL;
}

size_t keeper_waiting(const struct keeper *k)
{
        return k->bytes;
}

uint64_t keeper_given_up(const struct keeper *k)
{
        return k->given_up;
}

const char *keeper_trouble(const struct keeper *k)
{
        return k->trouble[0] ? k->trouble : NULL;
}

/* ---- writing ---- */

/* What says that nothing can be written now; anything else is about the one row. */
static bool is_of_the_store(int r)
{
        static const int of_the_store[] = {-EBUSY, -ENOSPC, -EROFS, -EIO, -EUCLEAN, -EPROTO, -EACCES, -ENOMEM};

        for (size_t i = 0; i < sizeof(of_the_store) / sizeof(of_the_store[0]); i++)
                if (r == of_the_store[i])
                        return true;
        return false;
}

/* The first rows in one transaction. @ret_n how many are safe now. */
static int write_some(struct keeper *k, size_t *ret_n)
{
        int r = store_begin(k->store);
        size_t n = 0;

        if (r < 0)
                return r;
        for (struct row *row = k->first; row && n < ROWS_AT_ONCE; row = row->next, n++) {
                r = row_write(k->store, row);
                if (r < 0 && is_of_the_store(r)) {
                        store_rollback(k->store);
                        return r;
                }
                if (r < 0)
                        log_error("store: a row of kind %d is refused: %s; it is left out", (int)row->kind,
                                  strerror(-r));
        }
        r = store_commit(k->store);
        if (r == 0)
                *ret_n = n;
        return r;
}

/* They are safe: out of the queue, and whoever waited for them may go on. */
static void settle(struct keeper *k, size_t n)
{
        bool events = false;

        while (n-- > 0 && k->first) {
                struct row *r = k->first;
                k->first = r->next;
                if (!k->first)
                        k->last = NULL;
                k->bytes -= r->bytes;
                events = events || r->kind == ROW_EVENT;
                if (r->stored)
                        r->stored(r->userdata);
                row_free(r);
        }
        if (events)
                k->hooks.events(k->hooks.userdata);
}

/* @corrupt: the file is damaged, and is set aside. */
static int renew(struct keeper *k, bool corrupt)
{
        store_close(k->store);
        k->store = NULL;
        int r = open_store(k, corrupt);
        if (r == 0)
                k->hooks.renewed(k->hooks.userdata);
        return r;
}

int keeper_turn(struct keeper *k)
{
        uint64_t now = clock_boottime_ns();
        size_t n = 0;
        int r = 0;

        if (!k->first)
                return -1;
        if (now < k->retry_ns)
                return (int)((k->retry_ns - now) / NS_PER_MS) + 1;
        if (!k->store)
                r = renew(k, false);
        if (r == 0)
                r = write_some(k, &n);
        if (r == -EUCLEAN) {
                r = renew(k, true);
                if (r == 0)
                        r = write_some(k, &n);
        }
        if (r < 0) {
                later(k, r);
                return r == -EBUSY ? BUSY_RETRY_MS : BROKEN_RETRY_MS;
        }
        tell_well(k);
        settle(k, n);
        return k->first ? 0 : -1;
}

void keeper_look(struct keeper *k)
{
        if (!k->store || ino_of(k) == k->ino)
                return;
        log_error("store: %s/vigil.db was deleted or replaced while in use; what stands there now is used", k->dir);
        renew(k, false);
}
