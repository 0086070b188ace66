/* unreadable.c - commits that everybody sees by the WAL index and that no recovery will find: SQLite wrote a frame of the -wal whose
 * salts or checksum are wrong, and what stands behind it ends with the -shm. No check sees it: the files are sound. */
#include <inttypes.h>
#include <stdio.h>

#include "detect/detect_private.h"
#include "detect/detector.h"
#include "engine/predict.h"

static int tell(struct detection *d, size_t database, const struct model_death *death,
                const struct vigil_observed *o)
{
        uint64_t frames = predict_unreadable(o);
        struct finding f = {.code = "wal-unreadable", .severity = SEVERITY_P0, .database = database};
        if (death) {
                f.ns = death->ns;
                f.process = death->id;
        }
        snprintf(f.detail, sizeof(f.detail),
                 "%" PRIu64
                 " committed frame%s of the WAL stand behind a frame that SQLite wrote with wrong salts or a "
                 "wrong checksum: the next recovery loses these commits",
                 frames, frames == 1 ? "" : "s");
        return finding_add(d, &f,
                           json_pack("{s:I, s:I, s:I}", "frames", (json_int_t)frames, "committed_frames",
                                     (json_int_t)o->shm_max_frame, "readable_bytes",
                                     (json_int_t)o->wal_commit_end));
}

/* The look after a death, else the last one: one of them is enough. */
static int judge(struct detection *d, size_t database)
{
        const struct vigil_observed *last = model_database(d->model, database)->observed;

        for (size_t i = 0; i < model_n_deaths(d->model); i++) {
                const struct model_death *death = model_death(d->model, i);
                for (uint32_t k = 0; k < death->nuses; k++) {
                        const struct model_use *u = &death->use[k];
                        if (u->database == database && u->observed && predict_unreadable(u->observed))
                                return tell(d, database, death, u->observed);
                }
        }
        return last && predict_unreadable(last) ? tell(d, database, NULL, last) : 0;
}

static int run(struct detection *d)
{
        int r = 0;
        for (size_t i = 0; r == 0 && i < model_n_databases(d->model); i++)
                r = judge(d, i);
        return r;
}

const struct detector detector_unreadable = {
        .name = "unreadable",
        .codes = (const char *const[]){"wal-unreadable", NULL},
        .run = run,
};
