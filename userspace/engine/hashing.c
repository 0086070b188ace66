/* hashing.c - a hash on a thread of its own. */
#include "engine/hashing.h"

#include <fcntl.h>
#include <string.h>

static void *run(void *userdata)
{
        struct hashing *h = userdata;
        h->error = hash_fd(h->fd, h->sha256);
        return NULL;
}

void hashing_start(struct hashing *h, int fd)
{
        *h = (struct hashing){.fd = fd};
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        h->started = pthread_create(&h->thread, NULL, run, h) == 0;
        if (!h->started)
                run(h);
}

int hashing_end(struct hashing *h, char ret_hex[HASH_HEX_LEN])
{
        if (h->started)
                pthread_join(h->thread, NULL);
        if (h->error == 0)
                memcpy(ret_hex, h->sha256, sizeof(h->sha256));
        return h->error;
}
