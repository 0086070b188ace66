/* procinfo.c - see procinfo.h; proc(5). */
#include "sensor/procinfo.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NS_PER_S 1000000000ull

/* Whole of a small file, cut at @p size - 1 bytes, ended by NUL. The kernel makes such a file in one piece, when it is read first.
 * @return bytes or -errno */
static ssize_t read_small(uint32_t pid, const char *name, char *ret, size_t size)
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        ssize_t n = pread(fd, ret, size - 1, 0);
        if (n < 0)
                return -errno;
        ret[n] = '\0';
        return n;
}

/* ---- stat ---- */

int procinfo_parse_stat(const char *text, struct procinfo_stat *ret)
{
        struct procinfo_stat s = {0};
        const char *open = strchr(text, '('), *close = strrchr(text, ')'); /* a name may hold both */
        unsigned long long ticks, code = 0, stack = 0;

        if (!open || !close || close < open)
                return -EBADMSG;
        size_t n = (size_t)(close - open - 1);
        memcpy(s.comm, open + 1, n < sizeof(s.comm) - 1 ? n : sizeof(s.comm) - 1);
        if (sscanf(text, "%u", &s.pid) != 1 ||
            /* state ppid pgrp session tty tpgid flags, four counts of faults, four times, priority nice threads itreal start, size rss
             * limit code end stack */
            sscanf(close + 1,
                   " %c %u %u %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %u %*d %llu %*u %*d %*u "
                   "%llu "
                   "%*u %llu",
                   &s.state, &s.ppid, &s.group, &s.threads, &ticks, &code, &stack) < 5)
                return -EBADMSG;
        s.ticks = ticks;
        s.image = stack ? stack ^ code << 16 : 0;
        *ret = s;
        return 0;
}

int procinfo_stat(uint32_t pid, struct procinfo_stat *ret)
{
        char text[1024];
        ssize_t n = read_small(pid, "stat", text, sizeof(text));

        return n < 0 ? (int)n : procinfo_parse_stat(text, ret);
}

/* ---- PID namespaces ---- */

int procinfo_parse_own_pid(const char *text, uint32_t *ret)
{
        const char *line = strstr(text, "\nNSpid:");
        size_t n;

        if (!line)
                return -EBADMSG;
        line += strlen("\nNSpid:");
        n = strcspn(line, "\n");
        while (n > 0 && !isdigit((unsigned char)line[n - 1]))
                n--;
        while (n > 0 && isdigit((unsigned char)line[n - 1])) /* the last one is of the innermost */
                n--;
        uint32_t pid = (uint32_t)strtoul(line + n, NULL, 10);
        if (!pid)
                return -EBADMSG;
        *ret = pid;
        return 0;
}

int procinfo_own_pid(uint32_t pid, uint32_t *ret)
{
        char text[4096];
        ssize_t n = read_small(pid, "status", text, sizeof(text));

        return n < 0 ? (int)n : procinfo_parse_own_pid(text, ret);
}

/* ---- the rest ---- */

void procinfo_parse_cgroup(const char *text, char ret[PROCINFO_CGROUP])
{
        ret[0] = '\0';
        for (const char *line = text; *line;) {
                size_t n = strcspn(line, "\n");
                const char *path = memchr(line, ':', n);
                const char *second = path ? memchr(path + 1, ':', n - (size_t)(path + 1 - line)) : NULL;
                bool unified = n > 3 && strncmp(line, "0::", 3) == 0;
                bool named = path && strncmp(path, ":name=systemd:", 14) == 0;

                if (second && (unified || named)) {
                        size_t length = n - (size_t)(second + 1 - line);
                        if (length >= PROCINFO_CGROUP)
                                length = PROCINFO_CGROUP - 1;
                        if (length > strlen(ret)) { /* "/" says less than anything else */
                                memcpy(ret, second + 1, length);
                                ret[length] = '\0';
                        }
                }
                line += n + (line[n] == '\n');
        }
}

static void read_cmdline(uint32_t pid, char ret[PROCINFO_CMDLINE])
{
        ssize_t n = read_small(pid, "cmdline", ret, PROCINFO_CMDLINE);

        if (n < 0)
                n = 0;
        while (n > 0 && ret[n - 1] == '\0')
                n--;
        for (ssize_t i = 0; i < n; i++)
                if (ret[i] == '\0')
                        ret[i] = ' ';
        ret[n] = '\0';
}

static void read_exe(uint32_t pid, char ret[PROCINFO_EXE])
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/%u/exe", pid);
        ssize_t n = readlink(path, ret, PROCINFO_EXE - 1);
        ret[n > 0 ? n : 0] = '\0';
}

static int read_uid(uint32_t pid, uint32_t *ret)
{
        char text[4096];
        ssize_t n = read_small(pid, "status", text, sizeof(text));
        const char *line = n > 0 ? strstr(text, "\nUid:") : NULL;

        if (n < 0)
                return (int)n;
        return line && sscanf(line, "\nUid: %u", ret) == 1 ? 0 : -EBADMSG;
}

static void read_cgroup(uint32_t pid, char ret[PROCINFO_CGROUP])
{
        char text[4096] = "";

        if (read_small(pid, "cgroup", text, sizeof(text)) < 0)
                text[0] = '\0';
        procinfo_parse_cgroup(text, ret);
}

int procinfo_read(const struct procinfo_stat *is, unsigned parts, struct procinfo *ret)
{
        uint32_t pid = is->pid;
        int r = 0;

        ret->stat = *is;
        ret->uid = 0;
        ret->exe[0] = ret->cgroup[0] = '\0';
        if (parts & PROCINFO_UID)
                r = read_uid(pid, &ret->uid);
        if (r < 0)
                return r;
        read_cmdline(pid, ret->cmdline);
        if (parts & PROCINFO_PROGRAM)
                read_exe(pid, ret->exe);
        if (parts & PROCINFO_GROUP)
                read_cgroup(pid, ret->cgroup);
        return 0;
}

bool procinfo_is_still(const struct procinfo_stat *is)
{
        struct procinfo_stat now;

        return procinfo_stat(is->pid, &now) == 0 && now.ticks == is->ticks;
}

static uint64_t ticks_per_second(void)
{
        long hz = sysconf(_SC_CLK_TCK);

        return hz > 0 ? (uint64_t)hz : 100;
}

uint64_t procinfo_start_ns(uint64_t ticks)
{
        return ticks * (NS_PER_S / ticks_per_second());
}

uint64_t procinfo_ticks(uint64_t start_ns)
{
        return start_ns / (NS_PER_S / ticks_per_second());
}

int procinfo_each(int (*fn)(uint32_t pid, void *userdata), void *userdata)
{
        _cleanup_closedir_ DIR *proc = opendir("/proc");
        struct dirent *e;
        int r = 0;

        if (!proc)
                return -errno;
        while (r == 0 && (e = readdir(proc)))
                if (isdigit((unsigned char)e->d_name[0]))
                        r = fn((uint32_t)strtoul(e->d_name, NULL, 10), userdata);
        return r;
}
