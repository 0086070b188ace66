/* jobs.h - the jobs of the orchestrators: read by schedule and at every death, judged by evidence, told when something is wrong.
 * Layer: daemon.
 *
 * A reading is an action (ACTION_JOBS). What it says goes into one table for each orchestrator; what is in question is sampled
 * (sensor/evidence.h) and judged (detect/job.h) once a second. One finding for an orchestrator and verdict, however many jobs. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "daemon/action.h"

struct daemon;
struct jobs;
struct lock_knot;

int jobs_new(struct jobs **ret); /* -ENOMEM */
/** Before orchestrators_free(). */
void jobs_free(struct daemon *d);

/** Takes over what daemon.config says now. @return 0 or -ENOMEM: everything is as before */
int jobs_apply(struct daemon *d);

/** Takes note of who has ended. Call whenever something is readable. */
void jobs_turn(struct daemon *d);

/** Reads what is due, samples and judges what is in question. Call each second. */
void jobs_second(struct daemon *d);

/** The answer of an ACTION_JOBS. */
void jobs_read_done(struct daemon *d, const struct action_request *r, const json_t *answer, const char *failure,
                    uint64_t ms);

/** A death at @p ended_ns was judged: @p certificate is its id, @p use what it had done with the database. */
void jobs_certificate(struct daemon *d, const struct vigil_ident *id, uint64_t ended_ns,
                      const struct vigil_use *use, const char *certificate);

/** The deaths that earlier runs have judged since the boot: a row may name one of them still. Call once, at the start. */
void jobs_remember(struct daemon *d);

/** The incident of a blocked job that @p k, of d->tangles, keeps from going on; NULL: none has been told. */
const char *jobs_kept_by(struct daemon *d, const struct lock_knot *k);

#define JOBS_SHOWN 1000 /* in one document, the worst first; more are counted */

/** "vigil.jobs/1". @p id NULL: all; else every job of that id, in full. New reference; NULL: out of memory. */
json_t *jobs_document(struct daemon *d, const char *id);

/** For status: counts by verdict. New reference. */
json_t *jobs_status(const struct daemon *d);
