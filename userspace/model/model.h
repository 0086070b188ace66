/* model.h - what is known, and what is not: processes, databases, deaths, built from records and from nothing else.
 * Layer: model.
 *
 * A replay feeds the bytes a live run fed and gets the same model. Records of the two rings arrive out of order, a killed
 * recorder leaves no end, a fuzzer leaves nothing in place: nothing here relies on order, and everything is joined by
 * identity (tgid + start time) when the stream has ended. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "model/trust.h"

/** Bounds. What goes beyond is counted and lowers the trust ("model-full"). */
#define MODEL_MAX_PROCESSES  16384
#define MODEL_MAX_DEATHS     8192
#define MODEL_MAX_TROUBLES   4096
#define MODEL_MAX_CGROUPS    1024
#define MODEL_MAX_PROBES     256
#define MODEL_MAX_HISTS      4096
#define MODEL_MAX_SIGNALS    4096
#define MODEL_MAX_SHARES     (2 * VIGIL_MAX_DBS)
#define MODEL_MAX_NEIGHBOURS 2048
#define MODEL_MAX_COPIES     1024
#define MODEL_MAX_TAKINGS    1024

struct model;

/** Who a process is: the newest VIGIL_PROCESS record that is not younger than the event it is asked for. */
struct model_process {
        struct vigil_ident id;
        uint64_t ns; /* of the record: argv and exe change with exec */
        uint32_t ppid, uid, gid;
        uint32_t flags; /* enum vigil_proc_flag */
        uint64_t cgroup_id;
        uint64_t pidns_ino;
        const char *exe;  /* NULL: not known */
        const char *argv; /* NUL-separated, argv_len bytes; NULL: not known */
        uint32_t argv_len;
        bool argv_cut;
};

/** One database as a dead or live process used it. */
struct model_use {
        struct vigil_use use;
        size_t database;           /* index for model_database(); SIZE_MAX: of no database that is told of */
        const struct vigil_db *db; /* at that instant, of the living at the end of the stream; NULL: not known */
        const struct vigil_observed *observed; /* just after; NULL: nobody looked, or too late */
        const struct vigil_observed
                *late; /* the same, when somebody had changed the database already; NULL: none */
        int recovered; /* 1: a later opener recovered the database, 0: nobody has yet, -1: there was nothing to recover or
                          it cannot be known. Set by model_finish(). */
        bool others; /* another participant still had the database open. Set by model_finish(). */
};

/** The end of a process, or of the program it ran. */
struct model_death {
        bool by_exec; /* it replaced itself by exec */
        bool oom;     /* the kernel named it as OOM victim */
        uint64_t ns;
        struct vigil_ident id;
        uint32_t ppid, uid, gid;
        uint32_t flags; /* enum vigil_proc_flag */
        uint64_t cgroup_id;
        int32_t exit_code; /* as wait(2) reports it; 0 for by_exec */
        uint32_t uses_lost;
        uint32_t syncs_in_flight;
        uint32_t nsignals; /* generated for it; the first `nkept` are in `signal` */
        uint32_t nkept;
        const struct vigil_sig *signal;
        uint32_t nuses;
        struct model_use *use;
        uint32_t nops; /* newest last */
        const struct vigil_opent *op;
        const struct model_process *process; /* NULL: no record of it. Set by model_finish(). */
};

/** One database as reports tell of it: everything that stood under one path. */
struct model_database {
        const char *path;
        uint32_t path_flags; /* enum vigil_path_flag */
        uint32_t id;         /* kernel id of the file that stands there now */
        bool asked;          /* by --db */
        bool shown;     /* false: the canary, or a file that was adopted and never looked like an SQLite database */
        uint32_t flags; /* enum vigil_db_flag, of all files that stood there */
        uint64_t fs_magic;
        const struct vigil_db *ledger;         /* newest state; NULL: none seen */
        const struct vigil_observed *observed; /* newest look; NULL: none */
};

/** Something that went wrong while a file was used: an operation with an error or a short count, or a write-back error. */
struct model_trouble {
        uint64_t ns;
        struct vigil_ident id; /* who met it; zero for a write-back error that was only recorded */
        size_t database;
        uint8_t role;
        uint8_t op; /* enum vigil_op_code; 0: write-back error recorded; VIGIL_OP_SYNC: and consumed, or failed */
        bool writeback;   /* out of VIGIL_WBERR */
        bool participant; /* `id` used the database. Set by model_finish(). */
        int32_t result;   /* -errno, 0 when it cannot be told, or the short count */
        uint32_t bytes;   /* asked for */
};

/** One process that read the main file of a database without SQLite's locks, from its open to its last read. */
struct model_copy {
        uint64_t ns; /* of the open */
        struct vigil_ident id;
        size_t database;
        uint64_t bytes;        /* read in all */
        uint64_t first_writes; /* writes to the file before it was opened */
        uint64_t last_writes;  /* and after the last read: more, and the copy is torn */
        bool in_transaction;   /* a transaction had changed the file and was not over */
};

/** A file of a database was taken from whoever relied on it, or written after it had lost its name (enum vigil_taken_flag). */
struct model_taking {
        uint64_t ns;
        struct vigil_ident id; /* who did it */
        size_t database;
        uint32_t db; /* kernel id: files that stood there before or later have another one */
        uint8_t role;
        uint8_t op;                 /* enum vigil_op_code: unlink, rename, truncate, open (that truncated), write */
        uint32_t taken;             /* enum vigil_taken_flag */
        char other[VIGIL_NAME_MAX]; /* rename: the other last component; else empty */
};

