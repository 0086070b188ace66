/* backup_lost.h - where backups are that somebody looks for in the wrong place. Layer: cli. */
#pragma once

#include "respond/list.h"

/** @p directory has no backup itself: says so if directories in it have some, and names them. @return CLI_UNAVAILABLE, or
 * CLI_OK: they have none either, and nothing was said */
int backup_lost_below(const char *directory);

/** None of the backups of @p list, in @p directory, is of the database @p source: says whose they are, if there is no such file
 * either. @return CLI_UNAVAILABLE, or CLI_OK: it is there, or there are no backups at all, and nothing was said */
int backup_lost_of(const char *directory, const struct backup_list *list, const char *source);
