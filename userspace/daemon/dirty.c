/* dirty.c - see dirty.h. */
#include "daemon/dirty.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/gap.h"
#include "daemon/guard.h"
#include "daemon/response.h"
#include "daemon/scribe.h"
#include "daemon/state.h"
#include "daemon/unproven.h"
#include "daemon/wal.h"
#include "detect/detect.h"

#define NS_PER_S 1000000000ull

/* Written at once when a database becomes dirty or clean; for other numbers and as a sign of life less often, because each
 * time costs a process and two fsyncs. */
#define NUMBERS_NS (5 * NS_PER_S)
#define ALIVE_NS   (60 * NS_PER_S)

/* ---- at the start ---- */

static json_t *evidence_of(const struct state_file *s, const struct state_database *b)
{
        char seen[TEXT_TIME_LEN];

        text_time(seen, s->seen_ns);
        return json_pack("{s:s, s:s, s:b, s:I, s:I, s:I}", "last_seen", seen, "boot_id", s->boot_id,
                         "in_transaction", b->in_transaction, "users", (json_int_t)b->users, "bytes_at_risk",
                         (json_int_t)b->bytes_at_risk, "commits_at_risk", (json_int_t)b->commits_at_risk);
}

static void judge_crash(struct daemon *d, const struct state_file *s)
{
        for (size_t i = 0; i < s->n; i++) {
                const struct state_database *b = &s->database[i];
                struct guard *g = guards_by_name(d->guards, b->name);
                char bytes[TEXT_BYTES_LEN], detail[256];

                if (!b->dirty || !g)
                        continue;
                text_bytes(bytes, b->bytes_at_risk);
                snprintf(detail, sizeof(detail),
                         "the host went down while it was in use%s; %s were not yet durable when it was last seen",
                         b->in_transaction ? ", inside a write transaction" : "", bytes);
                struct incident *i1 = case_raise(d, "host-crash", g, detail, evidence_of(s, b));
                if (i1)
                        response_to(d, g, i1, "host-crash", SEVERITY_P1, NULL);
        }
}

/* The kernel side has watched all the time: there is no gap, and nothing to look for. */
static bool was_watched(const struct daemon *d)
{
        return d->taken && !d->taken_gap;
}

/* @param from_ns  since the epoch: when somebody was last known to watch; 0: not known
 * @param in_use   databases of which it is known; -1: not known */
static void tell_gap(struct daemon *d, int64_t from_ns, long in_use, const char *why)
{
        char seen[TEXT_TIME_LEN] = "", now[TEXT_TIME_LEN], detail[256];

        if (was_watched(d))
                return;
        if (from_ns)
                text_time(seen, from_ns);
        text_time(now, daemon_now());
        snprintf(detail, sizeof(detail), "nobody watched %s%s until %s: %s", from_ns ? "from " : "",
                 from_ns ? seen : "before and", now, why);
        case_raise(d, "observer-gap", NULL, detail,
                   json_pack("{s:s?, s:s, s:s, s:o}", "from", from_ns ? seen : NULL, "until", now, "reason", why,
                             "databases_in_use", in_use < 0 ? json_null() : json_integer(in_use)));
}

static long count_in_use(const struct state_file *s)
{
        long used = 0;

        for (size_t i = 0; i < s->n; i++)
                used += s->database[i].dirty;
        return used;
}

static const struct state_database *then_of(const struct state_file *s, const char *name)
{
        for (size_t i = 0; s && i < s->n; i++)
                if (strcmp(s->database[i].name, name) == 0)
                        return &s->database[i];
        return NULL;
}

/* What was in use when nobody watched any more is looked at; where that is not known, everything. */
static void examine(struct daemon *d, const struct state_file *s, bool all)
{
        if (was_watched(d))
                return;
        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                const struct state_database *then = then_of(s, g->name);
                if (all || (then && then->dirty))
                        gap_examine(d, g, then);
        }
}

/* What an account that began anew does not know: what was at risk then, and what was written while nobody watched.
 * @param s  NULL: not known what was */
static void remember_unproven(struct daemon *d, const struct state_file *s)
{
        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                const struct state_database *then = then_of(s, g->name);
                bool at_risk = then && (then->bytes_at_risk || then->commits_at_risk);

                g->unproven = then ? then->unproven : 0;
                if (!was_watched(d))
                        g->unproven |= at_risk ? UNPROVEN_ALL
                                               : unproven_changed(guard_path(d, g), s ? s->seen_ns : 0);
        }
}

