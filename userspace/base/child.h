/* child.h - child processes that do dangerous work: sandbox, deadline, bounded answer. Layer: base.
 *
 * A worker is a function of this binary that runs in a forked child. It parses hostile files or holds SQLite handles; the
 * parent believes nothing but a bounded answer, and a worker that hangs, crashes or floods costs one action. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The timer slack of workers, by which a Vigil of another build on the host knows them (bpf/watch.h). It never changes. */
#define CHILD_TIMER_SLACK_NS 50137

/** Marks the calling thread as one. What it forks has the mark, too: not for who begins programs of others. */
void child_mark(void);

/**
 * How a worker is confined. What the kernel lacks is left out and reported in child_result.unconfined; what it has and
 * refuses ends the worker before it starts.
 *
 * A confined worker of root keeps one capability, CAP_DAC_READ_SEARCH: it reads every file and writes only what root owns or
 * the mode allows. Where it must write as somebody else, use set_ids; where it must write into a directory of somebody
 * else, make it a directory of its own there first. System calls: base/seccomp.c. A descriptor that it was given keeps
 * working wherever the file lies.
 */
struct child_options {
        const char *name;     /* what ps(1) shows, at most 15 characters; NULL: that of the parent */
        uint64_t deadline_ms; /* after it the child gets SIGKILL; 0: none */
        size_t answer_limit;  /* bytes of its answer that are read; more is an error. 0: 64 KiB */
        bool sandbox;         /* seccomp allow-list, no capabilities, no_new_privs, Landlock on the paths below */
        uid_t uid;            /* with set_ids: becomes this user first */
        gid_t gid;
        bool set_ids;
        bool outlives; /* goes on when the parent dies: it finishes what must not be cut short */
        /* NULL-terminated lists of files or directories; NULL: none. A path that does not exist grants nothing. A directory
         * among keep_fds counts as writable. */
        const char *const *read_only;
        const char *const *writable;
        uint64_t memory_limit;                                              /* RLIMIT_AS in bytes; 0: none */
        void (*on_progress)(void *userdata, uint64_t done, uint64_t total); /* {"done":…,"total":…}; may be NULL */
        void *userdata;
};

/** What became of a worker. Release with child_result_done(). */
struct child_result {
        json_t *answer; /* its last line that is no progress; NULL when that is no JSON object */
        int status;     /* as waitpid(2) has it; SIGKILL when the child could not even be killed (see child_run) */
        bool timed_out;
        bool flooded; /* lines that are no progress came to more than answer_limit */
        uint64_t ms;
        const char *unconfined; /* static text: what of the sandbox this kernel lacks; NULL: nothing */
};

/** Exit status of a child that could not be confined as asked: the worker's function was not called. */
#define CHILD_NO_SANDBOX 125

void child_result_done(struct child_result *r);

/**
 * Body of a worker. Runs in the child, with nothing open but 0, 1, 2 (on /dev/null, except 2 with -v), @p answer_fd and
 * @p keep_fds, in a process group of its own (an interrupt from the terminal is for the parent to act upon), with default
 * signal handling. Writes lines of JSON to @p answer_fd: any number of progress lines, then one object, the answer.
 *
 * @return exit status of the child
 */
typedef int (*child_fn)(int answer_fd, void *userdata);

/**
 * Runs @p fn(@p arg) in a confined child and waits for its answer.
 *
 * Descriptors of the parent are closed in the child except those listed. The child dies with the parent (PR_SET_PDEATHSIG:
 * with the thread that called), unless it `outlives` it. The parent must have no other thread while it forks: a lock that one holds, of libcrypto
 * for instance, is held for ever in the child. Works while the parent has other children: only this one is reaped. A killed
 * child that does not go within 5 s (it hangs in the kernel, on a dead disk) is left behind and not waited for.
 *
 * @param keep_fds  descriptors above 2 that the child keeps, at most 63, ended by -1; NULL: none
 * @return 0 when the child ended by itself with status 0 and gave an answer; -ETIME on the deadline, -EMSGSIZE when it
 *         flooded, -EBADMSG when its answer is no JSON object, -ECHILD when it died or failed (see status; exit
 *         status CHILD_NO_SANDBOX: it could not be confined, and answered {"sandbox": -errno}), or -errno of fork(2),
 *         pipe(2). @p ret is filled in every case and must be released.
 */
int child_run(const struct child_options *options, const int *keep_fds, child_fn fn, void *arg,
              struct child_result *ret);

/* ---- the same worker, without waiting for it: for an event loop ------------------------------------------------------ */

struct child;

/**
 * Starts @p fn(@p arg) as child_run() does. The texts that @p options points to are needed until this returns; what @p arg
 * points to is the child's own copy. on_progress is called out of child_turn().
 *
 * @param ret  untouched on failure; to be ended by child_finish()
 * @return 0, -ENOMEM, or -errno of fork(2), pipe(2), pidfd_open(2), epoll_create1(2)
 */
int child_start(const struct child_options *options, const int *keep_fds, child_fn fn, void *arg,
                struct child **ret);

/** Readable when child_turn() has something to do. Owned by @p c. */
int child_fd(const struct child *c);

/** Its pidfd: readable when it has ended, also for a sibling that was given it. Owned by @p c. */
int child_pidfd(const struct child *c);

/**
 * Does what can be done without waiting: reads a part of the answer (at most 1 MiB a call, however much the child writes),
 * kills the child when its time is up or it has flooded, collects it when it is dead.
 *
 * @param ret_wait_ms  call again after so long even if nothing became readable; -1: no need
 * @return true when it is over: the child has been collected, or was killed and did not go within 5 s
 */
bool child_turn(struct child *c, int *ret_wait_ms);

/** Kills the child; child_turn() says when it is gone. */
void child_kill(struct child *c);

/** Frees @p c and lets the child finish by itself. Nobody collects it: for a parent that ends. NULL is allowed. */
void child_abandon(struct child *c);

/** What became of it, as child_run() returns it (-ECHILD after child_kill()). Frees @p c. A child that is still at work is
 * killed first and waited for, at most 5 s. */
int child_finish(struct child *c, struct child_result *ret);
