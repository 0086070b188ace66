/* ring.c - see ring.h. The layout is that of kernel/bpf/ringbuf.c: positions that only grow, headers of 8 bytes. */
#include "sensor/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t load(const uint64_t *p)
{
        return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

int ring_open(struct ring *ring, int map_fd, size_t bytes)
{
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);

        if (consumer == MAP_FAILED)
                return -errno;
        void *producer = mmap(NULL, page + 2 * bytes, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
        if (producer == MAP_FAILED) {
                int r = -errno;
                munmap(consumer, page);
                return r;
        }
        *ring = (struct ring){.consumer = consumer,
                              .producer = producer,
                              .data = (const unsigned char *)producer + page,
                              .page = page,
                              .bytes = bytes};
        ring->read = load(ring->consumer);
        return 0;
}

void ring_close(struct ring *ring)
{
        if (!ring->consumer)
                return;
        munmap(ring->consumer, ring->page);
        munmap((void *)ring->producer, ring->page + 2 * ring->bytes);
        *ring = (struct ring){0};
}

int ring_read(struct ring *ring, int (*fn)(void *userdata, void *record, size_t size), void *userdata)
{
        int n = 0;

        while (ring->read < load(ring->producer)) {
                const unsigned char *at = ring->data + (ring->read & (ring->bytes - 1));
                uint32_t header = __atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_ACQUIRE);
                uint32_t size = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

                if (header & BPF_RINGBUF_BUSY_BIT)
                        break; /* it is being written */
                ring->read += (size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
                if (header & BPF_RINGBUF_DISCARD_BIT)
                        continue;
                n++;
                int r = fn(userdata, (void *)(at + BPF_RINGBUF_HDR_SZ), size);
                if (r < 0)
                        return r;
        }
        return n;
}

uint64_t ring_held(const struct ring *ring)
{
        return ring->read - *ring->consumer;
}

void ring_release(struct ring *ring, uint64_t position)
{
        if (position > *ring->consumer)
                __atomic_store_n(ring->consumer, position, __ATOMIC_RELEASE);
}
