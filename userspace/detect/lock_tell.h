/* lock_tell.h - who waits for which lock and who holds it, in words and as JSON (docs/JSON.md, "Evidence of a job"). Layer: detect. */
#pragma once

#include <jansson.h>

#include "detect/lock_graph.h"
#include "detect/sentence.h"

/** The names of databases as the caller has them. */
struct database_names {
        const char *(*name)(unsigned db, const void *userdata); /* NULL: they have none */
        const void *userdata;
};

/** "database 7" of one without a name. Static or thread-local storage. */
const char *database_name(const struct database_names *names, unsigned db);

/** Number, start and name; null for nobody. New reference. */
json_t *ident_json(const struct vigil_ident *id);

/** How many ms before @p now @p ns was; null where that is not known. New reference. */
json_t *since_json(uint64_t ns, uint64_t now);

/** @p now: of the look that @p w comes from. New reference; NULL: out of memory. */
json_t *lock_wait_json(const struct evidence_wait *w, const struct database_names *names, uint64_t now);
/** @p waiter: those whom @p k was made of. New reference; NULL: out of memory. */
json_t *lock_knot_json(const struct lock_knot *k, const struct lock_waiter *waiter,
                       const struct database_names *names, uint64_t now);

/** " has waited 3 s for the reserved lock of app, held by python3 (pid 12) with reserved for 5 s". */
void lock_wait_tell(struct sentence *s, const struct evidence_wait *w, const struct database_names *names,
                    uint64_t now);
/** The whole knot: who waits for whom, and what ends it. */
void lock_knot_tell(struct sentence *s, const struct lock_knot *k, const struct lock_waiter *waiter,
                    const struct database_names *names, uint64_t now);
