/* server.c - the listening socket, and turns: who may do a step, who is out of time. */
#include "serve/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "serve/server_private.h"

#define NS_PER_MS 1000000ull
#define REST_MS   1000 /* after accept(2) has failed, and most between two turns while somebody is there */

/* Somebody's socket stands in the way. @return 0 when nobody listens on it and it is removed. */
static int remove_stale(int dirfd, const struct sockaddr_un *address)
{
        struct stat st;
        if (fstatat(dirfd, CONTROL_SOCKET, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode))
                return -ENOTSOCK;
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno != ECONNREFUSED)
                return -EADDRINUSE;
        return unlinkat(dirfd, CONTROL_SOCKET, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int make_listener(int dirfd, int *ret)
{
        struct sockaddr_un address;
        control_address(dirfd, &address);
        int r = remove_stale(dirfd, &address);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        /* bind(2) gives the new name the mode of the descriptor less the umask: never open to others, not even for a moment. */
        if (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        if (listen(fd, CONTROL_QUEUED) < 0) {
                r = -errno;
                unlinkat(dirfd, CONTROL_SOCKET, 0);
                return r;
        }
        *ret = TAKE_FD(fd);
        return 0;
}

/* Whether new clients are asked for; the listener's data pointer is NULL. */
static void listen_or_not(struct control_server *s, bool wanted)
{
        struct epoll_event e = {.events = EPOLLIN};
        if (wanted != s->listening &&
            epoll_ctl(s->epoll, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, s->listener, &e) == 0)
                s->listening = wanted;
}

int control_server_open(int dirfd, const struct control_handler *handler, struct control_server **ret)
{
        struct control_server *s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        *s = (struct control_server){
                .handler = *handler,
                .listener = -1,
                .request_ms = CONTROL_REQUEST_MS,
                .yield_ms = CONTROL_YIELD_MS,
                .send_ms = CONTROL_SEND_MS,
        };
        int r = 0;
        s->epoll = epoll_create1(EPOLL_CLOEXEC);
        s->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
        if (s->epoll < 0 || s->dirfd < 0)
                r = -errno;
        if (r == 0)
                r = make_listener(s->dirfd, &s->listener);
        if (r == 0) {
                listen_or_not(s, true);
                r = s->listening ? 0 : -errno;
        }
        if (r < 0) {
                control_server_close(s);
                return r;
        }
        *ret = s;
        return 0;
}

void control_server_leave_name(struct control_server *s)
{
        s->left = true;
}

void control_server_close(struct control_server *s)
{
        if (!s)
                return;
        for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
                if (s->client[i])
                        connection_close(s, i);
        if (s->listener >= 0) {
                if (!s->left)
                        unlinkat(s->dirfd, CONTROL_SOCKET, 0);
                close(s->listener);
        }
        if (s->epoll >= 0)
                close(s->epoll);
        if (s->dirfd >= 0)
                close(s->dirfd);
        free(s);
}

int control_server_fd(const struct control_server *s)
{
        return s->epoll;
}

struct control_counts control_server_counts(const struct control_server *s)
{
        return s->counts;
}

/* ---- turns ----------------------------------------------------------------------------------------------------------- */

static bool is_permitted(int fd)
{
        struct ucred peer;
        socklen_t n = sizeof(peer);
        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

/* The oldest of those that have not sent a whole request and have had time to; CONTROL_CLIENTS: there is none. */
static unsigned idlest(const struct control_server *s)
{
        uint64_t oldest = clock_boottime_ns() - s->yield_ms * NS_PER_MS;
        unsigned found = CONTROL_CLIENTS;

        for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
                if (s->client[i] && s->client[i]->state == CLIENT_READING && s->client[i]->since_ns <= oldest) {
                        oldest = s->client[i]->since_ns;
                        found = i;
                }
        return found;
}

/* A place for a newcomer. With all of them taken, whoever connects and says nothing gives way. @return CONTROL_CLIENTS: none */
static unsigned make_room(struct control_server *s)
{
        for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
                if (!s->client[i])
                        return i;
        unsigned i = idlest(s);
        if (i < CONTROL_CLIENTS) {
                connection_yield(s, s->client[i]);
                connection_close(s, i);
        }
        return i;
}

static void accept_some(struct control_server *s)
{
        for (unsigned n = 0; n < CONTROL_CLIENTS; n++) {
                struct pollfd somebody = {.fd = s->listener, .events = POLLIN};
                unsigned i = poll(&somebody, 1, 0) > 0 ? make_room(s) : CONTROL_CLIENTS;
                if (i == CONTROL_CLIENTS)
                        return;
                int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (fd >= 0) {
                        connection_open(s, i, fd, is_permitted(fd));
                        continue;
                }
                /* No descriptors or no memory: the listener would stay readable and the loop would spin. */
                if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
                        s->rest_ns = clock_boottime_ns() + REST_MS * NS_PER_MS;
                return;
        }
}

/* When the first one that has said nothing may have to give way; UINT64_MAX: nobody has. */
static uint64_t first_to_yield(const struct control_server *s)
{
        uint64_t first = UINT64_MAX;

        for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
                if (s->client[i] && s->client[i]->state == CLIENT_READING && s->client[i]->since_ns < first)
                        first = s->client[i]->since_ns;
        return first == UINT64_MAX ? first : first + s->yield_ms * NS_PER_MS;
}

/* Closes who is done or out of time. @return when the next one will be */
static uint64_t sweep(struct control_server *s)
{
        uint64_t now = clock_boottime_ns(), next = UINT64_MAX;
        for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
                struct control_client *c = s->client[i];
                if (c && connection_deadline(s, c) <= now)
                        connection_expire(s, c);
                if (c && c->state == CLIENT_DEAD)
                        connection_close(s, i);
                c = s->client[i];
                if (c && connection_deadline(s, c) < next)
                        next = connection_deadline(s, c);
        }
        if (s->rest_ns && s->rest_ns <= now)
                s->rest_ns = 0;
        uint64_t room = s->counts.open < CONTROL_CLIENTS ? now : first_to_yield(s);
        listen_or_not(s, !s->rest_ns && room <= now);
        if (room > now && room < next)
                next = room;
        return s->rest_ns && s->rest_ns < next ? s->rest_ns : next;
}

int control_server_turn(struct control_server *s)
{
        struct epoll_event events[CONTROL_CLIENTS + 1];
        bool newcomers = false;

        int n = epoll_wait(s->epoll, events, CONTROL_CLIENTS + 1, 0);
        for (int i = 0; i < n; i++) {
                struct control_client *c = events[i].data.ptr;
                if (c)
                        connection_turn(s, c, events[i].events);
                else
                        newcomers = true;
        }
        /* Last: who leaves above makes room. */
        if (newcomers)
                accept_some(s);
        uint64_t next = sweep(s), now = clock_boottime_ns();
        if (next == UINT64_MAX && s->counts.open == 0)
                return -1;
        /* Not longer: what is put down between two turns may begin a deadline without making anything readable. */
        if (next > now + REST_MS * NS_PER_MS)
                return REST_MS;
        return next <= now ? 0 : (int)((next - now) / NS_PER_MS) + 1;
}
