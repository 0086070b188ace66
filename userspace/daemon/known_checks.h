/* known_checks.h - what earlier runs have found when they checked. Layer: daemon. */
#pragma once

struct daemon;

/** Of each guarded database the newest check that the store knows, at the start. */
void known_checks_read(struct daemon *d);
