/* abi.h - the one header that kernel and user space share: record types, map values and their bounds.
 *
 * A stream of Vigil is a sequence of records. Each begins with struct vigil_hdr and is `size` bytes long. The same bytes
 * travel through the ring buffers and stand in a recording, so that a replay sees what the live run saw.
 *
 * Rules of the format (docs/ARCHITECTURE.md, "Records"):
 *  - little-endian, fixed-width types, no implicit padding: every gap is a named `pad` that is zero;
 *  - type numbers are never reused; a record only ever grows at its end, and readers ignore what they do not know there;
 *  - a reader refuses a record of a newer major version and skips a type it does not know, counting it;
 *  - all times are nanoseconds of CLOCK_BOOTTIME, the clock of task->start_boottime. */
#ifndef VIGIL_ABI_H
#define VIGIL_ABI_H

#ifdef __bpf__
#include "kernel.h"
#define VIGIL_ASSERT(cond, text) _Static_assert(cond, text)
#else
#include <linux/types.h>
#define VIGIL_ASSERT(cond, text) _Static_assert(cond, text)
#endif

#define VIGIL_MAGIC       0x4c474956u /* "VIGL" */
#define VIGIL_ABI_VERSION 1

#define VIGIL_COMM_LEN   16
#define VIGIL_NAME_MAX   256  /* NAME_MAX and its NUL */
#define VIGIL_PATH_MAX   1024 /* longer paths are cut at the front and marked VIGIL_PATH_CUT */
#define VIGIL_ARGV_MAX   1024
#define VIGIL_USES       8   /* databases of one process; more are counted, not kept */
#define VIGIL_OPS        128 /* flight recorder entries of one process; a power of two */
#define VIGIL_MAIN_FDS   4   /* descriptors of the main file that are remembered of one process; a power of two */
#define VIGIL_SIGNALS    4   /* fatal signals kept of one process: one of each number */
#define VIGIL_ANCESTORS  6
#define VIGIL_READ_MARKS 5           /* of a WAL index */
#define VIGIL_MAX_DBS    1024        /* ids of databases are below */
#define VIGIL_CPU_USER   0xffffffffu /* vigil_hdr.cpu of a record that user space made */

/* ---- enumerations -------------------------------------------------------------------------------------------------- */

enum vigil_type {
        VIGIL_SESSION = 1,  /* user: first record of every stream */
        VIGIL_DATABASE = 2, /* a database came under watch */
        VIGIL_PROCESS = 3,  /* a process became a participant: who it is */
        VIGIL_OPEN = 4,     /* a file of a database was opened */
        VIGIL_OP = 5, /* one operation, streamed: errors, slow syncs, truncations, or everything under `record` */
        VIGIL_PATHOP = 6,  /* unlink, rename, link, mkdir or rmdir of a watched name */
        VIGIL_SIGNAL = 7,  /* a signal that can end or stop a participant */
        VIGIL_EXIT = 8,    /* death of a participant: struct vigil_proc as it was */
        VIGIL_EXIT_DB = 9, /* follows VIGIL_EXIT: one of its databases at that instant */
        VIGIL_EXEC = 10,   /* a participant replaced itself by exec: struct vigil_proc, followed by VIGIL_EXIT_DB */
        VIGIL_WBERR = 11,  /* a write-back error was recorded on, or consumed from, a watched file */
        VIGIL_OOM = 12,    /* the kernel chose an OOM victim */
        VIGIL_FORK = 13,   /* a participant or a process of the tree forked */
        VIGIL_LEDGER = 14, /* user: struct vigil_db read from its map, at the end of a stream */
        VIGIL_HIST = 15,   /* user: one histogram read from its map, at the end of a stream */
        VIGIL_STATS = 16,  /* user: counters of loss and of full maps */
        VIGIL_OBSERVED = 17, /* user: what the files of a database looked like */
        VIGIL_CGROUP = 18,   /* user: name of a cgroup id */
        VIGIL_PROBE = 19,    /* user: one probe: attached, seen, missed */
        VIGIL_END = 20,      /* user: how the command ended; last record of a complete stream */
        VIGIL_LIVE = 21, /* user: struct vigil_proc of a participant that is still alive, at the end of a stream */
        VIGIL_ATTRIBUTION = 22, /* user: where the time of a database's commits or syncs went */
        VIGIL_NEIGHBOUR = 23,   /* user: a process that held a lock others waited for, or used a database's disk */
};

