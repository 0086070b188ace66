/* check_work.h - the worker of check.c. Layer: engine. */
#pragma once

#include "engine/check.h"
#include "engine/scratch.h"

/** Order of the worker. */
struct check_job {
        const struct scratch *scratch; /* a private copy, to be recovered and unlinked; or NULL and */
        const char *finished;          /* resolved path of a file that is opened as it stands */
        enum check_method method;
};

/** Bytes of the longest answer: all errors kept, each byte of their texts escaped. */
#define CHECK_ANSWER_MAX (512 * 1024)

/** Body of the worker, a child_fn. Answers {"outcome", "method", "errors", "reason"}; "method" is what was done. */
int check_work(int answer_fd, void *userdata);
