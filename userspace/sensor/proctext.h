/* proctext.h - the text of procfs and cgroupfs: proc(5), Documentation/admin-guide/cgroup-v2.rst. Layer: sensor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** /proc/PID/stat and /proc/PID/task/TID/stat. */
struct proc_stat {
        char comm[16];
        char state;
        uint32_t ppid;
        uint64_t cpu_ticks; /* user and system; PID: of all threads, the ended ones too */
        uint32_t threads;
        uint64_t start_ticks; /* since boot */
};

/** The name may hold blanks and brackets: it ends at the last one. @return 0 or -EBADMSG */
int proctext_stat(const char *text, struct proc_stat *ret);

/** The number behind @p key at the start of a line, as in "syscr: 14" and "throttled_usec 0".
 * @param key  with its colon, if it has one. @return false: there is none */
bool proctext_number(const char *text, const char *key, uint64_t *ret);

/** schedstat: CPU time, time spent waiting for a CPU, both in ns. @return 0 or -EBADMSG */
int proctext_schedstat(const char *text, uint64_t *ret_run_ns, uint64_t *ret_delay_ns);

/**
 * The path of /proc/PID/cgroup in one hierarchy.
 *
 * @param controller  of cgroup v1, as "cpu" in "cpu,cpuacct"; NULL: the one hierarchy of cgroup v2
 * @return false: the process is in none, or the path does not fit
 */
bool proctext_cgroup(const char *text, const char *controller, char *ret, size_t size);
