/* model_private.h - how the model keeps what it was told; for the files of this stage only. Layer: model. */
#pragma once

#include "model/gaps.h"
#include "model/model.h"

/** One file that came under watch: the kernel's database id. Newest state wins by time, not by arrival. */
struct slot {
        size_t database; /* SIZE_MAX: no VIGIL_DATABASE record yet */
        struct vigil_db *db;
        uint64_t db_ns;
        struct vigil_observed *observed;
        bool looked; /* an observation could look at a main file */
        bool sqlite; /* and saw that it is an SQLite database, or becomes one */
};

/** A path, and what stood under it. */
struct group {
        struct model_database pub;
        char *path;
        uint64_t ino; /* parts paths of other mount namespaces */
        uint32_t dev;
        bool canary;
};

/** Records that speak of a death whose own record has not come yet. */
#define MAX_ORPHANS 64

/** A file of a database went. */
#define MODEL_GONE 1024
struct gone {
        uint64_t ns;
        uint32_t db;
        uint8_t role;
};

struct text_of_id {
        uint64_t id;
        char *text;
};

struct model {
        struct slot slot[VIGIL_MAX_DBS];
        struct group *group[VIGIL_MAX_DBS];
        size_t ngroups;

        struct model_process *process;
        size_t nprocesses;
        struct model_death **death;
        size_t ndeaths;
        struct model_death **living;
        size_t nliving;
        size_t op_bytes; /* flight recorders kept so far */

        struct model_trouble *trouble; /* `database` holds the kernel id until model_finish() */
        size_t ntroubles;
        struct model_copy *copy; /* the same */
        size_t ncopies;
        struct model_taking *taking; /* the same */
        size_t ntakings;
        struct gone gone[MODEL_GONE]; /* a ring: model_gone() */
        size_t ngone;
        struct model_hist *hist; /* the same */
        size_t nhists;
        struct model_shares *shares; /* the same */
        size_t nshares;
        struct vigil_neighbour *neighbour;
        size_t nneighbours;
        struct text_of_id cgroup[MODEL_MAX_CGROUPS];
        size_t ncgroups;
        struct vigil_probe *probe;
        size_t nprobes;
        struct vigil_ident *oom;
        size_t nooms;
        struct vigil_signal *signal;
        size_t nsignals;
        struct vigil_hdr *orphan[MAX_ORPHANS];
        size_t norphans;

        struct vigil_session *session;
        struct vigil_end *end;
        struct vigil_stats *stats;

        struct gaps gaps;
        uint64_t records;
        uint64_t unknown; /* records of types this version does not know */
        uint64_t full;    /* things beyond a bound */
        uint64_t deaths_lost;
        struct trust trust;
        const char *blind; /* NULL: it saw everything */
};

/* feed.c; a type that it does not know is counted. */
int feed_known(struct model *m, const struct vigil_hdr *h);

/* Takes a VIGIL_OPEN, or a VIGIL_OP that read, of a main file. */
int feed_copy(struct model *m, const struct vigil_op *r);

/* Take what may be a taking. */
int feed_taken_path(struct model *m, const struct vigil_pathop *r);
int feed_taken_op(struct model *m, const struct vigil_op *r);

/* Grows array @p p of elements of @p size from @p n to hold one more: doubles at powers of two. NULL: out of memory. */
void *model_grow(void *p, size_t n, size_t size);
/* A copy of @p n bytes; NULL: out of memory. */
void *model_copy(const void *p, size_t n);

static inline bool same_process(const struct vigil_ident *a, const struct vigil_ident *b)
{
        return a->start_ns == b->start_ns && a->tgid == b->tgid;
}

/* feed_death.c */
int feed_death(struct model *m, const struct vigil_proc *p);
int feed_death_part(struct model *m, const struct vigil_hdr *h); /* VIGIL_EXIT_DB, VIGIL_OBSERVED */
int attach_orphans(struct model *m);
void death_free(struct model_death *d);

/* feed_database.c */
int feed_database(struct model *m, const struct vigil_database *r);
int slot_take_db(struct model *m, const struct vigil_db *db, uint64_t ns);
int slot_take_observed(struct model *m, const struct vigil_observed *o);
void databases_settle(struct model *m);

/* settle.c */
int living_settle(struct model *m);
void afterlife_settle(struct model *m);
void trust_settle(struct model *m);

/* unindexed.c; after afterlife_settle() */
int unindexed_settle(struct model *m);
