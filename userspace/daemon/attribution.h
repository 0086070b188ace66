/* attribution.h - where the time of slow operations goes, as the daemon tells it. Layer: daemon.
 *
 * Whether the kernel side finds it out is settled at the start: its programs are other ones then (bpf/span.h). */
#pragma once

struct daemon;

/** Why nothing is known of where time went: a sentence; NULL: it is known. As long as @p d. */
const char *attribution_why_not(const struct daemon *d);

/** "on", "off", "refused". Static. */
const char *attribution_state(const struct daemon *d);
