/* core.h - what the parts of the daemon share: one of each, made by start.c in the order in which they stand here. Layer: daemon.
 *
 * Nothing of it blocks: what takes time is an action (action.h), what must be written waits in the keeper. There is no other
 * thread. No part parses a database file. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "config/config.h"
#include "daemon/action.h"
#include "daemon/daemon.h"
#include "daemon/keeper.h"
#include "daemon/memory.h"
#include "daemon/statedir.h"
#include "incident/incident.h"
#include "sensor/sensor.h"
#include "serve/server.h"

struct scribe;
struct sd_event;
struct sd_event_source;
struct guards;
struct discoveries;
struct evidence_room;
struct deaths;
struct gap;
struct recoveries;
struct response;
struct summary;
struct latencies;
struct attributions;
struct answers;
struct orchestrators;
struct jobs;
struct tangles;

struct daemon {
        const struct daemon_options *options;
        struct config *config;
        struct statedir state;
        struct vigil_session head; /* boot, host, version: as in the first record of a stream */
        struct scribe *scribe;
        struct keeper *keeper;
        struct store_run last_run; /* the one before it; started_ns 0: there was none */
        struct incidents *incidents;
        struct sensor *sensor;
        struct memory *memory;
        struct discoveries *discoveries;
        struct guards *guards;
        struct actions *actions;
        struct evidence_room *evidence_room;
        char evidence_directory[PATH_MAX + 16];
        struct response *response;
        struct deaths *deaths;
        struct recoveries *recoveries;
        struct gap *gap;
        struct summary *summary;
        struct latencies *latencies;
        struct attributions *attributions;
        struct answers *answers;
        struct orchestrators *orchestrators;
        struct jobs *jobs;
        struct tangles *tangles;
        struct control_server *control;
        struct sd_event *event;
        struct sd_event_source *soon; /* the timer of what must be done before anything else happens */

        int64_t started_ns;        /* since the epoch */
        uint64_t begun_ns;         /* the same of CLOCK_BOOTTIME */
        bool taken;                /* the kernel side is that of an earlier run */
        bool taken_gap;            /* which may have missed something all the same */
        uint64_t taken_ns;         /* CLOCK_BOOTTIME: what is older was seen for that run */
        struct vigil_stats stats;  /* counters of loss at the last turn */
        uint64_t state_written_ns; /* CLOCK_BOOTTIME; 0: not yet by this run */
        struct {
                uint64_t second;
                unsigned stored;   /* in that second */
                uint64_t left_out; /* in all */
        } uneventful;              /* certificates that nothing follows from */
        int state_error;           /* of the last writing of state.json */
        bool state_again;          /* it could not be written: once more at the next turn */
        char reload_failed[300]; /* why the configuration could not be read again the last time; empty: it could */
        uint64_t minutes;        /* that the loop has had */
        uint64_t judged_ns;      /* CLOCK_BOOTTIME: the last turn of jobs and deadlocks; 0: none yet */
        bool put_off;            /* which was left out, as the host had stood still */
        bool ending;
        bool leave; /* at the end the kernel side stays for the next one */
        int exit;
};

/** The file that the configuration is read from. */
const char *daemon_config_path(const struct daemon *d);

/** Nanoseconds since the epoch, now; and of a time of CLOCK_BOOTTIME. Both by one offset between the clocks, which follows when the
 * clock is set, or has been slewed by more than a millisecond: a time that is asked for again may have moved by that. Within one
 * document of which the offset is the same an end is not before its begin. */
int64_t daemon_now(void);
int64_t daemon_realtime(uint64_t boottime_ns);
