/* summary.h - what was done to each database in the last minute: the kernel's accounts, subtracted. Layer: daemon. */
#pragma once

#include "daemon/tally.h"
#include "store/store.h"

struct daemon;
struct summary;

int summary_new(struct summary **ret); /* -ENOMEM */
void summary_free(struct summary *s);

/** The accounts go back to before this run: the first minute begins here. */
void summary_begin(struct daemon *d);

/** Stores the minute that ends now, and its metrics. */
void summary_minute(struct daemon *d);

/** What has been counted since the last minute ended. Texts belong to it and to the guards: use it up at once. */
struct summary_rows {
        struct store_summary *row;
        size_t n;
        struct tally tally;
};
/** @return 0 or -errno */
int summary_live(struct daemon *d, struct summary_rows *ret);
void summary_rows_done(struct summary_rows *r);

/** A record that tells of a failed operation: a row of `metrics` for the runbooks, at most 100 a minute, then one that says so. */
void summary_error(struct daemon *d, const struct vigil_hdr *record);
