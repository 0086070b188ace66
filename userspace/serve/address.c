/* address.c - see protocol.h. */
#include <stdio.h>
#include <sys/socket.h>

#include "serve/protocol.h"

void control_address(int dirfd, struct sockaddr_un *ret)
{
        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/" CONTROL_SOCKET, dirfd);
}
