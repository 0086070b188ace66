/* usage.c - a mistake on the command line, told once and in one line; and the status of others. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/cli.h"

int cli_status(int err)
{
        return err == -EACCES || err == -EPERM ? CLI_NOPERM : err == -ENOMEM ? CLI_INTERNAL : CLI_UNAVAILABLE;
}

int cli_config_status(int err)
{
        int status = cli_status(err);

        return status == CLI_UNAVAILABLE ? CLI_CRITICAL : status;
}

int cli_usage(const struct command *command, const char *fmt, ...)
{
        char text[1024];
        va_list args;
        va_start(args, fmt);
        vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);
        if (command)
                log_error("%s: %s; see vigil %s --help", command->name, text, command->name);
        else
                log_error("%s; see vigil --help", text);
        return CLI_USAGE;
}
