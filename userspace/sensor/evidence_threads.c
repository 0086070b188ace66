/* evidence_threads.c - the threads of a process beside the one that waits for a lock: can one of them get on by itself? */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "sensor/evidence_private.h"
#include "sensor/proctext.h"

static char *read_task(uint32_t tgid, uint32_t tid, const char *file)
{
        char path[96], *text = NULL;

        snprintf(path, sizeof(path), "/proc/%u/task/%u/%s", tgid, tid, file);
        return io_read_file(path, 4096, &text, NULL) == 0 ? text : NULL;
}

/* What it has done so far. @return false: that cannot be read */
static bool add_counters(uint32_t tgid, uint32_t tid, struct other_threads *ret)
{
        _cleanup_free_ char *sched = read_task(tgid, tid, "schedstat");
        _cleanup_free_ char *io = read_task(tgid, tid, "io");
        uint64_t run = 0, delay = 0, reads = 0;

        if (!sched || !io || proctext_schedstat(sched, &run, &delay) < 0 || !proctext_number(io, "syscr:", &reads))
                return false;
        ret->run_ns += run;
        ret->reads += reads;
        return true;
}

/* Only who sleeps for another thread of its own, however long that takes, gets on by nobody but these. */
static void add(uint32_t tgid, uint32_t tid, struct other_threads *ret)
{
        bool endless = false;
        enum sleep_kind kind = evidence_thread_sleep(tgid, tid, NULL, &endless);
        bool known = add_counters(tgid, tid, ret) && kind != SLEEP_NONE && kind != SLEEP_OTHER;

        ret->none = false;
        if (known && endless)
                return;
        ret->may_act = true;
        if (!known) {
                ret->at_work = true;
        } else if (!ret->tid) {
                _cleanup_free_ char *comm = read_task(tgid, tid, "comm");
                ret->tid = tid;
                ret->sleeps = kind;
                snprintf(ret->comm, sizeof(ret->comm), "%.*s", comm ? (int)strcspn(comm, "\n") : 0,
                         comm ? comm : "");
        }
}

void sensor_other_threads(const struct vigil_ident *who, uint32_t tid, struct other_threads *ret)
{
        char path[64];
        unsigned looked = 0;

        *ret = (struct other_threads){.none = true};
        snprintf(path, sizeof(path), "/proc/%u/task", who->tgid);
        _cleanup_closedir_ DIR *dir = opendir(path);
        for (struct dirent *d; dir && looked <= EVIDENCE_THREADS && (d = readdir(dir));) {
                uint32_t other = (uint32_t)strtoul(d->d_name, NULL, 10);
                if (!isdigit((unsigned char)d->d_name[0]))
                        continue;
                looked++;
                if (other != tid)
                        add(who->tgid, other, ret);
        }
        /* All of this was read by a number. */
        if (looked > EVIDENCE_THREADS || !evidence_lives(who))
                *ret = (struct other_threads){.may_act = true, .at_work = true};
}
