/* sandbox.c - a fresh child gives up what it does not need, in the one order in which that is possible. */
#include "base/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/jail.h"
#include "base/landlock.h"
#include "base/log.h"
#include "base/seccomp.h"

/* AddressSanitizer reserves terabytes of addresses, so RLIMIT_AS would stop it at its first line. */
#ifdef VIGIL_SANITIZED
#define CAN_LIMIT_MEMORY false
#else
#define CAN_LIMIT_MEMORY true
#endif

const char *sandbox_lacks(const struct child_options *options)
{
        static const char *const names[] = {
                NULL,
                "seccomp",
                "Landlock",
                "seccomp, Landlock",
                "memory limit (sanitizer build)",
                "seccomp, memory limit (sanitizer build)",
                "Landlock, memory limit (sanitizer build)",
                "seccomp, Landlock, memory limit (sanitizer build)",
        };
        unsigned int lacks = 0;
        lacks |= seccomp_available() ? 0 : 1;
        lacks |= landlock_version() || jail_available() ? 0 : 2;
        lacks |= CAN_LIMIT_MEMORY || !options->memory_limit ? 0 : 4;
        return names[lacks];
}

static int die_with(pid_t parent)
{
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return -errno;
        /* It may have died before the call. */
        return getppid() == parent ? 0 : -ESRCH;
}

/* The parent's handlers mean nothing here. Faults stay with whoever wants to report them, as the sanitizers do. */
static void reset_signals(void)
{
        static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGKILL, SIGSTOP};
        for (int sig = 1; sig <= SIGRTMAX; sig++) {
                bool fault = false;
                for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
                        fault = fault || sig == faults[i];
                if (!fault)
                        signal(sig, SIG_DFL);
        }
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        /* A group of its own: an interrupt from the terminal is for the parent to act upon. */
        setpgid(0, 0);
}

static int compare_ints(const void *a, const void *b)
{
        int x = *(const int *)a, y = *(const int *)b;
        return (x > y) - (x < y);
}

/* Closes everything above 2 that is not in the list. */
static int close_others(const int *keep_fds, int answer_fd)
{
        int keep[64] = {answer_fd};
        size_t n = 1;
        for (; keep_fds && *keep_fds >= 0; keep_fds++) {
                if (*keep_fds <= STDERR_FILENO || n == sizeof(keep) / sizeof(keep[0]))
                        return -EINVAL;
                keep[n++] = *keep_fds;
        }
        qsort(keep, n, sizeof(keep[0]), compare_ints);
        unsigned int first = STDERR_FILENO + 1;
        for (size_t i = 0; i < n; i++) {
                unsigned int kept = (unsigned int)keep[i];
                if (kept > first && close_range(first, kept - 1, 0) < 0)
                        return -errno;
                first = kept + 1;
        }
        return close_range(first, ~0U, 0) < 0 ? -errno : 0;
}

static int settle_descriptors(const int *keep_fds, int answer_fd)
{
        if (answer_fd <= STDERR_FILENO)
                return -EINVAL;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0)
                return -errno;
        /* Where -v asks for it, and where a sanitizer has something to say, standard error stays. */
        bool quiet = CAN_LIMIT_MEMORY && !log_enabled(LOG_DEBUG_);
        if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
            (quiet && dup2(null, STDERR_FILENO) < 0))
                return -errno;
        return close_others(keep_fds, answer_fd);
}

static int limit(int resource, rlim_t value)
{
        struct rlimit now;
        if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
                return -errno;
        if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max)
                value = now.rlim_max;
        struct rlimit lower = {.rlim_cur = value, .rlim_max = value};
        return setrlimit((__rlimit_resource_t)resource, &lower) < 0 ? -errno : 0;
}

static int become(const struct child_options *options)
{
        if (!options->set_ids || (options->uid == geteuid() && options->gid == getegid() && geteuid() != 0))
                return 0;
        if (setgroups(0, NULL) < 0 || setresgid(options->gid, options->gid, options->gid) < 0 ||
            setresuid(options->uid, options->uid, options->uid) < 0)
                return -errno;
        return 0;
}

/* Root keeps one capability: reading files of others. Without it a database of mode 0600 could not even be copied; it
 * writes nothing, and a worker that is to write as somebody else gets set_ids. */
static int drop_capabilities(const struct child_options *options)
{
        if (capng_get_caps_process() < 0)
                return -EPERM;
        bool keep_reading = geteuid() == 0 && !(options->set_ids && options->uid != 0) &&
                            capng_have_capability(CAPNG_PERMITTED, CAP_DAC_READ_SEARCH);
        bool bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
        capng_clear(CAPNG_SELECT_ALL);
        if (keep_reading &&
            capng_update(CAPNG_ADD, (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED), CAP_DAC_READ_SEARCH) < 0)
                return -EPERM;
        if (bounds && capng_apply(CAPNG_SELECT_BOUNDS) < 0)
                return -EPERM;
        int r = become(options);
        if (r < 0)
                return r;
        return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}

static int confine(const struct child_options *options, const int *keep_fds)
{
        int r = 0, version = landlock_version();
        if (version == 0 && jail_available())
                r = jail_enter(options->read_only, options->writable, keep_fds);
        if (r == 0)
                r = drop_capabilities(options);
        if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                r = -errno;
        if (r == 0 && version > 0)
                r = landlock_enter(version, options->read_only, options->writable, keep_fds);
        return r;
}

int sandbox_enter(const struct child_options *options, const int *keep_fds, pid_t parent, int answer_fd)
{
        int r = options->outlives ? 0 : die_with(parent);
        if (r < 0)
                return r;
        reset_signals();
        r = settle_descriptors(keep_fds, answer_fd);
        if (r == 0)
                r = limit(RLIMIT_CORE, 0);
        if (r == 0 && options->memory_limit && CAN_LIMIT_MEMORY)
                r = limit(RLIMIT_AS, options->memory_limit);
        if (r == 0)
                r = options->sandbox ? confine(options, keep_fds) : become(options);
        /* A change of uid takes the death signal away. */
        if (r == 0 && !options->outlives)
                r = die_with(parent);
        if (r == 0 && options->sandbox && seccomp_available())
                r = seccomp_enter();
        return r;
}
