/* internal.h - the sensor's own state, for its files only. */
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <vigil.skel.h>

#include "bpf/loader.h"
#include "sensor/mounts.h"
#include "sensor/pins.h"
#include "sensor/probes.h"
#include "sensor/ring.h"
#include "sensor/sensor.h"
#include "sensor/wait_symbols.h"

#define SENSOR_MAX_PROBES 64
#define SENSOR_STACKS     ((int32_t)(2 * WAIT_STACKS)) /* kernel stacks that are kept (bpf/blocked.h) */

/* Histograms by slot: when something was added last, as far as sensor_histograms() has seen. */
struct hist_idle {
        uint64_t count;
        uint64_t since_ns;
};

/* One database as user space can reach it. */
struct sensor_db {
        char *path; /* NULL: slot is free, or the path is not known */
        int dirfd;  /* keeps a directory of another mount namespace reachable; -1 */
        bool canary;
        struct vigil_database *pending; /* record to be delivered with the next poll; NULL */
        dev_t dir_dev;                  /* of its directory, as stat(2) has them */
        ino_t dir_ino;
        uint64_t left_ns; /* when its watch ended; 0: it goes on */
};

/* What user space knows of a kernel stack, by its place (struct wait_key). */
struct wait_stack {
        int8_t kind;       /* enum wait_kind; -1: not told yet */
        bool let_go;       /* its place is free for another one; who still waits there has this kind */
        bool unused;       /* it lay in the map, and in no sum, when that was looked at last */
        uint64_t ns;       /* all waits there, at the last look */
        uint64_t since_ns; /* when nothing had been added to them for the first time; 0: not looked at yet */
};

struct sensor {
        struct vigil_bpf *skeleton;
        struct ring_buffer *events;
        struct ring urgent;
        int epoll; /* readable when a ring is */
        struct bpf_link *link[SENSOR_MAX_PROBES];
        struct pins pins;
        bool taken;                           /* the kernel side is that of an earlier process */
        int taken_program[SENSOR_MAX_PROBES]; /* then, behind each link; -1: none */
        char not_taken[SENSOR_WHY_LEN];       /* why that which was there was removed; empty: nothing was */
        char not_attributed[SENSOR_WHY_LEN];  /* why options.attribution was taken back; empty: it was not */
        uint64_t stored;                      /* up to here what came through the urgent ring is stored */
        uint64_t stored_before;               /* and was at stored_ns */
        uint64_t stored_ns;
        unsigned missing;
        unsigned silent;
        bool canary_ran;
        bool canary_seen;
        struct sensor_options options;
        struct sensor_db db[VIGIL_MAX_DBS];
        uint64_t seq;     /* of records that user space makes */
        uint64_t records; /* taken from the rings */

        struct hist_idle *hist_idle; /* VIGIL_HISTS of them; NULL until they are asked for */
        uint32_t *hist_retired;      /* slots whose key was taken away at hist_retired_ns */
        size_t hist_nretired;
        uint64_t hist_retired_ns;

        struct wait_symbols symbols;   /* read when they are needed first */
        uint64_t symbols_ns;           /* 0: not yet */
        uint64_t stacks_unnamed;       /* told while there were none */
        struct wait_stack *wait_stack; /* SENSOR_STACKS of them; NULL until asked for */
        uint64_t unused_ns;            /* when those that are in no sum were looked for; 0: not yet */

        struct mounts mounts; /* our own, for cgroups, as of mounts_ns; read when they are needed */
        uint64_t mounts_ns;

        /* during a poll */
        sensor_fn fn;
        void *userdata;
};

/* The iterator over open files: of @pid, or, with 0, of everybody. */
int seed_read(struct sensor *s, enum seed_mode mode, pid_t pid, struct seed_entry **ret, size_t *ret_n);

/* What the process of @e held locked of its file before our time counts as taken now. */
void held_seed(struct sensor *s, const struct seed_entry *e);

/* What the living @p holds locked now, read marks included, into its uses. */
void held_fill(struct sensor *s, struct vigil_proc *p);

/* The keys of all participants. @ret: released with free(). Returns 0 or -ENOMEM. */
int participants(struct sensor *s, uint32_t **ret, size_t *ret_n);