enum vigil_role {
        VIGIL_ROLE_OTHER = 0,
        VIGIL_ROLE_MAIN = 1,
        VIGIL_ROLE_WAL = 2,
        VIGIL_ROLE_SHM = 3,
        VIGIL_ROLE_JOURNAL = 4,
        VIGIL_ROLE_DIRECTORY = 5,
        VIGIL_ROLES = 6,
};

enum vigil_op_code {
        VIGIL_OP_OPEN = 1,
        VIGIL_OP_READ = 2,
        VIGIL_OP_WRITE = 3,
        VIGIL_OP_SYNC = 4,
        VIGIL_OP_TRUNCATE = 5,
        VIGIL_OP_UNLINK = 6,
        VIGIL_OP_RENAME = 7,
        VIGIL_OP_LOCK_RD = 8,
        VIGIL_OP_LOCK_WR = 9,
        VIGIL_OP_UNLOCK = 10,
        VIGIL_OP_LINK = 11,
        VIGIL_OP_COMMIT = 12,     /* histograms: write lock taken to write lock released */
        VIGIL_OP_CHECKPOINT = 13, /* histograms: checkpoint lock taken to released */
        VIGIL_OP_MKDIR = 14,
        VIGIL_OP_RMDIR = 15,
        VIGIL_OP_SYNC_RANGE =
                16, /* sync_file_range: seen, and never durable (durability of the metadata is not covered) */
        VIGIL_OP_COPY_FROM = 17, /* the file was the source of copy_file_range, sendfile, splice or FICLONE */
        VIGIL_OP_LOCK_WAIT = 18, /* a lock request that conflicted */
};

/* Lock mask of one process on one database: the bytes of the SQLite unix VFS (sqlite3 os_unix.c, wal.c). */
enum vigil_lock {
        VIGIL_LOCK_SHARED = 1 << 0,    /* read lock on 0x40000002 + 510 */
        VIGIL_LOCK_RESERVED = 1 << 1,  /* write lock on 0x40000001 */
        VIGIL_LOCK_PENDING = 1 << 2,   /* write lock on 0x40000000 */
        VIGIL_LOCK_EXCLUSIVE = 1 << 3, /* write lock on 0x40000002 + 510 */
        VIGIL_LOCK_WAL_WRITE = 1 << 4, /* -shm byte 120 */
        VIGIL_LOCK_WAL_CKPT = 1 << 5,  /* -shm byte 121 */
        VIGIL_LOCK_WAL_RECOVER = 1 << 6,
        VIGIL_LOCK_WAL_READ0 = 1 << 7, /* read lock on byte 123 + n is bit 7 + n */
        VIGIL_LOCK_WAL_READ1 = 1 << 8,
        VIGIL_LOCK_WAL_READ2 = 1 << 9,
        VIGIL_LOCK_WAL_READ3 = 1 << 10,
        VIGIL_LOCK_WAL_READ4 = 1 << 11,
        VIGIL_LOCK_DMS = 1 << 12,          /* -shm byte 128 */
        VIGIL_LOCK_WAL_READ0_WR = 1 << 13, /* write lock on byte 123: backfill in progress */
        VIGIL_LOCK_WAL_RESET = 1 << 14,    /* write lock on any of 124..127 */
        VIGIL_LOCK_FLOCK = 1 << 15,        /* flock(2), any kind */
};

#include "parts.h" /* struct vigil_hdr and what else records are made of */

