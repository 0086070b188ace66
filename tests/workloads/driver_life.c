#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "driver.h"
#include "hold.h"

/* A test that goes wrong must not leave a workload waiting for ever. */
enum { WAIT_LIMIT_MS = 300000 };

static void sleep_ms(long ms)
{
        struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
        while (nanosleep(&t, &t) < 0 && errno == EINTR)
                ;
}

static int step_sleep(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)block;
        sleep_ms(strtol(args[0], NULL, 10));
        return 0;
}

static int step_ready(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)block;
        int fd = open(args[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        close(fd);
        return 0;
}

static int step_wait(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)block;
        for (int ms = 0; access(args[0], F_OK) < 0; ms += 2) {
                if (ms > WAIT_LIMIT_MS)
                        return -ETIME;
                sleep_ms(2);
        }
        return 0;
}

static int step_pause(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)args;
        (void)block;
        hold_here(NULL);
}

static int step_kill9(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)args;
        (void)block;
        kill(getpid(), SIGKILL);
        return 0;
}

static int step_raise(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)block;
        return raise((int)strtol(args[0], NULL, 10));
}

static int step_exit(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)block;
        _exit((int)strtol(args[0], NULL, 10));
}

static int step_return(struct driver *d, char **args, struct steps block)
{
        (void)block;
        d->status = (int)strtol(args[0], NULL, 10);
        return 0;
}

static int step_segv(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)args;
        (void)block;
        volatile int *volatile nowhere = NULL;
        *nowhere = 1;
        return 0;
}

static int step_hog(struct driver *d, char **args, struct steps block)
{
        size_t size = strtoul(args[0], NULL, 10) << 20;
        (void)d;
        (void)block;

        char *memory = malloc(size);
        if (!memory)
                return -ENOMEM;
        for (size_t i = 0; i < size; i += 4096)
                ((volatile char *)memory)[i] = 1;
        free(memory);
        return 0;
}

static int step_exec(struct driver *d, char **args, struct steps rest)
{
        (void)d;
        (void)args;
        char **argv = calloc(rest.n + 1, sizeof(*argv));
        if (!argv || rest.n == 0)
                return -EINVAL;
        memcpy(argv, rest.arg, rest.n * sizeof(*argv));
        execvp(argv[0], argv);
        int error = errno;
        free(argv);
        return -error;
}

static int step_fork(struct driver *d, char **args, struct steps block)
{
        (void)args;
        pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid > 0)
                return 0;

        int status = run_steps(d, block) == 0 ? d->status : 3;
        /* Not an inherited connection: that one is the parent's to close. */
        exit(status);
}

static int step_wait_children(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)args;
        (void)block;
        for (;;)
                if (wait(NULL) < 0 && errno != EINTR)
                        return errno == ECHILD ? 0 : -errno;
}

struct thread_arg {
        struct driver *d;
        struct steps steps;
};

static void *thread_main(void *arg)
{
        struct thread_arg a = *(struct thread_arg *)arg;
        free(arg);
        if (run_steps(a.d, a.steps) != 0)
                a.d->status = 3;
        return NULL;
}

static int step_thread(struct driver *d, char **args, struct steps block)
{
        (void)args;
        if (d->nthreads == DRIVER_THREADS)
                return -EAGAIN;
        struct thread_arg *arg = malloc(sizeof(*arg));
        if (!arg)
                return -ENOMEM;
        *arg = (struct thread_arg){d, block};
        int rc = pthread_create(&d->thread[d->nthreads], NULL, thread_main, arg);
        if (rc != 0) {
                free(arg);
                return -rc;
        }
        d->nthreads++;
        return 0;
}

static int step_join(struct driver *d, char **args, struct steps block)
{
        (void)args;
        (void)block;
        while (d->nthreads > 0)
                pthread_join(d->thread[--d->nthreads], NULL);
        return 0;
}

