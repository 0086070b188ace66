/* parts.h - what records and map values are made of. A part of abi.h, which includes it after the enumerations, and under the
 * same rules; nobody else includes it. */
#ifndef VIGIL_PARTS_H
#define VIGIL_PARTS_H

struct vigil_hdr {
        __u32 magic;
        __u16 version;
        __u16 type;
        __u32 size; /* whole record, this header included */
        __u32 cpu;  /* where it was made; VIGIL_CPU_USER: user space */
        __u64 seq;  /* per cpu; counts records that were lost, too, so a gap is a loss */
        __u64 ns;
};
VIGIL_ASSERT(sizeof(struct vigil_hdr) == 32, "record header");

/* A process is tgid + start time; within a boot that never repeats. */
struct vigil_ident {
        __u64 start_ns;
        __u32 tgid;
        __u32 tid; /* the thread that acted, or 0 */
        char comm[VIGIL_COMM_LEN];
};
VIGIL_ASSERT(sizeof(struct vigil_ident) == 32, "identity");

/* One entry of a flight recorder, and the body of VIGIL_OP. */
struct vigil_opent {
        __u64 ns;     /* when it ended */
        __u64 offset; /* byte offset; start of the range of a lock */
        __u32 bytes;  /* asked for; length of the range of a lock; capped at UINT32_MAX */
        __s32 result; /* as the call returned it: count, 0 or -errno; capped at INT32_MAX */
        __u32 tid;
        __u16 db; /* database id */
        __u8 role;
        __u8 op;
};
VIGIL_ASSERT(sizeof(struct vigil_opent) == 32, "operation");

/* One file's durability account (reference: durability ledger, docs/ARCHITECTURE.md). Bytes at risk = written - durable. */
struct vigil_ledger {
        __u64 ino;         /* as the kernel has it; 0: never seen */
        __u32 dev;         /* kernel encoding: major << 20 | minor */
        __u32 generation;  /* i_generation */
        __u32 incarnation; /* counts files that had this name and role */
        __u32 flags;       /* enum vigil_ledger_flag */
        __u64 written;     /* bytes that completed writes returned; VIGIL_ROLE_DIRECTORY: entries made or removed */
        __u64 durable;     /* `written` as it was when the last good sync was entered */
        __u64 end;         /* highest end offset written */
        __u64 size; /* i_size, read at the instant of a VIGIL_EXIT_DB or VIGIL_LEDGER; before, as it came under watch */
        __u64 writes;
        __u64 syncs;
        __u64 truncates;
        __u64 unlinks;
        __u64 renames;
        __u64 opens;
        __u64 reads; /* only counted with --reads */
        __u64 read_bytes;
        __u64 locks; /* lock calls that were looked at: read marks of the WAL index are not */
        __u64 lock_busy;
        __u64 write_errors;
        __u64 sync_errors;
        __u64 bytes_total; /* like `written`, over all incarnations */
        __u64 first_error_ns;
        __u64 risk_since_ns; /* first write after the last good sync; 0: nothing at risk */
        __u64 last_write_ns;
        __u64 last_sync_ns;
        __s32 first_error; /* -errno of the first failed sync or write-back; 0: none */
        __u32 wb_errors;   /* write-back errors the kernel recorded on the inode */
};
VIGIL_ASSERT(sizeof(struct vigil_ledger) == 200, "ledger");

enum vigil_ledger_flag {
        VIGIL_LEDGER_TAINTED = 1 << 0,  /* a sync or a write-back failed: later successes prove nothing */
        VIGIL_LEDGER_UNLINKED = 1 << 1, /* its name is gone */
        VIGIL_LEDGER_VOLATILE = 1 << 2, /* tmpfs or ramfs: never durable */
        VIGIL_LEDGER_REMOTE = 1 << 3,   /* NFS, CIFS, 9p, FUSE: the server decides */
        VIGIL_LEDGER_SEEN_LATE =
                1 << 4,              /* it was open before the watch began: written and durable are lower bounds */
        VIGIL_LEDGER_SIZED = 1 << 5, /* `size` was read */
        VIGIL_LEDGER_LIED = 1 << 6,  /* a sync reported success after an earlier one had failed */
        VIGIL_LEDGER_SWALLOWED =
                1 << 7, /* a write-back error was reported to a process that is not a participant */
};

