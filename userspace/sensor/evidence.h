/* evidence.h - what the kernel knows about one living process at one instant: is it running, what does it wait for, what has
 * it done. Facts only; what they mean for a job says detect/job.h. Layer: sensor.
 *
 * Two samples, a second or more apart, tell what moves: all counters are cumulative. A process is taken for the one that is
 * meant by its number and its start, which is looked at before and after. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

struct sensor;

#define EVIDENCE_THREADS 64 /* of one process; of more the rest is not looked at: EVIDENCE_NO_THREADS */
#define EVIDENCE_WAITS   2
#define EVIDENCE_HOLDERS 4
#define EVIDENCE_STACK   1024

/** What could not be read, and so is zero; absence is told, never guessed. */
enum evidence_missing {
        EVIDENCE_NO_THREADS = 1 << 0, /* some threads, and their delays, were not looked at */
        EVIDENCE_NO_IO = 1 << 1,      /* /proc/PID/io: needs CAP_SYS_PTRACE */
        EVIDENCE_NO_DELAYS = 1 << 2,  /* schedstat: a kernel without CONFIG_SCHED_INFO */
        EVIDENCE_NO_WCHAN = 1 << 3,
        EVIDENCE_NO_STACK = 1 << 4, /* needs CAP_SYS_ADMIN */
        EVIDENCE_NO_CGROUP = 1 << 5,
        EVIDENCE_NO_ACCOUNT = 1 << 6, /* it is no participant: it has used no watched database, or found no place */
        EVIDENCE_NO_HOLDERS = 1 << 7, /* who holds what it waits for could not be looked up */
};

/** Who holds a lock that conflicts with what another process wants. */
struct evidence_holder {
        struct vigil_ident
                id;     /* tgid 0: nobody who can be named, such as the owner of an open file description lock */
        uint32_t locks; /* enum vigil_lock: all that it holds of that database */
        uint32_t conflicting; /* of these, what conflicts with what is wanted */
        uint32_t tid;         /* the thread that took all of that; 0: not known, as of readers */
        uint64_t
                since_ns; /* CLOCK_BOOTTIME: when it took the write or checkpoint lock; 0: not known, as of readers */
        uint64_t commits; /* of that database, cumulative: who commits does not hold one read transaction */
};

/** A lock that conflicted again and again, with no success since. SQLite does not sleep in the kernel for a lock: its busy handler
 * asks every few milliseconds. Who has not asked for EVIDENCE_GIVE_UP_NS has given up, and waits for nothing. */
struct evidence_wait {
        unsigned db;       /* id of the database */
        uint32_t lock;     /* enum vigil_lock: what it wants */
        bool asleep;       /* in the kernel, by F_SETLKW */
        uint32_t tid;      /* the thread that asked last */
        uint64_t since_ns; /* CLOCK_BOOTTIME: first refusal */
        uint64_t last_ns;  /* last refusal */
        uint64_t tries;    /* refusals */
        size_t nholders;   /* processes that hold a conflicting lock now; the first EVIDENCE_HOLDERS are told */
        struct evidence_holder holder[EVIDENCE_HOLDERS];
};
#define EVIDENCE_GIVE_UP_NS 2000000000ull

/** The sync that has been in flight longest. */
struct evidence_sync {
        uint64_t since_ns; /* CLOCK_BOOTTIME; 0: none is in flight */
        unsigned in_flight;
        unsigned db;   /* 0: not a file of one database: a directory, or a whole file system */
        unsigned role; /* enum vigil_role; VIGIL_ROLE_OTHER with a whole file system */
        bool whole;    /* syncfs(2) or sync(2) */
        uint32_t tid;
        uint32_t dev; /* kernel encoding: major << 20 | minor; 0: not known */
        char device
                [64]; /* "loop3", "sda1"; of a file system without one what is mounted, else "0:45"; "": not known */
};

/** What a process sleeps for, by its system call. */
enum sleep_kind {
        SLEEP_NONE,     /* it does not, or that cannot be read */
        SLEEP_TIMER,    /* until a time that it has set itself */
        SLEEP_MESSAGE,  /* somebody else's, on a socket */
        SLEEP_PIPE,     /* what comes through a pipe */
        SLEEP_EVENTS,   /* poll(2) and its like: messages, timers, other processes */
        SLEEP_CHILD,    /* the end of a child */
        SLEEP_THREAD,   /* another of its threads, or a lock that it has with others */
        SLEEP_TERMINAL, /* input */
        SLEEP_SIGNAL,
        SLEEP_OTHER,
};

/** The threads of a process but one. A lock belongs to the process: may it be one of these that lets go of it? */
struct other_threads {
        bool none; /* it has no others */
        bool may_act; /* one of them runs, sleeps until a time of its own, or for what comes from outside of the process; or they could
                         not all be looked at. Else each waits for another thread, without a limit */
        bool at_work; /* with may_act: one of them runs, or is in a call that does more than wait; or they could not all be looked at */
        uint64_t run_ns;           /* CPU time of all of them, cumulative */
        uint64_t reads;            /* read(2) and its like, on anything, of all of them, cumulative */
        uint32_t tid;              /* with may_act: the first that may; 0: see at_work */
        char comm[VIGIL_COMM_LEN]; /* its name */
        enum sleep_kind sleeps;    /* what it waits for */
};

/** A participant that waits for a lock. */
struct lock_waiter {
        struct vigil_ident id;
        uint64_t work; /* commits and writes of all databases, cumulative: who does any gets on */
        struct evidence_wait wait;
        struct other_threads others; /* than wait.tid; looked at only where it matters: sensor_other_threads() */
};

