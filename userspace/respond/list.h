/* list.h - what a backup directory holds. Layer: respond. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "respond/manifest.h"
#include "respond/publish.h"

/** More backups than these in one directory are not listed; backup_list.cut says so. */
#define LIST_MAX 10000

/** One backup or evidence. */
struct backup_item {
        char id[PUBLISH_ID_LEN];
        char *path;               /* of the .db file, or of the directory of the evidence */
        struct manifest manifest; /* empty when it cannot be read: then problem is set */
        bool evidence;
        const char *problem; /* static: why it is not what its manifest says; NULL: sizes and types agree */
};

/** Release with backup_list_done(). */
struct backup_list {
        struct backup_item *items; /* newest first */
        size_t n;
        bool cut;
        size_t n_bare;                 /* files with the name of a copy that have no manifest: no items */
        char bare[PUBLISH_ID_LEN + 8]; /* name of one of them */
};

void backup_list_done(struct backup_list *l);

/**
 * Lists the backups of @p directory by their manifests, without reading the copies. Files that are not Vigil's are passed
 * over; a manifest that is damaged, or disagrees with the file beside it, is an item with a problem.
 *
 * @return 0; -ENOENT, -EACCES, -ENOTDIR or -errno when the directory cannot be read; -ENOMEM
 */
int backup_list_read(const char *directory, struct backup_list *ret);

/** Whether the item counts as good: a backup, verified when it was made, and no problem seen. */
bool backup_item_good(const struct backup_item *i);

/** The item called @p id, or NULL. */
const struct backup_item *backup_list_find(const struct backup_list *l, const char *id);

/** The newest good backup of the database at @p source (absolute, resolved), or NULL. */
const struct backup_item *backup_list_last_good(const struct backup_list *l, const char *source);

/** Entry of `backups` in vigil.backups/1, with "source", "sha256", "problem" and "contains" besides. New reference. */
json_t *backup_item_json(const struct backup_item *i);
