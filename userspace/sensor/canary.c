/* canary.c - proof that the probes see: a child of ours does one of everything to a file of ours, and is killed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/openat2.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/lockdir.h"
#include "sensor/internal.h"

#define CANARY_WAIT_MS 1000

/* ---- the child ---- */

/* Results do not matter: the probes look at each call, whether it succeeds or not. */
static void touch_paths(const char *a, const char *b)
{
        struct open_how how = {.flags = O_RDWR};

        close((int)syscall(SYS_openat2, AT_FDCWD, a, &how, sizeof(how)));
        (void)!truncate(a, 64);
#ifdef __x86_64__
        close((int)syscall(SYS_open, a, O_RDWR));
        close((int)syscall(SYS_creat, b, 0600));
        syscall(SYS_unlink, b);
        syscall(SYS_link, a, b);
        syscall(SYS_rename, b, b);
        syscall(SYS_unlinkat, AT_FDCWD, b, 0);
        syscall(SYS_mkdir, b, 0700);
        syscall(SYS_rmdir, b);
#endif
        syscall(SYS_linkat, AT_FDCWD, a, AT_FDCWD, b, 0);
#ifdef SYS_renameat
        syscall(SYS_renameat, AT_FDCWD, b, AT_FDCWD, b);
#endif
        syscall(SYS_renameat2, AT_FDCWD, b, AT_FDCWD, b, 0);
        syscall(SYS_unlinkat, AT_FDCWD, b, 0);
        syscall(SYS_mkdirat, AT_FDCWD, b, 0700);
        syscall(SYS_unlinkat, AT_FDCWD, b, AT_REMOVEDIR);
}

static void touch_file(int fd, int other)
{
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000001, .l_len = 1};
        struct iovec iov = {.iov_base = (char[8]){0}, .iov_len = 8};
        off_t off = 0;
        int pipes[2];

        (void)!write(fd, iov.iov_base, 8);
        (void)!pwrite(fd, iov.iov_base, 8, 0);
        (void)!writev(fd, &iov, 1);
        (void)!pwritev(fd, &iov, 1, 0);
        syscall(SYS_pwritev2, fd, &iov, 1UL, 0UL, 0UL, 0);
        (void)!sendfile(fd, other, &off, 8);
        (void)!copy_file_range(other, NULL, fd, NULL, 8, 0);
        if (pipe2(pipes, O_CLOEXEC) == 0) {
                (void)!write(pipes[1], iov.iov_base, 8);
                (void)!splice(pipes[0], NULL, fd, NULL, 8, 0);
                close(pipes[0]);
                close(pipes[1]);
        }
        (void)!ftruncate(fd, 128);
        (void)!fallocate(fd, 0, 0, 128);
        ioctl(fd, FICLONE, other);
        (void)!pread(fd, iov.iov_base, 8, 0);
        (void)!read(fd, iov.iov_base, 8);
        (void)!readv(fd, &iov, 1);
        (void)!preadv(fd, &iov, 1, 0);
        fsync(fd);
        fdatasync(fd);
        sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        flock(fd, LOCK_EX | LOCK_NB);
        fcntl(fd, F_SETLK, &lock); /* RESERVED, and it dies with it: the kernel side must tell */
}

/* A fork and an exec that does nothing: the program itself, asked for its version. */
static void touch_life(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                int null = open("/dev/null", O_RDWR | O_CLOEXEC);
                dup2(null, STDOUT_FILENO);
                dup2(null, STDERR_FILENO);
                execl("/proc/self/exe", "vigil", "--version", (char *)NULL);
                _exit(127);
        }
        if (pid > 0)
                waitpid(pid, NULL, 0);
}

