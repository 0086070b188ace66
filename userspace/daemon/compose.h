/* compose.h - the stream of an episode while it is put together; for episode.c and compose.c. Layer: daemon. */
#pragma once

#include "daemon/episode.h"
#include "daemon/memory_private.h"

/* Who died, what it used since when, and of which databases it matters what they look like now. */
struct dead {
        struct vigil_ident id;
        struct {
                uint32_t db;
                bool seen_late;
                uint64_t first_ns;
        } use[VIGIL_USES];
        uint32_t nuses;
        uint32_t nlooks;
        uint32_t look[VIGIL_USES];
};

struct episode {
        struct memory *memory;
        uint64_t now_ns;   /* when it was begun */
        uint64_t since_ns; /* when the first of its processes began to take part */

        unsigned char *bytes; /* the stream */
        size_t used, room;
        uint64_t seq;

        struct dead dead[EPISODE_DEATHS];
        size_t ndead;
        struct vigil_ident
                past[REMOVALS_PAST]; /* who died before, and is here only because of what its files looked like */
        size_t npasts;
        uint32_t db[VIGIL_MAX_DBS]; /* that it speaks of */
        size_t ndbs;
        bool has[VIGIL_MAX_DBS];
        uint32_t look[VIGIL_MAX_DBS];
        size_t nlooks;

        struct model *model;
        struct detection *detection;
};

/* Appends a record as one that user space made. Its time stands; one without is of now. @return 0 or -ENOMEM */
int compose(struct episode *e, const void *record, uint16_t type, size_t size);

/* All that an episode begins with: the deaths @d, linked, @n troubles, the databases of @due with what was taken of them.
 * @return 0 or -ENOMEM */
int compose_beginning(struct episode *e, const struct death *d, const struct trouble *t, size_t n,
                      const bool due[VIGIL_MAX_DBS]);

/* Errors that were told of are taken out of @account; then all of it counts as told, up to @ns. @return 0 or -ENOMEM */
int compose_account(struct episode *e, const struct vigil_db *account, uint64_t ns);

/* Who has died since is somebody who was alive. @return 0 or -ENOMEM */
int compose_survivors(struct episode *e);

/* The counters of loss and the end. @return 0 or -ENOMEM */
int compose_end(struct episode *e);
