#include "incident/id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fnv.h"
#include "incident/incident.h"

void incident_hash_begin(struct incident_hash *h)
{
        h->state = FNV_BEGIN;
}

void incident_hash_number(struct incident_hash *h, uint64_t n)
{
        h->state = fnv_add(h->state, &n, sizeof(n));
}

void incident_hash_text(struct incident_hash *h, const char *text)
{
        size_t n = text ? strlen(text) : 0;

        incident_hash_number(h, n);
        h->state = fnv_add(h->state, text, n);
}

void incident_hash_end(const struct incident_hash *h, char prefix, char ret[DETECT_ID_LEN])
{
        snprintf(ret, DETECT_ID_LEN, "%c-%016" PRIx64, prefix, h->state);
}

void incident_finding_id(const char *boot_id, const char *code, const char *database, uint64_t ns,
                         char ret[DETECT_ID_LEN])
{
        struct incident_hash h;

        incident_hash_begin(&h);
        incident_hash_text(&h, boot_id);
        incident_hash_text(&h, code);
        incident_hash_text(&h, database);
        incident_hash_number(&h, ns);
        incident_hash_end(&h, 'f', ret);
}
