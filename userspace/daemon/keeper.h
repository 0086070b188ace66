/* keeper.h - the queue in front of the store: nothing waits for a lock, nothing that was promised is lost. Layer: daemon.
 *
 * Rows are queued and written in order, many in one transaction, when the loop has done its turn. While the store is locked, full
 * or broken they wait here, at most KEEPER_BYTES of them: then what is only good to know (summaries, events, clean ends) goes
 * first, oldest first, and is counted; incidents, findings, certificates of them and intents stay. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "incident/incident.h"
#include "store/store.h"

#define KEEPER_BYTES (8u << 20)

struct keeper;

/** What the keeper tells; called from keeper_turn(). */
struct keeper_hooks {
        void (*events)(void *userdata); /* rows of `events` have been stored */
        void (*trouble)(void *userdata,
                        const char *why); /* the store cannot be written for now; why NULL: it can again */
        void (*renewed)(void *userdata);  /* it was damaged and is a new one: store again what is open */
        void *userdata;
};

/**
 * Opens the store in @p dir. What is damaged there is set aside, with a line on standard error.
 * @return 0; -EPROTONOSUPPORT, -EBUSY or -errno as store_open(), after the reason has been logged
 */
int keeper_open(const char *dir, const struct keeper_hooks *hooks, struct keeper **ret);
/** Writes what can be written, and closes. NULL is allowed. */
void keeper_close(struct keeper *k);

/** For questions; NULL while there is none (see keeper_trouble()). */
struct store *keeper_store(struct keeper *k);

/** Writes what waits, at once. @return ms until it must be called again, -1: nothing waits */
int keeper_turn(struct keeper *k);
/** Whether vigil.db is still the file that was opened: one that was deleted or replaced is begun anew, loudly. Call each second. */
void keeper_look(struct keeper *k);
/** Bytes that wait, rows that were given up for want of room, and why nothing can be written (NULL: it can). */
size_t keeper_waiting(const struct keeper *k);
uint64_t keeper_given_up(const struct keeper *k);
const char *keeper_trouble(const struct keeper *k);

/* ---- rows. Texts are copied, a @p doc is taken over (a reference of the caller's); out of memory is counted as given up ---- */

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
