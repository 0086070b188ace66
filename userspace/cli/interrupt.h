/* interrupt.h - what is removed after work was interrupted. Layer: cli. */
#pragma once

/** Removes from @p directory what dead runs left of backups and restores, finishing what was complete. */
void interrupt_sweep_workdirs(const char *directory);

/** Removes what dead checks left of private copies in $TMPDIR and /var/tmp, and beside @p database, which may be NULL. */
void interrupt_sweep_scratch(const char *database);
