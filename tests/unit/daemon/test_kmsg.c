/* test_kmsg.c - which lines of the kernel's log are about a device. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "daemon/kmsg.h"

START_TEST(a_line_speaks_of_a_device_by_its_name_as_a_word)
{
        static const struct {
                const char *line;
                bool told;
        } table[] = {
                {"EXT4-fs error (device sda1): ext4_journal_check_start:83: Detected aborted journal", true},
                {"Buffer I/O error on dev sda1, logical block 5, lost async page write", true},
                {"blk_update_request: I/O error, dev sda, sector 2048", true},
                {"sd 0:0:0:0: [sda] Attached SCSI disk", true},
                {"sda", true},
                {"EXT4-fs error (device sda11): x", false},
                {"I/O error, dev sdab, sector 5", false},
                {"my_sda: x", false},
                {"nothing of it", false},
                {"", false},
        };
        const struct kmsg_names names = {{"sda1", "sda"}, 2}, none = {.n = 0};
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                ck_assert_msg(kmsg_tells_of(&names, table[i].line) == table[i].told, "%s", table[i].line);
                ck_assert(!kmsg_tells_of(&none, table[i].line));
        }
}
END_TEST

START_TEST(a_file_system_without_a_device_has_no_name)
{
        struct kmsg_names names;
        ck_assert_int_eq(kmsg_names("/proc/self/stat", &names), 0);
        ck_assert_uint_eq(names.n, 0);
        ck_assert_int_eq(kmsg_names("/nowhere/at/all", &names), -ENOENT);
}
END_TEST

/* What may not be read is said; what can be read ends. */
START_TEST(the_log_is_read_to_its_end_or_said_not_to_be)
{
        const struct kmsg_names names = {{"no-such-device"}, 1};
        char *lines = NULL;
        int n = kmsg_read(&names, &lines);
        ck_assert(n == 0 || n == -EPERM || n == -EACCES || n == -ENOENT);
        if (n == 0)
                ck_assert_str_eq(lines, "");
        free(lines);
}
END_TEST

SUITE("kmsg", a_line_speaks_of_a_device_by_its_name_as_a_word, a_file_system_without_a_device_has_no_name,
      the_log_is_read_to_its_end_or_said_not_to_be)
