/* shm.h - the -shm of a database, kept beside its raw files. Layer: respond. */
#pragma once

/**
 * Copies the -shm of the database at @p source into the new file @p name of directory @p dirfd, mode 0600, not synced. It lives
 * in memory that its users share: no copy of it is consistent, but it shows how far a checkpoint was. Give it a name that no
 * SQLite pairs with a database: beside a copied -wal a stale index would be believed.
 *
 * @return 0, also where there is none; -EINVAL: it is no regular file; -ENOMEM; or -errno
 */
int shm_keep(const char *source, int dirfd, const char *name);
