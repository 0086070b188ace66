/* fake_daemon.c - answers on a control socket as it is told to: the operators' commands without a daemon.
 *
 * Usage: fake_daemon STATE_DIR ANSWERS_DIR
 *
 * A question COMMAND is answered with ANSWERS_DIR/COMMAND.json, {"exit": 0, "error": null, "document": {…}}, read anew each
 * time; one that asks to follow with the lines of ANSWERS_DIR/COMMAND.ndjson and an end. Its arguments are written to
 * ANSWERS_DIR/COMMAND.args. Writes ANSWERS_DIR/ready when it listens; ends by SIGTERM. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "serve/server.h"

static struct control_server *server;
static int answers;

static FILE *open_beside(const char *command, const char *suffix, const char *mode)
{
        char name[128];
        snprintf(name, sizeof(name), "%s.%s", command, suffix);
        int fd = openat(answers, name, (*mode == 'w' ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY) | O_CLOEXEC, 0600);
        return fd < 0 ? NULL : fdopen(fd, mode);
}

static void stream(struct control_client *c, const char *command)
{
        _cleanup_fclose_ FILE *in = open_beside(command, "ndjson", "r");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        ssize_t n;
        if (control_stream(server, c) < 0)
                return;
        while (in && (n = getline(&line, &size, in)) > 0)
                control_send(server, c, line, (size_t)n - (line[n - 1] == '\n'));
        control_end(server, c, 0, NULL);
}

static void request(void *userdata, struct control_client *c, const char *command, const json_t *args)
{
        (void)userdata;
        _cleanup_fclose_ FILE *asked = open_beside(command, "args", "w");
        if (asked)
                json_dumpf(args, asked, JSON_COMPACT | JSON_SORT_KEYS);
        if (json_is_true(json_object_get(args, "follow"))) {
                stream(c, command);
                return;
        }
        _cleanup_fclose_ FILE *in = open_beside(command, "json", "r");
        json_t *answer = in ? json_loadf(in, 0, NULL) : NULL;
        json_t *document = json_object_get(answer, "document");
        control_answer(server, c, answer ? (int)json_integer_value(json_object_get(answer, "exit")) : 70,
                       answer ? json_string_value(json_object_get(answer, "error")) : "the test has no such answer",
                       json_is_object(document) ? json_incref(document) : NULL);
        json_decref(answer);
}

static void gone(void *userdata, struct control_client *c)
{
        (void)userdata;
        (void)c;
}

int main(int argc, char **argv)
{
        const struct control_handler handler = {.request = request, .gone = gone};
        int state = argc == 3 ? open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
        answers = argc == 3 ? open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
        if (state < 0 || answers < 0 || control_server_open(state, &handler, &server) < 0) {
                fputs("fake_daemon: usage: fake_daemon STATE_DIR ANSWERS_DIR\n", stderr);
                return 1;
        }
        int ready = openat(answers, "ready", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (ready < 0) {
                perror("fake_daemon: ready");
                return 1;
        }
        close(ready);
        for (;;) {
                struct pollfd p = {.fd = control_server_fd(server), .events = POLLIN};
                poll(&p, 1, control_server_turn(server));
        }
}
