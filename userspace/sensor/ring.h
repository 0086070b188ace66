/* ring.h - a BPF ring buffer whose records can be read and yet stay in it. Layer: sensor.
 *
 * libbpf lets go of each record once it was delivered. What was delivered and is not yet stored would die with us: here a record
 * stays until ring_release(), and whoever opens the ring next, after our death, reads it again. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ring {
        uint64_t *consumer;       /* page that tells the kernel what was let go of */
        const uint64_t *producer; /* page of the kernel, with the data twice behind it */
        const unsigned char *data;
        size_t page, bytes;
        uint64_t read; /* up to here records have been delivered */
};

/** Maps the ring of @p map_fd, of @p bytes. Reading begins with what nobody has let go of. @return 0 or -errno */
int ring_open(struct ring *ring, int map_fd, size_t bytes);
void ring_close(struct ring *ring);

/** Delivers what has come: @p fn gets each record; a negative value of it ends that. @return records delivered, or that value */
int ring_read(struct ring *ring, int (*fn)(void *userdata, void *record, size_t size), void *userdata);

/** Bytes that were delivered and are still there. */
uint64_t ring_held(const struct ring *ring);

/** Lets go of everything before @p position, a value that ring->read had. */
void ring_release(struct ring *ring, uint64_t position);
