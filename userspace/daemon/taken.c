/* taken.c - see taken.h. */
#include "daemon/taken.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/core.h"
#include "daemon/deaths.h"
#include "daemon/deferred.h"
#include "daemon/guard.h"
#include "daemon/summary.h"

/* ---- opening ---- */

int taken_open(struct daemon *d, char why[SENSOR_WHY_LEN])
{
        char name[SENSOR_KEEP_NAME];
        const struct sensor_options options = {
                .attribution = d->config->attribution, .verbose = d->options->verbose, .keep = name};

        sensor_keep_name(d->state.path, name);
        int r = sensor_open(&options, &d->sensor, why);
        if (r < 0)
                return r;
        malloc_trim(0); /* what loading took and gave back would stay with us for months */
        d->taken = sensor_taken_over(d->sensor, &d->taken_gap);
        d->taken_ns = clock_boottime_ns();
        const char *not_taken = sensor_not_taken(d->sensor), *not_kept = sensor_not_kept(d->sensor),
                   *not_attributed = sensor_not_attributed(d->sensor);
        if (not_taken)
                log_warn("what an earlier run has left in the kernel is removed: %s", not_taken);
        if (not_attributed && not_attributed[0])
                log_warn("where the time of slow operations goes is not told: %s", not_attributed);
        if (not_kept)
                log_note("the watch ends with this process, also when it is killed: %s", not_kept);
        return 0;
}

int taken_forget(struct daemon *d)
{
        char name[SENSOR_KEEP_NAME], why[SENSOR_WHY_LEN];

        sensor_keep_name(d->state.path, name);
        int r = sensor_forget(name, why);
        if (r < 0)
                log_error("what a killed run may have left in the kernel cannot be removed: %s", why);
        return r;
}

/* ---- notes: one of each database, and one of the losses ---- */

void taken_remember(struct daemon *d)
{
        unsigned char note[SENSOR_NOTE_BYTES];

        if (!d->taken)
                return;
        memory_begin_at(d->memory, d->taken_ns);
        for (unsigned id = 0; id < VIGIL_MAX_DBS; id++)
                if (sensor_noted(d->sensor, id, note, sizeof(note)) == 0)
                        memory_remember(d->memory, id, note);
}

static int write_note(unsigned id, const void *note, size_t size, void *userdata)
{
        return sensor_note(userdata, id, note, size);
}

void taken_keep(struct daemon *d)
{
        if (sensor_not_kept(d->sensor))
                return;
        if (memory_notes(d->memory, write_note, d->sensor) == 0)
                sensor_stored(d->sensor);
}

/* ---- settling ---- */

int taken_settle(struct daemon *d)
{
        if (!d->taken)
                return 0;
        int r = sensor_let_go(d->sensor);
        if (r == 0)
                r = sensor_collect(d->sensor, deaths_record, d);
        if (r < 0)
                return r;
        summary_begin(d);
        log_note("taken over from an earlier run: nothing was left unwatched%s",
                 d->taken_gap ? ", but deaths came faster than they could be stored" : "");
        return 0;
}

int taken_is_stored(struct daemon *d, const char *id, uint64_t ns)
{
        struct store *s;

        if (!d->taken || ns >= d->taken_ns)
                return 0;
        s = keeper_store(d->keeper);
        if (!s)
                return -EAGAIN;
        store_set_patience(s, DEFERRED_PATIENCE_MS);
        int r = store_knows(s, id);
        return r < 0 ? -EAGAIN : r;
}

int taken_is_told(struct daemon *d, const struct finding *f, uint64_t ns)
{
        int r = taken_is_stored(d, f->id, ns);

        return r == 0 && f->certificate ? taken_is_stored(d, f->certificate->id, ns) : r;
}
