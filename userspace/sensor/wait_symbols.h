/* wait_symbols.h - where in the kernel the functions lie that tell what a thread waits for: /proc/kallsyms, as far as it matters.
 * Layer: sensor.
 *
 * The list has 100,000 symbols and takes a tenth of a second; it is read once and kept as some thousand borders, so that a stack
 * costs a few comparisons whenever it is first seen. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sensor/wait_kind.h"

/** From here on, up to the next one. */
struct wait_symbol {
        uint64_t address;
        int rule; /* of wait_rule_of() */
};

struct wait_symbols {
        struct wait_symbol *at; /* sorted; NULL: nothing is known */
        size_t n;
};

/**
 * Reads a list like /proc/kallsyms, whose addresses are all zero to those who may not see them: then there are none.
 * @param ret  what it had is freed
 * @return 0; -errno, and @p ret is as it was
 */
int wait_symbols_read(const char *path, struct wait_symbols *ret);
void wait_symbols_done(struct wait_symbols *s);

/** What a thread with these @p n return addresses on its stack waits for. */
enum wait_kind wait_symbols_kind(const struct wait_symbols *s, const uint64_t *frame, size_t n);
