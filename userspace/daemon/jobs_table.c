/* jobs_table.c - what a reading says becomes jobs; what changed, and when that was seen. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core.h"
#include "daemon/jobs_private.h"

/* One row, read. */
struct row {
        const char *id, *status;
        int64_t started_at, updated_at;
        double progress, total;
        uint32_t pid;
};

static double number(const json_t *v)
{
        return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Its types have been checked (action_wrong_jobs()). */
static struct row row_of(const json_t *row)
{
        return (struct row){
                .id = json_string_value(json_array_get(row, JOB_FIELD_ID)),
                .status = json_string_value(json_array_get(row, JOB_FIELD_STATUS)),
                .started_at = json_integer_value(json_array_get(row, JOB_FIELD_STARTED)),
                .updated_at = json_integer_value(json_array_get(row, JOB_FIELD_UPDATED)),
                .progress = number(json_array_get(row, JOB_FIELD_PROGRESS)),
                .total = number(json_array_get(row, JOB_FIELD_TOTAL)),
                .pid = (uint32_t)json_integer_value(json_array_get(row, JOB_FIELD_PID)),
        };
}

/* ---- finding by id ---- */

static size_t hash(const char *id)
{
        size_t h = 0xcbf29ce484222325ull;

        for (; *id; id++)
                h = (h ^ (unsigned char)*id) * 0x100000001b3ull;
        return h;
}

static uint32_t *slot_of(const struct job_table *t, const char *id)
{
        size_t i = hash(id) & (t->slots - 1);

        while (t->slot[i] && strcmp(t->job[t->slot[i] - 1].id, id) != 0)
                i = (i + 1) & (t->slots - 1);
        return &t->slot[i];
}

struct job *job_table_find(const struct job_table *t, const char *id)
{
        uint32_t at = t->slots ? *slot_of(t, id) : 0;

        return at ? &t->job[at - 1] : NULL;
}

/* Places for @n jobs, at most half of them taken. */
static int index_all(struct job_table *t, size_t n)
{
        size_t slots = 64;

        while (slots < 2 * n)
                slots *= 2;
        if (slots != t->slots) {
                uint32_t *grown = calloc(slots, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                free(t->slot);
                t->slot = grown;
                t->slots = slots;
        } else {
                memset(t->slot, 0, slots * sizeof(*t->slot));
        }
        for (size_t i = 0; i < t->n; i++)
                *slot_of(t, t->job[i].id) = (uint32_t)i + 1;
        return 0;
}

/* ---- one job ---- */

static void job_done(struct job *j)
{
        free(j->id);
        free(j->status);
        free(j->detail);
}

void job_table_free(struct job_table *t)
{
        for (size_t i = 0; t && i < t->n; i++)
                job_done(&t->job[i]);
        if (t) {
                free(t->job);
                free(t->slot);
        }
        free(t);
}

static bool same_number(double a, double b)
{
        return (isnan(a) && isnan(b)) || a == b;
}

static bool same_status(const char *a, const char *b)
{
        return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Rows carry whole seconds, and the clock of who wrote them. */
#define AHEAD_NS 2000000000ll

/* A time of a row on the clock of the boot. One that is still to come says nothing. */
static uint64_t boottime_of(int64_t at_ns, const struct job_reading *reading)
{
        int64_t ns = at_ns - reading->offset_ns;

        if (at_ns <= 0 || ns > (int64_t)reading->ended_ns + AHEAD_NS)
                return 0;
        return ns < 1 ? 1 : (uint64_t)ns;
}

static int update(struct job *j, const struct row *r, const struct job_reading *reading)
{
        uint64_t began = reading->began_ns;
        bool same = j->started_at == r->started_at && j->updated_at == r->updated_at && j->pid == r->pid &&
                    same_number(j->progress, r->progress) && same_number(j->total, r->total);

        if (!same_status(j->status, r->status)) {
                char *status = r->status ? strdup(r->status) : NULL;
                if (r->status && !status)
                        return -ENOMEM;
                free(j->status);
                j->status = status;
                same = false;
        }
        if (j->pid != r->pid) {
                j->pid_seen_ns = began;
                j->stranger = (struct vigil_ident){0}; /* who that was is nothing of this one */
                j->stranger_ns = j->nobody_ns = 0;
        }
        if (isnan(j->first_progress) || r->progress < j->first_progress) { /* it has begun anew */
                j->first_progress = r->progress;
                j->first_progress_ns = began;
        }
        if (!same) {
                j->changed_ns = began;
                j->changed_after_ns = j->read_ns;
                j->moved_by_ns = reading->ended_ns;
        }
        if (j->started_at != r->started_at)
                j->started_ns = boottime_of(r->started_at, reading);
        if (j->updated_at != r->updated_at)
                j->updated_ns = boottime_of(r->updated_at, reading);
        j->started_at = r->started_at;
        j->updated_at = r->updated_at;
        j->progress = r->progress;
        j->total = r->total;
        j->pid = r->pid;
        j->seen = true;
        j->read_ns = began;
        j->missed = 0;
        return 0;
}

static int add(struct job_table *t, const struct row *r, const struct job_reading *reading)
{
        uint64_t began = reading->began_ns;

        if (!t->job || t->n == t->room) {
                size_t room = t->room ? 2 * t->room : 64;
                struct job *grown = reallocarray(t->job, room, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                t->job = grown;
                t->room = room;
        }
        struct job *j = &t->job[t->n];
        *j = (struct job){.id = strdup(r->id),
                          .status = r->status ? strdup(r->status) : NULL,
                          .started_at = r->started_at,
                          .updated_at = r->updated_at,
                          .started_ns = boottime_of(r->started_at, reading),
                          .updated_ns = boottime_of(r->updated_at, reading),
                          .progress = r->progress,
                          .total = r->total,
                          .pid = r->pid,
                          .first_seen_ns = began,
                          .moved_by_ns = reading->ended_ns,
                          .pid_seen_ns = r->pid ? began : 0,
                          .first_progress = r->progress,
                          .first_progress_ns = isnan(r->progress) ? 0 : began,
                          .seen = true,
                          .read_ns = began,
                          .verdict = JOB_UNKNOWN};
        if (!j->id || (r->status && !j->status)) {
                job_done(j);
                return -ENOMEM;
        }
        *slot_of(t, j->id) = (uint32_t)++t->n;
        return 0;
}

/* What is missing in a partial reading may be where that did not look. */
static void drop_unseen(struct job_table *t, bool partial)
{
        size_t kept = 0;

        for (size_t i = 0; i < t->n; i++) {
                struct job *j = &t->job[i];
                if (j->seen || (partial && ++j->missed < JOB_MISSED)) {
                        t->job[kept++] = *j;
                        continue;
                }
                t->lost[j->told] = t->lost[j->told] || partial;
                job_done(j);
        }
        t->n = kept;
}

/* Only of a whole reading it is known what no longer runs; of the first one, also what an earlier run of the daemon told of. */
static void note_whole(struct job_table *t, uint64_t ended_ns)
{
        memset(t->lost, 0, sizeof(t->lost));
        if (!t->whole)
                t->whole_ns = ended_ns;
        for (size_t v = 0; !t->whole && v < JOB_VERDICTS; v++)
                t->firing[v] = v != JOB_HEALTHY && v != JOB_UNKNOWN;
        t->whole = true;
}

bool job_table_is_over(const struct job_table *t, enum job_verdict v, uint64_t now)
{
        /* What an earlier run has told of may be that of a job that has not been judged yet. */
        bool unsure = !t->told_ns[v] && t->unjudged && now < t->whole_ns + JOB_UNJUDGED_NS;

        return t->firing[v] && !t->count[v] && !t->lost[v] && !unsure;
}

bool job_table_may_read(struct job_table *t, uint64_t now)
{
        uint64_t earliest = t->begun_ns ? t->begun_ns + JOB_PAUSE_NS : 0;

        if (now >= earliest)
                return true;
        if (t->due_ns > earliest)
                t->due_ns = earliest;
        return false;
}

int job_table_take(struct job_table *t, const json_t *rows, const struct job_reading *reading)
{
        size_t i;
        json_t *one;
        int r = index_all(t, t->n + json_array_size(rows));

        t->twice = 0;
        for (i = 0; i < t->n; i++)
                t->job[i].seen = false;
        json_array_foreach (rows, i, one) {
                const struct row row = row_of(one);
                if (r < 0)
                        return r;
                struct job *known = job_table_find(t, row.id);
                if (known && known->seen)
                        t->twice++;
                else
                        r = known ? update(known, &row, reading) : add(t, &row, reading);
        }
        if (r < 0)
                return r;
        drop_unseen(t, reading->partial);
        if (!reading->partial)
                note_whole(t, reading->ended_ns);
        return index_all(t, t->n);
}

int64_t job_since(const struct job *job)
{
        if (!job->since_ns)
                return 0;
        if (job->started_ns && job->since_ns <= job->started_ns)
                return job->started_at;
        /* By way of the other clock it would be some microseconds off. */
        return job->since_ns == job->updated_ns ? job->updated_at : daemon_realtime(job->since_ns);
}

void job_table_confirm(struct job_table *t, uint64_t now_ns)
{
        for (size_t i = 0; i < t->n; i++)
                t->job[i].read_ns = now_ns;
        t->confirmed_ns = now_ns;
}
