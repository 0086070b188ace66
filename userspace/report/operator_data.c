/* operator_data.c - what an incident says of the data: recovered, checked, copied, and what of that is older than the last death. */
#include <string.h>

#include "base/text.h"
#include "report/operator_private.h"
#include "report/pick.h"

#define SHOWN_ERRORS 12

static bool awaits_recovery(const json_t *incident)
{
        const json_t *word;
        size_t i;

        json_array_foreach (json_object_get(incident, "ends_by"), i, word)
                if (json_is_string(word) && strcmp(json_string_value(word), "recovery") == 0)
                        return true;
        return false;
}

bool operator_is_recovered(const json_t *incident)
{
        const json_t *proof = json_object_get(incident, "resolution");

        return strcmp(pick_text(proof, "by", ""), "recovery") == 0 && !awaits_recovery(incident);
}

void operator_recovered(struct page *p, const json_t *incident, unsigned label)
{
        const json_t *proof = json_object_get(incident, "resolution");
        char when[PICK_WHEN_LEN];

        if (!operator_is_recovered(incident))
                return;
        pick_when(when, proof, "seen_at");
        page_paragraph(p, INK_GOOD, "recovered", label, "%s: %s", when, pick_text(proof, "sign", "?"));
}

void operator_integrity(struct page *p, const json_t *incident, unsigned label)
{
        const json_t *check = json_object_get(incident, "integrity");
        const char *result = pick_text(check, "result", "skipped"), *reason = pick_text(check, "reason", NULL);
        bool ok = strcmp(result, "ok") == 0;
        char ms[TEXT_DURATION_LEN], took[64] = "";
        size_t i;
        json_t *e;

        text_duration(ms, pick_number(check, "ms") * 1000000);
        if (json_is_integer(json_object_get(check, "ms")))
                snprintf(took, sizeof(took), ", %s, %s", pick_text(check, "method", "?"), ms);
        page_paragraph(p, ok ? INK_GOOD : INK_PLAIN, "integrity", label, "%s%s%s%s", result, took,
                       reason ? ": " : "", reason ? reason : "");
        json_array_foreach (json_object_get(check, "errors"), i, e)
                if (i < SHOWN_ERRORS)
                        page_paragraph(p, INK_PLAIN, "", label, "%s", pick_text(e, "text", "?"));
}

void operator_backup(struct page *p, const json_t *incident, unsigned label)
{
        const json_t *b = json_object_get(incident, "backup");
        bool verified = json_is_true(json_object_get(b, "verified"));
        char size[TEXT_BYTES_LEN];

        text_bytes(size, pick_number(b, "bytes"));
        if (json_is_object(b))
                page_paragraph(p, verified ? INK_GOOD : INK_BAD, "backup", label, "%s: %s, %s",
                               verified ? "verified" : "NOT verified",
                               pick_text(b, "path", pick_text(b, "id", "?")), size);
        else
                page_paragraph(p, INK_PLAIN, "backup", label, "none was made for it");
}
