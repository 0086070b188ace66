/* switches - what a context switch costs two processes that touch no watched file.
 *
 *   switches [-n ROUNDS]
 *
 * They hand a byte to each other through pipes on one processor: two switches for each round trip. One JSON line: ns per
 * switch, the least of ROUNDS rounds. */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "histogram.h"

enum { TRIPS_PER_ROUND = 5000 };

static void stay_here(void)
{
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET((size_t)sched_getcpu(), &set);
        sched_setaffinity(0, sizeof(set), &set);
}

static void pass(int from, int to)
{
        char byte;

        if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
                _exit(0);
}

int main(int argc, char **argv)
{
        int rounds = 50, there[2], back[2], option;
        uint64_t least = UINT64_MAX;
        char byte = 0;

        while ((option = getopt(argc, argv, "n:")) != -1)
                rounds = option == 'n' ? atoi(optarg) : rounds;
        stay_here();
        if (pipe(there) < 0 || pipe(back) < 0)
                return 3;
        pid_t child = fork();
        if (child < 0)
                return 3;
        if (child == 0) {
                close(there[1]);
                for (;;)
                        pass(there[0], back[1]);
        }
        for (int i = 0; i < rounds; i++) {
                uint64_t begin = now_ns();
                for (int k = 0; k < TRIPS_PER_ROUND; k++)
                        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
                                return 3;
                uint64_t took = now_ns() - begin;
                least = took < least ? took : least;
        }
        printf("{\"switch\": %.1f}\n", (double)least / (2.0 * TRIPS_PER_ROUND));
        return 0;
}
