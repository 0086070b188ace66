/* kmsg.h - what the kernel's log says of the device under a file. Layer: daemon. */
#pragma once

#include <stdbool.h>

#define KMSG_NAMES     8     /* of one device: its own, its disk's, those below it */
#define KMSG_MAX_BYTES 65536 /* of lines that are kept: the newest */

/** The names by which the kernel calls the device of a file: "sda1", "sda", "dm-0". */
struct kmsg_names {
        char name[KMSG_NAMES][64];
        unsigned n;
};

/**
 * The names of the device that @p path lies on, by /sys/dev/block; where the file system has no block device of its own
 * number (btrfs, overlayfs), by the source of its mount.
 * @return 0, also when it has none (tmpfs, a network): then n is 0; or -errno of stat(2)
 */
int kmsg_names(const char *path, struct kmsg_names *ret);

/** Whether @p line speaks of one of the devices: the name stands there as a word. */
bool kmsg_tells_of(const struct kmsg_names *names, const char *line);

/**
 * The lines of the kernel's log that speak of them, "[seconds] text", each with a newline; the newest of what is more.
 *
 * @param ret  owned by the caller; "" when there is none
 * @return how many lines; -EPERM, -EACCES: the log may not be read; -ENOENT: there is none here; -ENOMEM
 */
int kmsg_read(const struct kmsg_names *names, char **ret);
