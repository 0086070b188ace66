/* loader.h - what the programs and their loader (userspace/sensor/) share within one build: probe numbers and the layout of
 * maps. Unlike abi.h nothing of it is ever recorded, and it may change with every build. */
#ifndef VIGIL_LOADER_H
#define VIGIL_LOADER_H

#include "abi.h"

/* Index of each probe in the map `seen`. */
enum probe_id {
        PROBE_WRITE = 0,
        PROBE_PWRITE64,
        PROBE_WRITEV,
        PROBE_PWRITEV,
        PROBE_PWRITEV2,
        PROBE_SENDFILE,
        PROBE_SPLICE,
        PROBE_COPY_FILE_RANGE,
        PROBE_TRUNCATE,
        PROBE_FTRUNCATE,
        PROBE_FALLOCATE,
        PROBE_IOCTL,
        PROBE_OPEN,
        PROBE_OPENAT,
        PROBE_OPENAT2,
        PROBE_CREAT,
        PROBE_OPEN_BY_HANDLE,
        PROBE_FSYNC_ENTER,
        PROBE_FSYNC,
        PROBE_FDATASYNC_ENTER,
        PROBE_FDATASYNC,
        PROBE_SYNCFS_ENTER,
        PROBE_SYNCFS,
        PROBE_SYNC_ENTER,
        PROBE_SYNC,
        PROBE_SYNC_FILE_RANGE,
        PROBE_UNLINK,
        PROBE_UNLINKAT,
        PROBE_RENAME,
        PROBE_RENAMEAT,
        PROBE_RENAMEAT2,
        PROBE_LINK,
        PROBE_LINKAT,
        PROBE_MKDIR,
        PROBE_MKDIRAT,
        PROBE_RMDIR,
        PROBE_POSIX_LOCK,
        PROBE_FLOCK,
        PROBE_FORK,
        PROBE_EXEC,
        PROBE_EXIT,
        PROBE_SIGNAL,
        PROBE_OOM,
        PROBE_SET_WB_ERR,
        PROBE_TAKE_WB_ERR,
        PROBE_READ,
        PROBE_PREAD64,
        PROBE_READV,
        PROBE_PREADV,
        PROBE_SWITCH,
        PROBE_WAKEUP,
        PROBE_THREAD_EXIT,
        PROBE_RQ_INSERT,
        PROBE_RQ_ISSUE,
        PROBE_RQ_COMPLETE,
        PROBE_RQ_MERGE,
        PROBE_BIO,
        PROBE_JOURNAL_HANDLE,
        PROBE_JOURNAL_LOG,
        PROBE_JOURNAL_END,
        PROBE_CONNECT,
        PROBE_COUNT,
};

#define VIGIL_PARTS 1024
#define VIGIL_HISTS (8 * VIGIL_MAX_DBS) /* commits, and syncs of the files, of each database by two programs */

enum mark_flag {
        MARK_TREE = 1 << 0,     /* of the command's tree */
        MARK_OWN = 1 << 1,      /* Vigil itself and its helpers: never looked at */
        MARK_INHERITS = 1 << 2, /* forked by a participant: may use descriptors that it never opened */
        MARK_CMD = 1 << 3,
        MARK_CANARY = 1 << 4, /* Vigil's own test process: what it does proves that probes fire */
        MARK_RELAY = 1 << 5, /* what ends others is passed on by it: who sent it is told, up to RELAYED_MAX times */
};

#define RELAYED_MAX 64

struct mark {
        __u32 flags;
};

struct file_key {
        __u64 ino;
        __u32 dev;
        __u32 pad;
};

struct file_ref {
        __u64 inode; /* address, to be validated before use */
        __u32 db;    /* 0: being adopted right now */
        __u32 generation;
        __u32 incarnation;
        __u8 role;
        __u8 unlinked;
        __u16 second; /* another database of which it is the main file, under another name; 0: there is none */
};

