/* keeper_private.h - rows that wait: between keeper.c, which keeps them, and rows.c, which makes and writes them. */
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
};

/* One row: its columns are members of an object. */
struct row {
        struct row *next;
        enum row_kind kind;
        bool spare; /* may be given up when there is no room */
        json_t *o;
        struct vigil_hist *hist; /* of a summary */
        size_t bytes;
        void (*stored)(void *userdata);
        void *userdata;
};

void row_free(struct row *r);
/* Inside a transaction. -errno as the store's. */
int row_write(struct store *s, struct row *r);

/* Puts it last; takes it over. NULL: it could not be made, which is counted. Returns it, or NULL when there is no room for it. */
struct row *keeper_add(struct keeper *k, struct row *r);
