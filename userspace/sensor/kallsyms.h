/* kallsyms.h - names of addresses of the kernel's code. Layer: sensor. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define KALLSYMS_NAME 64 /* longer names are cut */

struct kernel_address {
        uint64_t address;
        uint64_t symbol_address;  /* 0: no symbol at or below it */
        char name[KALLSYMS_NAME]; /* empty: not known */
};

/**
 * Names the addresses in one pass over a list like /proc/kallsyms, whose addresses are all zero to those who may not see them.
 *
 * @param path  "/proc/kallsyms"
 * @param list  is sorted by address by this
 * @return 0, also when no address has a name; or -errno
 */
int kallsyms_name(const char *path, struct kernel_address *list, size_t n);
