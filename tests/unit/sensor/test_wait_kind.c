/* test_wait_kind.c - what a kernel stack means, and what that makes of the time. Stacks as 6.18, 6.12 and 6.1 have them. */
#include "sensor/wait_kind.h"
#include "suite.h"

#define KIND(...)                                                                                                  \
        wait_kind_of((const char *const[]){__VA_ARGS__},                                                           \
                     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

START_TEST(a_sync_that_waits_for_its_pages_waits_for_the_device)
{
        ck_assert_int_eq(KIND("__schedule", "schedule", "io_schedule", "folio_wait_bit_common",
                              "folio_wait_writeback", "__filemap_fdatawait_range", "file_write_and_wait_range",
                              "ext4_sync_file", "do_fsync"),
                         WAIT_DEVICE);
        ck_assert_int_eq(KIND("__schedule", "schedule_timeout", "io_schedule_timeout", "submit_bio_wait",
                              "blkdev_issue_flush", "ext4_sync_file"),
                         WAIT_DEVICE);
}
END_TEST

START_TEST(the_journal_is_told_from_the_device_below_it)
{
        ck_assert_int_eq(KIND("schedule", "jbd2_log_wait_commit", "jbd2_complete_transaction", "ext4_fsync_journal",
                              "ext4_sync_file"),
                         WAIT_LOG);
        ck_assert_int_eq(KIND("io_schedule", "bit_wait_io", "__wait_on_buffer", "jbd2_log_do_checkpoint",
                              "__jbd2_log_wait_for_space", "add_transaction_credits"),
                         WAIT_JOURNAL);
        ck_assert_int_eq(KIND("schedule", "start_this_handle", "jbd2__journal_start", "ext4_dirty_inode"),
                         WAIT_JOURNAL);
        ck_assert_int_eq(KIND("schedule", "xlog_wait_on_iclog", "xfs_log_force_seq", "xfs_file_fsync"),
                         WAIT_JOURNAL);
}
END_TEST

START_TEST(throttling_is_not_the_device)
{
        ck_assert_int_eq(KIND("io_schedule_timeout", "balance_dirty_pages", "balance_dirty_pages_ratelimited_flags",
                              "generic_perform_write"),
                         WAIT_WRITEBACK);
        ck_assert_int_eq(KIND("io_schedule", "rq_qos_wait", "wbt_wait", "__rq_qos_throttle", "blk_mq_submit_bio"),
                         WAIT_WRITEBACK);
        ck_assert_int_eq(KIND("io_schedule", "ioc_rqos_throttle", "__rq_qos_throttle"), WAIT_IO_LIMIT);
        ck_assert_int_eq(KIND("io_schedule", "blk_mq_get_tag", "blk_mq_submit_bio"), WAIT_TAG);
}
END_TEST

START_TEST(what_the_program_waits_for_itself_is_its_own)
{
        ck_assert_int_eq(KIND("schedule", "do_nanosleep", "hrtimer_nanosleep"), WAIT_APPLICATION);
        ck_assert_int_eq(KIND("schedule", "futex_wait_queue", "futex_wait", "do_futex"), WAIT_APPLICATION);
        ck_assert_int_eq(KIND("schedule", "pipe_read", "vfs_read"), WAIT_APPLICATION);
        ck_assert_int_eq(KIND("schedule", "anon_pipe_read", "vfs_read"), WAIT_APPLICATION);
}
END_TEST

START_TEST(a_lock_of_a_file_is_told_from_one_of_the_kernel)
{
        ck_assert_int_eq(KIND("schedule", "do_lock_file_wait", "fcntl_setlk", "do_fcntl"), WAIT_LOCK);
        ck_assert_int_eq(KIND("schedule", "rwsem_down_write_slowpath", "ext4_buffered_write_iter"), WAIT_KERNEL);
        ck_assert_int_eq(KIND("schedule", "percpu_rwsem_wait", "__percpu_down_read", "ext4_page_mkwrite"),
                         WAIT_KERNEL);
}
END_TEST

START_TEST(endings_of_the_compiler_do_not_matter)
{
        ck_assert_int_eq(KIND("jbd2_log_wait_commit.isra.0"), WAIT_LOG);
        ck_assert_int_eq(KIND("shrink_node.constprop.0", "folio_wait_writeback"), WAIT_MEMORY);
}
END_TEST

START_TEST(what_is_not_known_is_not_explained)
{
        struct vigil_attribution a = {0};
        struct wait_sum w = {.ns = 500};

        ck_assert_int_eq(KIND("schedule", "something_new"), WAIT_UNKNOWN);
        ck_assert_int_eq(wait_kind_of(NULL, 0), WAIT_UNKNOWN);
        wait_share(&a, WAIT_UNKNOWN, &w);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_UNEXPLAINED], 500);
        ck_assert_uint_eq(a.estimated, 0);
}
END_TEST

