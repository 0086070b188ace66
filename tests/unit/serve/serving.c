/* serving.c - see serving.h. */
#include "serving.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "wire.h"

/* ---- a handler ------------------------------------------------------------------------------------------------------- */

struct control_server *server;
struct control_client *kept[CONTROL_CLIENTS];
unsigned nkept, nrequests, ngone;
struct control_client *last_gone;

static void request(void *userdata, struct control_client *c, const char *command, const json_t *args)
{
        (void)userdata;
        nrequests++;
        if (strcmp(command, "later") == 0) {
                kept[nkept++] = c;
        } else if (strcmp(command, "follow") == 0) {
                if (control_stream(server, c) == 0)
                        kept[nkept++] = c;
        } else if (strcmp(command, "large") == 0) {
                size_t n = (size_t)json_integer_value(json_object_get(args, "mib")) << 20;
                char *text = malloc(n + 1);
                memset(text, 'x', n);
                text[n] = '\0';
                control_answer(server, c, 0, NULL, json_pack("{s:o}", "text", json_stringn_nocheck(text, n)));
                free(text);
        } else if (strcmp(command, "wrong") == 0) {
                control_answer(server, c, 69, "no such \xff", NULL);
        } else {
                control_answer(server, c, 1, NULL, json_pack("{s:s}", "schema", "vigil.status/1"));
        }
}

static void gone(void *userdata, struct control_client *c)
{
        (void)userdata;
        ngone++;
        last_gone = c;
}

const struct control_handler handler = {.request = request, .gone = gone};

void open_server(void)
{
        wire_dir();
        ck_assert_int_eq(control_server_open(wire_dirfd(), &handler, &server), 0);
}

void close_server(void)
{
        control_server_close(server);
        wire_done();
}

/* ---- waiting for things, not for time -------------------------------------------------------------------------------- */

void turn_until(int fd, char *text, size_t size, const char *wanted)
{
        bool over = false;
        for (int i = 0; i < 100000; i++) {
                if (wanted ? strstr(text, wanted) != NULL : over)
                        return;
                ck_assert_msg(!over, "the connection ended after: %s", text);
                int ms = control_server_turn(server);
                over = wire_read(fd, text, size);
                struct pollfd p = {.fd = control_server_fd(server), .events = POLLIN};
                if (!over && !(wanted && strstr(text, wanted)))
                        poll(&p, 1, ms < 0 || ms > 20 ? 20 : ms);
        }
        ck_abort_msg("nothing more after: %s", text);
}

void turn_until_gone(unsigned n)
{
        for (int i = 0; i < 100000 && ngone < n; i++) {
                struct pollfd p = {.fd = control_server_fd(server), .events = POLLIN};
                int ms = control_server_turn(server);
                if (ngone < n)
                        poll(&p, 1, ms < 0 || ms > 20 ? 20 : ms);
        }
        ck_assert_uint_eq(ngone, n);
}

int ask(const char *line)
{
        int fd = wire_connect(wire_dirfd());
        ck_assert_int_ge(fd, 0);
        wire_send(fd, line);
        return fd;
}

const char *talk(const char *line)
{
        static char text[65536];
        int fd = ask(line);
        text[0] = '\0';
        turn_until(fd, text, sizeof(text), NULL);
        close(fd);
        return text;
}
