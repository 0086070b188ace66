/* client.h - the commands' side of the control socket. Layer: serve. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/**
 * Asks the daemon of the state directory and waits for its answer.
 * @param ret_document  new reference, NULL when there is none
 * @param ret_exit      exit status that the daemon says
 * @param ret_error     one sentence, owned by the caller; NULL: none
 * @return 0; -ENOENT or -ECONNREFUSED: no daemon runs there; -EACCES; -ETIME (10 s); -EPROTO: no answer of ours; -ENOMEM
 */
int control_ask(const char *state_dir, const char *command, json_t *args, json_t **ret_document, int *ret_exit,
                char **ret_error);
/** The same for a stream: @p each gets every line, a non-zero return ends it. */
int control_follow(const char *state_dir, const char *command, json_t *args,
                   int (*each)(void *userdata, const char *line, size_t n), void *userdata, int *ret_exit);
