/* reuse - runs two commands one after the other so that the second gets the pid of the first.
 *
 *   reuse CMD1 ARGS... -- CMD2 ARGS...
 *
 * The next pid is set through /proc/sys/kernel/ns_last_pid; where another process takes it first, the try is repeated.
 * Exit status: 0 when both ran with one pid, 1 when the pid could not be had, 2 usage. How the commands ended is not its
 * matter. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 500, NOT_MINE = 125 };

/* Forks, and becomes @cmd if the pid is @wanted (0: any). */
static pid_t start(char **cmd, pid_t wanted)
{
        pid_t pid = fork();
        if (pid != 0)
                return pid;
        if (wanted != 0 && getpid() != wanted)
                _exit(NOT_MINE);
        execvp(cmd[0], cmd);
        _exit(126);
}

static int set_next(pid_t pid)
{
        int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -1;
        int rc = dprintf(fd, "%d", pid - 1) < 0 ? -1 : 0;
        close(fd);
        return rc;
}

int main(int argc, char **argv)
{
        int middle = 1;

        while (middle < argc && strcmp(argv[middle], "--") != 0)
                middle++;
        if (middle < 2 || middle + 1 >= argc) {
                fprintf(stderr, "usage: reuse CMD1 ARGS... -- CMD2 ARGS...\n");
                return 2;
        }
        argv[middle] = NULL;

        pid_t first = start(argv + 1, 0);
        if (first < 0 || waitpid(first, NULL, 0) < 0)
                return 1;
        for (int i = 0; i < TRIES; i++) {
                if (set_next(first) < 0) {
                        perror("reuse: /proc/sys/kernel/ns_last_pid");
                        return 1;
                }
                pid_t pid = start(argv + middle + 1, first);
                if (pid < 0 || waitpid(pid, NULL, 0) < 0)
                        return 1;
                if (pid == first)
                        return 0;
                usleep(20000); /* whoever has it now may be gone by then */
        }
        fprintf(stderr, "reuse: pid %d was always taken by another process\n", first);
        return 1;
}