enum vigil_db_flag {
        VIGIL_DB_ASKED = 1 << 0,            /* named by --db */
        VIGIL_DB_ADOPTED = 1 << 1,          /* found by its locks or its companions */
        VIGIL_DB_WAL_SEEN = 1 << 2,         /* the -wal was written */
        VIGIL_DB_JOURNAL_UNLINKED = 1 << 3, /* a rollback transaction ended by unlink: journal_mode DELETE */
        VIGIL_DB_JOURNAL_TRUNCATED = 1 << 4,
        VIGIL_DB_JOURNAL_ZEROED = 1 << 5, /* by a zeroed header: PERSIST, or locking_mode EXCLUSIVE */
        VIGIL_DB_NO_JOURNAL = 1 << 6,     /* the main file was changed in a transaction that had no journal file */
        VIGIL_DB_EXCLUSIVE = 1 << 7,      /* locks were kept across transactions: locking_mode EXCLUSIVE */
        VIGIL_DB_RECOVERED = 1 << 8,      /* a hot journal or a WAL was recovered while watched */
        VIGIL_DB_SEEN_LATE = 1 << 9,      /* it was in use before the watch began */
        VIGIL_DB_CANARY = 1 << 10,        /* Vigil's own test file: never reported */
        VIGIL_DB_END_POSSIBLE =
                1 << 11, /* no journal: the end of the open transaction may have passed unseen (txn.h) */
        VIGIL_DB_WAL_TAKEN = 1 << 12,     /* the -wal was taken (enum vigil_taken_flag) */
        VIGIL_DB_JOURNAL_TAKEN = 1 << 13, /* a -journal that an undo needs was */
        VIGIL_DB_MAIN_TAKEN = 1 << 14,    /* the main file was, with somebody or something still relying on it */
        VIGIL_DB_SHARED_MAIN = 1 << 15,   /* its main file is that of another database, too, under another name */
        VIGIL_DB_ABANDONED =
                1 << 16, /* an exec has released the locks of the open transaction, and is not told of yet */
};

/* A file of a database was removed, emptied, renamed or replaced by somebody who did not hold the locks under which SQLite does
 * that, or was written after it had lost its name. */
enum vigil_taken_flag {
        VIGIL_TAKEN = 1 << 0,
        VIGIL_TAKEN_IN_USE = 1 << 1, /* somebody had the database open, or a transaction on it */
        VIGIL_TAKEN_WAL = 1 << 2,    /* committed frames were in the WAL: in that file, or beside the main file */
        VIGIL_TAKEN_HOT = 1 << 3,    /* a journal that an undo needs: that file, or beside the main file */
        VIGIL_TAKEN_OWN = 1 << 4,    /* whoever did it was the only user */
        VIGIL_TAKEN_LOST = 1 << 5,   /* not taken, but written although its name was gone: nobody will read that */
};

enum vigil_txn {
        VIGIL_TXN_NONE = 0,
        VIGIL_TXN_ROLLBACK = 1, /* RESERVED taken, or the journal written */
        VIGIL_TXN_WAL = 2,      /* WAL write lock taken */
        VIGIL_TXN_CHECKPOINT = 3,
        VIGIL_TXN_RECOVERY = 4, /* EXCLUSIVE reached without RESERVED, over an existing journal */
};

/* The state of one database, kept in the kernel. */
struct vigil_db {
        __u32 id; /* 1 .. VIGIL_MAX_DBS - 1 */
        __u32 flags;
        __u32 page_size; /* 0: not known yet */
        __u32 users;     /* participants alive that have used it */
        struct vigil_ledger file[VIGIL_ROLES];

        /* WAL: frames as written, a commit frame has a non-zero size field (SQLite file format, section 4.1) */
        __u64 wal_generations;     /* headers written */
        __u64 wal_commits;         /* commit frames written */
        __u64 wal_commits_durable; /* of these, covered by a good sync of the -wal, or checkpointed and synced */
        __u64 wal_commit_end;      /* end offset of the last commit frame of this generation */
        __u64 wal_frames;          /* frames written in this generation */
        __u64 wal_frames_open;     /* frames written since the write lock was taken or the last commit frame */
        __u64 wal_recoveries;

        /* rollback journal */
        __u64 rb_commits;          /* transactions that changed the main file and invalidated their journal */
        __u64 rb_commits_followed; /* of these, such as are followed until the disk has them */
        __u64 rb_commits_durable; /* of these: the main file was synced since, and what ended the journal is durable, too */
        __u64 rb_recoveries; /* hot journals rolled back */

        /* the transaction that is open now; one writer at a time */
        __u64 txn_since_ns;
        __u64 txn_start_ns; /* start time of the process that has it */
        __u32 txn_tgid;
        __u32 txn;                /* enum vigil_txn */
        __u32 txn_db_writes;      /* writes to the main file */
        __u32 txn_journal_writes; /* writes to the -journal */
        __u32 journal_hot;        /* the -journal has a valid header: the next open will roll it back */
        __u32 checkpoints;
        __u64 ckpt_db_writes; /* main file writes under the checkpoint lock, current checkpoint */
};
VIGIL_ASSERT(sizeof(struct vigil_db) == 16 + VIGIL_ROLES * 200 + 11 * 8 + 16 + 24 + 8, "database");

struct vigil_ancestor {
        __u64 start_ns;
        __u32 tgid;
        __u32 uid;
        char comm[VIGIL_COMM_LEN];
};
VIGIL_ASSERT(sizeof(struct vigil_ancestor) == 32, "ancestor");