/* What is known of the open rollback transaction (txn.h). */
enum txn_fact {
        TXN_FROM_LOCK = 1 << 0, /* RESERVED was taken for it */
        TXN_COUNTER = 1 << 1,   /* `counter` is known */
        TXN_RESTORED =
                1 << 2, /* page 1 was written last with the change counter that it had before the transaction */
        TXN_BACKWARDS =
                1 << 3, /* since page 1 was written, a page was written that stands before the one before it */
};

/* What the kernel side alone needs of a database. */
struct db_priv {
        __u64 inode[VIGIL_ROLES];
        struct file_key key[VIGIL_ROLES];
        struct file_key dir;
        __u64 wal_txn_end;        /* highest frame end written since the write lock was taken */
        __u64 wal_frame_commit;   /* a commit frame's header was written and its page, expected there, not yet */
        __u64 wal_head_end;       /* end of the frame header that was written last */
        __u64 commits_at_lock;    /* `commits` of its use, when the write lock was taken */
        __u64 wal_commits_prev;   /* commits that stood in earlier WAL generations: the main file has them */
        __u64 wal_commits_main;   /* commits that a good sync of the main file covered */
        __u64 wal_commits_synced; /* commits that stood in the -wal when a good sync of it was entered */
        __u64 wal_base; /* what had been written to the main file when the log began anew: it is nothing without that */
        __u64 main_synced;          /* what had been written to the main file when its last good sync was entered */
        __u64 last_commit_dirop;    /* dir.ops right after the last commit by unlink */
        __u64 last_commit_main;     /* what had been written to the main file at the last rollback commit */
        __u64 journal_ends;         /* commits by truncation of the -journal or zeroing of its header */
        __u64 journal_ends_durable; /* of these, covered by a good sync of the -journal */
        __u64 journal_end_ns;       /* when the last of them was */
        __u64 commit_next; /* main file: end of the last write since page 1 was written; 0: in this transaction it was not */
        __u64 journal_page;  /* -journal: where the page of the record that has begun is written; 0: none has */
        __u64 journal_sum;   /* and the checksum of the record whose page has been */
        __u32 journal_page1; /* 1: it is page 1 */
        __u32 counter;       /* change counter before the open transaction, as it stands in page 1: big-endian */
        __u32 counter_now;   /* the same as it was written last */
        __u32 counter_seen;  /* 1: that is known, and nobody has written it since in a way that is not followed */
        __u32 txn_facts;     /* enum txn_fact */
        __u32 name_len;
        __u32 seeded;     /* 1: who had it open when its watch began has been looked for */
        __u32 commit_tid; /* the thread whose span the open commit is; 0: none */
        __u64 disk;       /* address of the gendisk that its file system lies on; 0: not known */
        char name[VIGIL_NAME_MAX];
};

/* A watched name in its directory, and whose it is. */
struct name_key {
        struct file_key dir;
        char name[VIGIL_NAME_MAX];
};

struct name_ref {
        __u32 db;
        __u32 role;
};

/* The same name whatever its directory. */
struct basename_key {
        char name[VIGIL_NAME_MAX];
};

struct basename_ref {
        __u32 count; /* databases that have a file of this name */
        __u32 db;    /* the last of them */
        __u32 role;
        __u32 pad;
};

/* Directories that hold a watched database: entries made and removed, and how many of these a sync of it covered. */
struct dir {
        __u64 ops;
        __u64 durable;
        __u64 errors;
        __u64 last_op_ns;
};

/* A sync in flight, or the last one of its thread: the value of `syncs`. */
#define SYNC_WHOLE_FS 0xff /* sync_flight.role of syncfs and sync */

struct sync_flight {
        struct file_key key; /* of a directory; of a whole file system its device, 0: all of them */
        __u64 entered_ns;    /* 0: it is over */
        __u64 written;       /* of the file, or dir.ops */
        __u64 commits;       /* that it covers: commits_of() */
        __u32 db;
        __u32 incarnation;
        __u32 role;
        __u32 use; /* index into vigil_proc.use */
};

