/* evidence_threads.c - the threads of a process beside the one that waits for a lock: can one of them get on by itself? */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "sensor/evidence_private.h"
#include "sensor/proctext.h"
#include "sensor/sleep.h"

static char *read_task(uint32_t tgid, uint32_t tid, const char *file)
{
        char path[96], *text = NULL;

        snprintf(path, sizeof(path), "/proc/%u/task/%u/%s", tgid, tid, file);
        return io_read_file(path, 4096, &text, NULL) == 0 ? text : NULL;
}

/* Only who sleeps for another thread of its own, however long that takes, gets on by nobody but these. */
static void add(uint32_t tgid, uint32_t tid, struct other_threads *ret)
{
        _cleanup_free_ char *call = read_task(tgid, tid, "syscall");
        _cleanup_free_ char *sched = read_task(tgid, tid, "schedstat");
        uint64_t argument[SLEEP_ARGUMENTS], run = 0, delay = 0;
        long number;

        ret->none = false;
        if (!call || !sleep_call(call, &number, argument) || !sleep_is_endless(number, argument))
                ret->may_act = true;
        if (!sched || proctext_schedstat(sched, &run, &delay) < 0)
                ret->may_act = true;
        ret->run_ns += run;
}

void sensor_other_threads(const struct vigil_ident *who, uint32_t tid, struct other_threads *ret)
{
        char path[64];
        unsigned looked = 0;

        *ret = (struct other_threads){.none = true};
        snprintf(path, sizeof(path), "/proc/%u/task", who->tgid);
        _cleanup_closedir_ DIR *dir = opendir(path);
        for (struct dirent *d; dir && !ret->may_act && looked <= EVIDENCE_THREADS && (d = readdir(dir));) {
                uint32_t other = (uint32_t)strtoul(d->d_name, NULL, 10);
                if (!isdigit((unsigned char)d->d_name[0]))
                        continue;
                looked++;
                if (other != tid)
                        add(who->tgid, other, ret);
        }
        /* All of this was read by a number. */
        if (looked > EVIDENCE_THREADS || !evidence_lives(who))
                *ret = (struct other_threads){.may_act = true};
}
