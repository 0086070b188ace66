/* fuzz_action.c - what a helper of the daemon answers may be any JSON; what is taken must be usable. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/action_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the daemon relies on without asking once more. */
static void use(enum action_kind kind, const json_t *answer)
{
        const json_t *backup = json_object_get(answer, "backup");
        struct vigil_observed o;
        struct check_result c;

        if (kind == ACTION_LOOK && action_observed(answer, &o) < 0)
                abort();
        if (kind == ACTION_CHECK) {
                if (action_checked(answer, &c) < 0 || !c.method || !c.on || !json_is_array(c.errors))
                        abort();
                check_result_done(&c);
        }
        if (kind == ACTION_BACKUP && json_is_true(json_object_get(backup, "verified")) &&
            (!json_is_string(json_object_get(backup, "path")) || !json_is_object(json_object_get(answer, "check"))))
                abort();
}

/* The first byte chooses the kind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 1)
                return 0;
        enum action_kind kind = data[0] % ACTION_KINDS;
        const struct action_request r = {.kind = kind, .database = "app", .path = "/srv/app.db"};
        json_t *answer = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
        if (json_is_object(answer) && !action_jobs[kind].wrong(&r, answer))
                use(kind, answer);
        json_decref(answer);
        return 0;
}