/* A lock that a participant asks for and does not get. */
struct lock_wait {
        __u64 since_ns; /* first refusal */
        __u64 last_ns;
        __u64 tries;
        __u32 db;   /* 0: no wait */
        __u32 lock; /* enum vigil_lock: what it wants; a read mark: it wants that for itself alone */
        __u32 tid;
        __u32 asleep; /* 1: it sleeps in the kernel until it gets it (F_SETLKW) */
};

/* What keeps a participant from going on. By slot of `parts`; written only when something does. */
#define OBSTACLE_WAITS 2
struct obstacle {
        __u64 start_ns; /* whose it is: another process in this slot has none yet */
        struct lock_wait wait[OBSTACLE_WAITS];
        __u64 stop_ns;              /* the last signal that stops, 0: none, or continued since */
        __u64 stop_sender_start_ns; /* 0: no sender can be named */
        __u32 stop_sender_tgid;
        __s32 stop_sig;
        char stop_sender_comm[VIGIL_COMM_LEN];
        __u64 connect_ns; /* when it last began to open a TCP connection; 0: never seen */
};

/* Who has not asked for a lock for so long has given up. */
#define WAIT_GIVE_UP_NS 2000000000ULL

/* How the checkpoints of a database fare, by its id; written only when something is refused. A checkpoint asks for those read
 * marks alone that stand before what it could copy, and for the next only if that stands before all refused ones: the one refused
 * last holds it back most (wal.c, walCheckpoint). */
struct ckpt_refusals {
        __u64 lock;                   /* the checkpoint lock: somebody else was at it */
        __u64 mark[VIGIL_READ_MARKS]; /* each read mark */
        __u64 mark_ns;                /* when the last of them was */
        __u64 reset;     /* all marks but the first at once: readers keep the log from beginning anew */
        __u32 last_mark; /* the mark that was refused last */
        __u32 pad;
};

/* What user space writes down for whoever takes over from it: of each database, and under 0 of the watch as a whole. The kernel
 * side does not look at it. */
#define NOTE_BYTES 256

struct note {
        __u8 bytes[NOTE_BYTES];
};

/* What the iterator over open files tells of. */
enum seed_mode {
        SEED_ALL = 0,   /* every descriptor */
        SEED_ADOPT = 1, /* who has a watched file open: they become participants, marked as seen late */
        SEED_LOOK = 2,  /* the same, and nothing changes */
};

/* One line of it. */
struct seed_entry {
        __u64 start_ns;
        __u64 ino;
        __u64 dir_ino;
        __u64 fs_magic;
        __u64 inode; /* address */
        __u64 files; /* address of the descriptor table, which owns the process's POSIX locks */
        __u32 dev;
        __u32 dir_dev;
        __u32 tgid;
        __u32 fd;
        __u32 db;
        __u32 role;
        __u32 generation;
        __u32 other_name; /* 1: a main file, opened by a name that is not watched */
};

/* ---- where the time of commits and syncs goes (span.h) ---- */

/* Operations that are told apart; a sync within a commit is both. */
enum span_kind { SPAN_COMMIT = 0, SPAN_SYNC = 1, SPAN_KINDS = 2 };

/* What a thread in an operation does; what it is blocked by is kept by kernel stack. */
enum span_state { SPAN_RUNS = 0, SPAN_QUEUED, SPAN_LIMITED, SPAN_LOCKED, SPAN_BLOCKED };

/* One kind of operation on one database: index is db * SPAN_KINDS + kind. */
struct span_sum {
        __u64 count; /* that have ended */
        __u64 total_ns;
        __u64 ns[SPAN_BLOCKED];
};

#define SPAN_STACK  40   /* frames */
#define WAIT_STACKS 1024 /* places in `wait_stacks`, and in `wait_stacks_met` */

/* The place of all waits of @kind (enum wait_kind) whose stacks were let go. */
#define WAIT_TOLD(kind) (-2 - (int)(kind))

