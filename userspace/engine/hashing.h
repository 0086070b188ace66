/* hashing.h - the hash of a file, made beside other work. Layer: engine. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/hash.h"

/** A hash in progress, on a thread of its own. */
struct hashing {
        pthread_t thread;
        bool started;
        int fd;
        int error;
        char sha256[HASH_HEX_LEN];
};

/** Begins to hash what @p fd holds on the disk: what is in memory of it is dropped first, where it is clean. @p fd stays with
 * the caller, and open until hashing_end(). Where no thread can be had, hashes at once. */
void hashing_start(struct hashing *h, int fd);

/** Waits for the end. @param ret_hex  untouched on failure. @return 0 or as hash_fd() */
int hashing_end(struct hashing *h, char ret_hex[HASH_HEX_LEN]);
