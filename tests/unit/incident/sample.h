/* sample.h - a set of incidents, and deaths that are added to it. */
#pragma once

#include "incident/incident.h"

#define S    1000000000ull
#define BOOT "7d5d9b43-4b4e-4a0a-8a44-3c3a0d0c4f10"

extern struct incidents *set;

/** Makes an empty set. */
void make(void);

size_t count(void);

/** A death on "a" at 10 s that nothing connects with another. Its id lasts for 64 further ones. */
struct incident_finding death(uint32_t tgid);

/** The incident it belongs to, which must be a new one or not. */
struct incident *add(struct incident_finding f, bool expect_new);
