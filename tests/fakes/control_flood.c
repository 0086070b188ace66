/* control_flood.c - clients of every bad manner, all at once, for as long as they are let.
 *
 * Usage: control_flood STATE_DIR [half]
 *
 * Keeps 100 connections to the control socket; each is silent, or half a request, or rubbish, or a question whose answer is never
 * read, or a follower that never reads, and each is given up after some hundred rounds. With `half` it keeps 129, all of them half a
 * request that is never ended, as many as the daemon has places and queue for, and one. Writes a line when all have begun. */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/protocol.h"

#define CLIENTS 100
#define HALVES  (CONTROL_CLIENTS + CONTROL_QUEUED + 1)

static const char *const manners[] = {
        "",
        "{\"control\": 1, \"command\": \"incid",
        "GET / HTTP/1.1\r\n\r\n",
        "{\"control\": 1, \"command\": \"incidents\"}\n",
        "{\"control\": 1, \"command\": \"events\", \"args\": {\"follow\": true, \"after\": 0}}\n",
        "{\"control\": 1, \"command\": \"summary\", \"args\": {\"by\": [[[]], 7], \"since_ns\": -9e99}}\n",
        "{\"control\": 1, \"command\": \"incident-resolve\", \"args\": {\"id\": \"i-\\u0001\", \"limit\": -1}}\n",
        "{\"control\": 7, \"command\": 7}\n",
};

static int connect_to(int state)
{
        struct sockaddr_un address;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        control_address(state, &address);
        if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
                return fd;
        if (fd >= 0)
                close(fd);
        return -1;
}

/* Half a request on each of @n connections, for as long as it is let; who is thrown out comes again. */
static int flood_half(int state, int *fds, unsigned n)
{
        const char *half = manners[1];

        for (unsigned round = 0;; round++) {
                for (unsigned i = 0; i < n; i++) {
                        char said[4096];
                        if (fds[i] >= 0 && recv(fds[i], said, sizeof(said), MSG_DONTWAIT) == 0)
                                close(fds[i]);
                        else if (fds[i] >= 0)
                                continue;
                        fds[i] = connect_to(state);
                        if (fds[i] >= 0)
                                (void)!send(fds[i], half, strlen(half), MSG_NOSIGNAL);
                }
                if (round == 0 && (puts("begun") < 0 || fflush(stdout) == EOF))
                        return 1;
                poll(NULL, 0, 1);
        }
}

static int flood_all(int state, int *fds, unsigned n)
{
        unsigned age[CLIENTS] = {0};

        for (unsigned round = 0;; round++) {
                for (unsigned i = 0; i < n; i++) {
                        if (fds[i] >= 0 && age[i]++ < 100 + i * 3)
                                continue;
                        if (fds[i] >= 0)
                                close(fds[i]);
                        const char *manner = manners[(i + round) % (sizeof(manners) / sizeof(manners[0]))];
                        fds[i] = connect_to(state);
                        age[i] = 0;
                        if (fds[i] >= 0 && send(fds[i], manner, strlen(manner), MSG_NOSIGNAL) < 0)
                                age[i] = 100 + i * 3;
                }
                if (round == 0 && (puts("begun") < 0 || fflush(stdout) == EOF))
                        return 1;
                poll(NULL, 0, 1);
        }
}

int main(int argc, char **argv)
{
        bool half = argc == 3 && strcmp(argv[2], "half") == 0;
        int state = argc == 2 || half ? open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC) : -1, fds[HALVES];
        if (state < 0) {
                fputs("control_flood: usage: control_flood STATE_DIR [half]\n", stderr);
                return 1;
        }
        memset(fds, -1, sizeof(fds));
        return half ? flood_half(state, fds, HALVES) : flood_all(state, fds, CLIENTS);
}
