/* seccomp.c - allow-list for code that reads hostile files. */
#include "base/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *const allowed[] = {
        /* files: content */
        "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2",
        "lseek", "copy_file_range", "sendfile", "fsync", "fdatasync", "sync_file_range", "syncfs", "ftruncate",
        "fallocate", "fadvise64", "readahead",
        /* files: names and attributes */
        "open", "openat", "openat2", "creat", "close", "close_range", "stat", "lstat", "fstat", "newfstatat",
        "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd",
        "getdents64", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "mkdir", "mkdirat",
        "rmdir", "fchmod", "fchmodat", "fchown", "utimensat", "umask", "memfd_create",
        /* descriptors */
        "dup", "dup2", "dup3", "flock", "pipe2", "poll", "ppoll", "select", "pselect6",
        /* memory; mmap and mprotect are below */
        "munmap", "mremap", "brk", "madvise", "msync", "mincore",
        /* time and waiting */
        "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "times", "futex",
        "sched_yield", "sched_getaffinity", "getrusage",
        /* about itself */
        "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getrandom", "sysinfo", "uname",
        "getcpu", "rseq", "set_robust_list", "restart_syscall",
        /* signals and the end */
        "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "exit", "exit_group"};

/* What no worker of ours does by mistake: programs, other processes, the network, the kernel itself. */
static const char *const deadly[] = {"execve",
                                     "execveat",
                                     "ptrace",
                                     "process_vm_readv",
                                     "process_vm_writev",
                                     "pidfd_open",
                                     "pidfd_getfd",
                                     "pidfd_send_signal",
                                     "kcmp",
                                     "fork",
                                     "vfork",
                                     "clone",
                                     "clone3",
                                     "unshare",
                                     "setns",
                                     "socket",
                                     "socketpair",
                                     "connect",
                                     "bind",
                                     "listen",
                                     "accept",
                                     "accept4",
                                     "sendto",
                                     "sendmsg",
                                     "sendmmsg",
                                     "mount",
                                     "umount2",
                                     "pivot_root",
                                     "chroot",
                                     "move_mount",
                                     "open_tree",
                                     "fsopen",
                                     "fsmount",
                                     "mount_setattr",
                                     "open_by_handle_at",
                                     "mknod",
                                     "mknodat",
                                     "io_uring_setup",
                                     "userfaultfd",
                                     "bpf",
                                     "perf_event_open",
                                     "init_module",
                                     "finit_module",
                                     "delete_module",
                                     "kexec_load",
                                     "kexec_file_load",
                                     "reboot",
                                     "swapon",
                                     "swapoff",
                                     "settimeofday",
                                     "clock_settime",
                                     "adjtimex",
                                     "clock_adjtime",
                                     "setuid",
                                     "setgid",
                                     "setreuid",
                                     "setregid",
                                     "setresuid",
                                     "setresgid",
                                     "setgroups",
                                     "capset",
                                     "setns",
                                     "keyctl",
                                     "add_key",
                                     "request_key",
                                     "iopl",
                                     "ioperm",
                                     "personality"};

/* Not F_SETOWN, F_SETSIG, F_NOTIFY: they make the kernel send signals. */
static const uint32_t fcntl_commands[] = {
        F_DUPFD,  F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,      F_GETFL,    F_SETFL,     F_GETLK,     F_SETLK,
        F_SETLKW, F_OFD_GETLK,     F_OFD_SETLK, F_OFD_SETLKW, F_GETLEASE, F_ADD_SEALS, F_GET_SEALS, F_GETPIPE_SZ};

/* TCGETS is isatty(3), which stdio asks of every stream. */
static const uint32_t ioctl_requests[] = {FICLONE, FICLONERANGE, FIGETBSZ, TCGETS};

static void cleanup_filter(scmp_filter_ctx *filter)
{
        if (*filter)
                seccomp_release(*filter);
}

static int add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                int nr = seccomp_syscall_resolve_name(names[i]);
                if (nr < 0) /* this architecture or this libseccomp does not have it */
                        continue;
                int r = seccomp_rule_add(filter, action, nr, 0);
                if (r < 0 && r != -EEXIST)
                        return r;
        }
        return 0;
}

/* Allows call @p nr where (argument & mask) == value. The kernel looks at the lower half of an int argument alone, so a
 * comparison of all 64 bits would be wrong. */
static int allow_if(scmp_filter_ctx filter, int nr, unsigned int argument, uint32_t mask, uint32_t value)
{
        struct scmp_arg_cmp is = {.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
        return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, nr, 1, &is);
}

/* Calls that are harmless with some arguments only. */
static int add_conditional(scmp_filter_ctx filter)
{
        const uint32_t whole = UINT32_MAX;
        int r = 0;
        for (size_t i = 0; r == 0 && i < sizeof(fcntl_commands) / sizeof(fcntl_commands[0]); i++)
                r = allow_if(filter, SCMP_SYS(fcntl), 1, whole, fcntl_commands[i]);
        for (size_t i = 0; r == 0 && i < sizeof(ioctl_requests) / sizeof(ioctl_requests[0]); i++)
                r = allow_if(filter, SCMP_SYS(ioctl), 1, whole, ioctl_requests[i]);

        /* abort(3) signals itself; nobody else may be signalled. */
        uint32_t self = (uint32_t)getpid();
        if (r == 0)
                r = allow_if(filter, SCMP_SYS(tgkill), 0, whole, self);
        if (r == 0)
                r = allow_if(filter, SCMP_SYS(kill), 0, whole, self);
        if (r == 0) /* limits of its own are read; raising them needs what it no longer has */
                r = allow_if(filter, SCMP_SYS(prlimit64), 0, whole, 0);

        /* No memory that is executable: what comes out of a hostile file stays data. */
        if (r == 0)
                r = allow_if(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
        if (r == 0)
                r = allow_if(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
        return r;
}

bool seccomp_available(void)
{
        uint32_t action = SECCOMP_RET_KILL_PROCESS;
        return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int seccomp_enter(void)
{
        _cleanup_(cleanup_filter) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
        if (!filter)
                return -ENOMEM;
        int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r == 0)
                r = add_names(filter, SCMP_ACT_ALLOW, allowed, sizeof(allowed) / sizeof(allowed[0]));
        if (r == 0)
                r = add_names(filter, SCMP_ACT_KILL_PROCESS, deadly, sizeof(deadly) / sizeof(deadly[0]));
        if (r == 0)
                r = add_conditional(filter);
        if (r == 0)
                r = seccomp_load(filter);
        return r;
}
