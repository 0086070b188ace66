/* action_run.c - the bodies of the helpers. They run in a child: nothing of the monitor's is touched here, no log is
 * written, and the answer is all that goes back. */
#include "daemon/action_run.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "daemon/action_answer.h"
#include "daemon/evidence.h"
#include "engine/engine.h"
#include "engine/inspect.h"
#include "engine/jobs.h"
#include "respond/backup.h"
#include "respond/list.h"
#include "respond/prune.h"
#include "sensor/discover.h"

#define SECOND_MS 1000ull
#define MINUTE_MS (60 * SECOND_MS)

/* What a helper has beyond the deadline of what it calls, to say so itself. */
#define SLACK_MS (30 * SECOND_MS)

#define LOOK_MS     (8 * SECOND_MS) /* inspect_database() gives up after 5 s */
#define CHECK_MS    (10 * MINUTE_MS)
#define BACKUP_MS   (60 * MINUTE_MS)
#define EVIDENCE_MS (30 * MINUTE_MS)
#define PROGRESS_NS 200000000ull
#define PRUNE_MS    (5 * MINUTE_MS)

/* A reading that is late is worth nothing: it says so itself, or is ended. */
#define JOBS_SLACK_MS (3 * SECOND_MS)

static int say(int fd, json_t *answer)
{
        _cleanup_free_ char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

        json_decref(answer);
        return text && io_write_all(fd, text, strlen(text)) == 0 ? 0 : 1;
}

/* What has time takes nothing from the database's own users. The children of this helper inherit it. A kernel without I/O
 * classes does without. */
static void give_way(const struct action_request *r)
{
        if (r->urgent || r->asked)
                return;
        syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
        setpriority(PRIO_PROCESS, 0, 19);
}

/* What the monitor is told while it works: where to, and when it was told last. */
struct telling {
        int fd;
        uint64_t last_ns;
};

static void tell(void *userdata, uint64_t done, uint64_t total)
{
        struct telling *t = userdata;
        uint64_t now = clock_boottime_ns();
        char line[80];

        if (now - t->last_ns < PROGRESS_NS)
                return;
        t->last_ns = now;
        int n = snprintf(line, sizeof(line), "{\"done\":%llu,\"total\":%llu}\n", (unsigned long long)done,
                         (unsigned long long)total);
        (void)io_write_all(t->fd, line, (size_t)n);
}

static void tell_phase(void *userdata, enum backup_phase phase, uint64_t done, uint64_t total)
{
        (void)phase;
        tell(userdata, done, total);
}

static enum check_method method_of(const struct action_request *r)
{
        static const enum check_method methods[] = {[CONFIG_CHECK_NONE] = CHECK_NONE,
                                                    [CONFIG_CHECK_QUICK] = CHECK_QUICK,
                                                    [CONFIG_CHECK_FULL] = CHECK_FULL};

        return r->policy ? methods[r->policy->check.method] : CHECK_QUICK;
}

static int look(int fd, void *request)
{
        const struct action_request *r = request;
        struct vigil_observed o;

        /* Its error is part of the answer. */
        (void)inspect_database(&engine_sqlite, r->path, &o);
        return say(fd, action_observed_json(&o));
}

static uint64_t check_ms(const struct action_request *r)
{
        return r->policy && r->policy->check.deadline_ms ? r->policy->check.deadline_ms : CHECK_MS;
}

static int check(int fd, void *request)
{
        const struct action_request *r = request;
        struct telling progress = {.fd = fd};
        struct check_options how = {.method = method_of(r),
                                    .deadline_ms = check_ms(r),
                                    .others_may_write = true,
                                    .on_progress = tell,
                                    .userdata = &progress};
        struct check_result result;

        give_way(r);
        if (check_database(r->path, &how, &result) < 0)
                return 1;
        return say(fd, check_json(&result));
}

static struct prune_options retention_of(const struct action_request *r)
{
        return (struct prune_options){
                .keep = r->policy ? r->policy->backup.keep : 0,
                .max_bytes = r->policy ? r->policy->backup.byte_budget : 0,
                .pinned_before_ns = r->pinned_before_ns,
        };
}

static int prune(int fd, void *request)
{
        const struct action_request *r = request;
        const struct prune_options how = retention_of(r);
        struct prune_result result;

        give_way(r);
        int err = backup_prune(r->directory, &how, &result);
        /* What stays may be more than an answer may hold. */
        json_array_clear(result.kept);
        json_t *answer = json_pack("{s:i, s:s?, s:o}", "error", err, "reason", result.reason, "prune",
                                   prune_json(&result, &how));
        prune_result_done(&result);
        return say(fd, answer);
}

/* How many copies an ACTION_PRUNE would remove now. */
static size_t beyond(const struct action_request *r)
{
        struct prune_options how = retention_of(r);
        struct prune_result result;

        how.dry_run = true;
        size_t n = backup_prune(r->directory, &how, &result) == 0 ? json_array_size(result.removed) : 0;
        prune_result_done(&result);
        return n;
}

