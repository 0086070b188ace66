/* wording.h - the names of the Contract for what the model holds as bits and numbers. Layer: detect. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "detect/detect.h"

/** "main", "wal", "shm", "journal", "directory", "other". */
const char *role_name(unsigned role);
/** `op` of the Contract: "open", "read", "write", "sync", "truncate", "unlink", "rename", "lock"; our own: "commit",
 * "checkpoint", "unlock", "link", "mkdir", "rmdir", "sync-range", "copy-from", "other". */
const char *op_name(unsigned op);
/** Array of lock names of the mask @p locks in the order of the file. New reference; NULL: out of memory. */
json_t *lock_names(uint32_t locks);
/** The same as one word: "wal-write", "shared+reserved"; "no" without any. */
void lock_text(char *ret, size_t size, uint32_t locks);
/** What a thread sleeps for (enum sleep_kind): "timer", "message", "pipe", "events", "child", "thread", "terminal", "signal", "other";
 * NULL: it does not. */
const char *sleep_name(unsigned kind);
/** The same in words: "waits for events"; NULL where there are none. */
const char *sleep_text(unsigned kind);
/** "python3 (pid 12) was killed by SIGKILL from bash (pid 2)", "… died of SIGSEGV", "… exited with status 0". */
void ending_text(char *ret, size_t size, const struct model_death *d, const struct ending *e);
