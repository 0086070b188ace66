/* control_flood.c - clients of every bad manner, all at once, for as long as they are let.
 *
 * Usage: control_flood STATE_DIR
 *
 * Keeps 100 connections to the control socket; each is silent, or half a request, or rubbish, or a question whose answer is never
 * read, or a follower that never reads, and each is given up after some hundred rounds. Writes a line when all have begun. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/protocol.h"

#define CLIENTS 100

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

int main(int argc, char **argv)
{
        int state = argc == 2 ? open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC) : -1, fds[CLIENTS];
        unsigned age[CLIENTS] = {0};
        if (state < 0) {
                fputs("control_flood: usage: control_flood STATE_DIR\n", stderr);
                return 1;
        }
        memset(fds, -1, sizeof(fds));
        for (unsigned round = 0;; round++) {
                for (unsigned i = 0; i < CLIENTS; i++) {
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
