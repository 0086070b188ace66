/* repair.h - so that one run tells every mistake: what would end libconfuse's parse is told and taken out before.
 * Layer: config, private to it. */
#pragma once

#include "config/config.h"
#include "config/grammar.h"

/** Put before the title of a section whose name was taken, which is told: libconfuse ends where two have one. */
#define REPAIR_MARK  '\001'
#define REPAIR_SLACK 256 /* bytes that this may add */

/**
 * Tells of unknown keys and sections, keys without '=' or value, values of several words, sections without or with a taken
 * name, and braces too many; makes blanks of them, so that no line moves. Sections that the file leaves open are told and closed. What
 * it does not understand stays for libconfuse.
 *
 * @param text without comments (blank_comments()), in a buffer with room for REPAIR_SLACK bytes more
 * @param ret_marked some title has a REPAIR_MARK
 * @return 0; -EINVAL: a quote is never closed, and libconfuse need not be asked; -ENOMEM
 */
int repair(char *text, struct config_errors *errors, bool *ret_marked);
