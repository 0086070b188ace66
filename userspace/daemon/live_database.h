/* live_database.h - the databases of `vigil status`. Layer: daemon. Used by live.c. */
#pragma once

#include <jansson.h>

struct daemon;

/** New reference. */
json_t *live_databases(struct daemon *d);
