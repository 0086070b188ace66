/* fake_store.c - a store as the daemon writes it, for the SQL of the runbooks.
 *
 * Usage: fake_store DIR   fills DIR/vigil.db, says "ready", keeps it open and says "ID STATUS" of each alert that somebody else
 *                         changes; ends when standard input does. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

#define MINUTE (60 * 1000000000LL)

static int64_t now_ns(void)
{
        return (int64_t)clock_boottime_ns() + clock_realtime_offset_ns();
}

static const struct {
        const char *id, *code, *severity, *status;
        int minutes_ago;
} incidents[] = {
        {"i-0000000000000001", "unclean-death", "P1", "firing", 30},
        {"i-0000000000000002", "integrity-failed", "P0", "firing", 5},
        {"i-0000000000000003", "abrupt-death", "P2", "resolved", 90},
        {"i-0000000000000004", "backup-failed", "P2", "acknowledged", 20},
};

static int put_incidents(struct store *s, int64_t now)
{
        int r = 0;
        for (size_t i = 0; i < sizeof(incidents) / sizeof(incidents[0]) && r == 0; i++) {
                int64_t at = now - incidents[i].minutes_ago * MINUTE;
                const char *status = incidents[i].status;
                r = store_put_incident(s, &(struct store_incident){.id = incidents[i].id,
                                                                   .code = incidents[i].code,
                                                                   .severity = incidents[i].severity,
                                                                   .status = status,
                                                                   .database = "persistence",
                                                                   .path = "/srv/persistence.db",
                                                                   .summary = "told by a test",
                                                                   .started_ns = at,
                                                                   .acknowledged_ns = status[0] == 'a' ? at : 0,
                                                                   .resolved_ns = status[0] == 'r' ? at : 0});
        }
        return r;
}

static const struct {
        const char *type;
        double value;
        const char *operation, *error; /* NULL: no labels of that kind */
        int minutes_ago, times;
} metrics[] = {
        {"error", 1, "sync", "EIO", 2, 3},      {"error", 1, "write", "ENOSPC", 2, 5},
        {"error", 1, "sync", "EIO", 30, 100},   {"sync_p99_us", 200, NULL, NULL, 2, 1},
        {"sync_p99_us", 400, NULL, NULL, 3, 1}, {"sync_p99_us", 9000, NULL, NULL, 90, 1},
};

static int put_metrics(struct store *s, int64_t now)
{
        int r = 0;
        for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
                json_t *labels = json_pack("{s:s}", "database", "persistence");
                if (metrics[i].operation)
                        json_object_set_new(labels, "operation", json_string(metrics[i].operation));
                if (metrics[i].error)
                        json_object_set_new(labels, "error", json_string(metrics[i].error));
                for (int k = 0; k < metrics[i].times && r == 0; k++)
                        r = store_put_metric(s, metrics[i].type, metrics[i].value, labels,
                                             now - metrics[i].minutes_ago * MINUTE);
                json_decref(labels);
        }
        return r;
}

static int fill(struct store *s)
{
        int64_t now = now_ns();
        int r = store_begin(s);
        if (r == 0)
                r = put_incidents(s, now);
        if (r == 0)
                r = put_metrics(s, now);
        return r == 0 ? store_commit(s) : r;
}

static void say(void *userdata, const char *id, const char *status, int64_t at_ns)
{
        if (store_take_over_alert(userdata, id, status, at_ns) == 0)
                printf("%s %s\n", id, status);
}

int main(int argc, char **argv)
{
        struct store *s;
        enum store_opened how;
        char *aside;
        if (argc != 2)
                return 64;
        int r = store_open(argv[1], false, &s, &how, &aside);
        if (r == 0 && how == STORE_NEW)
                r = fill(s);
        if (r < 0) {
                fprintf(stderr, "fake_store: %s\n", strerror(-r));
                return 1;
        }
        store_poll_alerts(s, say, s);
        puts("ready");
        fflush(stdout);
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        while (poll(&in, 1, 100) == 0) {
                r = store_poll_alerts(s, say, s);
                if (r < 0 && r != -EBUSY)
                        break;
                fflush(stdout);
        }
        store_close(s);
        free(aside);
        return 0;
}
