/* trust.c - Vigil about itself: what it may have missed. */
#include <inttypes.h>
#include <stdio.h>

#include "detect/detect_private.h"
#include "detect/detector.h"

static int tell(struct detection *d, size_t database, const char *code, const char *detail, json_t *evidence)
{
        struct finding f = {.code = code, .severity = SEVERITY_P2, .database = database};
        snprintf(f.detail, sizeof(f.detail), "%s", detail);
        return finding_add(d, &f, evidence);
}

static int judge(struct detection *d, size_t database)
{
        const struct trust *t = model_trust(d->model);
        const struct vigil_stats *s = model_stats(d->model);
        int r = 0;
        if (trust_has(t, "events-lost")) {
                char detail[128];
                uint64_t lost = model_lost(d->model), gaps = model_gaps(d->model);
                snprintf(detail, sizeof(detail), "%" PRIu64 " events were lost: what is told is a lower bound",
                         lost > gaps ? lost : gaps);
                r = tell(d, database, "events-lost", detail,
                         json_pack("{s:I, s:I}", "lost", (json_int_t)lost, "missing_numbers", (json_int_t)gaps));
        }
        if (r == 0 && s && (s->probes_silent || !s->canary))
                r = tell(d, database, "probe-silent",
                         s->canary ? "a probe that was tried did not fire: see vigil doctor"
                                   : "Vigil did not see its own test operation: see vigil doctor",
                         json_pack("{s:i, s:b}", "silent", (int)s->probes_silent, "canary", s->canary != 0));
        return r;
}

static int run(struct detection *d)
{
        int r = 0;
        for (size_t i = 0; r == 0 && i < model_n_databases(d->model); i++)
                r = judge(d, i);
        return r;
}

const struct detector detector_trust = {
        .name = "trust",
        .codes = (const char *const[]){"events-lost", "probe-silent", NULL},
        .run = run,
};
