/* reader.h - where the bytes of a file come from: a descriptor, or memory in tests and fuzzers. Layer: engine. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** A file to be parsed. `size` is as it was when the reader was made; the file may have shrunk or grown since. */
struct reader {
        /** Up to @p n bytes at @p offset; fewer only at the end. @return bytes read or -errno. */
        ssize_t (*pread)(const struct reader *r, void *data, size_t n, uint64_t offset);
        uint64_t size;
        const void *bytes; /* memory reader */
        int fd;            /* file reader */
};

/** Reads @p fd, which stays with the caller. @return 0 or -errno of fstat(2). */
int reader_of_fd(int fd, struct reader *ret);

/** Reads the @p n bytes at @p bytes, which stay with the caller. */
struct reader reader_of_memory(const void *bytes, size_t n);

/** All @p n bytes at @p offset. @return 0, -ENODATA when the file ends before, or -errno. */
int reader_get(const struct reader *r, void *data, size_t n, uint64_t offset);

/* Unaligned big-endian integers, as SQLite stores them. */
static inline uint32_t be32(const void *p)
{
        const uint8_t *b = p;
        return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint32_t be16(const void *p)
{
        const uint8_t *b = p;
        return (uint32_t)b[0] << 8 | b[1];
}
