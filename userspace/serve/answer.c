/* answer.c - what is put down for a client: its output, and the words and answers that go there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/text.h"
#include "serve/server_private.h"

/* ---- output ---------------------------------------------------------------------------------------------------------- */

/* @return 0 or -ENOMEM */
static int reserve(struct output *o, size_t n)
{
        if (o->size - o->end >= n)
                return 0;
        /* Only when half of it or more is free: a stream would be moved for every line. */
        if (o->at && o->at >= o->size / 2) {
                memmove(o->data, o->data + o->at, o->end - o->at);
                o->end -= o->at;
                o->at = 0;
        }
        size_t size = o->size ? o->size : 512;
        while (size - o->end < n)
                size *= 2;
        char *grown = realloc(o->data, size);
        if (!grown)
                return -ENOMEM;
        o->data = grown;
        o->size = size;
        return 0;
}

size_t connection_waiting(const struct control_client *c)
{
        return c->out.end - c->out.at;
}

static int append(struct control_client *c, const char *bytes, size_t n)
{
        int r = reserve(&c->out, n);
        if (r < 0)
                return r;
        /* It had taken everything: from now on it owes. */
        if (!connection_waiting(c))
                c->since_ns = clock_boottime_ns();
        memcpy(c->out.data + c->out.end, bytes, n);
        c->out.end += n;
        return 0;
}

/* Bytes of answers that are not yet taken. */
static size_t pending(const struct control_server *s)
{
        size_t n = 0;
        for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
                if (s->client[i] && s->client[i]->state != CLIENT_STREAMING)
                        n += connection_waiting(s->client[i]);
        return n;
}

void connection_interest(struct control_server *s, struct control_client *c)
{
        uint32_t want = (c->state == CLIENT_READING ? EPOLLIN : 0u) | (connection_waiting(c) ? EPOLLOUT : 0u);
        /* A client that is done needs one more turn even when nothing of its output is left. */
        if (c->state == CLIENT_CLOSING || c->state == CLIENT_DEAD)
                want |= EPOLLOUT;
        struct epoll_event e = {.events = want, .data.ptr = c};
        if (want != c->interest && epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &e) == 0)
                c->interest = want;
}

void connection_bury(struct control_server *s, struct control_client *c)
{
        if (c->state == CLIENT_STREAMING)
                s->followers--;
        c->state = CLIENT_DEAD;
        connection_interest(s, c);
}

void connection_drop(struct control_server *s, struct control_client *c)
{
        if (c->state != CLIENT_DEAD)
                s->counts.dropped++;
        connection_bury(s, c);
}

/* ---- lines of our own ------------------------------------------------------------------------------------------------ */

/* A bounded place that json_dump_callback() writes into. */
struct line {
        struct control_client *c;
        size_t limit, n;
        int err;
};

static int take(const char *bytes, size_t n, void *data)
{
        struct line *l = data;
        if (n > l->limit - l->n)
                l->err = -EMSGSIZE;
        else
                l->err = append(l->c, bytes, n);
        l->n += l->err ? 0 : n;
        return l->err ? -1 : 0;
}

int connection_say(struct control_server *s, struct control_client *c, json_t *object, size_t limit)
{
        struct line l = {.c = c, .limit = limit};
        int failed = object ? json_dump_callback(object, take, &l, JSON_COMPACT) : -1;
        json_decref(object);
        if (!failed)
                failed = take("\n", 1, &l);
        if (failed) {
                c->out.end -= l.n;
                return l.err ? l.err : -ENOMEM;
        }
        connection_interest(s, c);
        return 0;
}

/* Takes the reference of @p document. The error may name a path, hence hold any byte. */
static json_t *answer_json(int exit, const char *error, json_t *document)
{
        json_t *o = json_pack("{s:i, s:i}", "control", CONTROL_VERSION, "exit", exit);
        int failed = json_object_set_new(o, "document", document ? document : json_null());
        failed |= json_object_set_new(o, "error", error ? text_json(error, strlen(error)) : json_null());
        if (!failed)
                return o;
        json_decref(o);
        return NULL;
}

