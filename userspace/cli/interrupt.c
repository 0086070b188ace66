#include "cli/interrupt.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/scratch.h"
#include "respond/publish.h"
#include "respond/workdir.h"

void interrupt_sweep_workdirs(const char *directory)
{
        _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir >= 0)
                workdir_sweep(dir, publish_finish);
}

/* Whoever makes a private directory sweeps first. */
static void sweep_beside(const char *directory)
{
        _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct scratch s = SCRATCH_NONE;

        if (dir >= 0 && scratch_make(dir, &s) == 0)
                scratch_remove(&s);
}

void interrupt_sweep_scratch(const char *database)
{
        const char *tmp = getenv("TMPDIR");
        char real[PATH_MAX];

        if (tmp && *tmp == '/')
                sweep_beside(tmp);
        sweep_beside("/var/tmp");
        if (database && realpath(database, real)) {
                *strrchr(real, '/') = '\0';
                sweep_beside(*real ? real : "/");
        }
}
