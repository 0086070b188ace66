/* keeper_private.h - rows that wait: between keeper.c, which keeps them, rows.c, which makes and writes them, and batch.c, the child
 * that writes some of them. */
#pragma once

#include <stdatomic.h>

#include "daemon/keeper.h"
#include "daemon/pace.h"
#include "daemon/poison.h"
#include "daemon/row_queue.h"

enum row_kind {
        ROW_INCIDENT,
        ROW_CERTIFICATE,
        ROW_FINDING,
        ROW_INTENT,
        ROW_OUTCOME,
        ROW_ADOPTED,
        ROW_BACKUP,
        ROW_REMOVED,
        ROW_EVIDENCE_REMOVED,
        ROW_CHECK,
        ROW_EVENT,
        ROW_METRIC,
        ROW_SUMMARY,
        ROW_TAKEN_OVER,
        ROW_BASELINE,
        ROW_BASELINE_FORGOTTEN,
        ROW_RUN_END,
};

/* One row: its columns are members of an object. */
struct row {
        struct row *next;
        enum row_kind kind;
        bool spare;     /* may be given up when there is no room */
        bool with_next; /* in one transaction with the next one */
        json_t *o;
        void *blob; /* what is no text: the histogram of a summary, what a baseline has learned */
        size_t blob_size;
        size_t bytes;
        void (*stored)(void *userdata);
        void *userdata;
};

void row_free(struct row *r);
/* Inside a transaction. @param run  id of this run in that store. -errno as the store's. */
int row_write(struct store *s, struct row *r, int64_t run);
/* "certificate", "event", … */
const char *row_name(enum row_kind kind);
/* All of it, for a file: {"kind", "row", "blob": its bytes in hex}. New reference; NULL: out of memory. */
json_t *row_json(const struct row *r);

/* Puts it last; takes it over. NULL: it could not be made, which is counted. Returns it, or NULL when there is no room for it. */
struct row *keeper_add(struct keeper *k, struct row *r);

#define ROWS_AT_ONCE 256 /* in one transaction, so that a long queue never holds a child for long */

/* One transaction: what the child is told. It is a fork, so the rows are those of the queue. */
struct batch {
        const char *dir;
        struct row *first;
        size_t n;
        struct keeper_run run;
        uint64_t ino; /* of the file that was written last: another one is begun anew */
        /* last_seen of the run is set to token + n in the same transaction: it tells whether an attempt that failed had committed, and
         * how many rows. Times of two tokens lie further apart. */
        int64_t token;
        bool again;  /* the first rows were tried with this token: a failed commit may be one all the same */
        size_t held; /* and so many of them at most */
        const struct keeper_retention *retention; /* NULL: not now */
        unsigned retain_rows, retain_ms;          /* as store_retain() */
        /* Shared with the child: its rows are safe, and what it is at is retention. */
        atomic_bool *retaining;
};

struct keeper {
        char *dir;
        struct keeper_hooks hooks;
        struct scribe *scribe;
        struct keeper_run run; /* id 0: the store is open for writing, by us */
        uint64_t ino;          /* of the file that was written last; 0: it is gone */
        struct store *store;   /* for questions; NULL: it cannot be opened */
        uint64_t read_ns;      /* when that may be tried again */
        uint64_t read_ino;     /* of what stood there when it was opened */
        struct row_queue rows;
        struct batch batch;    /* held: the first rows are with a child, or were with one that failed */
        struct poison poison;  /* what is known of a row that kills children */
        unsigned aside_deaths; /* of children that were to set the first row aside */
        size_t set_aside;      /* rows that stand in SET_ASIDE_FILE */
        bool writing;          /* a child is at work */
        bool due;              /* a transaction is to be made even without rows */
        bool more;             /* retention has not come to its end */
        struct keeper_retention retention;
        bool retain; /* with the next transaction */
        struct pace pace;
        uint64_t retry_ns; /* not before; 0: at once */
        uint64_t busy_since_ns;
        char trouble[160]; /* empty: none */
};

/* For questions. Anew, where it was open: the file may be another. @return 0 or -errno */
int keeper_open_to_read(struct keeper *k);

/* Body of the child: a child_fn, @p arg a struct batch. Its answer:
 *   error    0 or -errno as the store's: nothing of the batch is there
 *   n        of the first rows are safe
 *   ino      of the file
 *   gone     it was deleted or replaced meanwhile: what was written is in no file any more
 *   run      id of this run in it
 *   renewed  it is another file than the last time: what is open must be stored again
 *   how      enum store_opened; aside: the name of what was set aside
 *   refused  pairs of kind and error: rows that the tables refuse, which were left out
 *   retain   "done"; "more": it has not come to its end; "late": it was broken off; "failed"; null: not now
 *   retain_ms  how long it took */
int batch_work(int answer_fd, void *arg);
/* Another one than before: what was tried with that one is over. */
void batch_choose_token(struct batch *b);
/* Inode of DIR/vigil.db; 0: there is none. */
uint64_t batch_ino(const char *dir);

/* ---- what no child can store ---- */

#define SET_ASIDE_FILE  "set-aside.ndjson"
#define SET_ASIDE_BYTES (16u << 20) /* the file grows no larger */

/* One row that children die of goes into DIR/set-aside.ndjson instead of the store. */
struct set_aside {
        const char *dir;
        const struct row *row;
        const char *died_of; /* "SIGSEGV" */
        int64_t at_ns;
};
/* Body of the child, @p arg a struct set_aside. Its error: 0; -EFBIG: the file is full; or -errno */
int set_aside_work(int answer_fd, void *arg);
bool set_aside_stands(const char *dir); /* nobody has removed it */
/* How many stand there. */
size_t set_aside_count(const char *dir);

/* ---- words ---- */

/* Why the store cannot be written. */
const char *told_trouble(int r);
/* What came of opening DIR/vigil.db, where it is worth a line. @param aside  the name of what was set aside; NULL */
void tell_opened(const char *dir, int r, enum store_opened how, const char *aside);
/* As in the answer of a batch. */
void tell_refused(const json_t *refused);
/* @param died_of  what the last child died of; @param error  as set_aside_work(), or -ECHILD: nor can it be set aside */
void tell_set_aside(const char *dir, const struct row *r, const char *died_of, int error);
/* Not even the smallest step of retention comes to its end. */
void tell_stuck(const char *dir);
