/* people.h - who took part: program, arguments, cgroup of each participant, as long as anybody may ask. Layer: daemon. */
#pragma once

#include "bpf/abi.h"
#include "sensor/sensor.h"

#define PEOPLE_BUCKETS 1024

struct person;

struct people {
        struct person *person; /* MEMORY_PROCESSES of them */
        size_t n, dead;        /* in all; of these */
        size_t text_bytes;
        uint16_t bucket[PEOPLE_BUCKETS]; /* index + 1 of the first; 0: none */
        uint16_t free;                   /* index + 1 of the first that nobody has */
        struct vigil_cgroup *cgroup;     /* of the process that comes next; NULL */
};

/** @return 0 or -ENOMEM */
int people_init(struct people *p);
void people_done(struct people *p);

/** The cgroup of the process that is told of next. @return 0 or -ENOMEM */
int people_take_cgroup(struct people *p, const struct vigil_cgroup *r);
/** When there is no room, the process that has been dead for longest goes, or else the oldest. @return 0 or -ENOMEM */
int people_take(struct people *p, const struct vigil_process *r, bool redact_argv);

/** The process has ended or replaced itself: what was known of it until @p ns is kept for a while. */
void people_died(struct people *p, const struct vigil_ident *id, uint64_t ns);
/** Forgets those that died before @p ns. */
void people_age(struct people *p, uint64_t ns);

/** Delivers VIGIL_CGROUP and VIGIL_PROCESS of everything that @p id was, in no order. @return 0, or what @p fn returned */
int people_tell(const struct people *p, const struct vigil_ident *id, sensor_fn fn, void *userdata);
