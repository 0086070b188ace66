/* loop.h - the event loop: whatever happens, everything that can be done without waiting is done, then it waits again. Layer:
 * daemon. */
#pragma once

struct daemon;

/** Blocks the signals that the loop takes; before anything is forked or opened. */
void loop_block_signals(void);
/** Makes daemon.event and its sources. @return 0 or -errno */
int loop_open(struct daemon *d);
/** Until SIGTERM or SIGINT, or until it cannot go on. @return 0 or -errno */
int loop_run(struct daemon *d);
void loop_close(struct daemon *d);
