/* test_client.c - the commands' side, against a server of ours and against others. */
#include "serve/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/protocol.h"
#include "serve/server.h"
#include "suite.h"
#include "wire.h"

/* ---- servers in a child ---------------------------------------------------------------------------------------------- */

static pid_t serving;

static struct control_server *server;

static void request(void *userdata, struct control_client *c, const char *command, const json_t *args)
{
        (void)userdata;
        if (strcmp(command, "events") == 0 && control_stream(server, c) == 0) {
                for (int i = 0; i < 1000; i++)
                        control_send(server, c, "{\"type\":\"exit\"}", 15);
                control_end(server, c, 1, NULL);
        } else if (strcmp(command, "nothing") == 0) {
                control_answer(server, c, 69, "there is no such thing", NULL);
        } else {
                control_answer(server, c, 2, NULL,
                               json_pack("{s:s, s:O}", "schema", "vigil.health/1", "args", args));
        }
}

static void gone(void *userdata, struct control_client *c)
{
        (void)userdata;
        (void)c;
}

/* Serves until it is killed. @p ready gets a byte when it listens. */
static _Noreturn void serve(int dirfd, int ready)
{
        const struct control_handler handler = {.request = request, .gone = gone};
        if (control_server_open(dirfd, &handler, &server) < 0 || write(ready, "", 1) != 1)
                _exit(1);
        for (;;) {
                struct pollfd p = {.fd = control_server_fd(server), .events = POLLIN};
                poll(&p, 1, control_server_turn(server));
        }
}

static int listen_in(int dirfd, int ready)
{
        struct sockaddr_un address;
        control_address(dirfd, &address);
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 1) < 0 ||
            write(ready, "", 1) != 1)
                _exit(1);
        return listener;
}

/* Somebody else: says @p text to whoever comes, again and again up to @p times, then hangs up. */
static _Noreturn void babble(int dirfd, int ready, const char *text, unsigned times)
{
        int listener = listen_in(dirfd, ready);
        for (;;) {
                int fd = accept(listener, NULL, NULL);
                for (unsigned i = 0; i < times; i++)
                        if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
                                break;
                shutdown(fd, SHUT_WR);
                while (recv(fd, (char[4096]){0}, 4096, 0) > 0)
                        ;
                close(fd);
        }
}

#define HELLO "{\"control\": 1, \"schema\": \"vigil.control/1\"}\n"

/* One that hears nobody out before the third. */
static const char busy[] = "busy";
static _Noreturn void hesitate(int dirfd, int ready)
{
        int listener = listen_in(dirfd, ready);
        for (int i = 0;; i++) {
                const char *text = i < 2 ? HELLO
                                           "{\"control\": 1, \"exit\": 69, \"error\": \"busy\", \"document\": "
                                           "null, \"again\": true}\n"
                                         : HELLO
                                           "{\"control\": 1, \"exit\": 1, \"error\": null, \"document\": {}}\n";
                int fd = accept(listener, NULL, NULL);
                send(fd, text, strlen(text), MSG_NOSIGNAL);
                shutdown(fd, SHUT_WR);
                while (recv(fd, (char[4096]){0}, 4096, 0) > 0)
                        ;
                close(fd);
        }
}

/* @p text NULL: a server of ours. */
static void start_in(int dirfd, const char *text, unsigned times)
{
        int ready[2];
        char byte;
        ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
        serving = fork();
        if (serving == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (text == busy)
                        hesitate(dirfd, ready[1]);
                text ? babble(dirfd, ready[1], text, times) : serve(dirfd, ready[1]);
        }
        close(ready[1]);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        close(ready[0]);
}

static const char *start(const char *text, unsigned times)
{
        const char *dir = wire_dir();
        start_in(wire_dirfd(), text, times);
        return dir;
}

static void stop(void)
{
        kill(serving, SIGKILL);
        waitpid(serving, NULL, 0);
        wire_done();
}

/* ---- asking ---------------------------------------------------------------------------------------------------------- */

