/* test_server.c - the socket, and clients of every manner. */
#include "serve/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serving.h"
#include "suite.h"
#include "wire.h"

/* ---- talking --------------------------------------------------------------------------------------------------------- */

START_TEST(a_client_hears_who_answers_then_its_answer)
{
        open_server();
        const char *text = talk(STATUS);
        ck_assert_ptr_eq(strstr(text, "{\"control\":1,\"schema\":\"vigil.control/1\",\"vigil\":\""), text);
        const char *answer = strchr(text, '\n') + 1;
        ck_assert_str_eq(
                answer, "{\"control\":1,\"exit\":1,\"document\":{\"schema\":\"vigil.status/1\"},\"error\":null}\n");
        ck_assert_uint_eq(ngone, 1);
        ck_assert_uint_eq(control_server_counts(server).accepted, 1);
        ck_assert_uint_eq(control_server_counts(server).open, 0);
        ck_assert_int_eq(control_server_turn(server), -1);
        close_server();
}
END_TEST

START_TEST(a_client_that_has_closed_its_own_side_is_answered)
{
        char text[512] = "";
        open_server();
        int fd = ask(STATUS);
        shutdown(fd, SHUT_WR);
        turn_until(fd, text, sizeof(text), "vigil.status/1");
        close(fd);
        close_server();
}
END_TEST

START_TEST(an_error_may_hold_any_byte)
{
        open_server();
        ck_assert_ptr_nonnull(
                strstr(talk("{\"control\": 1, \"command\": \"wrong\"}\n"), "\"no such \xef\xbf\xbd\""));
        close_server();
}
END_TEST

START_TEST(an_answer_may_come_later_and_a_client_may_leave_before)
{
        char text[512] = "";
        open_server();
        int stays = ask(LATER);
        control_server_turn(server);
        control_server_turn(server);
        int leaves = ask(LATER);
        control_server_turn(server);
        control_server_turn(server);
        ck_assert_uint_eq(nkept, 2);
        close(leaves);
        turn_until_gone(1);
        ck_assert_ptr_eq(last_gone, kept[1]);
        control_answer(server, kept[0], 0, NULL, json_pack("{s:i}", "late", 1));
        turn_until(stays, text, sizeof(text), NULL);
        ck_assert_ptr_nonnull(strstr(text, "\"late\":1"));
        ck_assert_uint_eq(ngone, 2);
        ck_assert_uint_eq(control_server_counts(server).dropped, 0);
        close(stays);
        close_server();
}
END_TEST

