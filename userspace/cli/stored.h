/* stored.h - questions to the store while no daemon runs. Layer: cli. */
#pragma once

#include <jansson.h>

/**
 * The document that the daemon would answer with, out of STATE/vigil.db, which is only read.
 *
 * @param command, args  as serve/protocol.h lists them
 * @return 0; -ENOSYS: only a daemon can answer that; -ENOKEY: no such id; or as store_open_to_read() and the questions of
 *         store/store.h
 */
int stored_answer(const char *state_dir, const char *command, const json_t *args, json_t **ret);
