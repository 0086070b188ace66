/* log.c - one line, one write. */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

static const char prefix[] = "vigil: ";
static enum log_level threshold = LOG_NOTE_;

void log_set_level(enum log_level level)
{
        threshold = level;
}

bool log_enabled(enum log_level level)
{
        return level <= threshold;
}

void log_at(enum log_level level, const char *fmt, ...)
{
        if (!log_enabled(level))
                return;

        /* Callers report errno after they have logged. */
        int saved = errno;
        char line[PIPE_BUF], text[sizeof(line) - sizeof(prefix)]; /* a pipe takes that much in one piece */
        va_list args;
        va_start(args, fmt);
        vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);

        memcpy(line, prefix, sizeof(prefix) - 1);
        text_printable(line + sizeof(prefix) - 1, sizeof(text), text);
        size_t n = strlen(line);
        line[n++] = '\n';
        /* Where standard error is gone there is nobody to tell. */
        io_write_all(STDERR_FILENO, line, n);
        errno = saved;
}
