/* fuzz_manifest.c - a manifest may be anything; what is accepted can be written and read again. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "respond/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
        if (!holds)
                abort();
}

/* What was read is written and read again: the same in what decides. */
static void round_trip(const struct manifest *m)
{
        struct manifest again;
        const char *problem;
        json_t *document = manifest_to_json(m);
        must(document != NULL);
        char *text = json_dumps(document, 0);
        must(text != NULL);
        must(manifest_parse(text, strlen(text), &again, &problem) == 0);
        must(again.verified == m->verified && again.evidence == m->evidence && again.bytes == m->bytes);
        must(strcmp(again.source, m->source) == 0 && strcmp(again.sha256, m->sha256) == 0);
        must(again.n_files == m->n_files);
        manifest_done(&again);
        free(text);
        json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct manifest m;
        const char *problem = NULL;
        int r = manifest_parse((const char *)data, size, &m, &problem);
        must(r == 0 || r == -ENOMSG || r == -EBADMSG);
        must((r == -EBADMSG) == (problem != NULL));
        if (r < 0)
                return 0;
        must(*m.source == '/' && !(m.evidence && m.verified));
        for (size_t i = 0; i < m.n_files; i++)
                must(*m.files[i].name && !strchr(m.files[i].name, '/'));
        round_trip(&m);
        manifest_done(&m);
        return 0;
}
