/* aside.h - a damaged vigil.db leaves its name and stays as evidence. Layer: store. */
#pragma once

#define STORE_FILE "vigil.db"
#define ASIDE_MAX  4 /* no more damaged files are kept: the oldest go */

/**
 * Renames vigil.db and its companions in @p dirfd to "vigil.db.corrupt-STAMP…", durably. The journal goes first: it would be
 * rolled back into the next file of that name.
 *
 * @param ret_name  of the database file, owned by the caller
 * @return 0; -ENOENT: there is no such file; -ENOMEM or -errno of renameat2(2), fsync(2)
 */
int aside_set(int dirfd, char **ret_name);
