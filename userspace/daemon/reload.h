/* reload.h - the configuration, at the start and again on SIGHUP. Layer: daemon. */
#pragma once

#include "config/config.h"

struct daemon;

/** Reads the configuration and says what is wrong with it, each error with its line. With --discover there need not be a file, unless
 * it was named. @return 0 or -errno as config_load() */
int reload_read(const struct daemon *d, struct config **ret);

/** Reads it again. A file that is wrong changes nothing, and says so; else databases are added and let go, and those that stay keep
 * their watch and their accounts. The state directory stays what it was. */
void reload(struct daemon *d);