struct evidence_sleep {
        enum sleep_kind kind;
        unsigned
                connections; /* with SLEEP_MESSAGE, SLEEP_EVENTS and SLEEP_TIMER: TCP connections that may bring it; of the latter
                                two only those that it has opened itself */
        bool unsure;   /* the host has too many for all to be looked at */
        char peer[64]; /* the other end of the first one, "10.0.0.5:443"; "": none */
};

/** What it has done with one database, as the kernel side counts it. */
struct evidence_use {
        unsigned db;
        uint32_t locks; /* enum vigil_lock as followed; read marks are not */
        uint64_t first_ns;
        uint64_t last_ns; /* last open, lock, write */
        uint64_t writes;
        uint64_t bytes;
        uint64_t commits;
        uint64_t write_lock_ns; /* since when it holds RESERVED or the WAL write lock; 0: it does not */
};

struct process_evidence {
        struct vigil_ident id;
        bool gone;        /* it has ended; all else is zero */
        unsigned missing; /* enum evidence_missing */
        uint64_t at_ns;   /* CLOCK_BOOTTIME, when it was looked at */

        /* what its threads are at */
        unsigned threads;
        unsigned running;         /* in state R */
        unsigned uninterruptible; /* in state D */
        uint32_t tid;   /* the thread that tells most: in D, in a sync, that waits, that runs, the first */
        char state;     /* of that thread, as proc(5) has it */
        char wchan[64]; /* kernel function it sleeps in; "": none */
        char stack[EVIDENCE_STACK]; /* its kernel stack, a line for each frame; "": none */
        struct evidence_sleep sleep;

        /* cumulative */
        uint64_t cpu_ns;       /* all threads, the ended ones too; in steps of 10 ms */
        uint64_t run_delay_ns; /* runnable without a CPU: living threads */
        uint64_t voluntary;    /* context switches: living threads */
        uint64_t involuntary;
        uint64_t read_calls, write_calls; /* read(2), write(2) and their like, on anything */
        uint64_t read_chars, write_chars; /* bytes of these */
        uint64_t read_bytes, write_bytes; /* of these, from and to storage */

        /* the databases; sums over them */
        uint64_t db_writes;
        uint64_t commits;
        uint64_t last_write_ns; /* 0: none, or longer ago than the flight recorder reaches */
        uint64_t connect_ns;    /* when it last began to open a TCP connection, to anybody; 0: not seen */
        unsigned uses_lost;     /* databases that found no place in its account */
        size_t nuses;
        struct evidence_use use[VIGIL_USES];
        size_t nwaits;
        struct evidence_wait wait[EVIDENCE_WAITS];
        struct evidence_sync sync;

        /* what keeps all of it from running */
        struct {
                bool frozen;
                uint64_t throttled_us; /* cumulative, of its cgroup and all above it */
        } cgroup;
        struct {
                bool stopped;          /* by SIGSTOP and its like */
                bool traced;           /* by a debugger */
                int sig;               /* 0: not seen */
                uint64_t ns;           /* when it was sent */
                struct vigil_ident by; /* tgid 0: not seen, or the kernel or terminal sent it */
        } stop;
};

/**
 * Looks at the process @p who, which need not be a participant.
 *
 * Costs some 150 us of CPU time and 35 more for each thread: sample what is in question, not everybody.
 *
 * @param who  tgid and start_ns: a bare number is no process
 * @param ret  filled also when the process is gone: then only `id`, `gone` and `at_ns`
 * @return 0; -EINVAL @p who has no start; or -errno
 */
int sensor_evidence(struct sensor *s, const struct vigil_ident *who, struct process_evidence *ret);

/**
 * All participants of all databases that wait for a lock now: one look at everybody, without procfs. While nobody waits it costs
 * nothing.
 * @param ret_n  how many were written, at most @p room
 * @return how many there are; or -errno
 */
int sensor_waiters(struct sensor *s, struct lock_waiter *ret, size_t room, size_t *ret_n);

/** Looks at the threads of @p who but @p tid. Some 70 us for each. A process that has ended is at work. */
void sensor_other_threads(const struct vigil_ident *who, uint32_t tid, struct other_threads *ret);

/**
 * Who holds now what conflicts with @p wanted (enum vigil_lock) of database @p db; a read mark stands for having it alone.
 * @param ret  `db`, `lock`, the holders; all else is zero
 * @return 0; -ENOENT no such database; -EFBIG the host has more locks than are read; or -errno
 */
int sensor_holders(struct sensor *s, unsigned db, uint32_t wanted, struct evidence_wait *ret);

/** How often a checkpoint of a database was refused a lock, cumulative. */
struct checkpoint_refusals {
        uint64_t lock;                   /* the checkpoint lock: another one was at work */
        uint64_t mark[VIGIL_READ_MARKS]; /* a read mark: a reader needs the log from there on */
        uint64_t mark_ns;                /* CLOCK_BOOTTIME: when one of them was last; 0: never */
        unsigned last_mark;              /* which: it holds the checkpoint back most */
        uint64_t reset;                  /* all marks at once: with a reader at work the log cannot begin anew */
};

/** @return 0; -ENOENT no database can have that id; or -errno */
int sensor_checkpoint_refusals(struct sensor *s, unsigned db, struct checkpoint_refusals *ret);

/** "vda1", "loop3" of a kernel device number (major << 20 | minor), as in evidence_sync.device. */
void evidence_device_name(uint32_t dev, char *ret, size_t size);
