/* discovery.h - `vigil run --discover`: databases that are open on this host and that nobody has configured. Layer: daemon.
 *
 * They are looked for at the start, each minute and at a reload, by a helper (sensor/discover.h). One that was found stays, whether anybody has
 * it open or not, also over a restart: STATE/discovered.conf, a configuration, has them. At a start, and where there is no room for
 * another, those go whose file is not there any more. What the configuration names is the configuration's. */
#pragma once

#include <jansson.h>

#include "config/config.h"

#define DISCOVERY_MAX 256

struct daemon;
struct discoveries;

int discoveries_new(struct discoveries **ret); /* -ENOMEM */
void discoveries_free(struct discoveries *x);

/** Those of the last run, and the first look, which is waited for: before guards_apply(). Does nothing without --discover, as all
 * of these. */
void discovery_begin(struct daemon *d);
/** Another look. Call each minute, and when the configuration was read again. */
void discovery_look(struct daemon *d);
/** What an ACTION_DISCOVER says. @p answer NULL: it failed, @p failure says how */
void discovery_done(struct daemon *d, const json_t *answer, const char *failure);

/** Adds what was found, and is not among them, to the targets of the configuration. @return 0 or -ENOMEM */
int discovery_targets(struct daemon *d, struct config_target **list, size_t *n);

/** Whether it was found, and not configured. */
bool discovery_has(const struct daemon *d, const struct config_database *of);
/** Databases that were open at the last look and are not guarded, for want of room. */
size_t discovery_left_out(const struct daemon *d);
