/* scribe.h - what is written into the state directory is written by children: a disk that hangs in a sync stands one of them, and
 * not the watch. Layer: daemon.
 *
 * A piece of work is a function that runs in a fork of the monitor, so what it writes is what the monitor knew when it began, and
 * nothing of it needs to be packed. It has no deadline: a kill would not reach a process that waits for a disk, and would leave
 * open what it has written. It outlives the monitor and finishes; until then it holds the lock of the state directory, so that
 * the next run begins only after it. */
#pragma once

#include <stdint.h>

#include "base/child.h"

struct scribe;

/** What can be at work at a time, one of each; and what is begun behind another, waiting for it. */
enum scribe_work { SCRIBE_STORE, SCRIBE_STATE, SCRIBE_DISCOVERED, SCRIBE_RECORDING, SCRIBE_SOCKET, SCRIBE_WORKS };

/** How long a disk may take before it is said to hang. */
#define SCRIBE_SILENT_NS 4000000000ull

/** @param lock  descriptor that the children keep; -1: none. It must stay open as long as the scribe. */
int scribe_new(int lock, struct scribe **ret);
/** What is still at work is left to itself, and finishes. NULL is allowed. */
void scribe_free(struct scribe *s);

/**
 * @param error   0 or -errno: of the piece of work, as it told by scribe_tell() or as "error" of its answer; -ECHILD: it died, and
 *                what it has done is not known
 * @param answer  borrowed; NULL: there is none
 */
typedef void (*scribe_done)(void *userdata, int error, const json_t *answer);

/**
 * Runs @p fn(@p arg) in a child; @p done comes out of scribe_turn() or scribe_wait().
 * @return 0; -EALREADY: one of that kind is at work; or as child_start()
 */
int scribe_start(struct scribe *s, enum scribe_work work, child_fn fn, void *arg, scribe_done done, void *userdata);

/** So much may wait. */
#define SCRIBE_BEHIND 7

/** The same; where one of that kind is at work it runs in a child that is made now, and waits for the end of those before it: for
 * what must not be left out because a disk is slow. @return -EALREADY: SCRIBE_BEHIND wait already */
int scribe_start_behind(struct scribe *s, enum scribe_work work, child_fn fn, void *arg, scribe_done done,
                        void *userdata);

/** For a piece of work that has nothing to answer but @p error, 0 or -errno. @return exit status of the child */
int scribe_tell(int answer_fd, int error);

/** Readable when scribe_turn() has something to do. */
int scribe_fd(const struct scribe *s);
/** Calls `done` of what is over. Never waits. */
void scribe_turn(struct scribe *s);
/** Turns until nothing of that kind is at work, @p ms at most. @return false: the time is up */
bool scribe_wait(struct scribe *s, enum scribe_work work, unsigned ms);

/** How long work is waited for at the end of the daemon, in ms: seconds, but hardly where something hangs already. */
unsigned scribe_patience(const struct scribe *s);

/** Of what the last of them died that did: "SIGSEGV", "status 1"; "": none has. */
const char *scribe_died_of(const struct scribe *s, enum scribe_work work);

/** For how long it has been at work, the first of them, in ns; 0: it is not. */
uint64_t scribe_since(const struct scribe *s, enum scribe_work work);
