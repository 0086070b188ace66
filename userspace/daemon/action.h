/* action.h - work that the monitor does not do itself: in a helper of this binary, with a deadline, one answer. Layer: daemon.
 *
 * The helper keeps the monitor's privileges, parses nothing, and calls what the commands call (inspect_database(), check_database(),
 * backup_create(), snapshot_take()), which confine what reads hostile bytes. Its answer is bounded and checked field by field. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/child.h"
#include "config/config.h"

enum action_kind {
        ACTION_LOOK,
        ACTION_CHECK,
        ACTION_BACKUP,
        ACTION_EVIDENCE,
        ACTION_PRUNE,
        ACTION_DISCOVER,
        ACTION_KINDS
};

struct action_request {
        enum action_kind kind;
        const char *database;  /* name */
        const char *path;      /* of the main file, as the sensor reaches it */
        uint64_t device;       /* one check per device */
        const char *directory; /* backups, evidence */
        const char *reason, *verdict, *incident;
        bool urgent;                          /* an emergency: no idle I/O class, before what waits */
        const struct config_database *policy; /* borrowed until it starts */
};

struct actions;
/** @param done  gets the answer (borrowed), or NULL with why it has none; and the action's own userdata */
struct actions *actions_new(unsigned parallel,
                            void (*done)(void *userdata, const struct action_request *r, void *tag,
                                         const json_t *answer, const char *failure, uint64_t ms),
                            void *userdata);
void actions_free(struct actions *a); /* kills what is at work */
/** Queues; texts are copied. @return 0; -EAGAIN: its restart budget is used up (3 failures in 10 min: 1 h of rest); -ENOBUFS: 1024 wait */
int actions_start(struct actions *a, const struct action_request *r, void *tag);
int actions_fd(const struct actions *a);
int actions_turn(struct actions *a); /* @return ms until the next deadline, -1 none */
unsigned actions_running(const struct actions *a);
