/* killer - sends one signal to one process in a chosen way.
 *
 *   killer [-s SIGNAL] [-m kill|tgkill|sigqueue] [--in-sync] PID
 *
 * --in-sync waits until a thread of PID is inside fsync(2) or fdatasync(2), read from /proc/PID/task/TID/syscall, so that the
 * signal falls into the call without guessing at times. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int send_kill(pid_t pid, int sig)
{
        return kill(pid, sig);
}

static int send_tgkill(pid_t pid, int sig)
{
        return (int)syscall(SYS_tgkill, pid, pid, sig);
}

static int send_sigqueue(pid_t pid, int sig)
{
        return sigqueue(pid, sig, (union sigval){.sival_int = 7});
}

static const struct {
        const char *name;
        int (*send)(pid_t pid, int sig);
} ways[] = {{"kill", send_kill}, {"tgkill", send_tgkill}, {"sigqueue", send_sigqueue}};

static bool thread_in_sync(pid_t pid, const char *tid)
{
        char path[300], text[64];
        long call;

        snprintf(path, sizeof(path), "/proc/%d/task/%s/syscall", pid, tid);
        FILE *f = fopen(path, "re");
        if (!f)
                return false;
        bool read = fgets(text, sizeof(text), f) && sscanf(text, "%ld", &call) == 1;
        fclose(f);
        return read && (call == SYS_fsync || call == SYS_fdatasync);
}

/* @return true when a thread is in a sync; false when the process has gone */
static bool wait_for_sync(pid_t pid)
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/task", pid);
        for (;;) {
                DIR *dir = opendir(path);
                if (!dir)
                        return false;
                bool found = false;
                for (struct dirent *e; !found && (e = readdir(dir));)
                        found = e->d_name[0] != '.' && thread_in_sync(pid, e->d_name);
                closedir(dir);
                if (found)
                        return true;
        }
}

int main(int argc, char **argv)
{
        static const struct option options[] = {{"in-sync", no_argument, NULL, 'i'}, {0}};
        int (*send)(pid_t, int) = send_kill;
        bool in_sync = false;
        int sig = SIGKILL, opt;

        while ((opt = getopt_long(argc, argv, "s:m:", options, NULL)) != -1) {
                if (opt == 's')
                        sig = (int)strtol(optarg, NULL, 10);
                else if (opt == 'i')
                        in_sync = true;
                else if (opt != 'm')
                        return 2;
                for (size_t i = 0; opt == 'm' && i < sizeof(ways) / sizeof(ways[0]); i++)
                        if (strcmp(ways[i].name, optarg) == 0)
                                send = ways[i].send;
        }
        if (optind != argc - 1) {
                fprintf(stderr, "usage: killer [-s SIGNAL] [-m kill|tgkill|sigqueue] [--in-sync] PID\n");
                return 2;
        }
        pid_t pid = (pid_t)strtol(argv[optind], NULL, 10);
        if (in_sync && !wait_for_sync(pid)) {
                fprintf(stderr, "killer: %d has gone before it was seen in a sync\n", pid);
                return 1;
        }
        if (send(pid, sig) < 0) {
                fprintf(stderr, "killer: %d: %s\n", pid, strerror(errno));
                return 1;
        }
        return 0;
}