/** A histogram of one operation on one file, summed over the commands that did it. */
struct model_hist {
        size_t database;
        uint8_t role;
        uint8_t op;
        struct vigil_hist hist;
};

/** Where the time of the commits (VIGIL_OP_COMMIT) or syncs (VIGIL_OP_SYNC) of a database went. */
struct model_shares {
        size_t database;
        struct vigil_attribution a;
};

struct model *model_new(void); /* NULL: out of memory */
void model_free(struct model *m);

/**
 * Takes one record that has passed record_validate(). Nothing is kept of @p record itself. Feed every record of the
 * stream, also those nobody asked for: their sequence numbers prove that nothing was lost.
 *
 * @return 0, also for a type that is not known; -ENOMEM
 */
int model_feed(struct model *m, const struct vigil_hdr *record);

/**
 * The stream has ended: joins what belongs together and settles the trust. Nothing may be fed afterwards.
 * @return 0 or -ENOMEM
 */
int model_finish(struct model *m);

/* Accessors. Indices are stable after model_finish(); databases are in the order they came under watch, deaths in the order
 * of time. Pointers live as long as the model. */
size_t model_n_databases(const struct model *m);
const struct model_database *model_database(const struct model *m, size_t i);
/** Index of the database with this kernel id; SIZE_MAX: none. May be asked while records are still fed. */
size_t model_database_by_id(const struct model *m, uint32_t id);

size_t model_n_deaths(const struct model *m);
const struct model_death *model_death(const struct model *m, size_t i);

/** Participants that were alive at the end of the stream (VIGIL_LIVE); same shape as a death, `ns` is when it was asked. */
size_t model_n_living(const struct model *m);
const struct model_death *model_living(const struct model *m, size_t i);

size_t model_n_troubles(const struct model *m);
const struct model_trouble *model_trouble(const struct model *m, size_t i);

size_t model_n_copies(const struct model *m);
const struct model_copy *model_copy_of(const struct model *m, size_t i);

/** In the order of arrival. */
size_t model_n_takings(const struct model *m);
const struct model_taking *model_taking_of(const struct model *m, size_t i);
/**
 * When a file of @p role of the database with kernel id @p db was removed, renamed or emptied by somebody who is not SQLite:
 * the last time before @p ns and the first time after it; 0: there was none. Of very many only the last are known.
 * @return whether there was one at all
 */
bool model_gone(const struct model *m, uint32_t db, unsigned role, uint64_t ns, uint64_t *ret_before,
                uint64_t *ret_after);

size_t model_n_hists(const struct model *m);
const struct model_hist *model_hist(const struct model *m, size_t i);

/** Of the stream's last word on each database and operation. */
size_t model_n_shares(const struct model *m);
const struct model_shares *model_shares(const struct model *m, size_t i);
/** All of them, by the kernel's ids of databases. Borrowed. */
const struct vigil_neighbour *model_neighbours(const struct model *m, size_t *ret_n);

/** Who (@p start_ns, @p tgid) was at @p ns; NULL: not known. After model_finish(). */
const struct model_process *model_process_at(const struct model *m, uint64_t start_ns, uint32_t tgid, uint64_t ns);
/** The last signal that can end a process, as far as one was seen, sent to (@p start_ns, @p tgid); NULL: none. */
const struct vigil_sig *model_fatal_signal(const struct model *m, uint64_t start_ns, uint32_t tgid);
/** The last signal @p sig among those, sent not later than @p ns; NULL: none. */
const struct vigil_sig *model_signal_before(const struct model *m, uint64_t start_ns, uint32_t tgid, int sig,
                                            uint64_t ns);
/**
 * Whether a database has been recovered since a death: a survivor or the next opener replayed the WAL, rolled the journal back,
 * or went on writing over what was left (it cannot commit over a hot journal without rolling it back first). What was taken
 * away since (VIGIL_DB_WAL_TAKEN, VIGIL_DB_JOURNAL_TAKEN) was not recovered, whatever came later.
 *
 * @param then, then_observed  as the dead process left it (model_use.db and .observed); NULL: not known
 * @param died_ns              of the death
 * @param now, now_ns          an account, and when it was read
 * @param now_observed         a later look at the files; NULL: none
 * @return as model_use.recovered
 */
int model_recovered(const struct vigil_db *then, const struct vigil_observed *then_observed, uint64_t died_ns,
                    const struct vigil_db *now, uint64_t now_ns, const struct vigil_observed *now_observed);

/** Path of a cgroup id; NULL: not known. */
const char *model_cgroup(const struct model *m, uint64_t cgroup_id);
/** True when a probe whose name contains @p part was attached. */
bool model_probe_attached(const struct model *m, const char *part);

const struct vigil_session *model_session(const struct model *m); /* NULL: the stream has none */
const struct vigil_end *model_end(const struct model *m);         /* NULL: the stream has none */
const struct vigil_stats *model_stats(const struct model *m);     /* NULL: the stream has none */
uint64_t model_records(const struct model *m);                    /* fed, without duplicates */
uint64_t
model_gaps(const struct model *m); /* sequence numbers that never came: the larger of what was counted here and
                                               what the live run counted */
/** Records that found their ring full and are gone. */
uint64_t model_lost(const struct model *m);

/** What holds for the whole stream. Full only when it is complete, nothing was lost and the canary was seen. */
const struct trust *model_trust(const struct model *m);
/** True when events that matter for a verdict may be missing: nothing may be called clean. @p ret_reason: why. */
bool model_blind(const struct model *m, const char **ret_reason);
/** Nanoseconds since the epoch of a time of the stream; 0 when the stream has no session. */
int64_t model_realtime(const struct model *m, uint64_t ns);
