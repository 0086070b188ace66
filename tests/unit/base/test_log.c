/* test_log.c - one line, whatever is in it. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static int reader;

/* Standard error becomes a pipe that a read of shows each write as it was made. */
static void capture(void)
{
        int ends[2];
        ck_assert_int_eq(pipe2(ends, O_DIRECT | O_NONBLOCK), 0);
        ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
        reader = ends[0];
}

static const char *written(void)
{
        static char text[8192];
        ssize_t n = read(reader, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
        return text;
}

START_TEST(a_message_is_one_line_in_one_write)
{
        capture();
        errno = ENOSPC;
        log_error("cannot write %s: %m", "x.json");
        ck_assert_int_eq(errno, ENOSPC);
        ck_assert_str_eq(written(), "vigil: cannot write x.json: No space left on device\n");
        ck_assert_str_eq(written(), "");
}
END_TEST

START_TEST(a_name_cannot_start_a_second_line)
{
        capture();
        log_warn("gone: %s", "a\nvigil: all is well\x1b[0m");
        ck_assert_str_eq(written(), "vigil: gone: a?vigil: all is well?[0m\n");
}
END_TEST

START_TEST(a_message_that_is_too_long_is_cut_and_still_ends_its_line)
{
        capture();
        char name[6000];
        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        log_error("%s", name);
        const char *text = written();
        ck_assert_uint_le(strlen(text), 4096);
        ck_assert_uint_gt(strlen(text), 4000);
        ck_assert(text[strlen(text) - 1] == '\n');
}
END_TEST

START_TEST(the_level_decides_what_is_said)
{
        capture();
        log_debug("no");
        log_note("yes");
        ck_assert_str_eq(written(), "vigil: yes\n");
        log_set_level(LOG_ERROR_);
        log_warn("no");
        ck_assert_str_eq(written(), "");
        ck_assert_int_eq(log_error_r(-EIO, "bad %d", 1), -EIO);
        ck_assert_str_eq(written(), "vigil: bad 1\n");
        log_set_level(LOG_DEBUG_);
        ck_assert(log_enabled(LOG_DEBUG_));
        log_debug("more");
        ck_assert_str_eq(written(), "vigil: more\n");
}
END_TEST

SUITE("log", a_message_is_one_line_in_one_write, a_name_cannot_start_a_second_line,
      a_message_that_is_too_long_is_cut_and_still_ends_its_line, the_level_decides_what_is_said)
