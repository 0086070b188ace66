/* pins.h - the kernel side outlives its process: maps and links pinned in bpffs. Layer: sensor.
 *
 * A set is whole or it is not there: it is pinned under another name and renamed. Its name tells which build made it and which
 * probes are attached, so that one that lacks a pin, or that another build has made, is never taken for ours. The directory is
 * locked as long as somebody uses it: the lock, and nothing else, tells that its owner lives. */
#pragma once

#include <stdint.h>

#define PINS_ROOT    "/sys/fs/bpf"
#define PINS_DIR     PINS_ROOT "/vigil"
#define PINS_SET_LEN 40 /* "BUILD-PROBES", 16 hex digits each */
#define PINS_WHY_LEN 256

struct sensor;

struct pins {
        char dir[128];          /* PINS_DIR/NAME */
        int lock;               /* the directory, open and locked; -1: nothing is kept */
        char set[PINS_SET_LEN]; /* pinned by us or taken over; empty: none */
        char why[PINS_WHY_LEN]; /* why nothing is kept; empty: it is */
};

#define PINS_NONE ((struct pins){.lock = -1})

/** Makes PINS_DIR/@p name and locks it. On failure ->why tells. @return 0 or -errno */
int pins_open(struct pins *p, const char *name);

/** Looks for a set that @p build has left: then it is ->set. @param ret_attached  a bit for each probe that was attached
 * @return 1; 0: there is none; or -errno */
int pins_find(struct pins *p, uint64_t build, uint64_t *ret_attached);

/** Gives the maps of the set to the opened skeleton of @p s. @return 0; -EBADMSG one is not as this build has it; or -errno */
int pins_take_maps(struct sensor *s);

/** Opens the links of the set, and sees that each leads to the program that belongs there and works on our maps.
 * @return 0; -EBADMSG one does not; or -errno */
int pins_take_links(struct sensor *s, uint64_t attached);

/** Pins all that @p s has. On failure nothing is pinned, and ->why tells. @return 0 or -errno */
int pins_save(struct sensor *s, uint64_t build);

/** Removes every set of the directory but ->set, whole or not: what nobody else holds ends with it. @return how many */
unsigned pins_sweep(struct pins *p);

/** Ends the use of the directory. It stays while there is something in it. */
void pins_close(struct pins *p);
