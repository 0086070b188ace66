/* procinfo.h - what /proc says of one process. Layer: sensor.
 *
 * A process that ends while it is read, and whose number is given to another meanwhile, is told by its start, which whoever believes
 * what was read looks at once more. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

#define PROCINFO_CMDLINE 4096 /* bytes that are looked at */
#define PROCINFO_CGROUP  1024
#define PROCINFO_EXE     1024

/** What is cheap: one small file. */
struct procinfo_stat {
        uint32_t pid, ppid;
        uint32_t group; /* process group, as the number of its leader; 0: none that is seen from here */
        char comm[VIGIL_COMM_LEN];
        uint32_t threads;
        char state;     /* as proc(5) has it */
        uint64_t ticks; /* start, in clock ticks of CLOCK_BOOTTIME: rounded down */
        uint64_t image; /* of its addresses: another one after an exec; 0: not readable */
};

/** What takes one more file each. */
enum procinfo_part {
        PROCINFO_UID = 1 << 0,
        PROCINFO_PROGRAM = 1 << 1, /* exe */
        PROCINFO_GROUP = 1 << 2,   /* cgroup */
        PROCINFO_ALL = PROCINFO_UID | PROCINFO_PROGRAM | PROCINFO_GROUP,
};

/** What was not asked for is zero. */
struct procinfo {
        struct procinfo_stat stat;
        uint32_t uid;                   /* real */
        char cmdline[PROCINFO_CMDLINE]; /* arguments joined by blanks, cut; "": a kernel thread, or a zombie */
        char exe[PROCINFO_EXE];         /* "": not readable, or none */
        char cgroup[PROCINFO_CGROUP];   /* path in the unified hierarchy, else of systemd's; "": not readable */
};

/** @return 0; -ESRCH; or -errno */
int procinfo_stat(uint32_t pid, struct procinfo_stat *ret);

/**
 * What was read is that of @p is if procinfo_is_still() says so afterwards.
 * @param is     as procinfo_stat() has told it a moment ago
 * @param parts  enum procinfo_part; the command line is always read
 * @return 0; -ESRCH it is gone; or -errno
 */
int procinfo_read(const struct procinfo_stat *is, unsigned parts, struct procinfo *ret);
bool procinfo_is_still(const struct procinfo_stat *is);

/** It has ended, and only its parent does not know yet. A zombie that has other threads goes on without its first one. */
static inline bool procinfo_is_over(const struct procinfo_stat *s)
{
        return s->state == 'X' || (s->state == 'Z' && s->threads <= 1);
}

/** Its number in the PID namespace that it lives in: what getpid(2) tells it. @return 0; -ESRCH; or -errno */
int procinfo_own_pid(uint32_t pid, uint32_t *ret);

/** The same of the text of /proc/PID/status. @return 0, or -EBADMSG: it does not say */
int procinfo_parse_own_pid(const char *text, uint32_t *ret);

/** The text of /proc/PID/stat. @return 0, or -EBADMSG: it is none */
int procinfo_parse_stat(const char *text, struct procinfo_stat *ret);

/** The path in the text of /proc/PID/cgroup that says most: of the unified hierarchy, unless that is the root and systemd's own
 * hierarchy says more. @p ret is always a text. */
void procinfo_parse_cgroup(const char *text, char ret[PROCINFO_CGROUP]);

/** ns of CLOCK_BOOTTIME of a start in ticks, and back: equal ticks are the same process. */
uint64_t procinfo_start_ns(uint64_t ticks);
uint64_t procinfo_ticks(uint64_t start_ns);

/** Calls @p fn for each process of the host; a value other than 0 ends it and is returned. @return or -errno */
int procinfo_each(int (*fn)(uint32_t pid, void *userdata), void *userdata);
