/* recovery.h - whether what a death left behind has been put right by the next opener. Layer: daemon. */
#pragma once

#include "detect/detect.h"

struct daemon;
struct recoveries;

int recoveries_new(struct recoveries **ret); /* -ENOMEM */
void recoveries_free(struct recoveries *r);

/** The incident ends by the recovery of this certificate's database: its account at that death is the base. */
void recovery_expect(struct daemon *d, const char *incident, const struct certificate *c);

/** After a start: incidents of an earlier run that wait for a recovery. Their base is the account as it is now. */
void recovery_expect_open(struct daemon *d);

/** Asks the accounts of the kernel. Call each second. */
void recovery_turn(struct daemon *d);