/* The last run ended before it had written the file: the store alone knows of it. */
static bool unwritten(const struct daemon *d, const struct state_file *s)
{
        const struct store_run *last = &d->last_run;

        if (!last->started_ns || last->ended_ns)
                return false;
        return !s || (s->run ? s->run != last->id : s->seen_ns < last->started_ns);
}

static void judge_unwritten(struct daemon *d, const struct state_file *s)
{
        const struct store_run *last = &d->last_run;

        if (strcmp(last->boot_id, d->head.boot_id) == 0) {
                tell_gap(d, last->last_seen_ns, -1,
                         "Vigil ended without an orderly end, before it had written down what was in use");
                remember_unproven(d, NULL);
                examine(d, s, true);
                return;
        }
        /* What was in use is not known; of what the run before it knew, the host may have taken something all the same. */
        if (s && !s->orderly)
                judge_crash(d, s);
        tell_gap(d, last->last_seen_ns, -1, "the host went down before Vigil had written down what was in use");
        examine(d, NULL, true);
}

void dirty_judge_last_run(struct daemon *d)
{
        struct state_file s = {0};
        int r = state_read(d->state.path, &s);

        if (r == -ENOENT) {
                if (unwritten(d, NULL))
                        judge_unwritten(d, NULL);
                return; /* else the first start */
        }
        if (r < 0) {
                log_error("%s/state.json: %s; what was in use when the last run ended is not known", d->state.path,
                          r == -EBADMSG ? "it is damaged" : strerror(-r));
                tell_gap(d, 0, -1, "state.json of the last run cannot be read");
                remember_unproven(d, NULL);
                examine(d, NULL, true);
                return;
        }
        if (unwritten(d, &s)) {
                judge_unwritten(d, &s);
        } else if (strcmp(s.boot_id, d->head.boot_id) == 0) {
                tell_gap(d, s.seen_ns, count_in_use(&s),
                         d->taken_gap ? "Vigil was killed while deaths came faster than they could be stored"
                         : s.orderly  ? "Vigil was stopped"
                                      : "Vigil ended without an orderly end");
                remember_unproven(d, &s);
                examine(d, &s, false);
        } else if (!s.orderly) {
                judge_crash(d, &s);
        }
        state_done(&s);
}

/* ---- while it runs ---- */

/* Bytes that a power cut would take: the -shm and files without a name are nothing to lose. */
uint64_t dirty_bytes_at_risk(const struct vigil_db *a)
{
        static const int roles[] = {VIGIL_ROLE_MAIN, VIGIL_ROLE_WAL, VIGIL_ROLE_JOURNAL};
        uint64_t sum = 0;

        for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
                const struct vigil_ledger *l = &a->file[roles[i]];
                sum += l->flags & VIGIL_LEDGER_UNLINKED ? 0 : ledger_owes(l);
        }
        return sum;
}

/* The account may have moved on while it was copied. */
static uint64_t rest(uint64_t all, uint64_t durable)
{
        return all > durable ? all - durable : 0;
}

uint64_t dirty_commits_at_risk(const struct vigil_db *a)
{
        return rest(a->wal_commits, a->wal_commits_durable) + rest(a->rb_commits_followed, a->rb_commits_durable);
}

bool dirty_in_transaction(const struct vigil_db *a)
{
        return a->txn == VIGIL_TXN_ROLLBACK || a->txn == VIGIL_TXN_WAL;
}

static void look_at(struct daemon *d, struct guard *g)
{
        struct vigil_db a;

        if (g->state != GUARD_WATCHED || sensor_account(d->sensor, g->id, &a) < 0)
                return;
        g->users = a.users;
        g->in_transaction = dirty_in_transaction(&a);
        g->bytes_at_risk = dirty_bytes_at_risk(&a);
        g->commits_at_risk = dirty_commits_at_risk(&a);
        g->unproven = unproven_left(g->unproven, guard_path(d, g), &a);
        wal_look(d, g, &a);
        g->leftover = !a.txn && (a.journal_hot || a.wal_frames_open);
        g->writer_tgid = g->in_transaction ? a.txn_tgid : 0;
        g->writer_start_ns = g->in_transaction ? a.txn_start_ns : 0;
        if (a.users || a.txn || g->bytes_at_risk) {
                g->clean_turns = 0;
        } else if (++g->clean_turns >= 2) { /* it may have been between two writes */
                g->dirty = false;
                g->clean_turns = 0;
        }
}

