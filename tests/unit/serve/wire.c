/* wire.c - see wire.h. */
#include "wire.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/protocol.h"

static char dir[] = "/tmp/vigil-serve-XXXXXX";
static int dirfd_ = -1;

const char *wire_dir(void)
{
        ck_assert_ptr_nonnull(mkdtemp(dir));
        return dir;
}

int wire_dirfd(void)
{
        if (dirfd_ < 0)
                dirfd_ = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(dirfd_, 0);
        return dirfd_;
}

void wire_done(void)
{
        if (dirfd_ >= 0)
                unlinkat(dirfd_, CONTROL_SOCKET, 0);
        rmdir(dir);
        if (dirfd_ >= 0)
                close(dirfd_);
        dirfd_ = -1;
}

int wire_connect(int dirfd)
{
        struct sockaddr_un address;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(fd, 0);
        control_address(dirfd, &address);
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
                return fd;
        int r = -errno;
        close(fd);
        return r;
}

void wire_send(int fd, const char *text)
{
        ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

bool wire_read(int fd, char *text, size_t size)
{
        for (;;) {
                size_t used = strlen(text);
                ck_assert_uint_gt(size, used + 1);
                ssize_t n = recv(fd, text + used, size - used - 1, MSG_DONTWAIT);
                if (n < 0 && errno == EAGAIN)
                        return false;
                if (n <= 0)
                        return true;
                text[used + (size_t)n] = '\0';
        }
}
