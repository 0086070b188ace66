/* keeper.c - see keeper.h. */
#include "daemon/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/keeper_private.h"
#include "daemon/scribe.h"
#include "engine/check.h"

#define NS_PER_MS 1000000ull

/* A step of retention changes pages all over the file: its sync may take as long on a disk that is slow, and is told of later. */
#define RETAIN_SILENT_NS 30000000000ull

/* Somebody's sqlite3 shell has the store locked: tried again soon, and told of only when it stays so. */
#define BUSY_RETRY_MS 50
#define BUSY_TOLD_MS  2000
/* A full or broken disk is tried again now and then. */
#define BROKEN_RETRY_MS 1000

/* ---- trouble ---- */

static void tell_trouble(struct keeper *k, int r)
{
        const char *why = told_trouble(r);

        if (strcmp(why, k->trouble) == 0)
                return;
        snprintf(k->trouble, sizeof(k->trouble), "%s", why);
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
                 (unsigned long long)k->rows.given_up, k->rows.given_up == 1 ? " was" : "s were");
        k->hooks.trouble(k->hooks.userdata, NULL);
}

static void later(struct keeper *k, int r)
{
        uint64_t now = clock_boottime_ns();

        if (r != -EBUSY && r != -ECHILD) {
                k->retry_ns = now + BROKEN_RETRY_MS * NS_PER_MS;
                tell_trouble(k, r);
                return;
        }
        if (!k->busy_since_ns)
                k->busy_since_ns = now;
        bool stays = now - k->busy_since_ns > BUSY_TOLD_MS * NS_PER_MS;
        /* What kills one child after the other costs a fork each time. */
        k->retry_ns = now + (stays && r == -ECHILD ? BROKEN_RETRY_MS : BUSY_RETRY_MS) * NS_PER_MS;
        if (stays)
                tell_trouble(k, r);
}

/* ---- opening ---- */

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

