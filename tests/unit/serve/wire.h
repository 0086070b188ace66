/* wire.h - raw clients for the tests of the control socket: they may do what no client of ours does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** A state directory of the test's own. Static storage; removed by wire_done(). @return its path */
const char *wire_dir(void);
/** A directory descriptor of it, closed by wire_done(). */
int wire_dirfd(void);
void wire_done(void);

/** Connects, not blocking. @return descriptor, or -errno */
int wire_connect(int dirfd);
/** Sends the text; must go as a whole. */
void wire_send(int fd, const char *text);
/** Reads what is there now, appends it to @p text. @return true at the end of the connection */
bool wire_read(int fd, char *text, size_t size);
