/* early.h - to be told to stop before there is anything to stop. Layer: cli.
 *
 * Until the watch has begun, signals that ask for the end wait: Vigil looks for them between its steps, the longest of which
 * (loading the programs) takes less than half a second, and leaves without anything behind. */
#pragma once

#include <signal.h>

#include "cli/cli.h"

/** INT, TERM and, unless it is ignored as nohup(1) has it, HUP. */
void early_set(sigset_t *ret);

/** Blocks them. @param ret_before  the mask as it was */
void early_block(sigset_t *ret_before);

/** The one that waits, or 0. */
int early_signal(void);

/** Drops those that wait. */
void early_forget(void);

/**
 * Says that @p command was interrupted by @p sig and @p what comes of it.
 * @return 128 + @p sig
 */
int early_leave(const struct command *command, int sig, const char *what);
