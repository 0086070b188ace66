/* client.c - see client.h. */
#include "serve/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "serve/protocol.h"

/* A conversation, and the bytes of it that are read and not yet taken as lines. */
struct talk {
        int fd;
        int wait_ms;  /* for the next bytes; -1: as long as it takes */
        char *data;   /* begins with the line that was taken last */
        size_t taken; /* bytes of that line */
        size_t n, size;
};

static void hang_up(struct talk *t)
{
        if (t->fd >= 0)
                close(t->fd);
        free(t->data);
}

static int dial(const char *state_dir, int *ret)
{
        _cleanup_close_ int dirfd = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dirfd < 0)
                return -errno;
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        struct sockaddr_un address;
        control_address(dirfd, &address);
        /* connect(2) waits for room in the backlog, which this bounds. */
        struct timeval limit = {.tv_sec = CONTROL_ANSWER_WAIT_MS / 1000};
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return errno == EAGAIN ? -ETIME : -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

/* More bytes. @return 0, -ETIME, -ECONNRESET, -EPROTO: the line is longer than any, -ENOMEM */
static int read_more(struct talk *t)
{
        if (t->n + 1 >= t->size) {
                size_t size = t->size ? t->size * 2 : 65536;
                if (size > 2 * (size_t)CONTROL_ANSWER_BYTES)
                        return -EPROTO;
                char *grown = realloc(t->data, size);
                if (!grown)
                        return -ENOMEM;
                t->data = grown;
                t->size = size;
        }
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        int r = poll(&p, 1, t->wait_ms);
        if (r == 0)
                return -ETIME;
        ssize_t n = r < 0 ? -1 : recv(t->fd, t->data + t->n, t->size - t->n - 1, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return 0;
        if (n <= 0)
                return -ECONNRESET;
        t->n += (size_t)n;
        return 0;
}

/* The next line, NUL-terminated, valid until the next call. */
static int next_line(struct talk *t, char **ret, size_t *ret_n)
{
        if (t->taken) {
                memmove(t->data, t->data + t->taken, t->n - t->taken);
                t->n -= t->taken;
                t->taken = 0;
        }
        for (size_t seen = 0;;) {
                char *end = t->n > seen ? memchr(t->data + seen, '\n', t->n - seen) : NULL;
                if (end) {
                        *end = '\0';
                        *ret = t->data;
                        *ret_n = (size_t)(end - t->data);
                        t->taken = *ret_n + 1;
                        return 0;
                }
                seen = t->n;
                int r = read_more(t);
                if (r < 0)
                        return r;
        }
}

/* The next line as an object that the server says of itself. @return 0, or -EPROTO and as next_line() */
static int next_word(struct talk *t, json_t **ret)
{
        char *line;
        size_t n;
        int r = next_line(t, &line, &n);
        if (r < 0)
                return r;
        json_t *word = json_loadb(line, n, 0, NULL);
        if (!json_is_integer(json_object_get(word, "control"))) {
                json_decref(word);
                return -EPROTO;
        }
        *ret = word;
        return 0;
}

/* What the server says first. */
static int hear_hello(struct talk *t)
{
        json_t *hello = NULL;
        int r = next_word(t, &hello);
        if (r < 0)
                return r;
        const char *schema = json_string_value(json_object_get(hello, "schema"));
        r = schema && strcmp(schema, CONTROL_SCHEMA) == 0 ? 0 : -EPROTO;
        json_decref(hello);
        return r;
}

static int send_request(struct talk *t, const char *command, const json_t *args)
{
        json_t *request = json_pack("{s:i, s:s, s:O*}", "control", CONTROL_VERSION, "command", command, "args",
                                    args);
        _cleanup_free_ char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
        json_decref(request);
        if (!text)
                return -ENOMEM;
        size_t n = strlen(text);
        text[n++] = '\n'; /* where the NUL stood */
        for (size_t at = 0; at < n;) {
                ssize_t sent = send(t->fd, text + at, n - at, MSG_NOSIGNAL);
                if (sent < 0 && errno == EINTR)
                        continue;
                /* It may have said why before it hung up. */
                if (sent < 0)
                        return errno == EPIPE || errno == ECONNRESET ? 0 : errno == EAGAIN ? -ETIME : -errno;
                at += (size_t)sent;
        }
        return 0;
}

/* Up to the first word of the answer. */
static int begin(struct talk *t, const char *state_dir, const char *command, const json_t *args, json_t **ret)
{
        *t = (struct talk){.fd = -1, .wait_ms = CONTROL_ANSWER_WAIT_MS};
        int r = dial(state_dir, &t->fd);
        if (r == 0)
                r = hear_hello(t);
        if (r == 0)
                r = send_request(t, command, args);
        return r < 0 ? r : next_word(t, ret);
}

/* Until the server has heard us: a busy machine may leave us no time to ask before others want our place. Nothing is done twice. */
static int converse(struct talk *t, const char *state_dir, const char *command, const json_t *args, json_t **ret)
{
        uint64_t end = clock_boottime_ns() + CONTROL_ANSWER_WAIT_MS * 1000000ull;
        for (;;) {
                int r = begin(t, state_dir, command, args, ret);
                if (r < 0 || !json_is_true(json_object_get(*ret, "again")) || clock_boottime_ns() > end)
                        return r;
                json_decref(*ret);
                *ret = NULL;
                hang_up(t);
                usleep(CONTROL_YIELD_MS * 1000);
        }
}

/* `exit` and `error` of an answer or of the end of a stream. */
static int take_end(const json_t *word, int *ret_exit, char **ret_error)
{
        const json_t *status = json_object_get(word, "exit");
        const char *said = json_string_value(json_object_get(word, "error"));
        if (!json_is_integer(status) || json_integer_value(status) < 0 || json_integer_value(status) > 255)
                return -EPROTO;
        char *error = said ? strdup(said) : NULL;
        if (said && !error)
                return -ENOMEM;
        *ret_exit = (int)json_integer_value(status);
        *ret_error = error;
        return 0;
}

int control_ask(const char *state_dir, const char *command, const json_t *args, json_t **ret_document,
                int *ret_exit, char **ret_error)
{
        _cleanup_(hang_up) struct talk t;
        json_t *answer = NULL;
        int r = converse(&t, state_dir, command, args, &answer);
        if (r == 0)
                r = take_end(answer, ret_exit, ret_error);
        if (r == 0) {
                json_t *document = json_object_get(answer, "document");
                *ret_document = json_is_object(document) ? json_incref(document) : NULL;
        }
        json_decref(answer);
        return r;
}

/* Lines until the last word. */
static int follow(struct talk *t, int (*each)(void *userdata, const char *line, size_t n), void *userdata,
                  int *ret_exit, char **ret_error)
{
        static const char own[] = "{\"control\"";
        for (;;) {
                char *line;
                size_t n;
                int r = next_line(t, &line, &n);
                if (r < 0)
                        return r;
                if (n >= sizeof(own) - 1 && memcmp(line, own, sizeof(own) - 1) == 0) {
                        json_t *word = json_loadb(line, n, 0, NULL);
                        r = take_end(word, ret_exit, ret_error);
                        json_decref(word);
                        return r;
                }
                if (each(userdata, line, n) != 0) {
                        *ret_exit = 0;
                        *ret_error = NULL;
                        return 0;
                }
        }
}

int control_follow(const char *state_dir, const char *command, const json_t *args,
                   int (*each)(void *userdata, const char *line, size_t n), void *userdata, int *ret_exit,
                   char **ret_error)
{
        _cleanup_(hang_up) struct talk t;
        json_t *first = NULL;
        int r = converse(&t, state_dir, command, args, &first);
        if (r < 0)
                return r;
        bool streams = json_is_true(json_object_get(first, "stream"));
        if (!streams)
                r = take_end(first, ret_exit, ret_error);
        json_decref(first);
        t.wait_ms = -1;
        return streams ? follow(&t, each, userdata, ret_exit, ret_error) : r;
}