/* ---- records ------------------------------------------------------------------------------------------------------- */

/* VIGIL_EXIT, VIGIL_EXEC and VIGIL_LIVE; also the value of the map of participants. */
struct vigil_proc {
        struct vigil_hdr hdr;
        struct vigil_ident id;
        __u32 ppid;
        __u32 uid;
        __u32 gid;
        __u32 flags; /* enum vigil_proc_flag */
        __u64 cgroup_id;
        __u64 pidns_ino; /* inode number of its PID namespace */
        __u64 first_ns;  /* when it became a participant */
        __s32 exit_code; /* as wait(2) reports it: code & 0x7f signal, 0x80 core, code >> 8 status */
        __u32 uses_lost; /* databases beyond VIGIL_USES */
        __u32 syncs_in_flight;
        __u32 nsignals; /* seen; the first VIGIL_SIGNALS are kept */
        __u32 nuses;
        __u32 nops; /* operations recorded in all; the last VIGIL_OPS are kept, the next goes to nops % VIGIL_OPS */
        __u32 threads; /* files_struct shared beyond the thread group: count of sharers */
        __u32 pad;
        struct vigil_sig signal[VIGIL_SIGNALS];
        struct vigil_use use[VIGIL_USES];
        struct vigil_opent op[VIGIL_OPS];
};
VIGIL_ASSERT(sizeof(struct vigil_proc) ==
                     32 + 32 + 16 + 24 + 32 + VIGIL_SIGNALS * 256 + VIGIL_USES * 104 + VIGIL_OPS * 32,
             "process");

enum vigil_proc_flag {
        VIGIL_PROC_TREE = 1 << 0,         /* belongs to the command's tree */
        VIGIL_PROC_SEEN_LATE = 1 << 1,    /* it ran before the watch began */
        VIGIL_PROC_DEAD = 1 << 2,         /* dead and not yet collected */
        VIGIL_PROC_OOM = 1 << 3,          /* chosen as OOM victim */
        VIGIL_PROC_SHARED_FILES = 1 << 4, /* another process shares its descriptor table: its locks survive it */
        VIGIL_PROC_CMD = 1 << 5,          /* the command itself */
        VIGIL_PROC_CANARY = 1 << 6,       /* Vigil's own test process: never reported */
};

struct vigil_exit_db {
        struct vigil_hdr hdr;
        struct vigil_ident id;
        struct vigil_use use;
        struct vigil_db db;
};
VIGIL_ASSERT(sizeof(struct vigil_exit_db) == 64 + 104 + sizeof(struct vigil_db), "database at a death");

struct vigil_database {
        struct vigil_hdr hdr;
        struct vigil_ident id; /* who made Vigil see it; zero for --db */
        __u64 ino;
        __u64 dir_ino;
        __u64 dir_dev;
        __u32 dev;
        __u32 db;
        __u32 flags;      /* enum vigil_db_flag */
        __u32 path_flags; /* enum vigil_path_flag */
        __u64 fs_magic;   /* super block magic; 0: not known */
        char path[VIGIL_PATH_MAX];
};
VIGIL_ASSERT(sizeof(struct vigil_database) == 64 + 48 + VIGIL_PATH_MAX, "database under watch");

enum vigil_path_flag {
        VIGIL_PATH_CUT = 1 << 0,      /* leading components are missing */
        VIGIL_PATH_OTHER_NS = 1 << 1, /* as seen in another mount namespace */
};

struct vigil_process {
        struct vigil_hdr hdr;
        struct vigil_ident id;
        __u32 ppid;
        __u32 uid;
        __u32 gid;
        __u32 flags;
        __u64 cgroup_id;
        __u64 pidns_ino;
        __u32 argv_len; /* bytes used of argv: NUL-separated */
        __u32 argv_cut; /* 1: there were more */
        char exe[VIGIL_PATH_MAX];
        char argv[VIGIL_ARGV_MAX];
};
VIGIL_ASSERT(sizeof(struct vigil_process) == 64 + 40 + VIGIL_PATH_MAX + VIGIL_ARGV_MAX, "process identity");

