/* life.c - an incident is firing, acknowledged, resolved. Back it goes only where something new is to be seen. */
#include <errno.h>

#include "incident/incident.h"

const char *incident_status_name(enum incident_status s)
{
        static const char *const names[] = {[INCIDENT_FIRING] = "firing",
                                            [INCIDENT_ACKNOWLEDGED] = "acknowledged",
                                            [INCIDENT_RESOLVED] = "resolved"};

        return names[s];
}

int incident_acknowledge(struct incident *i, int64_t now_ns)
{
        if (i->status != INCIDENT_FIRING)
                return -EALREADY;
        i->status = INCIDENT_ACKNOWLEDGED;
        i->acknowledged_ns = i->seen_ns = now_ns;
        i->seen_severity = i->severity;
        return 0;
}

int incident_fire(struct incident *i)
{
        if (i->status != INCIDENT_ACKNOWLEDGED)
                return -EALREADY;
        i->status = INCIDENT_FIRING;
        i->acknowledged_ns = 0;
        return 0;
}

int incident_resolve(struct incident *i, const char *by, int64_t now_ns)
{
        if (i->status == INCIDENT_RESOLVED)
                return -EALREADY;
        i->status = INCIDENT_RESOLVED;
        i->resolved_ns = now_ns;
        i->resolved_by = by;
        return 0;
}

void incident_owe(struct incident *i, enum incident_ends what)
{
        i->owed |= 1u << what;
}

bool incident_fulfil(struct incident *i, enum incident_ends what)
{
        i->owed &= ~(1u << what);
        return i->owed == 0;
}
