/* commands.c - the one list of commands. A new one is added here and in its own file. */
#include <stddef.h>

#include "cli/cli.h"

/* In the order of `vigil --help`. */
/* clang-format off */
const struct command *const commands[] = {
        &command_run,
        &command_exec,
        &command_attach,
        &command_reload,
        &command_status,
        &command_health,
        &command_summary,
        &command_top,
        &command_events,
        &command_incidents,
        &command_incident,
        &command_certificates,
        &command_certificate,
        &command_jobs,
        &command_check,
        &command_backup,
        &command_record,
        &command_replay,
        &command_doctor,
        &command_discover,
        &command_check_config,
        NULL,
};
/* clang-format on */