/* A signal as it was generated (include/trace/events/signal.h). */
struct vigil_sig {
        __u64 ns;
        __s32 sig;
        __s32 code;   /* si_code; 0x80 (SI_KERNEL) with VIGIL_SIG_NOINFO/PRIV when info was not a pointer */
        __u32 result; /* enum trace_signal_generate result: 0 delivered */
        __u32 flags;  /* enum vigil_sig_flag */
        __u64 sender_start_ns; /* 0: no sender can be named */
        __u32 sender_tgid;
        __u32 sender_uid;
        char sender_comm[VIGIL_COMM_LEN];
        __u32 syncs_in_flight;                           /* of the target, at that instant */
        __u32 ancestors;                                 /* entries used */
        struct vigil_ancestor ancestor[VIGIL_ANCESTORS]; /* parent of the sender first */
};
VIGIL_ASSERT(sizeof(struct vigil_sig) == 64 + VIGIL_ANCESTORS * 32, "signal");

enum vigil_sig_flag {
        VIGIL_SIG_NOINFO =
                1 << 0, /* info was SEND_SIG_NOINFO (0): kernel on behalf of a task, e.g. cgroup.kill, PDEATHSIG */
        VIGIL_SIG_PRIV = 1 << 1, /* info was SEND_SIG_PRIV (1): from the kernel */
        VIGIL_SIG_GROUP = 1 << 2,
        VIGIL_SIG_SENDER_EXITING = 1 << 3,
        VIGIL_SIG_SELF = 1 << 4,         /* sender and target are one process */
        VIGIL_SIG_IRQ = 1 << 5,          /* raised in an interrupt: `current` is a bystander */
        VIGIL_SIG_TRACER = 1 << 6,       /* the sender traces the target: ptrace(2) */
        VIGIL_SIG_NO_CPU_LIMIT = 1 << 7, /* the target's hard RLIMIT_CPU is infinite */
};

/* One database as one process used it. */
struct vigil_use {
        __u32 db;
        __u32 flags;        /* enum vigil_use_flag */
        __u32 locks;        /* as tracked while it lived; read marks are not tracked */
        __u32 locks_at_end; /* VIGIL_EXIT: from the inodes' own lists; VIGIL_EXEC: what exec released */
        __u64 first_ns;
        __u64 last_ns;
        __u64 write_lock_ns; /* when it took RESERVED or the WAL write lock; 0: it has neither */
        __u64 ckpt_lock_ns;
        __u64 writes;
        __u64 bytes;
        __u64 syncs;
        __u64 commits;
        __u32 main_opens;              /* distinct descriptors it opened the main file with */
        __u32 lock_tid;                /* the thread that last took RESERVED or the WAL write lock; 0: not known */
        __s32 main_fd[VIGIL_MAIN_FDS]; /* descriptors of the last of these opens */
};
VIGIL_ASSERT(sizeof(struct vigil_use) == 104, "use");

enum vigil_use_flag {
        VIGIL_USE_OPENED = 1 << 0, /* opened the main file */
        VIGIL_USE_WROTE = 1 << 1,
        VIGIL_USE_LOCKED = 1 << 2,
        VIGIL_USE_SEEN_LATE = 1 << 3,     /* had the file open before the watch began */
        VIGIL_USE_INHERITED = 1 << 4,     /* used a descriptor that its parent had opened */
        VIGIL_USE_OPEN_AT_END = 1 << 5,   /* a descriptor of the main file was still open at its death */
        VIGIL_USE_FDS_UNKNOWN = 1 << 6,   /* its descriptors were more than could be looked through */
        VIGIL_USE_LOCKS_UNKNOWN = 1 << 7, /* more locks on the inode than could be looked at */
        VIGIL_USE_TXN_OWNER = 1 << 8,     /* the open transaction of the database is its own */
        VIGIL_USE_UNLINKED = 1 << 9,      /* removed a file of the database */
        VIGIL_USE_SYNCING = 1 << 10, /* a sync of one of its files was in flight at its death or fatal signal */
        VIGIL_USE_OPENED_WAL = 1 << 11,
        VIGIL_USE_ENDS_SEEN =
                1 << 12, /* its last transaction without a journal ended by a sync or an unlock: so will the next */
        VIGIL_USE_WRITES_LOST = 1 << 13, /* it wrote to a WAL that had lost its name */
        VIGIL_USE_UNLOCKED = 1 << 14, /* it wrote the main file without a lock on it, and has not locked it since */
        VIGIL_USE_WAITS = 1 << 15,    /* it asked for a lock that it has not got since */
        VIGIL_USE_SECOND_NAME =
                1
                << 16, /* it opened the main file by another name than that watched: so are its companions called */
        VIGIL_USE_KEPT = 1 << 17,          /* it has locks that it had before an exec, and has taken none since */
        VIGIL_USE_MAIN_WRITABLE = 1 << 18, /* it opened the main file for writing */
        VIGIL_USE_SHM_WRITABLE = 1 << 19,  /* it opened the -shm for writing */
        VIGIL_USE_GAVE_UP = 1 << 20,       /* it let go of a transaction that its journal still undoes */
        VIGIL_USE_ABANDONED =
                1 << 21, /* VIGIL_EXEC: it released the locks of a rollback transaction that was open */
};

#endif
