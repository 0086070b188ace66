/* cause.h - whether findings have one cause. Layer: incident. Used within it alone. */
#pragma once

#include "incident/incident.h"

/** An incident with what it is recognised by. */
struct incident_known {
        struct incident i; /* first: incidents hand out its address */
        uint64_t death_ns; /* CLOCK_BOOTTIME of its newest death; 0: none, or before this boot */
        struct incident_cause cause[INCIDENT_MAX_CAUSES]; /* of its deaths */
        size_t ncauses;
        /* What about no death belongs to it: (database, code). Databases are indices; -1: about none; TOPIC_UNNAMED. */
        struct incident_topic {
                int database;
                const struct incident_code *code;
                bool over;     /* with ENDS_WHEN_OVER: whoever told it says so */
                bool restored; /* it was told before this start, and not again since */
        } topic[INCIDENT_MAX_CAUSES];
        size_t ntopics;
        struct incident_program { /* of its deaths, for those that come again */
                uint64_t key;
                int database;
                uint64_t last_ns;    /* CLOCK_BOOTTIME of the newest death */
                int64_t first_at_ns; /* since the epoch */
                unsigned deaths;
        } program[INCIDENT_MAX_PROGRAMS];
        size_t nprograms;
        char *reason[TRUST_REASONS]; /* texts of i.trust that were stored */
};

/** The database of a topic that was stored, and whose name could not be: no finding is about it. */
#define TOPIC_UNNAMED (-2)

/** True when the finding is about a death. */
bool cause_is_death(const struct incident_finding *f);

/** Whether @p f, whose row in the table of codes is @p code (NULL: none), has the cause of @p k. */
bool cause_same(const struct incident_known *k, const struct incident_finding *f, const struct incident_code *code);

/** Remembers the cause of @p f. @param database  its index in k->i.databases; -1: none, or beyond the bound */
void cause_note(struct incident_known *k, const struct incident_finding *f, const struct incident_code *code,
                int database);

/** Index of the database called @p name in @p i; -1: none. */
int cause_database(const struct incident *i, const char *name);