static void canary_child(const char *dir, int go, pid_t parent)
{
        char a[PATH_MAX], b[PATH_MAX], byte;

        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        /* The parent may have died before the call. */
        if (getppid() != parent || read(go, &byte, 1) != 1) /* not before it is marked */
                _exit(1);
        snprintf(a, sizeof(a), "%s/canary.db", dir);
        snprintf(b, sizeof(b), "%s/canary.tmp", dir);
        int fd = open(a, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        int other = open(a, O_RDONLY | O_CLOEXEC);
        touch_paths(a, b);
        touch_file(fd, other);
        touch_life();
        for (;;)
                raise(SIGSTOP); /* until it is killed; the parent waits for the stop */
}

/* ---- the parent ---- */

struct wait {
        pid_t pid;
        bool dead;
        bool counted;
        sensor_fn fn;
        void *userdata;
};

static int on_record(const struct vigil_hdr *record, void *userdata)
{
        struct wait *w = userdata;

        if (record->type == VIGIL_EXIT && ((const struct vigil_proc *)record)->id.tgid == (uint32_t)w->pid) {
                w->dead = true;
        } else if (record->type == VIGIL_EXIT_DB) {
                const struct vigil_exit_db *r = (const struct vigil_exit_db *)record;
                if (r->id.tgid == (uint32_t)w->pid)
                        w->counted = r->use.locks_at_end & VIGIL_LOCK_RESERVED &&
                                     r->db.file[VIGIL_ROLE_MAIN].writes >= 5 &&
                                     r->db.file[VIGIL_ROLE_MAIN].syncs >= 2;
        }
        return w->fn(record, w->userdata);
}

static int run_child(struct sensor *s, const char *dir, struct wait *w)
{
        int go[2], status;

        if (pipe2(go, O_CLOEXEC) < 0)
                return -errno;
        pid_t self = getpid();
        w->pid = fork();
        if (w->pid < 0) {
                close(go[0]);
                close(go[1]);
                return -errno;
        }
        if (w->pid == 0) {
                close(go[1]);
                canary_child(dir, go[0], self);
        }
        close(go[0]);
        int r = sensor_mark(s, w->pid, SENSOR_CANARY);
        if (r < 0 || write(go[1], "g", 1) != 1)
                kill(w->pid, SIGKILL);
        close(go[1]);
        if (r == 0)
                waitpid(w->pid, &status, WUNTRACED);
        kill(w->pid, SIGKILL);
        waitpid(w->pid, &status, 0);
        return r;
}

static void count_silent(struct sensor *s)
{
        struct sensor_probe p;

        s->silent = 0;
        for (size_t i = 0; i < probes_count; i++)
                if (sensor_probe_state(s, i, &p) == 0 && p.attached && p.triable && !p.seen)
                        s->silent++;
}

/* ---- where ---- */

static const char *const inside[] = {"canary.db", "canary.tmp", NULL};
static const struct lockdir_kind directories = {.prefix = "vigil-canary-", .inside = inside};

/* On a memory file system, so that its syncs cost nothing; anywhere else if there is none. @param place  static, or of the environment */
static int make_dir(struct lockdir *ret, const char **place)
{
        const char *places[] = {"/dev/shm", "/run", getenv("TMPDIR"), "/tmp"};
        int r = -ENOENT;

        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
                _cleanup_close_ int parent = places[i] ? open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
                if (parent < 0)
                        continue;
                *place = places[i];
                r = lockdir_make(parent, &directories, ret);
                if (r == 0)
                        return 0;
        }
        return r;
}

int sensor_canary(struct sensor *s, sensor_fn fn, void *userdata)
{
        struct wait w = {.fn = fn, .userdata = userdata};
        struct lockdir at = LOCKDIR_NONE;
        char dir[PATH_MAX - 16], file[PATH_MAX];
        const char *place;
        unsigned id;
        int r = make_dir(&at, &place);

        if (r < 0)
                return r;
        snprintf(dir, sizeof(dir), "%s/%s", place, at.name);
        snprintf(file, sizeof(file), "%s/canary.db", dir);
        r = watch_path(s, file, VIGIL_DB_CANARY, &id);
        if (r == 0)
                r = run_child(s, dir, &w);
        uint64_t deadline = clock_boottime_ns() + CANARY_WAIT_MS * 1000000ULL;
        while (r >= 0 && !(w.dead && w.counted) && clock_boottime_ns() < deadline)
                r = sensor_poll(s, 20, on_record, &w);
        s->canary_ran = true;
        s->canary_seen = w.dead && w.counted;
        count_silent(s);
        lockdir_remove(&at, &directories);
        return r < 0 ? r : 0;
}