struct wait_key {
        __s32 stack; /* in `wait_stacks`, from WAIT_STACKS on in `wait_stacks_met`; -1: it could not be kept; else negative: user
                      * space has told what it was (WAIT_TOLD) */
        __u32 db;
        __u32 kinds; /* bit 1 << enum span_kind, one */
        __u32 pad;
};

struct wait_sum {
        __u64 ns;
        __u64 held_ns;  /* of that, the device had nothing to do until requests came at last */
        __u64 late_ns;  /* and nothing any more, before the thread was woken */
        __u64 run_ns;   /* and the threads of the kernel that it waited for had no processor */
        __u64 queue_ns; /* of the rest, the part of requests in its queue, by proportion */
        __u64 log_ns; /* of `ns`, the journal wrote the part of users of databases in the transaction that was waited for */
        __u64 journal_ns; /* of `ns`, a thread of the kernel changed the file system for what is waited for */
        __u64 unsplit_ns; /* the device was not known */
};

#define COMMIT_WAITS 32 /* kernel stacks; a power of two */

/* The time of the write transaction that is open in a database: whether it is a commit's is known at its end. */
struct open_commit {
        __u64 begun_ns; /* when it was asked for; 0: none is open, or its time is not known */
        __u64 ns[SPAN_BLOCKED];
        __u32 waits;
        __s32 stack[COMMIT_WAITS];
        __u32 pad;
        struct wait_sum wait[COMMIT_WAITS]; /* at stack[] */
};

/* Who held a lock of a database that others waited for. */
struct lock_holder_key {
        __u64 start_ns;
        __u32 tgid;
        __u32 db;
};

/* What a thread has open: where its time goes. */
struct span {
        __u64 task; /* address and start: a number comes back */
        __u64 start_ns;
        __u64 since_ns; /* of `state` */
        __u64 sync_ns;  /* when that began */
        __u64 lock_ns;  /* when it asked in vain for a lock in the middle, the last time; 0: it waits for none */
        struct lock_holder_key blocker; /* who was in the way then; tgid 0: nobody is known */
        __u64 disk;
        __u64 busy_ns; /* of the device, when it blocked */
        __u64 idle_ns;
        __u64 queue_ns;
        __u64 service_ns;
        __u64 waker;       /* the thread of the kernel that woke it; 0: it was none */
        __u64 waker_ns;    /* since when that had been running */
        __u64 waker_delay; /* that it had waited for a processor then */
        __u64 log_ns;      /* what the last wait has in wait_sum.log_ns */
        __u32 db;
        __u32 dev;
        __u32 kinds; /* bit 1 << enum span_kind */
        __u32 state;
        __s32 stack; /* that it is or was last blocked at */
        __u32 pad;
        struct wait_sum part; /* of the wait that ends; no stack has room for it */
};

struct lock_holder {
        __u64 waited_ns;
        __u64 cgroup_id;
        char comm[VIGIL_COMM_LEN];
};

/* A disk that a database lies on: sums over the requests that it has completed. */
struct disk {
        __u32 dev; /* major << 20 | minor */
        __u32 pad;
        __u64 inflight;
        __u64 busy_since_ns; /* 0: nothing to do */
        __u64 idle_since_ns;
        __u64 busy_ns;
        __u64 idle_ns; /* until there was something to do again */
        __u64 queue_ns;
        __u64 service_ns;
};

/* Who used a disk that a database lies on. */
struct disk_user_key {
        __u64 start_ns; /* 0, as tgid: threads of the kernel */
        __u32 tgid;
        __u32 disk; /* major << 20 | minor */
};

struct disk_user {
        __u64 write_bytes;
        __u64 read_bytes;
        __u64 writes;
        __u64 syncs;
        __u64 cgroup_id;
        __u32 uses[VIGIL_USES]; /* databases that it uses itself */
        char comm[VIGIL_COMM_LEN];
};

/* Beside the bits of enum vigil_lock in the answer of the programs that look at locks: there were more on the file than could
 * be looked at. */
#define LOCKS_CUT (1 << 30)

#endif
