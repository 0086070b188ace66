/* top.h - what happens right now, for `vigil top`. Layer: daemon. */
#pragma once

#include <jansson.h>

struct daemon;

/**
 * vigil.top/1: rates of the last seconds, of databases, operations and programs. New reference.
 * @param database  only that one; NULL: all
 * @return 0 or -errno
 */
int top_document(struct daemon *d, const char *database, json_t **ret);