/* The daemon forks helpers at any time: until they have closed what they inherited, they hold every connection. */
START_TEST(a_connection_that_a_child_has_inherited_ends_all_the_same)
{
        char text[512] = "", byte;
        int hold[2];
        open_server();
        int fd = ask(LATER);
        while (nkept < 1)
                control_server_turn(server);
        ck_assert_int_eq(pipe2(hold, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
                close(fd);
                close(hold[1]);
                _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
        }
        control_answer(server, kept[0], 0, NULL, NULL);
        turn_until(fd, text, sizeof(text), NULL);
        close(fd);
        struct pollfd p = {.fd = control_server_fd(server), .events = POLLIN};
        ck_assert_int_eq(poll(&p, 1, 0), 0);
        ck_assert_ptr_nonnull(strstr(talk(STATUS), "vigil.status/1"));
        close(hold[0]);
        close(hold[1]);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        close_server();
}
END_TEST

/* ---- the socket ------------------------------------------------------------------------------------------------------ */

START_TEST(the_socket_is_for_its_owner_alone_and_goes_with_the_server)
{
        struct stat st;
        umask(0);
        open_server();
        ck_assert_int_eq(fstatat(wire_dirfd(), CONTROL_SOCKET, &st, 0), 0);
        ck_assert(S_ISSOCK(st.st_mode));
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        control_server_close(server);
        ck_assert_int_eq(fstatat(wire_dirfd(), CONTROL_SOCKET, &st, 0), -1);
        wire_done();
}
END_TEST

START_TEST(a_second_server_is_refused_and_the_first_stays)
{
        struct control_server *second = NULL;
        open_server();
        ck_assert_int_eq(control_server_open(wire_dirfd(), &handler, &second), -EADDRINUSE);
        ck_assert_ptr_null(second);
        ck_assert_ptr_nonnull(strstr(talk(STATUS), "vigil.status/1"));
        close_server();
}
END_TEST

START_TEST(a_socket_that_nobody_listens_on_is_replaced)
{
        struct sockaddr_un address;
        wire_dir();
        int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        control_address(wire_dirfd(), &address);
        ck_assert_int_eq(bind(dead, (const struct sockaddr *)&address, sizeof(address)), 0);
        close(dead);
        ck_assert_int_eq(control_server_open(wire_dirfd(), &handler, &server), 0);
        ck_assert_ptr_nonnull(strstr(talk(STATUS), "vigil.status/1"));
        close_server();
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
        wire_dir();
        int fd = openat(wire_dirfd(), CONTROL_SOCKET, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        close(fd);
        ck_assert_int_eq(control_server_open(wire_dirfd(), &handler, &server), -ENOTSOCK);
        ck_assert_int_eq(faccessat(wire_dirfd(), CONTROL_SOCKET, F_OK, 0), 0);
        wire_done();
}
END_TEST

/* In a child, because there is no way back. */
static int ask_as_nobody(int dirfd)
{
        char text[1024] = "";
        if (setgid(65534) < 0 || setuid(65534) < 0)
                return 1;
        int fd = wire_connect(dirfd);
        if (fd < 0)
                return 2;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        while (poll(&p, 1, 5000) > 0 && !wire_read(fd, text, sizeof(text)))
                ;
        return strstr(text, "\"exit\":77") && !strstr(text, "vigil.status/1") ? 0 : 3;
}

START_TEST(another_user_is_refused_even_with_access_to_the_socket)
{
        int status;
        if (geteuid() != 0)
                return;
        umask(0);
        open_server();
        ck_assert_int_eq(fchmodat(wire_dirfd(), CONTROL_SOCKET, 0666, 0), 0);
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", wire_dirfd());
        ck_assert_int_eq(chmod(path, 0755), 0);
        pid_t pid = fork();
        if (pid == 0)
                _exit(ask_as_nobody(wire_dirfd()));
        while (waitpid(pid, &status, WNOHANG) == 0) {
                struct pollfd p = {.fd = control_server_fd(server), .events = POLLIN};
                poll(&p, 1, 10);
                control_server_turn(server);
        }
        ck_assert_int_eq(status, 0);
        ck_assert_uint_eq(control_server_counts(server).refused, 1);
        ck_assert_uint_eq(nrequests, 0);
        close_server();
}
END_TEST

/* ---- bad manners ----------------------------------------------------------------------------------------------------- */

START_TEST(rubbish_is_answered_with_a_usage_error_and_counted)
{
        open_server();
        ck_assert_ptr_nonnull(strstr(talk("GET / HTTP/1.1\r\n"), "\"exit\":64"));
        ck_assert_ptr_nonnull(strstr(talk("\n"), "\"exit\":64"));
        ck_assert_uint_eq(control_server_counts(server).malformed, 2);
        ck_assert_uint_eq(nrequests, 0);
        ck_assert_uint_eq(ngone, 0);
        close_server();
}
END_TEST

START_TEST(a_newer_client_is_told_so)
{
        open_server();
        const char *text = talk("{\"control\": 2, \"command\": \"status\"}\n");
        ck_assert_ptr_nonnull(strstr(text, "\"exit\":69"));
        ck_assert_ptr_nonnull(strstr(text, "older than this command"));
        close_server();
}
END_TEST

START_TEST(a_request_of_8_kib_is_taken_and_a_longer_one_is_not)
{
        char line[CONTROL_REQUEST_BYTES + 2];
        open_server();
        memset(line, ' ', sizeof(line));
        memcpy(line, STATUS, strlen(STATUS) - 1);
        line[CONTROL_REQUEST_BYTES - 1] = '\n';
        line[CONTROL_REQUEST_BYTES] = '\0';
        ck_assert_ptr_nonnull(strstr(talk(line), "vigil.status/1"));
        line[CONTROL_REQUEST_BYTES - 1] = ' ';
        line[CONTROL_REQUEST_BYTES] = '\n';
        line[CONTROL_REQUEST_BYTES + 1] = '\0';
        ck_assert_ptr_nonnull(strstr(talk(line), "longer than 8 KiB"));
        close_server();
}
END_TEST

START_TEST(half_a_request_is_ended_by_time_and_by_the_client)
{
        char text[512] = "";
        open_server();
        server->request_ms = 1;
        ck_assert_ptr_nonnull(strstr(talk("{\"control\": 1, \"comm"), "not whole in time"));
        server->request_ms = CONTROL_REQUEST_MS;
        int fd = ask("{\"control\": 1, \"comm");
        shutdown(fd, SHUT_WR);
        turn_until(fd, text, sizeof(text), NULL);
        ck_assert_ptr_nonnull(strstr(text, "ended before its line did"));
        close(fd);
        close_server();
}
END_TEST

START_TEST(byte_by_byte_is_a_request_too)
{
        char text[512] = "";
        open_server();
        int fd = ask("");
        for (const char *at = STATUS; *at; at++) {
                wire_send(fd, (char[]){*at, '\0'});
                control_server_turn(server);
        }
        turn_until(fd, text, sizeof(text), "vigil.status/1");
        close(fd);
        close_server();
}
END_TEST

#define FOR_EVER 3600000u

/* 64 that say nothing hold every place; who comes then is answered when their time is over. */
START_TEST(silent_clients_lose_their_places)
{
        int silent[CONTROL_CLIENTS];
        char text[512] = "";
        open_server();
        server->yield_ms = FOR_EVER;
        for (size_t i = 0; i < CONTROL_CLIENTS; i++)
                silent[i] = ask("");
        while (control_server_counts(server).open < CONTROL_CLIENTS)
                control_server_turn(server);
        int fd = ask(STATUS);
        for (int i = 0; i < 10; i++)
                control_server_turn(server);
        ck_assert_uint_eq(control_server_counts(server).open, CONTROL_CLIENTS);
        ck_assert_uint_eq(nrequests, 0);
        server->request_ms = 1;
        turn_until(fd, text, sizeof(text), "vigil.status/1");
        for (size_t i = 0; i < CONTROL_CLIENTS; i++)
                close(silent[i]);
        close(fd);
        close_server();
}
END_TEST

/* Twice as many as there are places have begun a request and do not end it: whoever asks is answered long before their time. */
START_TEST(half_requests_give_way_to_who_asks)
{
        int half[2 * CONTROL_CLIENTS];
        char text[512] = "";
        open_server();
        server->request_ms = FOR_EVER;
        server->yield_ms = 1;
        for (size_t i = 0; i < 2 * CONTROL_CLIENTS; i++) {
                half[i] = ask("{\"control\": 1, ");
                control_server_turn(server);
        }
        int fd = ask(STATUS);
        turn_until(fd, text, sizeof(text), "vigil.status/1");
        ck_assert_uint_le(control_server_counts(server).open, CONTROL_CLIENTS);
        ck_assert_uint_ge(control_server_counts(server).malformed, CONTROL_CLIENTS);
        turn_until(half[0], text, sizeof(text), "asked nothing");
        for (size_t i = 0; i < 2 * CONTROL_CLIENTS; i++)
                close(half[i]);
        close(fd);
        close_server();
}
END_TEST

/* Nobody waits for their places: they may take the time that a request has. */
START_TEST(half_requests_stay_where_nobody_wants_their_places)
{
        int half[CONTROL_CLIENTS];
        char text[512] = "";
        open_server();
        server->yield_ms = 0;
        for (size_t i = 0; i < CONTROL_CLIENTS; i++)
                half[i] = ask("{\"control\": 1, ");
        while (control_server_counts(server).open < CONTROL_CLIENTS)
                control_server_turn(server);
        for (int i = 0; i < 10; i++)
                control_server_turn(server);
        ck_assert_uint_eq(control_server_counts(server).open, CONTROL_CLIENTS);
        wire_send(half[7], "\"command\": \"status\"}\n");
        turn_until(half[7], text, sizeof(text), "vigil.status/1");
        for (size_t i = 0; i < CONTROL_CLIENTS; i++)
                close(half[i]);
        close_server();
}
END_TEST

/* A question that waits for its answer has been asked: it keeps its place. */
START_TEST(a_client_that_waits_for_its_answer_does_not_give_way)
{
        int waits[CONTROL_CLIENTS];
        char text[512] = "";
        open_server();
        server->yield_ms = 0;
        for (size_t i = 0; i < CONTROL_CLIENTS; i++)
                waits[i] = ask(LATER);
        while (nkept < CONTROL_CLIENTS)
                control_server_turn(server);
        int fd = ask(STATUS);
        for (int i = 0; i < 10; i++)
                control_server_turn(server);
        ck_assert_uint_eq(ngone, 0);
        control_answer(server, kept[0], 0, NULL, NULL);
        turn_until(fd, text, sizeof(text), "vigil.status/1");
        for (size_t i = 0; i < CONTROL_CLIENTS; i++)
                close(waits[i]);
        close(fd);
        close_server();
}
END_TEST

START_TEST(a_flood_of_connections_is_answered_one_by_one)
{
        open_server();
        for (int round = 0; round < 20; round++) {
                int fd[CONTROL_CLIENTS];
                for (size_t i = 0; i < CONTROL_CLIENTS; i++)
                        fd[i] = ask(i % 2 ? STATUS : "rubbish\n");
                for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
                        char text[512] = "";
                        turn_until(fd[i], text, sizeof(text), i % 2 ? "\"exit\":1" : "\"exit\":64");
                        close(fd[i]);
                }
        }
        turn_until_gone(20 * CONTROL_CLIENTS / 2);
        ck_assert_uint_eq(control_server_counts(server).malformed, 20 * CONTROL_CLIENTS / 2);
        close_server();
}
END_TEST

SUITE("server", a_connection_that_a_child_has_inherited_ends_all_the_same,
      a_client_hears_who_answers_then_its_answer, a_client_that_has_closed_its_own_side_is_answered,
      an_error_may_hold_any_byte, an_answer_may_come_later_and_a_client_may_leave_before,
      the_socket_is_for_its_owner_alone_and_goes_with_the_server, a_second_server_is_refused_and_the_first_stays,
      a_socket_that_nobody_listens_on_is_replaced, what_is_no_socket_is_left_alone,
      another_user_is_refused_even_with_access_to_the_socket, rubbish_is_answered_with_a_usage_error_and_counted,
      a_newer_client_is_told_so, a_request_of_8_kib_is_taken_and_a_longer_one_is_not,
      half_a_request_is_ended_by_time_and_by_the_client, byte_by_byte_is_a_request_too,
      silent_clients_lose_their_places, half_requests_give_way_to_who_asks,
      half_requests_stay_where_nobody_wants_their_places, a_client_that_waits_for_its_answer_does_not_give_way,
      a_flood_of_connections_is_answered_one_by_one)