/* VIGIL_OPEN: role and flags as opened. VIGIL_OP: one operation. */
struct vigil_op {
        struct vigil_hdr hdr;
        struct vigil_ident id;
        struct vigil_opent e;
        __u64 ino;
        __u64 duration_ns; /* 0: not timed */
        __u32 open_flags;  /* VIGIL_OPEN: flags of open(2) */
        __u32 incarnation;
        __u64 file_writes; /* writes to the file so far: a copy with writes between its open and its end is torn */
        __u32 txn_db_writes; /* writes to the main file in a transaction that was open at that instant */
        __u32 taken;         /* enum vigil_taken_flag; 0: an ordinary operation */
};
VIGIL_ASSERT(sizeof(struct vigil_op) == 64 + 32 + 40, "streamed operation");

struct vigil_pathop {
        struct vigil_hdr hdr;
        struct vigil_ident id;
        __u32 db;
        __u8 role;
        __u8 op;
        __u16 taken; /* enum vigil_taken_flag; 0: SQLite may do that, or it harms nobody */
        __s32 result;
        __s32 writecount;           /* i_writecount when it could be read, else -1 */
        __u32 nlink;                /* i_nlink afterwards; 0: the last name is gone */
        __u32 confirmed;            /* 1: the kernel's inode confirms that it was this file */
        char name[VIGIL_NAME_MAX];  /* last component: the watched name */
        char other[VIGIL_NAME_MAX]; /* rename, link: the other last component */
};
VIGIL_ASSERT(sizeof(struct vigil_pathop) == 64 + 24 + 2 * VIGIL_NAME_MAX, "path operation");

struct vigil_signal {
        struct vigil_hdr hdr;
        struct vigil_ident id; /* the target */
        struct vigil_sig sig;
};
VIGIL_ASSERT(sizeof(struct vigil_signal) == 64 + 256, "signal record");

struct vigil_wberr {
        struct vigil_hdr hdr;
        struct vigil_ident id; /* who consumed it; zero when it was recorded */
        __u64 ino;
        __u32 dev;
        __u32 db;
        __u8 role;
        __u8 consumed; /* 0: recorded on the inode; 1: reported to `id` */
        __u16 pad;
        __s32 error; /* -errno, or 0 when it cannot be told */
};
VIGIL_ASSERT(sizeof(struct vigil_wberr) == 64 + 24, "write-back error");

struct vigil_oom {
        struct vigil_hdr hdr;
        struct vigil_ident id; /* start_ns is 0 where the tracepoint has only a pid */
};
VIGIL_ASSERT(sizeof(struct vigil_oom) == 64, "OOM victim");

struct vigil_fork {
        struct vigil_hdr hdr;
        struct vigil_ident parent;
        struct vigil_ident child;
        __u32 inherits; /* 1: the parent was a participant */
        __u32 pad;
};
VIGIL_ASSERT(sizeof(struct vigil_fork) == 32 + 64 + 8, "fork");

struct vigil_ledger_rec {
        struct vigil_hdr hdr;
        struct vigil_db db;
};
VIGIL_ASSERT(sizeof(struct vigil_ledger_rec) == 32 + sizeof(struct vigil_db), "ledger record");

/* Log-linear histogram of nanoseconds: VIGIL_HIST_SUB buckets per octave from 2^VIGIL_HIST_MIN ns upwards. Bucket 0 holds
 * everything below, the last one everything above. */
#define VIGIL_HIST_MIN      10
#define VIGIL_HIST_SUB_BITS 2
#define VIGIL_HIST_SUB      (1 << VIGIL_HIST_SUB_BITS)
#define VIGIL_HIST_OCTAVES  27
#define VIGIL_HIST_BUCKETS  (VIGIL_HIST_OCTAVES * VIGIL_HIST_SUB + 2)

