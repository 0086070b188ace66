/* test_answer.c - answers and streams, and those who do not read them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serving.h"
#include "suite.h"

/* ---- slow readers ---------------------------------------------------------------------------------------------------- */

START_TEST(one_that_does_not_read_hinders_nobody_and_is_dropped)
{
        open_server();
        int slow = ask(LARGE);
        for (int i = 0; i < 50; i++)
                control_server_turn(server);
        ck_assert_ptr_nonnull(strstr(talk(STATUS), "vigil.status/1"));
        ck_assert_uint_eq(ngone, 1);
        server->send_ms = 1;
        turn_until_gone(2);
        ck_assert_uint_eq(control_server_counts(server).dropped, 1);
        close(slow);
        close_server();
}
END_TEST

START_TEST(a_large_answer_arrives_whole)
{
        size_t size = 9u << 20;
        char *text = calloc(1, size);
        open_server();
        int fd = ask(LARGE);
        size_t n = 0;
        for (;;) {
                control_server_turn(server);
                ssize_t got = recv(fd, text + n, size - n, MSG_DONTWAIT);
                if (got == 0)
                        break;
                n += got > 0 ? (size_t)got : 0;
        }
        ck_assert_uint_gt(n, 8u << 20);
        ck_assert_uint_eq(strspn(strstr(text, "xxx"), "x"), 8u << 20);
        free(text);
        close(fd);
        close_server();
}
END_TEST

START_TEST(an_answer_that_is_too_large_becomes_an_error)
{
        open_server();
        const char *text = talk("{\"control\": 1, \"command\": \"large\", \"args\": {\"mib\": 17}}\n");
        ck_assert_ptr_nonnull(strstr(text, "\"exit\":69"));
        ck_assert_ptr_nonnull(strstr(text, "larger than 16 MiB"));
        close_server();
}
END_TEST

START_TEST(answers_that_nobody_takes_are_bounded_together)
{
        int slow[4];
        open_server();
        for (size_t i = 0; i < 4; i++)
                slow[i] = ask(LARGE);
        while (nrequests < 4)
                control_server_turn(server);
        ck_assert_ptr_nonnull(strstr(talk(LARGE), "too many answers wait"));
        ck_assert_ptr_nonnull(strstr(talk(STATUS), "vigil.status/1"));
        for (size_t i = 0; i < 4; i++)
                close(slow[i]);
        turn_until_gone(6);
        close_server();
}
END_TEST

/* ---- streams --------------------------------------------------------------------------------------------------------- */

START_TEST(a_stream_has_its_lines_in_order_and_an_end)
{
        char text[1024] = "";
        open_server();
        int fd = ask(FOLLOW);
        turn_until(fd, text, sizeof(text), "\"stream\":true");
        ck_assert_int_eq(control_send(server, kept[0], "{\"n\":1}", 7), 0);
        ck_assert_int_eq(control_send(server, kept[0], "{\"n\":2}", 7), 0);
        control_end(server, kept[0], 0, NULL);
        ck_assert_int_eq(control_send(server, kept[0], "{\"n\":3}", 7), -ENOBUFS);
        turn_until(fd, text, sizeof(text), NULL);
        ck_assert_ptr_nonnull(
                strstr(text, "{\"n\":1}\n{\"n\":2}\n{\"control\":1,\"end\":true,\"exit\":0,\"error\":null}\n"));
        ck_assert_uint_eq(server->followers, 0);
        close(fd);
        close_server();
}
END_TEST

START_TEST(a_follower_that_falls_behind_is_told_so)
{
        static char text[4u << 20];
        char line[1024];
        memset(line, 'y', sizeof(line));
        open_server();
        int fd = ask(FOLLOW);
        turn_until(fd, text, sizeof(text), "\"stream\":true");
        int r = 0;
        for (int i = 0; i < 10000 && r == 0; i++) {
                r = control_send(server, kept[0], line, sizeof(line));
                control_server_turn(server);
        }
        ck_assert_int_eq(r, -ENOBUFS);
        ck_assert_uint_le(connection_waiting(kept[0]), CONTROL_BACKLOG_BYTES + CONTROL_LAST_WORDS);
        turn_until(fd, text, sizeof(text), NULL);
        ck_assert_ptr_nonnull(strstr(text, "came faster than it was read"));
        ck_assert_uint_eq(ngone, 1);
        ck_assert_uint_eq(control_server_counts(server).dropped, 1);
        close(fd);
        close_server();
}
END_TEST

START_TEST(followers_leave_places_for_questions)
{
        int fd[CONTROL_FOLLOWERS];
        open_server();
        for (size_t i = 0; i < CONTROL_FOLLOWERS; i++) {
                char text[512] = "";
                fd[i] = ask(FOLLOW);
                turn_until(fd[i], text, sizeof(text), "\"stream\":true");
        }
        ck_assert_ptr_nonnull(strstr(talk(FOLLOW), "too many clients follow"));
        ck_assert_ptr_nonnull(strstr(talk(STATUS), "vigil.status/1"));
        close(fd[0]);
        turn_until_gone(3);
        ck_assert_uint_eq(server->followers, CONTROL_FOLLOWERS - 1);
        for (size_t i = 1; i < CONTROL_FOLLOWERS; i++)
                close(fd[i]);
        close_server();
        ck_assert_uint_eq(ngone, CONTROL_FOLLOWERS + 2);
}
END_TEST

SUITE("answer", one_that_does_not_read_hinders_nobody_and_is_dropped, a_large_answer_arrives_whole,
      an_answer_that_is_too_large_becomes_an_error, answers_that_nobody_takes_are_bounded_together,
      a_stream_has_its_lines_in_order_and_an_end, a_follower_that_falls_behind_is_told_so,
      followers_leave_places_for_questions)
