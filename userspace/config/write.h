/* write.h - databases that were found, as a configuration: what they are called and what is done for them. Layer: config. */
#pragma once

#include <stdio.h>

#include "config/config.h"

/** Longest name of a database, and its NUL. */
#define CONFIG_NAME_LEN 65

/**
 * The name of a database that nobody has named: that of its file, and eight digits of the hash of its path, so that it is the same
 * whenever and beside whatever else it is found.
 * @return 0 or -ENOMEM
 */
int config_found_name(const char *path, char ret[CONFIG_NAME_LEN]);

/** What is done for a database that nobody has configured: as by default, but fewer, rarer and smaller backups. */
void config_found_policy(struct config_database *d);

/** Writes `database "NAME" { … }` with the path and the backup section of @p d; it can be read by config_load() whatever bytes the
 * path has. */
void config_write_database(FILE *out, const struct config_database *d);

/** Writes @p text in single quotes, as libconfuse takes it. */
void config_write_quoted(FILE *out, const char *text);
