/* stamp - the time of its first instruction, in ns of CLOCK_MONOTONIC, as one line; with -k SIGNAL PID the time right before
 * it sends that signal. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"

int main(int argc, char **argv)
{
        uint64_t now = now_ns();

        printf("%" PRIu64 "\n", now);
        if (argc == 4 && strcmp(argv[1], "-k") == 0) {
                fflush(stdout);
                return kill(atoi(argv[3]), atoi(argv[2])) == 0 ? 0 : 1;
        }
        return argc == 1 ? 0 : 2;
}
