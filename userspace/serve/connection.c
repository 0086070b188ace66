/* connection.c - one client: its request, its life. Its answers are in answer.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/request.h"
#include "serve/server_private.h"

#define NS_PER_MS  1000000ull
#define STEP_BYTES (256u << 10) /* sent to one client in one turn */

/* ---- a request ------------------------------------------------------------------------------------------------------- */

static void malformed(struct control_server *s, struct control_client *c, int exit, const char *error)
{
        s->counts.malformed++;
        connection_refuse(s, c, exit, error);
}

static void take_request(struct control_server *s, struct control_client *c, size_t n)
{
        struct control_request r = {0};
        int err = control_request_parse(c->in, n, &r);
        free(c->in);
        c->in = NULL;
        if (err == -EPROTONOSUPPORT) {
                connection_refuse(s, c, CONTROL_EXIT_UNAVAILABLE,
                                  "the daemon is vigil " VIGIL_VERSION " and older than this command; restart it");
                return;
        }
        if (err < 0) {
                malformed(s, c, CONTROL_EXIT_USAGE,
                          "the request is not one line of JSON with control, command and args");
                return;
        }
        c->state = CLIENT_WAITING;
        c->told = true;
        connection_interest(s, c);
        s->handler.request(s->handler.userdata, c, r.command, r.args);
        control_request_done(&r);
}

static void read_some(struct control_server *s, struct control_client *c)
{
        ssize_t n = recv(c->fd, c->in + c->nin, CONTROL_REQUEST_BYTES - c->nin, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0 && !c->nin) {
                /* It only looked who is there. */
                c->state = CLIENT_DEAD;
                return;
        }
        if (n <= 0) {
                malformed(s, c, CONTROL_EXIT_USAGE, "the request ended before its line did");
                return;
        }
        const char *end = memchr(c->in + c->nin, '\n', (size_t)n);
        c->nin += (size_t)n;
        if (end)
                take_request(s, c, (size_t)(end - c->in));
        else if (c->nin == CONTROL_REQUEST_BYTES)
                malformed(s, c, CONTROL_EXIT_USAGE, "the request is longer than 8 KiB");
}

/* ---- its life -------------------------------------------------------------------------------------------------------- */

static void write_some(struct control_server *s, struct control_client *c)
{
        size_t n = connection_waiting(c) < STEP_BYTES ? connection_waiting(c) : STEP_BYTES;
        if (n) {
                ssize_t sent = send(c->fd, c->out.data + c->out.at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (sent < 0 && (errno == EAGAIN || errno == EINTR))
                        return;
                if (sent < 0) {
                        connection_bury(s, c);
                        return;
                }
                c->out.at += (size_t)sent;
                c->since_ns = clock_boottime_ns();
        }
        if (!connection_waiting(c) && c->state == CLIENT_CLOSING)
                c->state = CLIENT_DEAD;
}

void connection_open(struct control_server *s, unsigned slot, int fd, bool permitted)
{
        struct control_client *c = calloc(1, sizeof(*c));
        char *in = malloc(CONTROL_REQUEST_BYTES);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        if (!c || !in || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
                s->counts.dropped++;
                close(fd);
                free(in);
                free(c);
                return;
        }
        *c = (struct control_client){.fd = fd, .in = in, .interest = EPOLLIN, .since_ns = clock_boottime_ns()};
        s->client[slot] = c;
        s->counts.open++;
        s->counts.accepted++;
        if (connection_say(s, c,
                           json_pack("{s:i, s:s, s:s, s:i}", "control", CONTROL_VERSION, "schema", CONTROL_SCHEMA,
                                     "vigil", VIGIL_VERSION, "pid", (int)getpid()),
                           CONTROL_LAST_WORDS) < 0)
                connection_drop(s, c);
        if (permitted)
                return;
        s->counts.refused++;
        connection_refuse(s, c, CONTROL_EXIT_NOPERM, "only root and the user of the daemon may ask it");
}

void connection_turn(struct control_server *s, struct control_client *c, uint32_t events)
{
        /* Nobody is there to hear an answer: what it may have asked is not done. */
        if (events & (EPOLLHUP | EPOLLERR)) {
                connection_bury(s, c);
                return;
        }
        if (c->state == CLIENT_READING && events & EPOLLIN)
                read_some(s, c);
        if (c->state != CLIENT_DEAD)
                write_some(s, c);
        connection_interest(s, c);
}

uint64_t connection_deadline(const struct control_server *s, const struct control_client *c)
{
        if (c->state == CLIENT_DEAD)
                return 0;
        if (c->state == CLIENT_READING)
                return c->since_ns + s->request_ms * NS_PER_MS;
        if (connection_waiting(c))
                return c->since_ns + s->send_ms * NS_PER_MS;
        return UINT64_MAX;
}

void connection_yield(struct control_server *s, struct control_client *c)
{
        s->counts.malformed++;
        connection_put_off(s, c, "too many clients are connected, and this one has asked nothing");
        write_some(s, c);
}

void connection_expire(struct control_server *s, struct control_client *c)
{
        if (c->state != CLIENT_READING) {
                connection_drop(s, c);
                return;
        }
        malformed(s, c, CONTROL_EXIT_USAGE, "the request was not whole in time");
        write_some(s, c);
}

void connection_close(struct control_server *s, unsigned slot)
{
        struct control_client *c = s->client[slot];
        s->client[slot] = NULL;
        s->counts.open--;
        if (c->state == CLIENT_STREAMING)
                s->followers--;
        if (c->told)
                s->handler.gone(s->handler.userdata, c);
        /* A child that was forked meanwhile may hold it, too: close(2) alone would end neither the connection nor its place in the
         * epoll set, which would go on giving events with the pointer that is freed here. */
        epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->fd, NULL);
        shutdown(c->fd, SHUT_RDWR);
        close(c->fd);
        free(c->in);
        free(c->out.data);
        free(c);
}
