/* together.c - two threads that open a file for the first time at one moment: who comes first?
 *
 * Usage: together PROCESSES FILE...   each of so many processes, one after the other, has two threads that open the first of these files
 *                                     together, then the next. They end by _exit(2), without closing one.
 *        together -n FILES FILE       one process, whose threads open a new file of this name together, so many times, and write it. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char **files;
static long rounds;
static atomic_uint arrived;
static atomic_bool failed;

/* Spins, so that both leave within nanoseconds of each other. */
static void meet(unsigned int *turn)
{
        arrived++;
        (*turn)++;
        while (arrived < *turn * 2)
                ;
}

static void *open_all(void *unused)
{
        unsigned int turn = 0;

        (void)unused;
        for (char **file = files; *file; file++) {
                meet(&turn);
                if (open(*file, O_RDWR | O_CLOEXEC) < 0)
                        failed = true;
        }
        return NULL;
}

/* It comes by another name, so that nobody has opened it by this one. */
static void put_new(const char *name)
{
        int fd = open("together.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        if (fd < 0 || close(fd) < 0 || rename("together.new", name) < 0)
                failed = true;
}

static void *write_new(void *makes)
{
        unsigned int turn = 0;

        for (long i = 0; i < rounds; i++) {
                if (makes)
                        put_new(files[0]);
                meet(&turn);
                int fd = open(files[0], O_RDWR | O_CLOEXEC);
                meet(&turn);
                if (pwrite(fd, "x", 1, 0) != 1 || close(fd) < 0)
                        failed = true;
                meet(&turn);
        }
        return NULL;
}

static int both(void *(*act)(void *))
{
        pthread_t first, second;

        if (pthread_create(&first, NULL, act, files) != 0 || pthread_create(&second, NULL, act, NULL) != 0)
                return 1;
        pthread_join(first, NULL);
        pthread_join(second, NULL);
        return failed;
}

static int processes(long n)
{
        for (; n > 0; n--) {
                int status;
                pid_t child = fork();

                if (child == 0)
                        _exit(both(open_all));
                if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
                        return 1;
        }
        return 0;
}

int main(int argc, char **argv)
{
        bool new_files = argc == 4 && strcmp(argv[1], "-n") == 0;

        if (argc < 3) {
                fprintf(stderr, "usage: together PROCESSES FILE... | together -n FILES FILE\n");
                return 2;
        }
        files = argv + (new_files ? 3 : 2);
        if (!new_files)
                return processes(strtol(argv[1], NULL, 10));
        rounds = strtol(argv[2], NULL, 10);
        return both(write_new);
}