/* What the kernel calls descriptor @fd of ours. */
int seed_own_fd(struct sensor *s, int fd, struct seed_entry *ret);

/* Runs a program of bpf/control.bpf.c. Returns what it returned, or -errno. */
int control_run(struct bpf_program *program, const uint64_t *args, size_t n);

/* The account of participant @tgid, as it stands in the kernel. -ENOENT: it is none. */
int sensor_read_part(struct sensor *s, uint32_t tgid, struct vigil_proc *ret);

/* Begins the watch where an earlier process left it; -errno: it cannot, and nothing has been changed but what only it used. */
int take_over(struct sensor *s, uint64_t attached);

/* The database that an earlier process has watched under this name in this directory; 0: none. */
unsigned taken_database(struct sensor *s, const struct seed_entry *dir, const char *name);

/* Opens the rings of the loaded skeleton. */
int rings_open(struct sensor *s);
void rings_close(struct sensor *s);

/* A record from the kernel, before it goes to the user. */
int stream_deliver(struct sensor *s, const struct vigil_hdr *record);

/* Allocates id and puts the names of (dir, name) under watch. */
int watch_names(struct sensor *s, const struct seed_entry *dir, const char *name, uint32_t flags, unsigned *ret_id);

/* sensor_watch() with other flags (enum vigil_db_flag). */
int watch_path(struct sensor *s, const char *path, uint32_t flags, unsigned *ret_id);

/* Gives back the ids of databases that have left the watch and that no process names any more. */
void unwatched_release(struct sensor *s);

/* What the kernel calls the regular file at @path. */
int watch_numbers(struct sensor *s, const char *path, struct seed_entry *ret);

/* Makes the main file at s->db[id].path known to the kernel, if it exists. */
int watch_bind(struct sensor *s, unsigned id, const char *path, struct seed_entry *ret);

/* The path at which the file of the record can be opened from here: as it stands, or through the root of a process that sees
 * it, with its directory then held open by *ret_dirfd. Owned by the caller; NULL: there is no way. */
char *reach_database(struct sensor *s, const struct vigil_database *r, int *ret_dirfd);

void sensor_fill_hdr(struct sensor *s, struct vigil_hdr *record, uint16_t type, uint32_t size);

/* Programs that run while user space takes something away may write to it for so long. */
#define SENSOR_GRACE_NS 1000000000ull

/* True when probe @i is to be attached with these options. */
bool probe_is_planned(const struct sensor *s, size_t i);

/* Attaches every program that is planned. @return 0; -EOPNOTSUPP or -errno, and @why says which one that is needed could not be */
int probes_attach(struct sensor *s, char why[SENSOR_WHY_LEN]);

/* Before loading: what attribution needs, or, without it, as little as can be. */
void attribution_prepare(struct sensor *s);

/* This kernel cannot, for the reason that is given: all goes on without it. */
void attribution_give_up(struct sensor *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* When everything is attached that can be: without one of its typed probes there is no attribution. */
void attribution_attached(struct sensor *s);

/* Of programs that are loaded: whether what they tell would have names. @return 0; or -errno, and @why says it */
int attribution_try(struct sensor *s, char why[SENSOR_WHY_LEN]);

/* Of what an earlier process has left: whether it has attribution. @attached: bit of each probe */
void attribution_taken(struct sensor *s, uint64_t attached);

/* Delivers the path of cgroup @id, if there is one. @return 0, or what @fn returned */
int cgroup_deliver(struct sensor *s, uint64_t id, sensor_fn fn, void *userdata);

/* Database @id is another one from now on. */
void attribution_forget(struct sensor *s, unsigned id);

/* Runs of attached programs that the kernel skipped: of those that verdicts rest on, or of those of attribution. */
uint64_t probes_missed(const struct sensor *s, bool attribution);

/* The steps of sensor_finish() that nobody else asks for: VIGIL_LIVE of the living and what is left of the dead, in one walk;
 * VIGIL_LEDGER of every database. @return 0 or more, or -errno */
int participants_deliver(struct sensor *s, sensor_fn fn, void *userdata);
int ledgers_deliver(struct sensor *s, sensor_fn fn, void *userdata);
