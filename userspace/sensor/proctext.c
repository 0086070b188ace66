/* proctext.c - see proctext.h. */
#include "sensor/proctext.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/mounts.h"

int proctext_stat(const char *text, struct proc_stat *ret)
{
        const char *open = strchr(text, '('), *close = strrchr(text, ')');
        struct proc_stat st = {0};
        uint64_t user, system;

        if (!open || !close || close < open)
                return -EBADMSG;
        size_t n = (size_t)(close - open - 1);
        memcpy(st.comm, open + 1, n < sizeof(st.comm) ? n : sizeof(st.comm) - 1);
        /* state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime priority nice
         * num_threads itrealvalue starttime */
        if (sscanf(close + 1,
                   " %c %" SCNu32 " %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                   " %*d %*d %*d %*d %" SCNu32 " %*d %" SCNu64,
                   &st.state, &st.ppid, &user, &system, &st.threads, &st.start_ticks) != 6)
                return -EBADMSG;
        st.cpu_ticks = user + system;
        *ret = st;
        return 0;
}

bool proctext_number(const char *text, const char *key, uint64_t *ret)
{
        size_t n = strlen(key);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, key, n) == 0 && (line[n] == ' ' || line[n] == '\t'))
                        return sscanf(line + n, " %" SCNu64, ret) == 1;
        }
        return false;
}

int proctext_schedstat(const char *text, uint64_t *ret_run_ns, uint64_t *ret_delay_ns)
{
        uint64_t run, delay;

        if (sscanf(text, "%" SCNu64 " %" SCNu64, &run, &delay) != 2)
                return -EBADMSG;
        *ret_run_ns = run;
        *ret_delay_ns = delay;
        return 0;
}

/* "4:memory:/a/b", "3:cpu,cpuacct:/a/b", "0::/a/b": cgroups(7). */
bool proctext_cgroup(const char *text, const char *controller, char *ret, size_t size)
{
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                char list[128] = "";
                const char *first = strchr(line, ':'), *path = first ? strchr(first + 1, ':') : NULL;
                size_t n, end = strcspn(line, "\n");

                if (!path || (size_t)(path - line) > end)
                        continue;
                n = (size_t)(path - first - 1);
                if (n >= sizeof(list))
                        continue;
                memcpy(list, first + 1, n);
                if (controller ? !mounts_has_option(list, controller) : strncmp(line, "0::", 3) != 0)
                        continue;
                path++;
                n = (size_t)(line + end - path);
                if (n >= size)
                        return false;
                memcpy(ret, path, n);
                ret[n] = 0;
                return true;
        }
        return false;
}