struct vigil_hist_key {
        __u32 db;
        __u8 role;
        __u8 op;
        __u16 pad;
        char comm[VIGIL_COMM_LEN];
};
VIGIL_ASSERT(sizeof(struct vigil_hist_key) == 24, "histogram key");

struct vigil_hist {
        __u64 count;
        __u64 errors;
        __u64 sum_ns;
        __u64 max_ns;
        __u32 bucket[VIGIL_HIST_BUCKETS];
};
VIGIL_ASSERT(sizeof(struct vigil_hist) == 32 + 4 * VIGIL_HIST_BUCKETS, "histogram");

struct vigil_hist_rec {
        struct vigil_hdr hdr;
        struct vigil_hist_key key;
        struct vigil_hist hist;
};
VIGIL_ASSERT(sizeof(struct vigil_hist_rec) == 56 + sizeof(struct vigil_hist), "histogram record");

/* Where the time of an operation went (docs/LATENCY.md). */
enum vigil_delay {
        VIGIL_DELAY_UNEXPLAINED = 0,
        VIGIL_DELAY_CPU = 1,          /* it was running */
        VIGIL_DELAY_LOCK = 2,         /* another connection held a lock of the database */
        VIGIL_DELAY_RUN_QUEUE = 3,    /* runnable, and no processor was free */
        VIGIL_DELAY_CPU_LIMIT = 4,    /* its cgroup had used up its processor time */
        VIGIL_DELAY_IO_LIMIT = 5,     /* held back above the device: a cgroup's I/O limit */
        VIGIL_DELAY_WRITEBACK = 6,    /* too many dirty pages, or write-back throttling of the device */
        VIGIL_DELAY_JOURNAL = 7,      /* of the file system: other transactions had to be written first */
        VIGIL_DELAY_QUEUE = 8,        /* requests waited in the queue of the device */
        VIGIL_DELAY_SERVICE = 9,      /* the device worked */
        VIGIL_DELAY_APPLICATION = 10, /* the program waited for something of its own: a timer, a futex, a socket */
        VIGIL_DELAY_MEMORY = 11,      /* for memory to become free */
        VIGIL_DELAY_KERNEL = 12,      /* another thread held a lock inside of the kernel */
        VIGIL_DELAY_KINDS = 13,
};
#define VIGIL_DELAYS 16 /* room for more of them */

/* What attribution has not seen. */
enum vigil_attribution_loss {
        VIGIL_UNSEEN_OPERATIONS =
                0, /* not timed: of two databases at once in one thread, or their place was taken */
        VIGIL_UNSEEN_STACKS =
                1, /* kernel stacks that found no place, or have no name: their waits are unexplained */
        VIGIL_UNSEEN_WAITS = 2,    /* waits that found no place: unexplained */
        VIGIL_UNSEEN_REQUESTS = 3, /* disks, or requests to them, that found no place: less is told of the device */
        VIGIL_UNSEEN_RUNS = 4,     /* of a program, that the kernel skipped: a change of what a thread does */
};
#define VIGIL_ATTRIBUTION_LOSSES 8 /* room for more of them */

/* All operations of one kind on one database, since it came under watch. */
struct vigil_attribution {
        struct vigil_hdr hdr;
        __u32 db;
        __u32 op; /* VIGIL_OP_COMMIT or VIGIL_OP_SYNC */
        __u64 count;
        __u64 total_ns;  /* what `ns` adds up to */
        __u32 estimated; /* bit 1 << VIGIL_DELAY_…: shared out by proportion */
        __u32 disk;      /* that the database lies on: major << 20 | minor; 0: not known */
        __u64 ns[VIGIL_DELAYS];
        __u64 lost[VIGIL_ATTRIBUTION_LOSSES]; /* of all databases, since the watch began */
        char disk_name[32];                   /* "loop0"; empty: not known */
};
VIGIL_ASSERT(sizeof(struct vigil_attribution) == 32 + 32 + 8 * VIGIL_DELAYS + 8 * VIGIL_ATTRIBUTION_LOSSES + 32,
             "attribution");