struct writing {
        const char *dir;
        const struct state_file *s;
};

static int write_work(int answer_fd, void *arg)
{
        const struct writing *w = arg;

        return scribe_tell(answer_fd, state_write(w->dir, w->s));
}

static void on_written(void *userdata, int error, const json_t *answer)
{
        struct daemon *d = userdata;

        (void)answer;
        if (error < 0 && error != d->state_error)
                log_error("%s/state.json: cannot be written: %s; after a crash of the host nobody will know what "
                          "was in "
                          "use",
                          d->state.path, error == -ECHILD ? "the process that writes it died" : strerror(-error));
        d->state_error = error;
        d->state_again = error < 0;
}

static struct state_database numbers_of(const struct guard *g)
{
        return (struct state_database){.dirty = g->dirty,
                                       .in_transaction = g->in_transaction,
                                       .users = g->users,
                                       .bytes_at_risk = g->bytes_at_risk,
                                       .commits_at_risk = g->commits_at_risk,
                                       .unproven = g->unproven,
                                       .leftover = g->leftover,
                                       .writer_pid = g->writer_tgid,
                                       .writer_start_ns = g->writer_start_ns};
}

static bool same_numbers(const struct state_database *a, const struct state_database *b)
{
        return a->dirty == b->dirty && a->in_transaction == b->in_transaction && a->users == b->users &&
               a->bytes_at_risk == b->bytes_at_risk && a->commits_at_risk == b->commits_at_risk &&
               a->unproven == b->unproven && a->leftover == b->leftover && a->writer_pid == b->writer_pid &&
               a->writer_start_ns == b->writer_start_ns;
}

static void write_state(struct daemon *d, bool orderly)
{
        size_t n = guards_count(d->guards);
        _cleanup_free_ struct state_database *b = calloc(n ? n : 1, sizeof(*b));
        struct state_file s = {.pid = getpid(),
                               .run = keeper_run_id(d->keeper),
                               .seen_ns = daemon_now(),
                               .orderly = orderly,
                               .database = b,
                               .n = n};
        struct writing w = {.dir = d->state.path, .s = &s};

        if (!b)
                return;
        memcpy(s.boot_id, d->head.boot_id, sizeof(s.boot_id));
        for (size_t i = 0; i < n; i++) {
                struct guard *g = guards_at(d->guards, i);
                g->written = b[i] = numbers_of(g);
                b[i].name = g->name;
        }
        d->state_again = false;
        d->state_written_ns = clock_boottime_ns();
        int r = scribe_start(d->scribe, SCRIBE_STATE, write_work, &w, on_written, d);
        if (r < 0)
                on_written(d, r, NULL);
}

void dirty_turn(struct daemon *d)
{
        uint64_t since = clock_boottime_ns() - d->state_written_ns;
        bool changed = !d->state_written_ns || d->state_again, numbers = false;

        /* What the last run left is replaced only once what it said is safe. */
        if (!d->state_written_ns && keeper_waiting(d->keeper))
                return;
        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                if (g->dirty)
                        look_at(d, g);
                else
                        wal_rest(d, g);
                const struct state_database now = numbers_of(g);
                changed = changed || g->dirty != g->written.dirty;
                numbers = numbers || !same_numbers(&now, &g->written);
        }
        /* One that hangs says what was so when it began; as soon as it has ended, the next one says what is. */
        if (scribe_since(d->scribe, SCRIBE_STATE))
                return;
        if (changed || (numbers && since > NUMBERS_NS) || since > ALIVE_NS)
                write_state(d, false);
}

void dirty_end(struct daemon *d)
{
        for (size_t i = 0; i < guards_count(d->guards); i++)
                if (guards_at(d->guards, i)->dirty)
                        look_at(d, guards_at(d->guards, i));
        if (!scribe_wait(d->scribe, SCRIBE_STATE, scribe_patience(d->scribe))) {
                log_error("%s/state.json: its disk does not answer: the next start will not know that this end was "
                          "orderly",
                          d->state.path);
                return;
        }
        write_state(d, true);
        scribe_wait(d->scribe, SCRIBE_STATE, scribe_patience(d->scribe));
}