static void refuse(struct control_server *s, struct control_client *c, json_t *words)
{
        if (connection_say(s, c, words, CONTROL_LAST_WORDS) < 0) {
                connection_drop(s, c);
                return;
        }
        c->state = CLIENT_CLOSING;
        connection_interest(s, c);
}

void connection_refuse(struct control_server *s, struct control_client *c, int exit, const char *error)
{
        refuse(s, c, answer_json(exit, error, NULL));
}

void connection_put_off(struct control_server *s, struct control_client *c, const char *error)
{
        json_t *words = answer_json(CONTROL_EXIT_UNAVAILABLE, error, NULL);

        json_object_set_new(words, "again", json_true());
        refuse(s, c, words);
}

void control_answer(struct control_server *s, struct control_client *c, int exit, const char *error,
                    json_t *document)
{
        if (c->state != CLIENT_WAITING) {
                json_decref(document);
                return;
        }
        size_t taken = pending(s), room = taken < CONTROL_PENDING_BYTES ? CONTROL_PENDING_BYTES - taken : 0;
        int r = connection_say(s, c, answer_json(exit, error, document),
                               room < CONTROL_ANSWER_BYTES ? room : CONTROL_ANSWER_BYTES);
        if (r == 0) {
                c->state = CLIENT_CLOSING;
                connection_interest(s, c);
        } else if (r == -EMSGSIZE && room < CONTROL_ANSWER_BYTES) {
                connection_refuse(s, c, CONTROL_EXIT_UNAVAILABLE,
                                  "too many answers wait for clients that do not read them; try again");
        } else if (r == -EMSGSIZE) {
                connection_refuse(s, c, CONTROL_EXIT_UNAVAILABLE,
                                  "the answer is larger than 16 MiB; ask for less, with --since");
        } else {
                connection_drop(s, c);
        }
}

int control_stream(struct control_server *s, struct control_client *c)
{
        if (c->state != CLIENT_WAITING)
                return -EBUSY;
        if (s->followers >= CONTROL_FOLLOWERS) {
                connection_refuse(s, c, CONTROL_EXIT_UNAVAILABLE,
                                  "too many clients follow events, or wait for an action, already");
                return -EBUSY;
        }
        c->state = CLIENT_STREAMING;
        s->followers++;
        if (connection_say(s, c, json_pack("{s:i, s:b}", "control", CONTROL_VERSION, "stream", 1),
                           CONTROL_LAST_WORDS) < 0)
                connection_drop(s, c);
        return 0;
}

static void end_stream(struct control_server *s, struct control_client *c, int exit, const char *error)
{
        s->followers--;
        c->state = CLIENT_CLOSING;
        if (connection_say(s, c,
                           json_pack("{s:i, s:b, s:i, s:o}", "control", CONTROL_VERSION, "end", 1, "exit", exit,
                                     "error", error ? text_json(error, strlen(error)) : json_null()),
                           CONTROL_LAST_WORDS) < 0)
                connection_drop(s, c);
}

int control_send(struct control_server *s, struct control_client *c, const char *line, size_t n)
{
        if (c->state != CLIENT_STREAMING)
                return -ENOBUFS;
        if (n >= CONTROL_BACKLOG_BYTES || connection_waiting(c) + n + 1 > CONTROL_BACKLOG_BYTES) {
                s->counts.dropped++;
                end_stream(s, c, CONTROL_EXIT_UNAVAILABLE,
                           "what was told came faster than it was read; the rest is not sent");
                return -ENOBUFS;
        }
        if (append(c, line, n) < 0 || append(c, "\n", 1) < 0) {
                connection_drop(s, c);
                return -ENOBUFS;
        }
        connection_interest(s, c);
        return 0;
}

void control_end(struct control_server *s, struct control_client *c, int exit, const char *error)
{
        if (c->state == CLIENT_STREAMING)
                end_stream(s, c, exit, error);
}
