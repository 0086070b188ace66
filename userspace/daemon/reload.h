/* reload.h - the configuration, at the start and again on SIGHUP. Layer: daemon. */
#pragma once

#include <jansson.h>

#include "config/config.h"

struct daemon;

/** Reads the configuration and says what is wrong with it, each error with its line. With --discover there need not be a file, unless
 * it was named.
 * @param errors  filled in every case
 * @return 0 or -errno as config_load() */
int reload_read(const struct daemon *d, struct config **ret, struct config_errors *errors);

/** Reads it again. A file that is wrong changes nothing, and says so; else databases are added and let go, and those that stay keep
 * their watch and their accounts. The state directory stays what it was.
 * @param ret  vigil.reload/1, new reference; NULL: nobody wants to know
 * @return 0 it was taken, or -errno */
int reload(struct daemon *d, json_t **ret);
