/* advice_stuck.c - see advice_stuck.h. A pid alone is no identity: each is told with its name, to be looked at before it is ended. */
#include "report/advice_stuck.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/pick.h"

#define NAMED 4 /* members of a deadlock; the others stand in its evidence */

struct advice {
        char *text;
        size_t used;
        const char *orchestrator; /* of a job */
};

static void add(struct advice *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct advice *a, const char *fmt, ...)
{
        size_t room = STUCK_ADVICE_LEN - a->used;
        va_list args;

        va_start(args, fmt);
        int n = vsnprintf(a->text + a->used, room, fmt, args);
        va_end(args);
        if (n > 0)
                a->used += (size_t)n < room ? (size_t)n : room - 1;
}

/* `kill -TERM 42` (nightly) */
static void add_end(struct advice *a, const json_t *process)
{
        add(a, "`kill -TERM %" PRIu64 "` (%s)", pick_number(process, "pid"), pick_text(process, "comm", "?"));
}

/* ---- who is tied up in locks ---- */

#define ROLLS_BACK "SQLite rolls its transaction back at the next open or write, and the others get on"

static void deadlock(struct advice *a, const json_t *knot)
{
        const json_t *members = json_object_get(knot, "members");
        uint64_t all = pick_number(knot, "processes");
        size_t i;
        json_t *m;

        add(a, "End the one whose transaction is cheapest to repeat: ");
        json_array_foreach (members, i, m) {
                if (i == NAMED)
                        break;
                add(a, "%s", i ? " or " : "");
                add_end(a, json_object_get(m, "process"));
        }
        if (all > NAMED)
                add(a, " or one of %" PRIu64 " more", all - NAMED);
        add(a, ". " ROLLS_BACK ". Let what will write begin with BEGIN IMMEDIATE.");
}

/* Who holds what @wait waits for. */
static void held(struct advice *a, const json_t *wait)
{
        const json_t *holder = json_object_get(wait, "holder");

        if (!pick_number(holder, "pid")) {
                add(a,
                    "Find out who has %s open with `vigil top --view programs`: the holder of the lock cannot be "
                    "named.",
                    pick_text(wait, "database", "the database"));
                return;
        }
        add(a, "%s (pid %" PRIu64 ") has the lock: let it end its transaction, or end it if that was forgotten: ",
            pick_text(holder, "comm", "?"), pick_number(holder, "pid"));
        add_end(a, holder);
        add(a, ". " ROLLS_BACK ".");
}

static void knot(struct advice *a, const json_t *k)
{
        if (strcmp(pick_text(k, "kind", ""), "deadlock") == 0)
                deadlock(a, k);
        else
                held(a, json_object_get(json_array_get(json_object_get(k, "members"), 0), "waits_for"));
}

/* ---- jobs ---- */

static void blocked(struct advice *a, const json_t *e)
{
        static const struct {
                const char *reason, *text;
        } table[] = {
                {"traced", "Let the debugger go on or detach; `grep TracerPid /proc/%" PRIu64 "/status` names it."},
                {"frozen", "Thaw its cgroup (`systemctl thaw UNIT`); `cat /proc/%" PRIu64 "/cgroup` names it."},
                {"throttled",
                 "Give its cgroup more CPU (`systemctl set-property UNIT CPUQuota=`); `cat /proc/%" PRIu64
                 "/cgroup` names it."},
                {"sync", "Look at the device and the kernel log; `cat /proc/%" PRIu64
                         "/stack` says where it waits. A signal does not end it before the sync returns."},
                {"uninterruptible", "Look at the device and the kernel log; `cat /proc/%" PRIu64
                                    "/stack` says where it waits. A signal does not end it before that returns."},
        };
        const char *reason = pick_text(e, "reason", "");
        uint64_t pid = pick_number(json_object_get(e, "process"), "pid");

        if (strcmp(reason, "lock") == 0) {
                if (json_is_object(json_object_get(e, "knot")))
                        knot(a, json_object_get(e, "knot"));
                else
                        held(a, json_object_get(e, "waits_for"));
        } else if (strcmp(reason, "stopped") == 0) {
                add(a, "`kill -CONT %" PRIu64 "` lets %s go on.", pid,
                    pick_text(json_object_get(e, "process"), "comm", "it"));
        }
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
                if (strcmp(reason, table[i].reason) == 0)
                        add(a, table[i].text, pid);
}

