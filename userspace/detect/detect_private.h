/* detect_private.h - shared by the files of this stage. Layer: detect. */
#pragma once

#include "detect/detect.h"

struct detection {
        const struct model *model;
        struct certificate *certificate;
        size_t ncertificates;
        struct finding *finding;
        size_t nfindings;
        uint64_t findings_lost;
};

/* The parts of an id are hashed with their lengths, so that no two lists of parts run together. */
struct id_hash {
        uint64_t state;
};
void id_begin(struct id_hash *h, const struct model *m);
void id_bytes(struct id_hash *h, const void *p, size_t n);
void id_text(struct id_hash *h, const char *text);
void id_number(struct id_hash *h, uint64_t n);
void id_end(const struct id_hash *h, char prefix, char ret[DETECT_ID_LEN]);

/* certify.c: one certificate out of one database of one death. `ret` was zeroed. */
void certify(const struct model *m, const struct model_death *d, const struct model_use *u,
             struct certificate *ret);

/* verdict.c: what is known of a death, as bits, and the table that turns them into a verdict. */
enum fact {
        FACT_WRITE_TXN = 1 << 0,    /* a write transaction of its own was open */
        FACT_HOT = 1 << 1,          /* its journal must be rolled back by the next opener */
        FACT_NO_JOURNAL = 1 << 2,   /* the main file was changed in it, and nothing can undo that */
        FACT_CHECKPOINT = 1 << 3,   /* it was moving the WAL into the main file */
        FACT_ROLLING_BACK = 1 << 4, /* it was rolling back a hot journal */
        FACT_READ_TXN = 1 << 5,
        FACT_OPEN = 1 << 6,    /* it had a connection */
        FACT_OTHERS = 1 << 7,  /* other processes still have one */
        FACT_SHARED = 1 << 8,  /* another process shares its descriptors: nothing of it was closed or released */
        FACT_BLIND = 1 << 9,   /* events may be missing */
        FACT_LATE = 1 << 10,   /* it ran before the watch began */
        FACT_REMOTE = 1 << 11, /* a server decides about locks and syncs */
        FACT_NO_SNAPSHOT = 1 << 12,
        FACT_FDS_UNKNOWN = 1 << 13,
        FACT_LOCKS_UNKNOWN = 1 << 14,
        FACT_USES_LOST = 1 << 15,       /* it used more databases than are kept of one process */
        FACT_STRANGER = 1 << 17,        /* it wrote the main file without a lock on it, and a signal ended it */
        FACT_ROLLBACK_UNSEEN = 1 << 19, /* a transaction of the WAL was open, or rolled back */
        FACT_GAVE_UP = 1 << 20,     /* its transaction changed the file, its rollback failed, and it let go of it */
        FACT_SECOND_NAME = 1 << 18, /* it may have had a WAL and locks on it under a name that was not watched */
        FACT_END_UNSEEN =
                1 << 16, /* as FACT_NO_JOURNAL, unless the transaction had ended: nothing would have told */
};

/* It opened the main file by another name than that under watch: what it left beside it is named after that. */
bool by_second_name(const struct model_use *u);

struct verdict_rule {
        const char *name; /* as in the reference, section 3.2 */
        uint32_t need;    /* all of these facts */
        uint32_t any;     /* and one of these, unless 0 */
        enum verdict verdict;
        const char *reason[2]; /* unused ones are NULL */
};

/* What was held alone. */
uint32_t facts_held(const struct model_death *d, const struct model_use *u, uint32_t locks);
enum held_txn held_by(uint32_t facts, uint32_t locks);
uint32_t facts_of(const struct model *m, const struct model_death *d, const struct model_use *u, uint32_t locks);
const struct verdict_rule *verdict_rule(uint32_t facts);
/* Locks at the end, with what was tracked where the list could not be read whole. */
uint32_t locks_of(const struct model_use *u);
/* A journal that the next opener rolls back, as far as the look after the death and the account tell. */
bool left_hot_journal(const struct model_use *u);
/* Why a clean end cannot be told from another: every reason that holds goes into @p c. */
void add_unknown_reasons(struct certificate *c, const struct model *m, uint32_t facts);
void certificate_reason(struct certificate *c, const char *reason);

/* taken.c: the code of the finding that @t is; NULL when it harmed nobody. */
const char *taking_code(const struct model *m, const struct model_taking *t);
/* What took from a process its commits, or the journal of its open transaction; NULL: nothing did. */
const struct model_taking *taking_of(const struct model *m, const struct model_death *d, const struct model_use *u);
/* The main file of the database with kernel id @p db was emptied, removed, renamed or replaced before @p ns. */
bool main_was_taken(const struct model *m, uint32_t db, uint64_t ns);
bool database_was_taken(const struct model *m, size_t database);