static uint64_t sum(const struct vigil_attribution *a)
{
        uint64_t n = 0;
        for (size_t i = 0; i < VIGIL_DELAYS; i++)
                n += a->ns[i];
        return n;
}

START_TEST(the_device_is_shared_out_by_proportion)
{
        struct vigil_attribution a = {0};
        struct wait_sum w = {.ns = 1000, .held_ns = 200, .late_ns = 50, .run_ns = 150, .queue_ns = 150};

        wait_share(&a, WAIT_DEVICE, &w);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_IO_LIMIT], 200);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_UNEXPLAINED], 50);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_RUN_QUEUE], 150);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_QUEUE], 150);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_SERVICE], 450);
        ck_assert_uint_eq(a.estimated,
                          1u << VIGIL_DELAY_QUEUE | 1u << VIGIL_DELAY_SERVICE | 1u << VIGIL_DELAY_IO_LIMIT);
}
END_TEST

/* Extents of a file that grew are converted when its pages are on the disk. */
START_TEST(a_change_that_a_thread_of_the_kernel_makes_for_the_wait_is_the_journals)
{
        struct vigil_attribution a = {0};
        struct wait_sum w = {.ns = 1000, .journal_ns = 600, .held_ns = 100, .queue_ns = 150};

        wait_share(&a, WAIT_DEVICE, &w);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_JOURNAL], 600);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_IO_LIMIT], 100);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_QUEUE], 150);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_SERVICE], 150);
}
END_TEST

START_TEST(of_the_journal_only_its_own_transaction_is_the_devices)
{
        struct vigil_attribution a = {0};
        struct wait_sum w = {.ns = 1000, .log_ns = 300};

        wait_share(&a, WAIT_LOG, &w);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_JOURNAL], 700);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_SERVICE], 300);
}
END_TEST

/* As with a journal on a device of its own. */
START_TEST(a_journal_at_work_while_the_device_has_nothing_to_do_is_the_journals)
{
        struct vigil_attribution a = {0};
        struct wait_sum w = {.ns = 1000, .log_ns = 300, .held_ns = 40, .late_ns = 60, .run_ns = 50};

        wait_share(&a, WAIT_LOG, &w);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_JOURNAL], 730); /* of the 100 as much as 300 are of 1000 */
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_RUN_QUEUE], 50);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_SERVICE], 220);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_UNEXPLAINED], 0);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_IO_LIMIT], 0);
}
END_TEST

/* The kernel side adds to several counters, and they are read while it does. */
START_TEST(sums_that_do_not_fit_together_add_up_all_the_same)
{
        static const struct wait_sum odd[] = {
                {.ns = 100, .held_ns = 900, .queue_ns = 900, .log_ns = 900, .late_ns = 900, .run_ns = 900},
                {.ns = 100, .queue_ns = UINT64_MAX},
                {.ns = 100, .journal_ns = UINT64_MAX, .held_ns = 5, .log_ns = 50},
                {.ns = 0, .held_ns = 1, .log_ns = 1},
                {.ns = 100, .log_ns = UINT64_MAX - 5, .late_ns = 60, .run_ns = 60},
        };

        for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
                for (int kind = WAIT_UNKNOWN; kind <= WAIT_KERNEL; kind++) {
                        struct vigil_attribution a = {0};
                        wait_share(&a, (enum wait_kind)kind, &odd[i]);
                        ck_assert_uint_eq(sum(&a), odd[i].ns);
                }
}
END_TEST

SUITE("what a thread waits for", a_sync_that_waits_for_its_pages_waits_for_the_device,
      the_journal_is_told_from_the_device_below_it, throttling_is_not_the_device,
      what_the_program_waits_for_itself_is_its_own, a_lock_of_a_file_is_told_from_one_of_the_kernel,
      endings_of_the_compiler_do_not_matter, what_is_not_known_is_not_explained,
      the_device_is_shared_out_by_proportion,
      a_change_that_a_thread_of_the_kernel_makes_for_the_wait_is_the_journals,
      of_the_journal_only_its_own_transaction_is_the_devices,
      a_journal_at_work_while_the_device_has_nothing_to_do_is_the_journals,
      sums_that_do_not_fit_together_add_up_all_the_same)
