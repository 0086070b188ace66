/* wait_kind.c - see wait_kind.h. */
#include "sensor/wait_kind.h"

#include <string.h>

/* The beginnings of names of functions, so that ".isra.0" and its like do not matter. The first row that fits a function of the
 * stack decides: who reclaims memory also waits for a device, who waits for the journal also for a buffer. */
static const struct {
        enum wait_kind kind;
        const char *const begins[24];
} rules[] = {
        {WAIT_LOCK, {"fcntl_setlk", "do_lock_file_wait", "locks_lock_inode_wait", "flock_lock_inode_wait"}},
        {WAIT_MEMORY,
         {"try_to_free_", "do_try_to_free_", "throttle_direct_reclaim", "reclaim_throttle", "shrink_node",
          "shrink_lruvec", "mem_cgroup_handle_over_high", "__mem_cgroup_handle_over_high", "do_swap_page",
          "__alloc_pages_direct_"}},
        {WAIT_WRITEBACK,
         {"balance_dirty_pages", "wbt_wait", "wb_wait_for_completion", "__inode_wait_for_writeback",
          "inode_wait_for_writeback", "inode_sleep_on_writeback", "__wbt_wait"}},
        {WAIT_IO_LIMIT,
         {"blkcg_maybe_throttle_", "blkcg_schedule_throttle", "blk_throtl_", "ioc_rqos_throttle", "iocg_",
          "blk_cgroup_"}},
        {WAIT_LOG, {"jbd2_log_wait_commit"}},
        {WAIT_JOURNAL,
         {"jbd2_", "__jbd2_", "start_this_handle", "add_transaction_credits", "wait_transaction_",
          "do_get_write_access", "ext4_fc_", "xlog_", "xfs_log_", "btrfs_sync_log", "wait_log_commit",
          "btrfs_commit_transaction", "wait_current_trans", "btrfs_wait_for_commit", "f2fs_issue_checkpoint",
          "zil_commit"}},
        {WAIT_TAG,
         {"blk_mq_get_tag", "__blk_mq_get_tag", "blk_queue_enter", "__bio_queue_enter", "bio_queue_enter",
          "rq_qos_wait"}},
        {WAIT_DEVICE,
         {"io_schedule",
          "folio_wait_bit",
          "folio_wait_writeback",
          "folio_wait_stable",
          "wait_on_page_",
          "submit_bio_wait",
          "blk_wait_io",
          "blkdev_issue_flush",
          "__wait_on_buffer",
          "bit_wait_io",
          "wait_for_completion_io",
          "btrfs_wait_ordered_",
          "btrfs_start_ordered_",
          "xfs_buf_iowait",
          "iomap_dio_",
          "nfs_",
          "rpc_wait_",
          "fuse_",
          "__fuse_",
          "request_wait_answer",
          "cifs_"}},
        {WAIT_KERNEL,
         {"rwsem_down_", "__rwsem_down_", "down_read", "down_write", "__mutex_lock", "mutex_lock", "__down",
          "percpu_rwsem_wait", "__percpu_down_read", "sb_wait_write", "inode_dio_wait", "rt_mutex_"}},
        {WAIT_APPLICATION, {"futex_",    "__futex_",    "do_futex",        "do_nanosleep", "hrtimer_nanosleep",
                            "do_select", "do_poll",     "do_sys_poll",     "ep_poll",      "unix_",
                            "sock_",     "tcp_",        "inet_",           "pipe_",        "anon_pipe_",
                            "do_wait",   "kernel_wait", "do_sigtimedwait", "sigsuspend",   "get_signal",
                            "n_tty_",    "eventfd_"}},
        {WAIT_APPLICATION, {"io_cqring_wait", "ptrace_stop", "do_signal_stop", "do_jobctl_trap", "inotify_read"}},
};

static int begins_so(const char *symbol, const char *const *begins, size_t n)
{
        for (size_t i = 0; i < n && begins[i]; i++)
                if (strncmp(symbol, begins[i], strlen(begins[i])) == 0)
                        return 1;
        return 0;
}

