/* keeper_private.h - rows that wait: between keeper.c, which keeps them, rows.c, which makes and writes them, and batch.c, the child
 * that writes some of them. */
#pragma once

#include "daemon/keeper.h"

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
        bool spare; /* may be given up when there is no room */
        json_t *o;
        void *blob; /* what is no text: the histogram of a summary, what a baseline has learned */
        size_t blob_size;
        size_t bytes;
        void (*stored)(void *userdata);
        void *userdata;
};

void row_free(struct row *r);
/* Inside a transaction. -errno as the store's. */
int row_write(struct store *s, struct row *r);

/* Puts it last; takes it over. NULL: it could not be made, which is counted. Returns it, or NULL when there is no room for it. */
struct row *keeper_add(struct keeper *k, struct row *r);

/* One transaction: what the child is told. It is a fork, so the rows are those of the queue. */
struct batch {
        const char *dir;
        struct row *first;
        size_t n;
        struct keeper_run run;
        uint64_t ino; /* of the file that was written last: another one is begun anew */
        int64_t token; /* last_seen of the run, in the same transaction: it tells whether an attempt that failed had committed */
        bool again; /* this very batch was tried: a failed commit may be one all the same */
        const struct keeper_retention *retention; /* NULL: not now */
};

/* Body of the child: a child_fn, @p arg a struct batch. Its answer:
 *   error    0 or -errno as the store's: nothing of the batch is there
 *   ino      of the file
 *   gone     it was deleted or replaced meanwhile: what was written is in no file any more
 *   run      id of this run in it
 *   renewed  it is another file than the last time: what is open must be stored again
 *   how      enum store_opened; aside: the name of what was set aside
 *   refused  pairs of kind and error: rows that the tables refuse, which were left out
 *   more     retention has not come to its end */
int batch_work(int answer_fd, void *arg);
/* Inode of DIR/vigil.db; 0: there is none. */
uint64_t batch_ino(const char *dir);