START_TEST(an_answer_has_a_document_a_status_and_what_was_asked)
{
        json_t *document = NULL, *args = json_pack("{s:s}", "status", "firing");
        char *error = (char *)1;
        int status = -1;
        const char *dir = start(NULL, 0);
        ck_assert_int_eq(control_ask(dir, "health", args, &document, &status, &error), 0);
        ck_assert_int_eq(status, 2);
        ck_assert_ptr_null(error);
        ck_assert(json_equal(json_object_get(document, "args"), args));
        json_decref(document);
        json_decref(args);
        stop();
}
END_TEST

START_TEST(an_error_comes_without_a_document)
{
        json_t *document = (json_t *)1;
        char *error = NULL;
        int status = -1;
        const char *dir = start(NULL, 0);
        ck_assert_int_eq(control_ask(dir, "nothing", NULL, &document, &status, &error), 0);
        ck_assert_int_eq(status, 69);
        ck_assert_ptr_null(document);
        ck_assert_str_eq(error, "there is no such thing");
        free(error);
        stop();
}
END_TEST

START_TEST(who_was_not_heard_asks_again)
{
        json_t *document = NULL;
        char *error = (char *)1;
        int status = -1;
        const char *dir = start(busy, 0);
        ck_assert_int_eq(control_ask(dir, "health", NULL, &document, &status, &error), 0);
        ck_assert_int_eq(status, 1);
        ck_assert_ptr_null(error);
        ck_assert_ptr_nonnull(document);
        json_decref(document);
        stop();
}
END_TEST

static int ask_of(const char *dir)
{
        json_t *document = NULL;
        char *error = NULL;
        int status = -1, r = control_ask(dir, "health", NULL, &document, &status, &error);
        if (r < 0)
                ck_assert(!document && !error && status == -1);
        json_decref(document);
        free(error);
        return r;
}

START_TEST(no_daemon_is_said_in_each_way_that_it_can_be_absent)
{
        ck_assert_int_eq(ask_of("/nonexistent/state"), -ENOENT);
        const char *dir = start(NULL, 0);
        ck_assert_int_eq(ask_of(dir), 0);
        kill(serving, SIGKILL);
        waitpid(serving, NULL, 0);
        ck_assert_int_eq(ask_of(dir), -ECONNREFUSED);
        unlinkat(wire_dirfd(), CONTROL_SOCKET, 0);
        ck_assert_int_eq(ask_of(dir), -ENOENT);
        wire_done();
}
END_TEST

START_TEST(a_directory_with_a_very_long_path_is_reached)
{
        char name[201], path[512];
        memset(name, 'd', 200);
        name[200] = '\0';
        const char *dir = wire_dir();
        ck_assert_int_eq(mkdirat(wire_dirfd(), name, 0700), 0);
        snprintf(path, sizeof(path), "%s/%s", dir, name);
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        start_in(fd, NULL, 0);
        ck_assert_int_eq(ask_of(path), 0);
        kill(serving, SIGKILL);
        waitpid(serving, NULL, 0);
        unlinkat(fd, CONTROL_SOCKET, 0);
        close(fd);
        ck_assert_int_eq(unlinkat(wire_dirfd(), name, AT_REMOVEDIR), 0);
        wire_done();
}
END_TEST

START_TEST(many_clients_at_once_are_all_answered)
{
        enum { MANY = 150 };
        const char *dir = start(NULL, 0);
        pid_t pid[MANY];
        for (int i = 0; i < MANY; i++) {
                pid[i] = fork();
                if (pid[i] == 0)
                        _exit(ask_of(dir) == 0 ? 0 : 1);
        }
        for (int i = 0; i < MANY; i++) {
                int status = -1;
                ck_assert_int_eq(waitpid(pid[i], &status, 0), pid[i]);
                ck_assert_int_eq(status, 0);
        }
        stop();
}
END_TEST

