/* client.h - the commands' side of the control socket. Layer: serve. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/**
 * Asks the daemon of the state directory and waits for its answer.
 *
 * @param args          borrowed; NULL: none
 * @param ret_document  new reference, NULL when there is none
 * @param ret_exit      exit status that the daemon says
 * @param ret_error     one sentence, owned by the caller; NULL: none
 * @return 0; -ENOENT or -ECONNREFUSED: no daemon runs there; -EACCES; -ETIME: no sign of life for CONTROL_ANSWER_WAIT_MS;
 *         -ECONNRESET: it left before it had answered; -EPROTO: no answer of ours; -ENOMEM; or -errno of open(2), socket(2).
 *         Outputs are untouched on failure.
 */
int control_ask(const char *state_dir, const char *command, const json_t *args, json_t **ret_document,
                int *ret_exit, char **ret_error);

/**
 * The same for a stream, without a limit of time once it has begun.
 *
 * @param each  gets every line, @p n bytes without '\n' and with a NUL behind them; a non-zero return ends it with 0 and
 *              @p ret_exit 0
 * @return as control_ask(); -ECONNRESET also when the daemon ends without a word
 */
int control_follow(const char *state_dir, const char *command, const json_t *args,
                   int (*each)(void *userdata, const char *line, size_t n), void *userdata, int *ret_exit,
                   char **ret_error);
