/* attribution.c - see attribution.h. */
#include "daemon/attribution.h"

#include "daemon/core.h"

const char *attribution_why_not(const struct daemon *d)
{
        const char *why = sensor_not_attributed(d->sensor);

        if (!why || why[0])
                return why;
        return d->config->attribution ? "attribution is off until the next start" : "attribution is off";
}

const char *attribution_state(const struct daemon *d)
{
        const char *why = sensor_not_attributed(d->sensor);

        return !why ? "on" : why[0] ? "refused" : "off";
}
