/* known_backups.h - what earlier runs have left in the directories of backups. Layer: daemon. */
#pragma once

struct daemon;

/** Of each guarded database the newest verified backup, and what the copies weigh: read from their manifests, at the start. */
void known_backups_read(struct daemon *d);
