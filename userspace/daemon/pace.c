/* pace.c - see pace.h. */
#include "daemon/pace.h"

/* Less than what is told as a disk that hangs (scribe.h). The sync at its end cannot be broken off, and has longer (keeper.c). */
#define BROKEN_OFF_MS       1000
#define BROKEN_OFF_LEAST_MS 2500
#define QUICK_MS            250

static unsigned rows_of(const struct pace *p)
{
        return p->rows ? p->rows : PACE_BEGIN;
}

unsigned pace_next(const struct pace *p, unsigned *ret_ms)
{
        unsigned rows = rows_of(p);

        *ret_ms = rows > PACE_LEAST ? BROKEN_OFF_MS : BROKEN_OFF_LEAST_MS;
        return rows;
}

bool pace_took(struct pace *p, unsigned ms, bool broken_off)
{
        unsigned rows = rows_of(p);
        bool was = p->stuck;

        p->stuck = broken_off && rows == PACE_LEAST;
        if (broken_off || ms > BROKEN_OFF_MS)
                p->rows = rows / 2 > PACE_LEAST ? rows / 2 : PACE_LEAST;
        else if (ms < QUICK_MS)
                p->rows = 2 * rows < PACE_MOST ? 2 * rows : PACE_MOST;
        return p->stuck && !was;
}
