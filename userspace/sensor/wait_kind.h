/* wait_kind.h - what a thread that sleeps in the kernel waits for, told by the functions on its stack; and what that makes of
 * its time. Pure. Layer: sensor. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/loader.h"

enum wait_kind {
        WAIT_UNKNOWN = 0,
        WAIT_LOCK,        /* a blocking lock request on a file */
        WAIT_DEVICE,      /* I/O of its own */
        WAIT_TAG,         /* for a place in the device's queue */
        WAIT_IO_LIMIT,    /* a cgroup's share of the device is used up */
        WAIT_WRITEBACK,   /* until others have written dirty pages back */
        WAIT_JOURNAL,     /* for the file system's journal */
        WAIT_LOG,         /* until ext4's journal has written one transaction */
        WAIT_APPLICATION, /* timers, futexes, sockets: its own doing */
        WAIT_MEMORY,
        WAIT_KERNEL, /* a lock inside of the kernel, or a frozen file system */
};

/** No rule fits: more than any. */
#define WAIT_NO_RULE 1000

/** The first rule that fits a function of this name. The lowest of all functions on a stack decides. */
int wait_rule_of(const char *symbol);
enum wait_kind wait_rule_kind(int rule);

/** @param symbols  names of the functions on the stack, in any order */
enum wait_kind wait_kind_of(const char *const *symbols, size_t n);

/**
 * Adds what @p sum says of a wait of @p kind to the shares of @p a.
 *
 * A device that had nothing to do until it got requests, while its user waited, was kept from the work by an I/O limit; one that
 * was done long before its user woke explains nothing. Its other time is shared out between its queue and itself in proportion
 * to the requests that it completed meanwhile, and marked as estimated.
 */
void wait_share(struct vigil_attribution *a, enum wait_kind kind, const struct wait_sum *sum);
