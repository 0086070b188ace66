/* together.c - processes whose threads use a database for the first time all at one moment: who comes first?
 *
 * Usage: together PROCESSES FILE... : each of so many processes, one after the other, has two threads that open the first of these
 * files together, then the next. They end by _exit(2), without closing one. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 2

static char **files;
static atomic_uint arrived;

/* Spins, so that both leave within nanoseconds of each other. */
static void meet(unsigned int turn)
{
        arrived++;
        while (arrived < turn * THREADS)
                ;
}

static void *open_all(void *failed)
{
        for (unsigned int i = 0; files[i]; i++) {
                meet(i + 1);
                if (open(files[i], O_RDWR | O_CLOEXEC) < 0)
                        atomic_store((atomic_bool *)failed, true);
        }
        return NULL;
}

static _Noreturn void live(void)
{
        static atomic_bool failed;
        pthread_t thread[THREADS];

        for (int i = 0; i < THREADS; i++)
                if (pthread_create(&thread[i], NULL, open_all, &failed) != 0)
                        _exit(1);
        for (int i = 0; i < THREADS; i++)
                pthread_join(thread[i], NULL);
        _exit(failed);
}

int main(int argc, char **argv)
{
        if (argc < 3) {
                fprintf(stderr, "usage: together PROCESSES FILE...\n");
                return 2;
        }
        files = argv + 2;
        for (long n = strtol(argv[1], NULL, 10); n > 0; n--) {
                int status;
                pid_t child = fork();

                if (child == 0)
                        live();
                if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
                        return 1;
        }
        return 0;
}
