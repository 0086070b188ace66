/* terminal.h - a terminal taken for a live view, and given back as it was. Layer: cli.
 *
 * The alternate screen (xterm; everything that is a terminal today has it), no echo, keys at once. It is given back at
 * terminal_release(), at exit(3), and when INT, TERM, HUP or QUIT end the program: then by the handler, which needs nothing but
 * write(2) and tcsetattr(3). TSTP gives it back, stops, and takes it again when the program goes on. */
#pragma once

#include <stdbool.h>

/** True when a live view is possible: keys come from a terminal and frames go to one. */
bool terminal_is_there(void);

/** @return 0 or -errno: the terminal is as it was */
int terminal_take(void);
void terminal_release(void);

/** Size now; 80 by 24 where the terminal does not tell. */
void terminal_size(unsigned *ret_lines, unsigned *ret_columns);

enum terminal_key {
        KEY_NONE = 0, /* the time is over, or the size has changed */
        KEY_UP = 256, /* other keys are their character */
        KEY_DOWN,
        KEY_PAGE_UP,
        KEY_PAGE_DOWN,
        KEY_HOME,
        KEY_END,
        KEY_CLOSED, /* nobody is there any more */
};

/** Waits for a key, for @p ms at most; returns early with KEY_NONE when the size changes. */
int terminal_key(unsigned ms);

/** Shows @p frame (lines, the last one without '\n') from the upper left corner on, as many of its lines as there are. */
void terminal_show(const char *frame, unsigned lines);
