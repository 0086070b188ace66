/* probes.c - the attach plan as a table. The order of ids is that of enum probe_id in bpf/loader.h. */
#include "sensor/probes.h"

#include <vigil.skel.h>

#include "bpf/loader.h"

#define PROGRAM(name) offsetof(struct vigil_bpf, progs.name)
#define EXIT(call, id_, prog, flags_)                                                                              \
        {                                                                                                          \
                .name = "sys_exit_" #call, .tracepoint = "sys_exit_" #call, .id = (id_),                           \
                .program = PROGRAM(tp__##prog##_exit), .flags = (flags_)                                           \
        }
#define ENTER(call, id_, prog)                                                                                     \
        {                                                                                                          \
                .name = "sys_enter_" #call, .tracepoint = "sys_enter_" #call, .id = (id_),                         \
                .program = PROGRAM(tp__##prog##_enter), .flags = PROBE_NEEDED                                      \
        }
#define TYPED(event, id_, prog, flags_)                                                                            \
        {                                                                                                          \
                .name = #event, .tracepoint = #event, .id = (id_), .program = PROGRAM(prog##event),                \
                .flags = PROBE_BTF | (flags_)                                                                      \
        }

#define JOURNAL(event, id_)                                                                                        \
        {                                                                                                          \
                .name = #event, .tracepoint = #event, .category = "jbd2", .id = (id_),                             \
                .program = PROGRAM(tp__##event), .flags = PROBE_ATTRIBUTION | PROBE_UNTRIED                        \
        }

const struct probe probes[] = {
        /* How processes come and go first: a process that is missed here is missed for good. */
        TYPED(sched_process_fork, PROBE_FORK, tp_btf__, PROBE_NEEDED),
        TYPED(sched_process_exec, PROBE_EXEC, tp_btf__, PROBE_NEEDED),
        TYPED(sched_process_exit, PROBE_EXIT, tp_btf__, PROBE_NEEDED),
        TYPED(signal_generate, PROBE_SIGNAL, tp_btf__, PROBE_NEEDED),
        TYPED(posix_lock_inode, PROBE_POSIX_LOCK, tp_btf__, PROBE_NEEDED),
        TYPED(flock_lock_inode, PROBE_FLOCK, tp_btf__, 0),
        TYPED(mark_victim, PROBE_OOM, raw_tp__, PROBE_UNTRIED),
        TYPED(filemap_set_wb_err, PROBE_SET_WB_ERR, raw_tp__, PROBE_UNTRIED),
        TYPED(file_check_and_advance_wb_err, PROBE_TAKE_WB_ERR, raw_tp__, PROBE_UNTRIED),
        /* A connection of the canary would need a network that is up. */
        TYPED(inet_sock_set_state, PROBE_CONNECT, tp_btf__, PROBE_UNTRIED),

        EXIT(write, PROBE_WRITE, write, PROBE_NEEDED),
        EXIT(pwrite64, PROBE_PWRITE64, write, PROBE_NEEDED),
        EXIT(writev, PROBE_WRITEV, write, 0),
        EXIT(pwritev, PROBE_PWRITEV, write, 0),
        EXIT(pwritev2, PROBE_PWRITEV2, write, 0),
        EXIT(sendfile64, PROBE_SENDFILE, change, 0),
        EXIT(splice, PROBE_SPLICE, change, 0),
        EXIT(copy_file_range, PROBE_COPY_FILE_RANGE, change, 0),
        EXIT(ftruncate, PROBE_FTRUNCATE, change, PROBE_NEEDED),
        EXIT(fallocate, PROBE_FALLOCATE, change, 0),
        EXIT(ioctl, PROBE_IOCTL, change, 0),
        EXIT(truncate, PROBE_TRUNCATE, path, 0),

#ifdef __x86_64__ /* newer architectures have only the *at calls */
        EXIT(open, PROBE_OPEN, open, PROBE_NEEDED),
        EXIT(creat, PROBE_CREAT, open, 0),
        EXIT(unlink, PROBE_UNLINK, path, PROBE_NEEDED),
        EXIT(rename, PROBE_RENAME, path, 0),
        EXIT(link, PROBE_LINK, path, 0),
        EXIT(mkdir, PROBE_MKDIR, path, 0),
        EXIT(rmdir, PROBE_RMDIR, path, 0),
#endif
        EXIT(openat, PROBE_OPENAT, open, PROBE_NEEDED),
        EXIT(openat2, PROBE_OPENAT2, open, 0),
        EXIT(open_by_handle_at, PROBE_OPEN_BY_HANDLE, open, PROBE_UNTRIED),
        EXIT(unlinkat, PROBE_UNLINKAT, path, PROBE_NEEDED),
        EXIT(renameat, PROBE_RENAMEAT, path, 0),
        EXIT(renameat2, PROBE_RENAMEAT2, path, 0),
        EXIT(linkat, PROBE_LINKAT, path, 0),
        EXIT(mkdirat, PROBE_MKDIRAT, path, 0),

        ENTER(fsync, PROBE_FSYNC_ENTER, sync),
        EXIT(fsync, PROBE_FSYNC, sync, PROBE_NEEDED),
        ENTER(fdatasync, PROBE_FDATASYNC_ENTER, sync),
        EXIT(fdatasync, PROBE_FDATASYNC, sync, PROBE_NEEDED),
        EXIT(sync_file_range, PROBE_SYNC_FILE_RANGE, sync, 0),
        /* Trying these two would make the whole host, or a file system, write back: never done. */
        {.name = "sys_enter_syncfs",
         .tracepoint = "sys_enter_syncfs",
         .id = PROBE_SYNCFS_ENTER,
         .program = PROGRAM(tp__sync_enter),
         .flags = PROBE_UNTRIED},
        EXIT(syncfs, PROBE_SYNCFS, sync, PROBE_UNTRIED),
        {.name = "sys_enter_sync",
         .tracepoint = "sys_enter_sync",
         .id = PROBE_SYNC_ENTER,
         .program = PROGRAM(tp__sync_all_enter),
         .flags = PROBE_UNTRIED},
        EXIT(sync, PROBE_SYNC, sync, PROBE_UNTRIED),

        EXIT(read, PROBE_READ, read, PROBE_READS),
        EXIT(pread64, PROBE_PREAD64, read, PROBE_READS),
        EXIT(readv, PROBE_READV, read, PROBE_READS),
        EXIT(preadv, PROBE_PREADV, read, PROBE_READS),

        TYPED(sched_switch, PROBE_SWITCH, tp_btf__, PROBE_ATTRIBUTION | PROBE_UNTRIED),
        TYPED(sched_wakeup, PROBE_WAKEUP, tp_btf__, PROBE_ATTRIBUTION | PROBE_UNTRIED),
        TYPED(thread_exit, PROBE_THREAD_EXIT, tp_btf__, PROBE_ATTRIBUTION | PROBE_UNTRIED),
        TYPED(block_rq_insert, PROBE_RQ_INSERT, tp_btf__, PROBE_ATTRIBUTION | PROBE_UNTRIED),
        TYPED(block_rq_issue, PROBE_RQ_ISSUE, tp_btf__, PROBE_ATTRIBUTION | PROBE_UNTRIED),
        TYPED(block_rq_complete, PROBE_RQ_COMPLETE, tp_btf__, PROBE_ATTRIBUTION | PROBE_UNTRIED),
        TYPED(block_rq_merge, PROBE_RQ_MERGE, tp_btf__, PROBE_ATTRIBUTION | PROBE_UNTRIED),
        TYPED(block_bio_queue, PROBE_BIO, tp_btf__, PROBE_ATTRIBUTION | PROBE_UNTRIED),
        JOURNAL(jbd2_handle_start, PROBE_JOURNAL_HANDLE),
        JOURNAL(jbd2_commit_logging, PROBE_JOURNAL_LOG),
        JOURNAL(jbd2_end_commit, PROBE_JOURNAL_END),
};

const size_t probes_count = sizeof(probes) / sizeof(probes[0]);

struct bpf_program *probe_program(const struct probe *probe, const struct vigil_bpf *skeleton)
{
        return *(struct bpf_program *const *)((const char *)skeleton + probe->program);
}
