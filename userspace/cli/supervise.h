/* supervise.h - long work that leaves nothing behind when it is interrupted. Layer: cli. */
#pragma once

/**
 * Runs @p work(@p arg) in a child and waits for it. On SIGINT, SIGTERM or SIGHUP the child and the workers it has started
 * are killed, and then @p clean(@p arg) removes what they had begun. When this process itself is killed, they die with it;
 * what is left then is swept by the next run.
 *
 * @param clean  called in this process, once nobody works any more; never after work that came to its end
 * @return exit status: what @p work returned, 128+N after signal N, CLI_INTERNAL when the child crashed
 */
int supervise(int (*work)(void *arg), void (*clean)(void *arg), void *arg);
