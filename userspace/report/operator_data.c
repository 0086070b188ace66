/* operator_data.c - what an incident says of the data: recovered, checked, copied, and what of that is older than the last death. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/operator_private.h"
#include "report/pick.h"

#define SHOWN_ERRORS 12
#define WHEN_LEN     64

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

bool operator_had_nothing_left(const json_t *incident)
{
        const char *sign = pick_text(json_object_get(incident, "resolution"), "sign", "");

        return strcmp(sign, "opened-without-recovery") == 0 || strcmp(sign, "closed-with-nothing-left") == 0;
}

const char *operator_recovered_since(const json_t *incident)
{
        if (operator_is_recovered(incident))
                return operator_had_nothing_left(incident)
                               ? "; the database was used since: there was nothing to recover"
                               : "; the database has been recovered since";
        return json_is_object(json_object_get(incident, "read_only_since"))
                       ? "; opened since by a reader that could recover nothing"
                       : "";
}

void operator_recovered(struct page *p, const json_t *incident, unsigned label)
{
        const json_t *proof = json_object_get(incident, "resolution"),
                     *reader = json_object_get(incident, "read_only_since"),
                     *process = json_object_get(reader, "process");
        char when[PICK_WHEN_LEN];

        if (operator_is_recovered(incident)) {
                pick_when(when, proof, "seen_at");
                page_paragraph(p, INK_GOOD, operator_had_nothing_left(incident) ? "nothing left" : "recovered",
                               label, "%s: %s", when, pick_text(proof, "sign", "?"));
        } else if (json_is_object(reader)) {
                pick_when(when, reader, "seen_at");
                page_paragraph(p, INK_WARN, "not recovered", label,
                               "%s has been opened since (%s: %s, pid %" PRIu64
                               ") by a reader that could recover nothing for others: that proves nothing",
                               pick_text(reader, "database", "it"), when, pick_text(process, "comm", "?"),
                               pick_number(process, "pid"));
        }
}

/* Times of the Contract sort as text. A daemon of before gave a check no time. */
bool operator_is_older(const json_t *incident, const json_t *found)
{
        const char *died = pick_text(incident, "last_death_at", NULL), *at = pick_text(found, "at", NULL);

        return died && at && strcmp(at, died) < 0;
}

/* ", 2026-11-21T03:15:02Z, before the last death" */
static const char *when_of(char *ret, size_t size, const json_t *incident, const json_t *found)
{
        char when[PICK_WHEN_LEN];

        pick_when(when, found, "at");
        snprintf(ret, size, "%s%s%s", pick_text(found, "at", NULL) ? ", " : "",
                 pick_text(found, "at", NULL) ? when : "",
                 operator_is_older(incident, found) ? ", before the last death" : "");
        return ret;
}

static bool is_due(const json_t *incident, const char *action)
{
        const json_t *one;
        size_t i;

        json_array_foreach (json_object_get(incident, "due"), i, one)
                if (strcmp(pick_text(one, "action", ""), action) == 0)
                        return true;
        return false;
}

void operator_due(struct page *p, const json_t *incident, unsigned label)
{
        const json_t *one;
        char since[PICK_WHEN_LEN];
        size_t i;

        json_array_foreach (json_object_get(incident, "due"), i, one) {
                pick_when(since, one, "since");
                page_paragraph(p, INK_WARN, i ? "" : "still due", label, "%s of %s, since %s",
                               pick_text(one, "action", "?"), pick_text(one, "database", "?"), since);
        }
}

const char *operator_resolved_by(const json_t *incident)
{
        static const struct {
                const char *by, *text;
        } table[] = {
                {"recovery", "; the database was recovered"},  {"check", "; a check was ok"},
                {"backup", "; a verified backup was made"},    {"quiet", "; nothing like it was seen any more"},
                {"over", "; what it told of is no longer so"}, {"jobs", "; no job is like that any more"},
                {"actions", "; what was due has been done"},   {"operator", " by vigil incident resolve"},
                {"shell", " by a change of the store"},
        };
        const char *by = pick_text(incident, "resolved_by", "");

        if (strcmp(by, "recovery") == 0 && operator_had_nothing_left(incident))
                return "; there was nothing to recover";
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
                if (strcmp(table[i].by, by) == 0)
                        return table[i].text;
        return "";
}

bool operator_has_data(const json_t *incident)
{
        const json_t *check = json_object_get(incident, "integrity");

        return json_is_string(json_object_get(check, "at")) ||
               strcmp(pick_text(check, "result", "skipped"), "skipped") != 0 ||
               json_is_object(json_object_get(incident, "backup")) ||
               json_is_string(json_object_get(incident, "backup_skipped")) || is_due(incident, "check") ||
               is_due(incident, "backup");
}

void operator_data_line(struct page *p, const json_t *incident, unsigned indent)
{
        static const char older[] = ", before the last death";
        const json_t *check = json_object_get(incident, "integrity"), *backup = json_object_get(incident, "backup");
        const char *id = pick_text(backup, "id", NULL);
        bool verified = json_is_true(json_object_get(backup, "verified"));

        if (!operator_has_data(incident))
                return;
        page_paragraph(p, INK_PLAIN, "", indent, "check %s%s%s; %s%s%s%s", pick_text(check, "result", "skipped"),
                       operator_is_older(incident, check) ? older : "",
                       is_due(incident, "check") ? ", a new one is due" : "",
                       !id        ? "no backup"
                       : verified ? "backup verified: "
                                  : "backup NOT verified: ",
                       id ? id : "", id && operator_is_older(incident, backup) ? older : "",
                       !is_due(incident, "backup") ? ""
                       : id                        ? ", a new one is due"
                                                   : " yet: it is due");
}

void operator_integrity(struct page *p, const json_t *incident, unsigned label)
{
        const json_t *check = json_object_get(incident, "integrity");
        const char *result = pick_text(check, "result", "skipped"), *reason = pick_text(check, "reason", NULL);
        bool ok = strcmp(result, "ok") == 0;
        char ms[TEXT_DURATION_LEN], took[64] = "", when[WHEN_LEN];
        size_t i;
        json_t *e;

        text_measured(ms, pick_number(check, "ms"), 1000000);
        if (json_is_integer(json_object_get(check, "ms")))
                snprintf(took, sizeof(took), ", %s, %s", pick_text(check, "method", "?"), ms);
        page_paragraph(p, ok ? INK_GOOD : INK_PLAIN, "integrity", label, "%s%s%s%s%s", result, took,
                       when_of(when, sizeof(when), incident, check), reason ? ": " : "", reason ? reason : "");
        json_array_foreach (json_object_get(check, "errors"), i, e)
                if (i < SHOWN_ERRORS)
                        page_paragraph(p, INK_PLAIN, "", label, "%s", pick_text(e, "text", "?"));
}

void operator_backup(struct page *p, const json_t *incident, unsigned label)
{
        const json_t *b = json_object_get(incident, "backup");
        bool verified = json_is_true(json_object_get(b, "verified"));
        char size[TEXT_BYTES_LEN], when[WHEN_LEN];

        text_bytes(size, pick_number(b, "bytes"));
        if (json_is_object(b))
                page_paragraph(p, verified ? INK_GOOD : INK_BAD, "backup", label, "%s: %s, %s%s",
                               verified ? "verified" : "NOT verified",
                               pick_text(b, "path", pick_text(b, "id", "?")), size,
                               when_of(when, sizeof(when), incident, b));
        else
                page_paragraph(p, INK_PLAIN, "backup", label, "none was made for it");
}
