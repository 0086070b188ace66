/* worker.h - how workers of this stage are confined, and what their answers look like. Layer: engine. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/child.h"

/**
 * Options of a confined worker that works for the owner of a database: sandboxed, 2 GiB of addresses and, where Vigil is
 * root and the owner is not, with the owner's ids.
 */
struct child_options worker_options(uid_t owner, gid_t group, uint64_t deadline_ms);

/** Integer @p key of the object @p answer, or -EBADMSG when it is missing, no integer or negative. */
int worker_get_u64(const json_t *answer, const char *key, uint64_t *ret);

/** Text of bytes that may be anything, as lower-case hex. New reference; NULL: out of memory. */
json_t *worker_hex(const char *text);

/** The text of worker_hex() under @p key, at most @p size - 1 bytes. @return 0, or -EBADMSG: missing, no hex, too long */
int worker_get_hex(const json_t *answer, const char *key, char *ret, size_t size);

/** Writes @p answer as a line to @p fd and releases it. @return exit status of the worker: 0, or 1 when it cannot */
int worker_answer(int fd, json_t *answer);
