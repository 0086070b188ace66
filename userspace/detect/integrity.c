/* integrity.c - what a check and a failed backup add to the trace. The trace outranks the check: five causes lose committed rows while
 * integrity_check says ok (reference: durability 0.1). */
#include <stdio.h>
#include <string.h>

#include "detect/detect_private.h"
#include "detect/detector.h"

bool detect_tells_of_loss(const char *code)
{
        static const char *const codes[] = {"sync-error",       "sync-retry-lied",  "sync-error-swallowed",
                                            "writeback-error",  "no-journal",       "wal-removed",
                                            "journal-removed",  "database-emptied", "database-moved-in-use",
                                            "used-across-fork", "wal-unreadable"};
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
                if (strcmp(code, codes[i]) == 0)
                        return true;
        return false;
}

const char *detect_damage(const char *code)
{
        if (strcmp(code, "no-journal") == 0 || strcmp(code, "journal-removed") == 0)
                return "half of a transaction is in it, and nothing can undo that";
        if (strcmp(code, "wal-unreadable") == 0)
                return "it lacks committed transactions that no recovery can read from the -wal";
        return NULL;
}

const char *detection_damage(const struct detection *d, size_t database)
{
        const char *damage = NULL;

        for (size_t i = 0; i < d->nfindings && !damage; i++)
                if (d->finding[i].database == database)
                        damage = detect_damage(d->finding[i].code);
        return damage;
}

static int silent_loss(struct detection *d, size_t database)
{
        json_t *codes = json_array();
        for (size_t i = 0; i < d->nfindings; i++)
                if (d->finding[i].database == database && detect_tells_of_loss(d->finding[i].code))
                        json_array_append_new(codes, json_string(d->finding[i].code));
        if (json_array_size(codes) == 0) {
                json_decref(codes);
                return 0;
        }
        struct finding f = {.code = "silent-loss-suspected", .severity = SEVERITY_P1, .database = database};
        snprintf(f.detail, sizeof(f.detail),
                 "the check found no damage, but the trace shows that written data may be lost: the check proves "
                 "nothing");
        return finding_add(d, &f, json_pack("{s:o}", "because", codes));
}

int detection_add_check(struct detection *d, size_t database, const struct check_result *check)
{
        if (check->outcome == CHECK_OK)
                return silent_loss(d, database);
        if (check->outcome != CHECK_CORRUPT)
                return 0;
        struct finding f = {.code = "integrity-failed", .severity = SEVERITY_P0, .database = database};
        size_t n = json_array_size(check->errors);
        snprintf(f.detail, sizeof(f.detail), "%s found damage: %zu error%s", check->method, n, n == 1 ? "" : "s");
        json_t *first = json_array_get(check->errors, 0);
        return finding_add(
                d, &f,
                json_pack("{s:s, s:I, s:O?}", "method", check->method, "errors", (json_int_t)n, "first", first));
}

int detection_add_backup_failure(struct detection *d, size_t database, const char *why, const char *last_good)
{
        struct finding f = {.code = "backup-failed", .severity = SEVERITY_P2, .database = database};
        snprintf(f.detail, sizeof(f.detail), "no backup could be made: %s%s", why,
                 last_good ? "; the last verified copy is kept" : "");
        return finding_add(d, &f, json_pack("{s:s, s:s?}", "reason", why, "last_good", last_good));
}
