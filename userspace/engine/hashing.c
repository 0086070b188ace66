/* hashing.c - hash and fingerprint on a thread of their own. */
#include "engine/hashing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "engine/deadline.h"

#define BLOCK          (1u << 20)
#define PROGRESS_BYTES (16u << 20)

static int hash_file(struct hashing *h)
{
        _cleanup_hash_ struct hash *hash = NULL;
        _cleanup_fingerprint_ struct fingerprint *fingerprint = NULL;
        _cleanup_free_ void *block = malloc(BLOCK);
        struct stat st;
        if (!block)
                return -ENOMEM;
        if (fstat(h->fd, &st) < 0)
                return -errno;
        int err = fingerprint_new(&fingerprint);
        if (err == 0 && !h->no_sha256)
                err = hash_new(&hash);
        for (uint64_t at = 0; err == 0;) {
                ssize_t n = io_pread_all(h->fd, block, BLOCK, at);
                if (n < 0)
                        return (int)n;
                if (n == 0)
                        break;
                err = fingerprint_add(fingerprint, block, (size_t)n);
                if (err == 0 && hash)
                        err = hash_add(hash, block, (size_t)n);
                at += (uint64_t)n;
                if (h->on_progress && at % PROGRESS_BYTES == 0)
                        h->on_progress(h->userdata, at, (uint64_t)st.st_size);
                if (err == 0 && deadline_over(h->deadline))
                        err = -ETIME;
        }
        if (err == 0)
                err = fingerprint_end(fingerprint, h->fingerprint);
        return err == 0 && hash ? hash_end(hash, h->sha256) : err;
}

static void *run(void *userdata)
{
        struct hashing *h = userdata;
        h->error = hash_file(h);
        return NULL;
}

void hashing_start(struct hashing *h)
{
        if (h->begun)
                return;
        h->begun = true;
        if (h->from_disk)
                posix_fadvise(h->fd, 0, 0, POSIX_FADV_DONTNEED);
        posix_fadvise(h->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        h->threaded = pthread_create(&h->thread, NULL, run, h) == 0;
        if (!h->threaded)
                run(h);
}

int hashing_end(struct hashing *h, char ret_sha256[HASH_HEX_LEN], char ret_fingerprint[FINGERPRINT_HEX_LEN])
{
        hashing_start(h);
        if (h->threaded)
                pthread_join(h->thread, NULL);
        if (h->error < 0)
                return h->error;
        memcpy(ret_sha256, h->sha256, sizeof(h->sha256));
        memcpy(ret_fingerprint, h->fingerprint, sizeof(h->fingerprint));
        return 0;
}
