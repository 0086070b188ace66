/* hashing.h - hash and fingerprint of a file, made beside other work. Layer: engine. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fingerprint.h"
#include "base/hash.h"

/** A hash in progress, on a thread of its own. Set up by the caller but for the last group. */
struct hashing {
        int fd;            /* stays with the caller, open until hashing_end() */
        bool no_sha256;    /* the fingerprint is enough: a fifth of the work */
        bool from_disk;    /* what is in memory of the file is dropped first, where it is clean */
        uint64_t deadline; /* deadline_in() */
        /** Called on the other thread, now and then; may be NULL. */
        void (*on_progress)(void *userdata, uint64_t done, uint64_t total);
        void *userdata;

        pthread_t thread;
        bool begun;
        bool threaded;
        int error;
        char sha256[HASH_HEX_LEN]; /* empty with no_sha256 */
        char fingerprint[FINGERPRINT_HEX_LEN];
};

/**
 * Begins to hash. Where no thread can be had, hashes at once. Nothing happens the second time.
 *
 * Not before a fork(2) that must run more than exec: a lock that the thread holds at that instant, as in an allocator, stays
 * locked in the child for ever.
 */
void hashing_start(struct hashing *h);

/** Waits for the end; hashes now what was never begun. @p ret_… are untouched on failure. @return 0, -ETIME, or as hash_fd() */
int hashing_end(struct hashing *h, char ret_sha256[HASH_HEX_LEN], char ret_fingerprint[FINGERPRINT_HEX_LEN]);
