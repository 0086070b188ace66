/* recovery.h - whether what a death left behind has been put right by the next opener. Layer: daemon. */
#pragma once

#include <jansson.h>

#include "detect/detect.h"

struct daemon;
struct recoveries;

int recoveries_new(struct recoveries **ret); /* -ENOMEM */
void recoveries_free(struct recoveries *r);

/** The incident ends by the recovery of this certificate's database: its account at that death is the base. */
void recovery_expect(struct daemon *d, const char *incident, const struct certificate *c);

/** After a start: incidents of an earlier run that wait for a recovery, of each of their databases. Their base is the account as it is now. */
void recovery_expect_open(struct daemon *d);

/** A process has closed the database in good order: where it opened it after a death and had nothing to recover, and a helper finds
 * no hot journal beside it, that death has left nothing. Nor where it had it open at the death and was the last to close it, and no log
 * is there either. */
void recovery_closed(struct daemon *d, const struct certificate *c);

/** The reason of those looks, by which their answers are known. @p tag as it was given to actions_start(). */
#define RECOVERY_REASON "recovery"
void recovery_looked(struct daemon *d, void *tag, const json_t *answer);

/** Asks the accounts of the kernel, and now and then who has the databases open. Call each second. */
void recovery_turn(struct daemon *d);