/* A flag that children set, and the monitor reads. NULL: out of memory. */
static atomic_bool *share(void)
{
        void *at = mmap(NULL, sizeof(atomic_bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        return at == MAP_FAILED ? NULL : at;
}

int keeper_open(const char *dir, const struct keeper_hooks *hooks, struct scribe *scribe, struct keeper **ret)
{
        struct keeper *k = calloc(1, sizeof(*k));
        _cleanup_free_ char *path = NULL, *aside = NULL;
        enum store_opened how = STORE_AS_IT_WAS;

        if (!k || !(k->dir = strdup(dir)) || !(k->batch.retaining = share()) ||
            asprintf(&path, "%s/vigil.db", dir) < 0) {
                path = NULL;
                keeper_close(k);
                return log_error_r(-ENOMEM, "store: out of memory");
        }
        k->hooks = *hooks;
        k->scribe = scribe;
        k->set_aside = set_aside_count(dir);
        int r = store_open(dir, found_damage(path), &k->store, &how, &aside);
        tell_opened(k->dir, r, how, aside);
        if (r < 0) {
                keeper_close(k);
                return r;
        }
        *ret = k;
        return 0;
}

int keeper_begin(struct keeper *k, const struct keeper_run *run)
{
        k->ino = batch_ino(k->dir);
        k->run = *run;
        k->batch.token = run->started_ns;
        return keeper_open_to_read(k);
}

bool keeper_close(struct keeper *k)
{
        if (!k)
                return true;
        k->retry_ns = 0;
        bool stored = !k->run.id || keeper_flush(k, scribe_patience(k->scribe));
        if (!stored)
                log_error("store: %zu bytes of what was seen last could not be written: %s", k->rows.bytes,
                          k->trouble[0] ? k->trouble : "it takes too long");
        row_queue_done(&k->rows);
        store_close(k->store);
        if (k->batch.retaining)
                munmap(k->batch.retaining, sizeof(*k->batch.retaining));
        free(k->dir);
        free(k);
        return stored;
}

int64_t keeper_run_id(const struct keeper *k)
{
        return k->run.id;
}

uint64_t keeper_silent_ns(const struct keeper *k)
{
        uint64_t since = k->writing ? scribe_since(k->scribe, SCRIBE_STORE) : 0;
        uint64_t most = atomic_load(k->batch.retaining) ? RETAIN_SILENT_NS : SCRIBE_SILENT_NS;

        return since > most ? since : 0;
}

/* ---- the queue ---- */

/* What a child writes is as good as stored, and rows that are suspected are known by where they stand. */
struct row *keeper_add(struct keeper *k, struct row *r)
{
        size_t held = k->batch.held > k->poison.suspects ? k->batch.held : k->poison.suspects;

        return row_queue_add(&k->rows, r, KEEPER_BYTES, held);
}

void keeper_together(struct keeper *k)
{
        if (k->rows.last)
                k->rows.last->with_next = true;
}

void keeper_forget(struct keeper *k, const json_t *ticket)
{
        row_queue_forget(&k->rows, ticket);
}

size_t keeper_waiting(const struct keeper *k)
{
        return k->rows.bytes;
}

uint64_t keeper_given_up(const struct keeper *k)
{
        return k->rows.given_up;
}

const char *keeper_trouble(const struct keeper *k)
{
        return k->trouble[0] ? k->trouble : NULL;
}

/* ---- writing ---- */

/* The first @n rows are safe: out of the queue, and whoever waited for them may go on. What he queues makes no room among them. */
static void settle(struct keeper *k, size_t n)
{
        bool events = false;

        for (k->batch.held = n; k->batch.held > 0;) {
                struct row *r = row_queue_take(&k->rows);
                if (!r)
                        break;
                k->batch.held--;
                events = events || r->kind == ROW_EVENT;
                if (r->stored)
                        r->stored(r->userdata);
                row_free(r);
        }
        if (events)
                k->hooks.events(k->hooks.userdata);
}

static int64_t number(const json_t *answer, const char *key)
{
        return json_integer_value(json_object_get(answer, key));
}

static void tell_replaced(const struct keeper *k)
{
        log_error("store: %s/vigil.db was deleted or replaced while in use; what stands there now is used", k->dir);
}

/* What stands there now is opened with the next transaction, be there rows for it or not. */
static void begin_anew(struct keeper *k)
{
        tell_replaced(k);
        k->ino = 0;
        k->due = true;
}

static void note_retention(struct keeper *k, const json_t *answer)
{
        const char *how = json_string_value(json_object_get(answer, "retain"));
        bool late = how && strcmp(how, "late") == 0;

        if (how && pace_took(&k->pace, (unsigned)number(answer, "retain_ms"), late))
                tell_stuck(k->dir);
        k->more = how && (strcmp(how, "more") == 0 || (late && !k->pace.stuck));
}

static void on_written(void *userdata, int error, const json_t *answer)
{
        struct keeper *k = userdata;
        bool renewed = json_is_true(json_object_get(answer, "renewed"));

        k->writing = false;
        k->batch.again = error < 0;
        if (answer)
                tell_opened(k->dir, 0, (enum store_opened)number(answer, "how"),
                            json_string_value(json_object_get(answer, "aside")));
        if (error == -ECHILD)
                poison_died(&k->poison);
        if (error < 0) {
                later(k, error);
                return;
        }
        /* Not seen by keeper_look() before. */
        if (renewed && k->ino && number(answer, "how") != STORE_SET_ASIDE)
                tell_replaced(k);
        k->ino = (uint64_t)number(answer, "ino");
        if (json_is_true(json_object_get(answer, "gone"))) {
                begin_anew(k);
                return;
        }
        poison_lived(&k->poison, (size_t)number(answer, "n"));
        k->run.id = number(answer, "run");
        note_retention(k, answer);
        k->due = false;
        tell_refused(json_object_get(answer, "refused"));
        if (renewed)
                (void)keeper_open_to_read(k);
        tell_well(k);
        settle(k, (size_t)number(answer, "n"));
        if (renewed)
                k->hooks.renewed(k->hooks.userdata);
}

/* ---- a row that kills whoever writes it ---- */

static void on_set_aside(void *userdata, int error, const json_t *answer)
{
        struct keeper *k = userdata;
        bool hopeless = error == -ECHILD && ++k->aside_deaths >= POISON_DEATHS;

        (void)answer;
        k->writing = false;
        if (error < 0 && error != -EFBIG && !hopeless) {
                later(k, error);
                return;
        }
        tell_set_aside(k->dir, k->rows.first, scribe_died_of(k->scribe, SCRIBE_STORE), error);
        if (error < 0)
                k->rows.given_up++;
        else
                k->set_aside++;
        k->aside_deaths = 0;
        k->poison = (struct poison){0};
        tell_well(k);
        settle(k, 1);
}

static int begin_set_aside(struct keeper *k)
{
        struct set_aside a = {.dir = k->dir,
                              .row = k->rows.first,
                              .died_of = scribe_died_of(k->scribe, SCRIBE_STORE),
                              .at_ns = (int64_t)clock_boottime_ns() + clock_realtime_offset_ns()};
        int r = scribe_start(k->scribe, SCRIBE_STORE, set_aside_work, &a, on_set_aside, k);

        k->writing = r == 0;
        return r;
}

size_t keeper_set_aside(const struct keeper *k)
{
        return k->set_aside && set_aside_stands(k->dir) ? k->set_aside : 0;
}

/* ---- turns ---- */

/* The first rows go to a child. */
static int begin(struct keeper *k)
{
        struct batch *b = &k->batch;

        b->dir = k->dir;
        b->first = k->rows.first;
        b->run = k->run;
        b->ino = k->ino;
        b->retention = k->retain ? &k->retention : NULL;
        b->retain_rows = pace_next(&k->pace, &b->retain_ms);
        if (!b->again)
                batch_choose_token(b);
        b->n = poison_try(&k->poison, row_queue_count(&k->rows, ROWS_AT_ONCE));
        if (b->held < b->n)
                b->held = b->n;
        atomic_store(b->retaining, false);
        int r = scribe_start(k->scribe, SCRIBE_STORE, batch_work, b, on_written, k);
        k->writing = r == 0;
        k->retain = false;
        b->again = b->again || r < 0;
        return r;
}

int keeper_turn(struct keeper *k)
{
        uint64_t now = clock_boottime_ns();

        if (k->writing) {
                if (keeper_silent_ns(k))
                        tell_trouble(k, -ETIME);
                return -1; /* it is looked at each second */
        }
        if (!k->rows.first && !k->due)
                return -1;
        if (now < k->retry_ns)
                return (int)((k->retry_ns - now) / NS_PER_MS) + 1;
        int r = poison_found(&k->poison) && k->rows.first ? begin_set_aside(k) : begin(k);
        if (r < 0)
                later(k, r);
        return r < 0 ? BROKEN_RETRY_MS : -1;
}

bool keeper_flush(struct keeper *k, unsigned ms)
{
        uint64_t end = clock_boottime_ns() + ms * NS_PER_MS;

        while (k->rows.first) {
                int wait = keeper_turn(k);
                uint64_t now = clock_boottime_ns();
                if (now >= end)
                        return false;
                unsigned left = (unsigned)((end - now) / NS_PER_MS) + 1;
                if (wait >= 0 && (unsigned)wait < left)
                        left = (unsigned)wait;
                if (k->writing)
                        scribe_wait(k->scribe, SCRIBE_STORE, left);
                else
                        usleep(left * 1000);
        }
        return true;
}

void keeper_look(struct keeper *k)
{
        if (!k->writing && k->ino && batch_ino(k->dir) != k->ino)
                begin_anew(k);
}

void keeper_tend(struct keeper *k, const struct keeper_retention *retention)
{
        if (k->trouble[0])
                return;
        k->retention = *retention;
        k->retain = true;
        k->due = true;
}

bool keeper_tends(const struct keeper *k)
{
        return k->more;
}
