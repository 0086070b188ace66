/* session.h - one watch from beginning to end: sensor, model and recording wired together. Layer: cli. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/cli.h"
#include "cli/opt.h"
#include "model/model.h"
#include "sensor/recording.h"
#include "sensor/sensor.h"

/** What the user asked for; shared by exec, attach and record. */
struct watch_options {
        struct opt_list db;
        const char *out;        /* --out: JSON report; NULL */
        const char *backup_dir; /* NULL: no backup */
        const char *record;     /* -o of record, --record of exec: stream file; NULL */
        int check;              /* enum check_method */
        uint64_t max_bytes;     /* of the recording; 0: no limit */
        bool reads;
        bool why; /* --why: where the time of commits and syncs went */
        bool stream_all;
        bool wait_detach;
};

/** One watch. */
struct session {
        const struct command *command; /* of whom errors are told */
        const struct cli *cli;
        const struct watch_options *options;
        struct sensor *sensor;
        struct model *model;
        struct recording_writer *writer;
        struct vigil_session head;
        sigset_t mask; /* of blocked signals, as it was before session_open() */
        uint64_t started_ns;
        int write_error; /* of the recording; told once */
        struct {
                struct vigil_ident id;
                uint32_t db;
        } look[64]; /* deaths whose databases are to be looked at once the rings are empty */
        size_t nlook;
        size_t looks_skipped;
        bool looking;
};

/**
 * Loads, attaches, proves by canary, and puts every --db under watch. Says what is wrong. From here on the signals of early.h are
 * blocked.
 * @param mode  enum vigil_mode
 * @return CLI_OK, or the exit status to leave with: CLI_NOPERM, CLI_UNAVAILABLE, CLI_USAGE, CLI_INTERNAL, 128+N when signal N asks
 *         for the end
 */
int session_open(struct session *s, const struct command *command, const struct cli *cli,
                 const struct watch_options *options, enum vigil_mode mode, int argc, char **argv);

/** A signal of early.h came before the watch had begun: says so. @return the exit status, 128+N */
int session_interrupted(const struct command *command);

/** Finds who uses the databases already. @return how many, or -errno */
int session_seed(struct session *s);

/** Takes what is in the rings, and looks at the databases of the dead. @return 0 or -errno */
int session_poll(struct session *s, int timeout_ms);

/** Everything that is left, then the end record. @param status as wait(2) has it, -1: none. @return 0 or -errno */
int session_finish(struct session *s, const struct vigil_ident *command, int status);

/** Frees all but the sensor, which the caller detaches last. */
void session_done(struct session *s);
