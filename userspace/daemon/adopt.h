/* adopt.h - backups that a helper finished while the daemon was being killed. Layer: daemon. */
#pragma once

struct daemon;

/**
 * At the start: an incident that is owed a backup gets the verified one that stands in its directory with the incident's id in its
 * manifest, and its check; the action, which was taken for interrupted, was done. What is not found there is done again
 * (response_resume()). After known_backups_read().
 */
void adopt_backups(struct daemon *d);
