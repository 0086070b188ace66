/* tree.h - the command under watch and everything it starts. Layer: cli. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "cli/session.h"

/** The command. */
struct tree {
        pid_t pid;
        struct vigil_ident id;
        int signals;      /* signalfd of SIGCHLD and of the signals that are forwarded */
        bool started;     /* its program was executed */
        bool interrupted; /* a signal of early.h came before that: it was not */
        bool reaped;      /* the command itself has ended */
        bool empty;       /* and so have all processes it left to us */
        int status;       /* of the command, as wait(2) has it */
        int exec_error;   /* -errno of execvp(3); then it never ran */
};

/**
 * Forks the command stopped before its exec, marks it, and lets it go. Call with the sensor open.
 *
 * @param stdout_to_stderr  its standard output becomes our standard error (--json without --out)
 * @return 0; or -errno. An exec that fails is told by tree->exec_error, one that was not tried by tree->interrupted.
 */
int tree_start(struct tree *t, struct session *s, char **argv, bool stdout_to_stderr);

/** Waits for records and for deaths, up to @p timeout_ms; forwards SIGINT and SIGTERM. @return 0 or -errno */
int tree_turn(struct tree *t, struct session *s, int timeout_ms);

void tree_done(struct tree *t);
