/* io.h - whole reads and writes, and files that appear complete or not at all. Layer: base. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Writes all @p n bytes, through short writes and EINTR. @return 0 or -errno. */
int io_write_all(int fd, const void *data, size_t n);

/** Like io_write_all() at @p offset. @return 0 or -errno. */
int io_pwrite_all(int fd, const void *data, size_t n, uint64_t offset);

/** Reads up to @p n bytes at @p offset, through short reads and EINTR; fewer only at the end of the file.
 * @return bytes read, or -errno. */
ssize_t io_pread_all(int fd, void *data, size_t n, uint64_t offset);

/**
 * The whole of a small file of unknown size (procfs, sysfs), NUL-terminated.
 *
 * @param limit     more bytes than this are -EFBIG
 * @param ret_data  owned by the caller
 * @param ret_size  bytes without the NUL; may be NULL
 * @return 0, -EFBIG, -ENOMEM or -errno of open(2) and read(2)
 */
int io_read_file(const char *path, size_t limit, char **ret_data, size_t *ret_size);

/** Like io_read_file() where the path is another's to choose: waits for nobody who would have to open the other end of a pipe.
 * @return also -EINVAL: it is no regular file */
int io_read_regular_file(const char *path, size_t limit, char **ret_data, size_t *ret_size);

/**
 * Writes a file that appears under @p path complete and durable, or not at all: temporary name in the same directory
 * (O_EXCL), write, fsync, rename, fsync of the directory. An existing file is replaced; a failure leaves it as it was.
 * A symbolic link stays and what it stands for is replaced. A device, pipe or socket (/dev/null, /dev/stdout) is written to
 * instead: a rename would put a regular file in its place.
 *
 * @param mode  of the new file, whatever the umask
 * @return 0, -EISDIR, or -errno of the first step that failed
 */
int io_write_file_atomic(const char *path, const void *data, size_t n, mode_t mode);
