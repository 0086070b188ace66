/* detect.c - certificates for everybody, then every detector. */
#include "detect/detect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"
#include "detect/detect_private.h"
#include "detect/detector.h"

/* ---- ids ----------------------------------------------------------------------------------------------------------- */

void id_bytes(struct id_hash *h, const void *p, size_t n)
{
        h->state = fnv_add(h->state, p, n);
}

void id_number(struct id_hash *h, uint64_t n)
{
        id_bytes(h, &n, sizeof(n));
}

void id_text(struct id_hash *h, const char *text)
{
        id_number(h, strlen(text));
        id_bytes(h, text, strlen(text));
}

void id_begin(struct id_hash *h, const struct model *m)
{
        h->state = FNV_BEGIN;
        const struct vigil_session *s = model_session(m);
        id_text(h, s ? s->boot_id : "");
}

void id_end(const struct id_hash *h, char prefix, char ret[DETECT_ID_LEN])
{
        snprintf(ret, DETECT_ID_LEN, "%c-%016" PRIx64, prefix, h->state);
}

/* ---- certificates -------------------------------------------------------------------------------------------------- */

/* A descriptor that was merely inherited makes no participant; nor does Vigil's own test process. */
static bool deserves(const struct model *m, const struct model_death *d, const struct model_use *u)
{
        const uint32_t used = VIGIL_USE_OPENED | VIGIL_USE_WROTE | VIGIL_USE_LOCKED | VIGIL_USE_SEEN_LATE |
                              VIGIL_USE_UNLINKED | VIGIL_USE_OPENED_WAL | VIGIL_USE_KEPT;
        const struct model_database *db = model_database(m, u->database);
        return db && db->shown && u->use.flags & used && !(d->flags & VIGIL_PROC_CANARY);
}

static int certify_all(struct detection *d)
{
        size_t n = 0;
        for (size_t i = 0; i < model_n_deaths(d->model); i++) {
                const struct model_death *death = model_death(d->model, i);
                for (uint32_t k = 0; k < death->nuses; k++)
                        n += deserves(d->model, death, &death->use[k]);
        }
        if (n == 0)
                return 0;
        d->certificate = calloc(n, sizeof(*d->certificate));
        if (!d->certificate)
                return -ENOMEM;
        for (size_t i = 0; i < model_n_deaths(d->model); i++) {
                const struct model_death *death = model_death(d->model, i);
                for (uint32_t k = 0; k < death->nuses; k++)
                        if (deserves(d->model, death, &death->use[k]))
                                certify(d->model, death, &death->use[k], &d->certificate[d->ncertificates++]);
        }
        return 0;
}

/* ---- findings ------------------------------------------------------------------------------------------------------ */

int finding_add(struct detection *d, const struct finding *f, json_t *evidence)
{
        const struct model_database *db = model_database(d->model, f->database);
        if (!evidence)
                return -ENOMEM;
        if (!db || !db->shown || d->nfindings == DETECT_MAX_FINDINGS) {
                d->findings_lost += db && db->shown;
                json_decref(evidence);
                return 0;
        }
        struct finding *grown = realloc(d->finding, (d->nfindings + 1) * sizeof(*grown));
        if (!grown) {
                json_decref(evidence);
                return -ENOMEM;
        }
        d->finding = grown;
        struct finding *new = &grown[d->nfindings++];
        *new = *f;
        new->evidence = evidence;
        new->trust = f->certificate ? f->certificate->trust : *model_trust(d->model);
        struct id_hash h;
        id_begin(&h, d->model);
        id_text(&h, f->code);
        id_text(&h, db->path);
        id_number(&h, f->process.tgid);
        id_number(&h, f->process.start_ns);
        id_number(&h, f->ns);
        id_text(&h, f->certificate ? f->certificate->id : f->detail);
        id_end(&h, 'f', new->id);
        return 0;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

int detect_run(const struct model *m, struct detection **ret)
{
        struct detection *d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        d->model = m;
        int r = certify_all(d);
        for (size_t i = 0; r == 0 && detectors[i]; i++)
                r = detectors[i]->run(d);
        if (r < 0) {
                detection_free(d);
                return r;
        }
        *ret = d;
        return 0;
}

void detection_free(struct detection *d)
{
        if (!d)
                return;
        for (size_t i = 0; i < d->nfindings; i++)
                json_decref(d->finding[i].evidence);
        free(d->finding);
        free(d->certificate);
        free(d);
}

const struct model *detection_model(const struct detection *d)
{
        return d->model;
}

size_t detection_n_certificates(const struct detection *d)
{
        return d->ncertificates;
}

const struct certificate *detection_certificate(const struct detection *d, size_t i)
{
        return i < d->ncertificates ? &d->certificate[i] : NULL;
}

size_t detection_n_findings(const struct detection *d)
{
        return d->nfindings;
}

const struct finding *detection_finding(const struct detection *d, size_t i)
{
        return i < d->nfindings ? &d->finding[i] : NULL;
}

uint64_t detection_findings_lost(const struct detection *d)
{
        return d->findings_lost;
}

bool detection_wants_backup(const struct detection *d, size_t database)
{
        for (size_t i = 0; i < d->nfindings; i++)
                if (d->finding[i].database == database && d->finding[i].severity <= SEVERITY_P1)
                        return true;
        return detection_verdict(d, database) != VERDICT_CLEAN;
}
