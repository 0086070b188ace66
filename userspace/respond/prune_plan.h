/* prune_plan.h - which backups go: a decision on the list alone. Layer: respond. Used by prune.c. */
#pragma once

#include "respond/list.h"
#include "respond/prune.h"

/** What is to become of one item. */
struct prune_fate {
        bool remove;
        const char *why; /* static; NULL: it simply stays */
};

/**
 * @param fates  list->n of them, zeroed
 * @param ret_over  as in prune_result
 * @return 0 or -ENOMEM
 */
int prune_plan(const struct backup_list *list, const struct prune_options *options, struct prune_fate *fates,
               size_t *ret_over);