static int step_leader_exit(struct driver *d, char **args, struct steps block)
{
        /* The stack of the leader stays as long as the process, so the threads may go on using *d. */
        (void)d;
        (void)args;
        (void)block;
        pthread_exit(NULL);
}

static int step_repeat(struct driver *d, char **args, struct steps block)
{
        unsigned long n = strtoul(args[0], NULL, 10);
        int rc = 0;

        for (unsigned long i = 0; rc == 0 && i < n; i++)
                rc = run_steps(d, block);
        return rc;
}

static int step_until(struct driver *d, char **args, struct steps block)
{
        int rc = 0;

        while (rc == 0 && access(args[0], F_OK) < 0)
                rc = run_steps(d, block);
        return rc;
}

static int step_forks(struct driver *d, char **args, struct steps block)
{
        unsigned long n = strtoul(args[0], NULL, 10);
        (void)d;
        (void)block;

        for (unsigned long i = 0; i < n; i++) {
                pid_t pid = fork();
                if (pid == 0)
                        _exit(0);
                if (pid < 0 || waitpid(pid, NULL, 0) < 0)
                        return -errno;
        }
        return 0;
}

static int step_close_fds(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)block;
        return close_range((unsigned)strtoul(args[0], NULL, 10), ~0u, 0) < 0 ? -errno : 0;
}

/* What a careless program does: it looks into the file beside SQLite, and its close() takes the locks away. */
static int step_keep_fds(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)args;
        (void)block;
        for (int fd = 3; fd < 64; fd++)
                fcntl(fd, F_SETFD, 0);
        return 0;
}

static int step_peek(struct driver *d, char **args, struct steps block)
{
        int fd = open(args[0], O_RDONLY | O_CLOEXEC);

        (void)d;
        (void)block;
        return fd < 0 || close(fd) < 0 ? -errno : 0;
}

static int step_ignore_signals(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)args;
        (void)block;
        for (int sig = 1; sig < NSIG; sig++)
                if (sig != SIGCHLD && sig != SIGSEGV)
                        signal(sig, SIG_IGN); /* KILL and STOP refuse */
        return 0;
}

static int step_setuid(struct driver *d, char **args, struct steps block)
{
        (void)d;
        (void)block;
        return setuid((uid_t)strtoul(args[0], NULL, 10)) < 0 ? -errno : 0;
}

const struct command life_commands[] = {
        {"@sleep", 1, STEP_PLAIN, step_sleep},
        {"@ready", 1, STEP_PLAIN, step_ready},
        {"@wait", 1, STEP_PLAIN, step_wait},
        {"@pause", 0, STEP_PLAIN, step_pause},
        {"@kill9", 0, STEP_PLAIN, step_kill9},
        {"@raise", 1, STEP_PLAIN, step_raise},
        {"@exit", 1, STEP_PLAIN, step_exit},
        {"@return", 1, STEP_PLAIN, step_return},
        {"@segv", 0, STEP_PLAIN, step_segv},
        {"@hog", 1, STEP_PLAIN, step_hog},
        {"@exec", 0, STEP_REST, step_exec},
        {"@fork", 0, STEP_BLOCK, step_fork},
        {"@wait-children", 0, STEP_PLAIN, step_wait_children},
        {"@thread", 0, STEP_BLOCK, step_thread},
        {"@join", 0, STEP_PLAIN, step_join},
        {"@leader-exit", 0, STEP_PLAIN, step_leader_exit},
        {"@repeat", 1, STEP_BLOCK, step_repeat},
        {"@until", 1, STEP_BLOCK, step_until},
        {"@forks", 1, STEP_PLAIN, step_forks},
        {"@close-fds", 1, STEP_PLAIN, step_close_fds},
        {"@keep-fds", 0, STEP_PLAIN, step_keep_fds},
        {"@peek", 1, STEP_PLAIN, step_peek},
        {"@ignore-signals", 0, STEP_PLAIN, step_ignore_signals},
        {"@setuid", 1, STEP_PLAIN, step_setuid},
        {NULL, 0, STEP_PLAIN, NULL},
};
