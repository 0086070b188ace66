/* witness - stands in for the part of the daemon that judges jobs: watches databases, and says on request what the kernel tells
 * of a process and what that makes of a job.
 *
 *   witness DB...       watches them, makes the file `witness.ready`, and takes lines from standard input:
 *
 *   judge PID FILE      two samples a second apart, as of a job that PID has worked for in vain for a minute: verdict and
 *                       evidence as JSON into FILE; FILE.begun is there when the first has been taken, and the
 *                       second waits while there is a FILE.hold
 *   waiters FILE        everybody who waits for a lock, and how they are tied up, as JSON into FILE
 *
 * Ends with its input. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "detect/job.h"
#include "detect/lock_watch.h"
#include "sensor/evidence.h"
#include "sensor/sensor.h"

#define S 1000000000ull

static struct sensor *sensor;

static int ignore(const struct vigil_hdr *record, void *userdata)
{
        (void)record;
        (void)userdata;
        return 0;
}

static void answer(const char *file, json_t *document)
{
        char *text = json_dumps(document, JSON_INDENT(1));

        if (!text || io_write_file_atomic(file, text, strlen(text), 0644) < 0)
                fprintf(stderr, "witness: cannot write %s\n", file);
        free(text);
        json_decref(document);
}

static const char *database(unsigned db, const void *userdata)
{
        (void)userdata;
        const char *path = sensor_path(sensor, db), *slash = path ? strrchr(path, '/') : NULL;
        return slash ? slash + 1 : path;
}

static void wait_ms(int ms)
{
        for (uint64_t end = clock_boottime_ns() + (uint64_t)ms * 1000000; clock_boottime_ns() < end;)
                sensor_poll(sensor, 20, ignore, NULL);
}

static size_t knots(struct lock_waiter waiter[64], size_t *ret_n, struct lock_knot knot[16])
{
        struct lock_watch watch = {0};

        if (sensor_waiters(sensor, waiter, 64, ret_n) < 0)
                *ret_n = 0;
        size_t n = lock_graph_knots(waiter, *ret_n, knot, 16);
        for (size_t i = 0; i < *ret_n; i++)
                sensor_other_threads(&waiter[i].id, waiter[i].wait.tid, &waiter[i].others);
        lock_watch_look(&watch, knot, n, waiter, clock_boottime_ns());
        return n;
}

static void judge(pid_t pid, const char *file)
{
        static struct process_evidence before, now;
        static struct lock_waiter waiter[64];
        static struct lock_knot knot[16];
        struct vigil_ident id = {.tgid = (uint32_t)pid};
        struct job_process p = {.tie = JOB_TIE_PID, .before = &before, .now = &now};
        uint64_t start = 0;
        size_t n = 0;
        char begun[600], hold[600];

        int r = sensor_identify(sensor, pid, &start);
        id.start_ns = start;
        if (r == 0)
                r = sensor_evidence(sensor, &id, &before);
        snprintf(begun, sizeof(begun), "%s.begun", file);
        io_write_file_atomic(begun, "", 0, 0644);
        wait_ms(1000);
        for (snprintf(hold, sizeof(hold), "%s.hold", file); access(hold, F_OK) == 0;)
                wait_ms(20);
        if (r == 0)
                r = sensor_evidence(sensor, &id, &now);
        if (r < 0) {
                answer(file, json_pack("{s:s}", "error", strerror(-r)));
                return;
        }
        p.id = now.id;
        p.tied_ns = now.id.start_ns;
        struct job_facts f = {.id = "job",
                              .orchestrator = "test",
                              .status = "running",
                              .now_ns = clock_boottime_ns(),
                              .orchestrator_lives = 1,
                              .progress = NAN,
                              .total = NAN,
                              .first_progress = NAN,
                              .nprocesses = 1,
                              .process = &p,
                              .names = {database, NULL}};
        f.read_ns = f.now_ns;
        f.started_ns = f.first_seen_ns = f.now_ns - 60 * S;
        f.waiter = waiter;
        f.nknots = knots(waiter, &n, knot);
        f.knot = knot;
        const struct job_limits limits = {
                .no_progress_ms = 500, .blocked_after_ms = 500, .window_ms = 500, .spinning_percent = 20};
        struct job_judgement j;
        job_judge(&f, &limits, &j);
        answer(file, json_pack("{s:s, s:s, s:s, s:s, s:o}", "verdict", job_verdict_name(j.verdict), "severity",
                               severity_name(j.severity), "detail", j.detail, "trust",
                               trust_level_name(j.trust.level), "evidence", job_evidence(&f, &j)));
}

static void waiters(const char *file)
{
        static struct lock_waiter waiter[64];
        static struct lock_knot knot[16];
        json_t *all = json_array(), *tied = json_array();
        size_t n = 0, nknots = knots(waiter, &n, knot);

        for (size_t i = 0; i < n; i++)
                json_array_append_new(all, json_integer(waiter[i].id.tgid));
        for (size_t k = 0; k < nknots; k++) {
                json_t *members = json_array();
                for (size_t m = 0; m < knot[k].nmembers && m < KNOT_MEMBERS; m++)
                        json_array_append_new(members, json_integer(waiter[knot[k].member[m]].id.tgid));
                json_array_append_new(tied,
                                      json_pack("{s:s, s:I, s:o}", "kind", knot_kind_name(knot[k].kind), "holder",
                                                (json_int_t)knot[k].holder.id.tgid, "members", members));
        }
        answer(file, json_pack("{s:o, s:o}", "waiters", all, "knots", tied));
}

static void obey(const char *line)
{
        char file[512];
        int n;

        if (sscanf(line, "judge %d %511s", &n, file) == 2)
                judge(n, file);
        else if (sscanf(line, "waiters %511s", file) == 1)
                waiters(file);
        else
                fprintf(stderr, "witness: what is \"%s\"?\n", line);
}

static int watch_all(char **path)
{
        const struct sensor_options options = {0};
        char why[SENSOR_WHY_LEN];
        int r = sensor_open(&options, &sensor, why);

        if (r < 0) {
                fprintf(stderr, "witness: %s\n", why);
                return r;
        }
        for (; *path && r >= 0; path++) {
                unsigned id;
                r = sensor_watch(sensor, *path, &id);
        }
        if (r >= 0)
                r = sensor_seed(sensor, ignore, NULL);
        return r < 0 ? r : io_write_file_atomic("witness.ready", "", 0, 0644);
}

int main(int argc, char **argv)
{
        char line[1024];

        (void)argc;
        if (watch_all(argv + 1) < 0)
                return 1;
        for (;;) {
                struct pollfd fds[] = {{.fd = 0, .events = POLLIN}};
                sensor_poll(sensor, 0, ignore, NULL);
                if (poll(fds, 1, 50) <= 0)
                        continue;
                if (!fgets(line, sizeof(line), stdin))
                        break;
                line[strcspn(line, "\n")] = 0;
                obey(line);
        }
        sensor_close(sensor);
        return 0;
}
