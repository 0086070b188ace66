/* style.h - how text for people looks where it goes. Layer: cli. */
#pragma once

#include <stdbool.h>

#include "report/report.h"

/** True when @p fd is a terminal that knows escape sequences: a TERM of "dumb" says that it does not. */
bool style_has_escapes(int fd);

/** Colour and width of what @p fd is, if it is a terminal. */
struct report_style style_of(int fd, bool verbose);