static void orphaned(struct advice *a, const json_t *e)
{
        const char *certificate = pick_text(e, "certificate", NULL);

        if (certificate)
                add(a, "`vigil certificate %s` says how its process ended. ", certificate);
        if (strcmp(pick_text(e, "reason", ""), "orchestrator-not-running") == 0)
                add(a, "Start %s; if it does not take its jobs up again, ", a->orchestrator);
        else
                add(a, "Nobody works for it: ");
        add(a, "set its row to failed, or start the job again.");
}

static void stalled(struct advice *a, const json_t *e)
{
        const json_t *process = json_object_get(e, "process");
        const char *peer = pick_text(json_object_get(json_object_get(e, "sample"), "sleeps"), "peer", NULL);

        if (peer)
                add(a, "Look whether %s answers. ", peer);
        add(a, "`vigil jobs` says what it waits for");
        if (pick_number(process, "pid")) {
                add(a, ". If that will not come, end it and start the job again: ");
                add_end(a, process);
        }
        add(a, ".");
}

static void spinning(struct advice *a, const json_t *e)
{
        const json_t *process = json_object_get(e, "process");

        if (!pick_number(process, "pid"))
                return;
        add(a,
            "See what it does with `perf top -p %" PRIu64
            "` or a debugger. If it goes round in circles, end it and start the job again: ",
            pick_number(process, "pid"));
        add_end(a, process);
        add(a, ".");
}

static void overdue(struct advice *a, const json_t *e)
{
        (void)e;
        add(a, "It goes on: let it. `vigil jobs` says how far it is. If it always takes as long, set `stuck-after` "
               "higher.");
}

/* A finding about jobs has what a verdict rests on one level down, and beside it whose jobs they are. */
static const struct {
        const char *code;
        void (*advise)(struct advice *, const json_t *);
        bool of_job;
} table[] = {
        {"lock-deadlock", knot, false},   {"lock-convoy", knot, false},   {"job-blocked", blocked, true},
        {"job-orphaned", orphaned, true}, {"job-stalled", stalled, true}, {"job-spinning", spinning, true},
        {"job-overdue", overdue, true},
};

static const json_t *latest(const json_t *findings, const char *code)
{
        const json_t *found = NULL;
        size_t i;
        json_t *f;

        /* Times of the Contract sort as text. */
        json_array_foreach (findings, i, f)
                if (strcmp(pick_text(f, "code", ""), code) == 0 &&
                    (!found || strcmp(pick_text(f, "at", ""), pick_text(found, "at", "")) > 0))
                        found = f;
        return found;
}

static bool is_said(char said[STUCK_ADVICE_MAX][STUCK_ADVICE_LEN], size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(said[i], said[n]) == 0)
                        return true;
        return false;
}

size_t advice_stuck(const json_t *findings, char ret[STUCK_ADVICE_MAX][STUCK_ADVICE_LEN])
{
        size_t n = 0;

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]) && n < STUCK_ADVICE_MAX; i++) {
                const json_t *e = json_object_get(latest(findings, table[i].code), "evidence");
                struct advice a = {.text = ret[n],
                                   .orchestrator = pick_text(e, "orchestrator", "its orchestrator")};
                ret[n][0] = '\0';
                if (e)
                        table[i].advise(&a, table[i].of_job ? json_object_get(e, "evidence") : e);
                if (a.used && !is_said(ret, n))
                        n++;
        }
        return n;
}
