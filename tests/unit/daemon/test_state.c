/* The file that outlives the daemon, and what a damaged one does. */
#include "daemon/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "bpf/abi.h"
#include "suite.h"

static char dir[] = "/tmp/vigil-test-state-XXXXXX";

static void remove_dir(void)
{
        char path[64];

        snprintf(path, sizeof(path), "%s/state.json", dir);
        unlink(path);
        rmdir(dir);
}

static void make_dir(void)
{
        ck_assert_ptr_nonnull(mkdtemp(dir));
        atexit(remove_dir);
}

static void write_text(const char *text)
{
        char path[64];

        snprintf(path, sizeof(path), "%s/state.json", dir);
        ck_assert_int_eq(io_write_file_atomic(path, text, strlen(text), 0600), 0);
}

START_TEST(what_is_written_is_read)
{
        struct state_database db[] = {{.name = "a",
                                       .dirty = true,
                                       .in_transaction = true,
                                       .users = 3,
                                       .bytes_at_risk = 8272,
                                       .commits_at_risk = 1,
                                       .unproven = 1u << VIGIL_ROLE_WAL,
                                       .leftover = true,
                                       .writer_pid = 4711,
                                       .writer_start_ns = 98765},
                                      {.name = "b/c.db"}};
        const struct state_file out = {.boot_id = "11111111-2222",
                                       .pid = 7,
                                       .run = 12,
                                       .seen_ns = 1234567890123456789,
                                       .database = db,
                                       .n = 2};
        struct state_file in;

        make_dir();
        ck_assert_int_eq(state_write(dir, &out), 0);
        ck_assert_int_eq(state_read(dir, &in), 0);
        ck_assert_str_eq(in.boot_id, out.boot_id);
        ck_assert_int_eq(in.pid, 7);
        ck_assert_int_eq(in.run, 12);
        ck_assert_uint_eq(in.database[0].unproven, 1u << VIGIL_ROLE_WAL);
        ck_assert_uint_eq(in.database[1].unproven, 0);
        ck_assert(in.database[0].leftover && !in.database[1].leftover);
        ck_assert_uint_eq(in.database[0].writer_pid, 4711);
        ck_assert_uint_eq(in.database[0].writer_start_ns, 98765);
        ck_assert_int_eq(in.seen_ns, out.seen_ns);
        ck_assert(!in.orderly);
        ck_assert_uint_eq(in.n, 2);
        ck_assert_str_eq(in.database[0].name, "a");
        ck_assert(in.database[0].dirty && in.database[0].in_transaction);
        ck_assert_uint_eq(in.database[0].users, 3);
        ck_assert_uint_eq(in.database[0].bytes_at_risk, 8272);
        ck_assert_uint_eq(in.database[0].commits_at_risk, 1);
        ck_assert_str_eq(in.database[1].name, "b/c.db");
        ck_assert(!in.database[1].dirty);
        state_done(&in);
}
END_TEST

START_TEST(none_is_no_error_of_the_file)
{
        struct state_file in;

        ck_assert_int_eq(state_read("/tmp/vigil-test-there-is-no-such-directory", &in), -ENOENT);
}
END_TEST

START_TEST(one_that_an_older_version_wrote_is_read)
{
        struct state_file in;

        make_dir();
        write_text(
                "{\"state\":1,\"boot_id\":\"x\",\"pid\":1,\"seen_ns\":1,\"orderly\":false,\"databases\":[{\"name\":"
                "\"a\",\"dirty\":true,\"in_transaction\":false,\"users\":1,\"bytes_at_risk\":0,"
                "\"commits_at_risk\":0}]}");
        ck_assert_int_eq(state_read(dir, &in), 0);
        ck_assert_int_eq(in.run, 0);
        ck_assert_uint_eq(in.database[0].writer_pid, 0);
        state_done(&in);
}
END_TEST

START_TEST(what_cannot_be_is_an_error_of_the_whole)
{
        static const char *const wrong[] = {
                "",
                "{",
                "[]",
                "{\"state\":2,\"boot_id\":\"x\",\"pid\":1,\"seen_ns\":1,\"orderly\":false,\"databases\":[]}",
                "{\"state\":1,\"boot_id\":\"0123456789012345678901234567890123456789\",\"pid\":1,\"seen_ns\":1,"
                "\"orderly\":false,\"databases\":[]}",
                "{\"state\":1,\"boot_id\":\"x\",\"pid\":1,\"seen_ns\":-1,\"orderly\":false,\"databases\":[]}",
                "{\"state\":1,\"boot_id\":\"x\",\"pid\":1,\"seen_ns\":1,\"orderly\":false,\"databases\":{}}",
                "{\"state\":1,\"boot_id\":\"x\",\"pid\":1,\"seen_ns\":1,\"orderly\":false,\"databases\":[{\"name\":"
                "\"a\"}]}",
                "{\"state\":1,\"boot_id\":\"x\",\"pid\":1,\"seen_ns\":1,\"orderly\":false,\"databases\":[{\"name\":"
                "\"a\","
                "\"dirty\":true,\"in_transaction\":false,\"users\":-1,\"bytes_at_risk\":0,\"commits_at_risk\":0}]}",
        };
        struct state_file in;

        make_dir();
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                write_text(wrong[i]);
                ck_assert_msg(state_read(dir, &in) == -EBADMSG, "%s", wrong[i]);
        }
}
END_TEST

SUITE("state", what_is_written_is_read, none_is_no_error_of_the_file, one_that_an_older_version_wrote_is_read,
      what_cannot_be_is_an_error_of_the_whole)
