/* asked_name.h - whether there is a database of the name that somebody asks about. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct daemon;
struct store;

#define ASKED_NAME_WHY 400

/**
 * A database is known when it is guarded, or when anything stored is about it.
 *
 * @param s        NULL: it does not answer now. What cannot be told is taken to be known: the question itself says what is wrong
 * @param ret_why  of false: that there is none, and what may have been meant
 */
bool asked_name_known(const struct daemon *d, struct store *s, const char *name, char ret_why[ASKED_NAME_WHY]);