int wait_rule_of(const char *symbol)
{
        for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
                if (begins_so(symbol, rules[i].begins, 24))
                        return (int)i;
        return WAIT_NO_RULE;
}

enum wait_kind wait_rule_kind(int rule)
{
        return rule < WAIT_NO_RULE ? rules[rule].kind : WAIT_UNKNOWN;
}

enum wait_kind wait_kind_of(const char *const *symbols, size_t n)
{
        int first = WAIT_NO_RULE;

        for (size_t k = 0; k < n; k++) {
                int rule = wait_rule_of(symbols[k]);
                first = rule < first ? rule : first;
        }
        return wait_rule_kind(first);
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/* @ns of the wait were spent at the device, or at the journal for what it had written. */
static void share_device(struct vigil_attribution *a, const struct wait_sum *sum, uint64_t ns)
{
        uint64_t journal = at_most(sum->journal_ns, ns);

        a->ns[VIGIL_DELAY_JOURNAL] += journal;
        ns -= journal;
        uint64_t held = at_most(sum->held_ns, ns), run = at_most(sum->run_ns, ns - held),
                 late = at_most(sum->late_ns, ns - held - run), busy = ns - held - run - late;
        uint64_t idle = journal + sum->held_ns + sum->run_ns + sum->late_ns,
                 whole = sum->ns > idle ? sum->ns - idle : 0;
        double part = whole ? (double)at_most(sum->queue_ns, whole) / (double)whole : 0;
        uint64_t queue = at_most((uint64_t)((double)busy * part), busy);

        a->ns[VIGIL_DELAY_IO_LIMIT] += held;
        a->ns[VIGIL_DELAY_RUN_QUEUE] += run;
        a->ns[VIGIL_DELAY_UNEXPLAINED] += late;
        a->ns[VIGIL_DELAY_QUEUE] += queue;
        a->ns[VIGIL_DELAY_SERVICE] += busy - queue;
        a->estimated |= 1u << VIGIL_DELAY_QUEUE | 1u << VIGIL_DELAY_SERVICE;
        if (held)
                a->estimated |= 1u << VIGIL_DELAY_IO_LIMIT;
}

/* The journal's thread asks the device, not the one that waits: when that has nothing to do and the journal's thread does not wait
 * for a processor, the journal itself is what is waited for. Of that a part like that of the log in the whole wait. */
static void share_log(struct vigil_attribution *a, const struct wait_sum *sum)
{
        uint64_t log = at_most(sum->log_ns, sum->ns), idle = at_most(sum->held_ns, sum->ns);
        struct wait_sum s = *sum;

        idle += at_most(sum->late_ns, sum->ns - idle);
        s.ns -= idle;
        s.held_ns = 0;
        s.late_ns = 0;
        s.journal_ns = 0;
        uint64_t mine = sum->ns ? (uint64_t)((double)idle * (double)log / (double)sum->ns) : 0;
        mine = at_most(mine, log);
        share_device(a, &s, log - mine);
        a->ns[VIGIL_DELAY_JOURNAL] += sum->ns - log + mine;
}

void wait_share(struct vigil_attribution *a, enum wait_kind kind, const struct wait_sum *sum)
{
        static const enum vigil_delay whole[] = {
                [WAIT_UNKNOWN] = VIGIL_DELAY_UNEXPLAINED, [WAIT_LOCK] = VIGIL_DELAY_LOCK,
                [WAIT_TAG] = VIGIL_DELAY_QUEUE,           [WAIT_IO_LIMIT] = VIGIL_DELAY_IO_LIMIT,
                [WAIT_WRITEBACK] = VIGIL_DELAY_WRITEBACK, [WAIT_JOURNAL] = VIGIL_DELAY_JOURNAL,
                [WAIT_MEMORY] = VIGIL_DELAY_MEMORY,       [WAIT_APPLICATION] = VIGIL_DELAY_APPLICATION,
                [WAIT_KERNEL] = VIGIL_DELAY_KERNEL,
        };

        if (kind == WAIT_DEVICE) {
                share_device(a, sum, sum->ns);
        } else if (kind == WAIT_LOG) {
                share_log(a, sum);
        } else {
                a->ns[whole[kind]] += sum->ns;
        }
}
