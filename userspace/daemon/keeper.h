/* keeper.h - the queue in front of the store: nothing waits for a lock or a disk, nothing that was promised is lost. Layer: daemon.
 *
 * Rows are queued, and written in order by a child (scribe.h), many in one transaction, when the loop has done its turn. While the
 * store is locked, full, broken or does not answer they wait here, at most KEEPER_BYTES of them: then what is only good to know
 * (summaries, events, clean ends) goes first, oldest first, and is counted; incidents, findings, certificates of them and intents
 * stay. The monitor itself only reads. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "incident/incident.h"
#include "store/store.h"

#define KEEPER_BYTES (8u << 20)

struct keeper;

/** What the keeper tells; called from keeper_turn() and scribe_turn(). */
struct keeper_hooks {
        void (*events)(void *userdata); /* rows of `events` have been stored */
        void (*trouble)(void *userdata,
                        const char *why); /* the store cannot be written for now; why NULL: it can again */
        void (*renewed)(void *userdata);  /* it was damaged and is a new one: store again what is open */
        void *userdata;
};

/** This run, as its row in the store has it. */
struct keeper_run {
        int64_t id;
        char boot_id[40];
        int pid;
        const char *version; /* static */
        int64_t started_ns;
};

/** Retention, as store_retain() wants it; how much in one step is the keeper's affair (pace.h). */
struct keeper_retention {
        uint64_t age_ms, incident_ms, bytes;
};

struct scribe;

/**
 * Opens the store in @p dir, for writing: until keeper_begin() it is the caller's alone. What is damaged there is set aside, with a
 * line on standard error. @p scribe must live longer.
 * @return 0; -EPROTONOSUPPORT, -EBUSY or -errno as store_open(), after the reason has been logged
 */
int keeper_open(const char *dir, const struct keeper_hooks *hooks, struct scribe *scribe, struct keeper **ret);
/** From now on children write, and keeper_store() is only for questions. @param run  its row is there. @return 0 or -errno */
int keeper_begin(struct keeper *k, const struct keeper_run *run);
/** Writes what can be written, for some seconds at most, and closes. NULL is allowed. @return false: something could not be */
bool keeper_close(struct keeper *k);

/** For questions; NULL while there is none, or it does not answer (see keeper_trouble()). Waits for a lock for some tenths of a
 * second, until the next call, unless store_set_patience() says otherwise. */
struct store *keeper_store(struct keeper *k);
/** Whether what a question to it met is over soon: somebody writes (-EBUSY); or the file was replaced and somebody writes the new one,
 * whose journal looks to us as if it were of the old one, to be rolled back (-EROFS). */
bool keeper_will_answer(int error);
/** What @p error of a question to keeper_store() means: -ENODEV where vigil.db was replaced meanwhile, so that one file's -shm led to
 * frames of the other (the next keeper_store() opens what stands there now); else @p error. */
int keeper_read_error(struct keeper *k, int error);
/** Id of this run: another one once the store is another. */
int64_t keeper_run_id(const struct keeper *k);

/** Begins to write what waits. @return ms until it must be called again, -1: not before the scribe has something to do */
int keeper_turn(struct keeper *k);
/** The same until nothing waits, @p ms at most. @return false: something still waits */
bool keeper_flush(struct keeper *k, unsigned ms);
/** Whether vigil.db is still the file that was opened: one that was deleted or replaced is begun anew, loudly. Call each second. */
void keeper_look(struct keeper *k);
/** A sign of life, and one small step of retention, with the next transaction. Not while there is trouble. */
void keeper_tend(struct keeper *k, const struct keeper_retention *retention);
/** The last such step was not the end of it. */
bool keeper_tends(const struct keeper *k);
/** Since so many ns the store does not answer: a child that writes to it hangs. 0: it does, or not long enough to be told; a step of
 * retention may take longer. */
uint64_t keeper_silent_ns(const struct keeper *k);
/** Bytes that wait, rows that were given up for want of room, and why nothing can be written (NULL: it can). */
size_t keeper_waiting(const struct keeper *k);
uint64_t keeper_given_up(const struct keeper *k);
/** Rows that killed every child that wrote them, and stand in STATE/set-aside.ndjson; 0, once somebody has removed that file. */
size_t keeper_set_aside(const struct keeper *k);
const char *keeper_trouble(const struct keeper *k);

/* ---- rows. Texts are copied, a @p doc is taken over (a reference of the caller's); out of memory is counted as given up ---- */

/** The row that was put last and the next one are stored in one transaction. As they are not only where children die of one of them. */
void keeper_together(struct keeper *k);
void keeper_incident(struct keeper *k, const struct incident *i, json_t *doc);
/** @param incident  NULL: it belongs to none; then, with @p spare, it may be given up */
void keeper_certificate(struct keeper *k, const char *id, const char *database, const char *incident,
                        const char *verdict, int64_t ended_ns, json_t *doc, bool spare);
void keeper_finding(struct keeper *k, const char *id, const char *database, const char *incident, const char *code,
                    const char *severity, int64_t at_ns, json_t *doc);

/**
 * The intent of an action. @p stored is called once it is safe: only then may the action begin.
 * @return a ticket for keeper_outcome(), a reference of the caller's; NULL: out of memory
 */
json_t *keeper_intent(struct keeper *k, const char *kind, const char *database, const char *incident,
                      const char *reason, int64_t now_ns, void (*stored)(void *userdata), void *userdata);
/** Nobody waits for that intent any longer: `stored` is not called. */
void keeper_forget(struct keeper *k, const json_t *ticket);
/** @param outcome  "done", "failed", "killed", "interrupted"; static */
void keeper_outcome(struct keeper *k, json_t *ticket, const char *outcome, int64_t now_ns, json_t *doc);

/** An action of an earlier run, which took it for interrupted, was done: as store_adopt_action(). */
void keeper_adopted(struct keeper *k, const char *kind, const char *database, const char *incident, int64_t now_ns,
                    json_t *doc);

void keeper_backup(struct keeper *k, const char *database, const char *incident, json_t *entry);
/** It was removed by retention. */
void keeper_backup_removed(struct keeper *k, const char *database, const char *id, int64_t at_ns);
/** The evidence of a resolved incident was removed by retention. */
void keeper_evidence_removed(struct keeper *k, const char *incident, int64_t at_ns);
void keeper_check(struct keeper *k, const char *database, const char *incident, const char *reason, int64_t at_ns,
                  json_t *check);
/** "at", "type" and "database" are added to @p doc: it is one line of vigil.events/1. */
void keeper_event(struct keeper *k, const char *type, const char *database, int64_t at_ns, json_t *doc);
void keeper_metric(struct keeper *k, const char *type, double value, int64_t at_ns, json_t *labels);
/** Its texts and its histogram are copied. */
void keeper_summary(struct keeper *k, const struct store_summary *row);
/** A status that store_poll_alerts() has told: as store_take_over_alert(). */
void keeper_taken_over(struct keeper *k, const char *incident, const char *status, int64_t at_ns);
/** All of it is copied. As store_put_baseline(), store_forget_baseline(). */
void keeper_baseline(struct keeper *k, const struct store_baseline *b);
void keeper_forget_baseline(struct keeper *k, const char *database, const char *file, const char *op);
/** The orderly end of this run. */
void keeper_end_run(struct keeper *k, int64_t now_ns);