/* What one process has done, since the watch began, that others may have waited for. */
struct vigil_neighbour {
        struct vigil_hdr hdr;
        struct vigil_ident id; /* tgid 0: threads of the kernel, which write for others */
        __u32 db;              /* whose lock it held; 0: it is about a disk */
        __u32 disk;            /* as in struct vigil_attribution */
        __u64 waited_ns;       /* for its lock, in all */
        __u64 write_bytes;     /* that it asked the disk to write, itself */
        __u64 read_bytes;
        __u64 writes;
        __u64 syncs;            /* fsync and fdatasync of files there, of a database or not */
        __u32 uses[VIGIL_USES]; /* databases that it uses itself; 0: no further one */
        __u64 cgroup_id;        /* when it was first seen; 0: not known */
};
VIGIL_ASSERT(sizeof(struct vigil_neighbour) == 64 + 48 + 4 * VIGIL_USES + 8, "neighbour");

/* Counters of what was lost: all zero in a run that can be trusted. Kept per cpu in the kernel, summed in VIGIL_STATS. */
struct vigil_counters {
        __u64 sent;        /* records that entered a ring */
        __u64 lost;        /* records that found their ring full */
        __u64 lost_deaths; /* deaths kept in their map because their ring was full; collected later, not lost */
        __u64 full_procs;  /* a process could not be followed: map of processes full */
        __u64 full_parts;  /* a participant could not be kept: map of participants full */
        __u64 full_files;  /* a file could not be watched: map of files full */
        __u64 full_dbs;    /* a database could not be adopted */
        __u64 full_names;
        __u64 full_syncs; /* a sync could not be timed or credited */
        __u64 full_hist;
        __u64 snaps_lost;  /* VIGIL_EXIT_DB that could not be sent */
        __u64 uses_lost;   /* a process used more than VIGIL_USES databases */
        __u64 read_faults; /* user memory that could not be read */
        __u64 collisions;  /* a tgid came back while its dead predecessor was not yet collected */
        __u64 unresolved;  /* descriptors that could not be resolved to a file */
        __u64 canary;      /* operations seen on the canary */
};
VIGIL_ASSERT(sizeof(struct vigil_counters) == 128, "counters");

struct vigil_stats {
        struct vigil_hdr hdr;
        struct vigil_counters c;
        __u64 missed;         /* runs of probes that the kernel skipped, where it counts them */
        __u64 records;        /* records that user space took from the rings */
        __u64 gaps;           /* sequence numbers that were missing */
        __u32 canary;         /* 1: the canary was seen, 0: it was not */
        __u32 probes_missing; /* probes that could not be attached */
        __u32 probes_silent;  /* probes that were tried and did not fire */
        __u32 pad;
        __u64 cut; /* records left out of a recording because it had reached its size limit */
};
VIGIL_ASSERT(sizeof(struct vigil_stats) == 32 + 128 + 48, "statistics");

struct vigil_cgroup {
        struct vigil_hdr hdr;
        __u64 cgroup_id;
        char path[VIGIL_PATH_MAX];
};
VIGIL_ASSERT(sizeof(struct vigil_cgroup) == 40 + VIGIL_PATH_MAX, "cgroup");

struct vigil_probe {
        struct vigil_hdr hdr;
        __u32 attached;
        __u32 seen; /* 0 no, 1 yes, 2 cannot be tried harmlessly */
        __u64 missed;
        char name[64];
};
VIGIL_ASSERT(sizeof(struct vigil_probe) == 48 + 64, "probe");

struct vigil_session {
        struct vigil_hdr hdr;
        char boot_id[40]; /* text, NUL-terminated */
        char host[64];
        char kernel[64];
        char vigil[16];
        char tier[16];
        __s64 realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME at the start */
        __u32 argv_len;
        __u32 mode; /* enum vigil_mode */
        char argv[VIGIL_ARGV_MAX];
};
VIGIL_ASSERT(sizeof(struct vigil_session) == 32 + 200 + 16 + VIGIL_ARGV_MAX, "session");

