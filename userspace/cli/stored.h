/* stored.h - questions to the store while no daemon runs. Layer: cli. */
#pragma once

#include <jansson.h>

#define STORED_NAME 128 /* bytes for the name of a database */

/**
 * The document that the daemon would answer with, out of STATE/vigil.db, which is only read.
 *
 * @param command, args  as serve/protocol.h lists them
 * @param ret_nearest    with -ENXIO: the database that may have been meant, or ""
 * @return 0; -ENXIO: nothing is stored about that database; -ENOSYS: only a daemon can answer that; -ENOKEY: no such id; or as store_open_to_read() and the questions of
 *         store/store.h
 */
int stored_answer(const char *state_dir, const char *command, const json_t *args, char ret_nearest[STORED_NAME],
                  json_t **ret);