static const struct {
        const char *text;
        unsigned times;
        int result;
} others[] = {
        {"", 1, -ECONNRESET},
        {"HTTP/1.1 400 Bad Request\r\n", 1, -EPROTO},
        {"{\"control\": 1, \"schema\": \"other/1\"}\n", 1, -EPROTO},
        {"{\"control\": 1}", 1, -ECONNRESET},
        {HELLO, 1, -ECONNRESET},
        {HELLO "{\"exit\": 0}\n", 1, -EPROTO},
        {HELLO "{\"control\": 1, \"exit\": 256}\n", 1, -EPROTO},
        {HELLO "{\"control\": 1, \"exit\": \"0\"}\n", 1, -EPROTO},
        {HELLO "{\"control\": 1, \"exit\": 0, \"document\": 7}\n", 1, 0},
        {"a line that does not end and does not end ", 1000000, -EPROTO},
};

START_TEST(an_answer_of_somebody_else_is_believed_in_nothing)
{
        const char *dir = start(others[_i].text, others[_i].times);
        ck_assert_int_eq(ask_of(dir), others[_i].result);
        stop();
}
END_TEST

/* ---- following ------------------------------------------------------------------------------------------------------- */

struct heard {
        int n, stop_at;
};

static int hear(void *userdata, const char *line, size_t n)
{
        struct heard *h = userdata;
        ck_assert_uint_eq(n, 15);
        ck_assert_str_eq(line, "{\"type\":\"exit\"}");
        return ++h->n == h->stop_at;
}

START_TEST(a_stream_is_heard_to_its_end_or_as_long_as_wanted)
{
        struct heard all = {0}, some = {.stop_at = 5};
        char *error = (char *)1;
        int status = -1;
        const char *dir = start(NULL, 0);
        ck_assert_int_eq(control_follow(dir, "events", NULL, hear, &all, &status, &error), 0);
        ck_assert_int_eq(all.n, 1000);
        ck_assert_int_eq(status, 1);
        ck_assert_ptr_null(error);
        ck_assert_int_eq(control_follow(dir, "events", NULL, hear, &some, &status, &error), 0);
        ck_assert_int_eq(some.n, 5);
        ck_assert_int_eq(status, 0);
        stop();
}
END_TEST

START_TEST(a_stream_that_is_refused_is_an_error_of_the_daemon)
{
        struct heard none = {0};
        char *error = NULL;
        int status = -1;
        const char *dir = start(NULL, 0);
        ck_assert_int_eq(control_follow(dir, "nothing", NULL, hear, &none, &status, &error), 0);
        ck_assert_int_eq(status, 69);
        ck_assert_str_eq(error, "there is no such thing");
        free(error);
        stop();
}
END_TEST

START_TEST(a_daemon_that_dies_in_a_stream_is_noticed)
{
        struct heard h = {0};
        char *error = NULL;
        int status = -1;
        const char *dir = start(HELLO "{\"control\": 1, \"stream\": true}\n{\"type\":\"exit\"}\n", 1);
        ck_assert_int_eq(control_follow(dir, "events", NULL, hear, &h, &status, &error), -ECONNRESET);
        ck_assert_int_eq(h.n, 1);
        stop();
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("client");
        TCase *tcase = tcase_create("client");
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, an_answer_has_a_document_a_status_and_what_was_asked);
        tcase_add_test(tcase, an_error_comes_without_a_document);
        tcase_add_test(tcase, no_daemon_is_said_in_each_way_that_it_can_be_absent);
        tcase_add_test(tcase, a_directory_with_a_very_long_path_is_reached);
        tcase_add_test(tcase, many_clients_at_once_are_all_answered);
        tcase_add_loop_test(tcase, an_answer_of_somebody_else_is_believed_in_nothing, 0,
                            sizeof(others) / sizeof(others[0]));
        tcase_add_test(tcase, who_was_not_heard_asks_again);
        tcase_add_test(tcase, a_stream_is_heard_to_its_end_or_as_long_as_wanted);
        tcase_add_test(tcase, a_stream_that_is_refused_is_an_error_of_the_daemon);
        tcase_add_test(tcase, a_daemon_that_dies_in_a_stream_is_noticed);
        suite_add_tcase(suite, tcase);
        SRunner *runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        int failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
