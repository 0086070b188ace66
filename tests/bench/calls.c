/* calls - what single system calls cost a process that touches no watched file.
 *
 *   calls [-n ROUNDS] DIR
 *
 * Works on a file of its own in DIR. One JSON line: ns per call, for each kind of call the least of ROUNDS rounds, which is
 * what a quiet machine gives. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "histogram.h"

enum { CALLS_PER_ROUND = 2000 };

static char path[4096], other[4096];
static int fd;

static void call_getppid(void)
{
        syscall(SYS_getppid);
}

static void call_pwrite(void)
{
        static const char text[64];

        if (pwrite(fd, text, sizeof(text), 0) < 0)
                exit(3);
}

static void call_pread(void)
{
        char text[64];

        if (pread(fd, text, sizeof(text), 0) < 0)
                exit(3);
}

static void call_lock(void)
{
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

        fcntl(fd, F_SETLK, &l);
        l.l_type = F_UNLCK;
        fcntl(fd, F_SETLK, &l);
}

static void call_open(void)
{
        int f = open(path, O_RDWR | O_CLOEXEC);

        if (f < 0)
                exit(3);
        close(f);
}

static void call_stat(void)
{
        struct stat st;

        if (stat(path, &st) < 0)
                exit(3);
}

static void call_rename(void)
{
        if (rename(path, other) < 0 || rename(other, path) < 0)
                exit(3);
}

static void call_fdatasync(void)
{
        fdatasync(fd);
}

static const struct {
        const char *name;
        void (*call)(void);
        unsigned calls; /* that one turn makes and that are worth naming */
} kinds[] = {
        {"getppid", call_getppid, 1}, {"pread64", call_pread, 1},       {"pwrite64", call_pwrite, 1},
        {"fcntl_lock", call_lock, 2}, {"open", call_open, 1},           {"stat", call_stat, 1},
        {"rename", call_rename, 2},   {"fdatasync", call_fdatasync, 1},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static double round_of(unsigned kind)
{
        uint64_t begin = now_ns();

        for (unsigned i = 0; i < CALLS_PER_ROUND; i++)
                kinds[kind].call();
        return (double)(now_ns() - begin) / (CALLS_PER_ROUND * kinds[kind].calls);
}

int main(int argc, char **argv)
{
        unsigned long rounds = 50;
        int c;

        while ((c = getopt(argc, argv, "n:")) != -1) {
                if (c != 'n')
                        return 2;
                rounds = strtoul(optarg, NULL, 10);
        }
        if (optind != argc - 1)
                return 2;
        snprintf(path, sizeof(path), "%s/calls.tmp", argv[optind]);
        snprintf(other, sizeof(other), "%s/calls.tmp2", argv[optind]);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) {
                perror(path);
                return 3;
        }
        double least[KINDS] = {0};
        for (unsigned long r = 0; r < rounds; r++)
                for (unsigned k = 0; k < KINDS; k++) {
                        double ns = round_of(k);
                        if (r == 0 || ns < least[k])
                                least[k] = ns;
                }
        for (unsigned k = 0; k < KINDS; k++)
                printf("%s\"%s\": %.1f", k ? ", " : "{", kinds[k].name, least[k]);
        printf("}\n");
        unlink(path);
        return 0;
}