/* The entry of what was just published, as `backup list` shows it. New reference. */
static json_t *entry_of(const char *directory, const char *id)
{
        struct backup_list list = {0};
        json_t *entry = NULL;

        if (id && backup_list_read(directory, &list) == 0) {
                const struct backup_item *item = backup_list_find(&list, id);
                entry = item ? backup_item_json(item) : NULL;
                backup_list_done(&list);
        }
        return entry ? entry : json_null();
}

static int backup(int fd, void *request)
{
        const struct action_request *r = request;
        enum check_method method = method_of(r);
        struct telling progress = {.fd = fd};
        struct backup_options how = {
                .database = r->path,
                .directory = r->directory,
                .reason = r->reason,
                .verdict = r->verdict,
                .incident = r->incident,
                .damage = r->damage,
                /* A copy that nobody has checked is no backup, whatever the schedule of checks says. */
                .check = method == CHECK_NONE ? CHECK_QUICK : method,
                .others_may_write = true,
                .known_sqlite = r->known_sqlite,
                .byte_budget = r->policy ? r->policy->backup.byte_budget : 0,
                .deadline_ms = BACKUP_MS,
                .on_progress = tell_phase,
                .userdata = &progress,
        };
        struct backup_result result;

        give_way(r);
        int err = backup_create(&how, &result);
        bool checked = result.check.outcome != CHECK_SKIPPED;
        json_t *answer = json_pack("{s:i, s:I, s:o, s:o, s:o}", "error", err, "beyond",
                                   (json_int_t)(err == 0 ? beyond(r) : 0), "backup", backup_json(&result), "entry",
                                   entry_of(r->directory, result.id), "check",
                                   checked ? check_json(&result.check) : json_null());
        backup_result_done(&result);
        return say(fd, answer);
}

static int evidence(int fd, void *request)
{
        const struct action_request *r = request;
        const struct evidence_options how = {.name = r->database,
                                             .path = r->path,
                                             .directory = r->directory,
                                             .byte_budget = r->byte_budget,
                                             .deadline_ms = EVIDENCE_MS};
        struct evidence_result result;

        give_way(r);
        int err = evidence_take(&how, &result);
        return say(fd, evidence_json(err, &result));
}

static int room(int fd, void *request)
{
        const struct action_request *r = request;

        give_way(r);
        return say(fd, evidence_room_json(r->directory, r->candidates, r->byte_budget));
}

static int find(int fd, void *request)
{
        const struct action_request *r = request;
        bool all = r->discover_all;

        give_way(r);
        return discover_work(fd, &all);
}

static int jobs(int fd, void *request)
{
        const struct action_request *r = request;
        struct jobs_result result;
        int err = jobs_read(&r->jobs, &result);
        json_t *answer = json_pack("{s:i, s:o, s:s, s:O?, s:O?, s:I, s:b, s:b, s:b}", "error", err, "reason",
                                   text_json(result.reason, strlen(result.reason)), "method", result.method, "rows",
                                   result.rows, "odd", result.odd, "nodd", (json_int_t)result.nodd, "more",
                                   (int)result.more, "partial", (int)result.partial, "lasting",
                                   (int)result.lasting);

        jobs_result_done(&result);
        return say(fd, answer);
}

static uint64_t jobs_deadline(const struct action_request *r)
{
        return r->jobs.deadline_ms + JOBS_SLACK_MS;
}

static uint64_t look_deadline(const struct action_request *r)
{
        (void)r;
        return LOOK_MS;
}

static uint64_t check_deadline(const struct action_request *r)
{
        return check_ms(r) + SLACK_MS;
}

static uint64_t backup_deadline(const struct action_request *r)
{
        (void)r;
        return BACKUP_MS + SLACK_MS;
}

static uint64_t evidence_deadline(const struct action_request *r)
{
        (void)r;
        return EVIDENCE_MS + SLACK_MS;
}

static uint64_t prune_deadline(const struct action_request *r)
{
        (void)r;
        return PRUNE_MS;
}

static uint64_t find_deadline(const struct action_request *r)
{
        (void)r;
        return DISCOVER_DEADLINE_MS;
}

const struct action_job action_jobs[ACTION_KINDS] = {
        [ACTION_LOOK] = {"look", look, action_wrong_look, look_deadline, 4096},
        /* 100 errors of a check, each of a bounded length. */
        [ACTION_CHECK] = {"check", check, action_wrong_check, check_deadline, 256 * 1024},
        [ACTION_BACKUP] = {"backup", backup, action_wrong_backup, backup_deadline, 320 * 1024},
        [ACTION_EVIDENCE] = {"evidence", evidence, action_wrong_evidence, evidence_deadline, 4096},
        [ACTION_JOBS] = {"jobs", jobs, action_wrong_jobs, jobs_deadline, JOBS_ANSWER_MAX},
        /* Some 700 bytes for each of thousands that may go at once after `keep` was lowered. */
        [ACTION_PRUNE] = {"prune", prune, action_wrong_prune, prune_deadline, 8 * 1024 * 1024},
        [ACTION_ROOM] = {"evidence-room", room, action_wrong_room, prune_deadline, 64 * 1024},
        [ACTION_DISCOVER] = {"discover", find, action_wrong_discover, find_deadline, DISCOVER_ANSWER},
};
