/* attach.c - each program to its tracepoint, as the plan says (probes.h). */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sensor/internal.h"

static bool have_tracefs(void)
{
        struct statfs fs;

        return (statfs("/sys/kernel/tracing/events", &fs) == 0 &&
                access("/sys/kernel/tracing/events/syscalls", F_OK) == 0) ||
               access("/sys/kernel/debug/tracing/events/syscalls", F_OK) == 0;
}

static void attach_all(struct sensor *s)
{
        for (size_t i = 0; i < probes_count; i++) {
                const struct probe *p = &probes[i];
                struct bpf_program *program = probe_program(p, s->skeleton);

                if (!probe_is_planned(s, i))
                        continue;
                s->link[i] = p->flags & PROBE_BTF
                                     ? bpf_program__attach(program)
                                     : bpf_program__attach_tracepoint(
                                               program, p->category ? p->category : "syscalls", p->tracepoint);
                if (!s->link[i] && !(p->flags & PROBE_ATTRIBUTION))
                        s->missing++;
        }
}

/* libbpf finds the numbers of tracepoints in tracefs. Where nobody has mounted it, this thread alone gets a mount namespace
 * with it: nothing changes for the host. */
static void *attach_in_namespace(void *arg)
{
        if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
                (void)!mount("tracefs", "/sys/kernel/tracing", "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
        attach_all(arg);
        return NULL;
}

int probes_attach(struct sensor *s, char why[SENSOR_WHY_LEN])
{
        if (have_tracefs()) {
                attach_all(s);
        } else {
                pthread_t thread;
                int r = pthread_create(&thread, NULL, attach_in_namespace, s);
                if (r)
                        return -r;
                pthread_join(thread, NULL);
        }
        attribution_attached(s);
        for (size_t i = 0; i < probes_count; i++) {
                if (s->link[i] || !(probes[i].flags & PROBE_NEEDED))
                        continue;
                snprintf(why, SENSOR_WHY_LEN,
                         "probe %s cannot be attached; the kernel needs CONFIG_FTRACE_SYSCALLS and tracefs "
                         "(mount -t tracefs tracefs /sys/kernel/tracing)",
                         probes[i].name);
                return -EOPNOTSUPP;
        }
        return 0;
}
