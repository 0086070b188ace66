/* style.c - see style.h. */
#include "cli/style.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Below NARROWEST labels and numbers leave no room for text; a line beyond WIDEST is hard to read. */
#define NARROWEST 60
#define WIDEST    100

bool style_has_escapes(int fd)
{
        const char *term = getenv("TERM");

        return isatty(fd) && !(term && strcmp(term, "dumb") == 0);
}

/* no-color.org: "when present and not an empty string". */
static bool wants_colour(void)
{
        const char *no = getenv("NO_COLOR");

        return !no || !no[0];
}

struct report_style style_of(int fd, bool verbose)
{
        struct winsize size = {0};
        struct report_style style = {.colour = style_has_escapes(fd) && wants_colour(), .verbose = verbose};

        if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_col < WIDEST)
                style.width = size.ws_col > NARROWEST ? size.ws_col : NARROWEST;
        return style;
}