enum vigil_mode { VIGIL_MODE_EXEC = 1, VIGIL_MODE_ATTACH = 2, VIGIL_MODE_RECORD = 3 };

struct vigil_end {
        struct vigil_hdr hdr;
        struct vigil_ident id; /* the command; zero for attach */
        __s32 status;          /* as wait(2) has it; -1: it was not waited for */
        __u32 pad;
};
VIGIL_ASSERT(sizeof(struct vigil_end) == 72, "end");

/* What the files of a database looked like after a death, or at the end: made by a sandboxed child from the public file
 * formats. Counts are of the current WAL generation. */
struct vigil_observed {
        struct vigil_hdr hdr;
        struct vigil_ident id; /* the death it belongs to; zero: the end of the stream */
        __u32 db;
        __s32 error;     /* -errno: the files could not be looked at; then nothing below counts */
        __u32 flags;     /* enum vigil_observed_flag */
        __u32 page_size; /* from the header of the main file */
        __u64 main_bytes;
        __u64 wal_bytes;
        __u64 journal_bytes;
        __u64 shm_bytes;
        __u64 wal_frames;      /* valid: salts and checksums agree */
        __u64 wal_commits;     /* commit frames among them */
        __u64 wal_tail_frames; /* valid frames after the last commit frame */
        __u64 wal_commit_end;
        __u32 journal_records; /* nRec of the first header; 0xffffffff: to the end of the file */
        __u32 shm_max_frame;
        __u32 shm_backfill;
        __u32 journal_pages; /* whole page records in all segments of a hot journal */
};
VIGIL_ASSERT(sizeof(struct vigil_observed) == 64 + 16 + 64 + 16, "observation");

enum vigil_observed_flag {
        VIGIL_OBS_MAIN = 1 << 0,        /* the main file exists */
        VIGIL_OBS_SQLITE = 1 << 1,      /* and begins as an SQLite database does */
        VIGIL_OBS_WAL_MODE = 1 << 2,    /* header bytes 18, 19 are 2 */
        VIGIL_OBS_WAL = 1 << 3,         /* a -wal exists */
        VIGIL_OBS_WAL_HEADER = 1 << 4,  /* and its header is valid */
        VIGIL_OBS_JOURNAL = 1 << 5,     /* a -journal exists */
        VIGIL_OBS_JOURNAL_HOT = 1 << 6, /* magic and a record count: the next open rolls it back */
        VIGIL_OBS_SHM = 1 << 7,
        VIGIL_OBS_WAL_CUT = 1 << 8,    /* the scan stopped at its limit: counts are lower bounds */
        VIGIL_OBS_EMPTY = 1 << 9,      /* main file of 0 bytes */
        VIGIL_OBS_ENCRYPTED = 1 << 10, /* no SQLite header, though it is used like one */
        VIGIL_OBS_REPLACED = 1 << 11,  /* another file stands under the name now */
        VIGIL_OBS_JOURNAL_STALE =
                1 << 12, /* it names a super-journal that is gone: deleted unread, not rolled back */
        VIGIL_OBS_WAL_TORN =
                1
                << 13, /* the first frame that does not count has the salts of this log: a transaction that wrote a
                            page twice, which makes the checksums right at its commit, or a torn write */
        /* Committed frames stand behind the last commit that a recovery finds: shm_max_frame in all. The -shm says so; or, of
         * VIGIL_OBS_WAL_BEHIND, what was seen of the writing. */
        VIGIL_OBS_WAL_UNREADABLE = 1 << 14,
        /* The first frame that does not count has no salts, and a commit frame of this log stands behind it: without a -shm,
         * shm_max_frame is its number. */
        VIGIL_OBS_WAL_BEHIND = 1 << 15,
};

#endif
