/* answers_act.c - what operators want done, and what is known without the store. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/answers_private.h"
#include "daemon/guard.h"
#include "daemon/jobs.h"
#include "daemon/live.h"
#include "daemon/reload.h"
#include "daemon/response.h"

#define REASON_MAX 200 /* bytes of why somebody wants a backup */

/* ---- what operators want done ---- */

static void act(struct daemon *d, struct control_client *c, const json_t *args, enum action_kind kind, int method)
{
        const char *name = text_arg(args, "database"), *reason = text_arg(args, "reason");
        struct guard *g = guards_by_name(d->guards, name);
        char unknown[NAME_SHOWN + 100];

        if (!g) {
                snprintf(unknown, sizeof(unknown),
                         "no such database: %.*s is not guarded; vigil status -v lists those that are", NAME_SHOWN,
                         name ? name : "(none)");
                control_answer(d->control, c, EXIT_UNAVAILABLE, unknown, NULL);
                return;
        }
        if (reason && strlen(reason) > REASON_MAX) {
                refuse(d, c, args, -EINVAL);
                return;
        }
        if (control_stream(d->control, c) < 0)
                return;
        if (!response_asked(d, g, kind, reason && *reason ? reason : "manual", method, c))
                control_end(d->control, c, EXIT_UNAVAILABLE, "out of memory");
        keeper_turn(d->keeper); /* once the intent is stored it may begin */
}

void answer_check(struct daemon *d, struct control_client *c, const json_t *args)
{
        static const char *const names[] = {"quick", "full", NULL};
        static const int methods[] = {CONFIG_CHECK_QUICK, CONFIG_CHECK_FULL};
        const char *wanted = text_arg(args, "method");
        struct guard *g = guards_by_name(d->guards, text_arg(args, "database"));
        int method = g && g->of->check.method == CONFIG_CHECK_NONE ? CONFIG_CHECK_QUICK : -1;

        for (size_t i = 0; wanted && names[i]; i++)
                if (strcmp(names[i], wanted) == 0)
                        method = methods[i];
        act(d, c, args, ACTION_CHECK, method);
}

void answer_backup(struct daemon *d, struct control_client *c, const json_t *args)
{
        act(d, c, args, ACTION_BACKUP, -1);
}

void answer_reload(struct daemon *d, struct control_client *c, const json_t *args)
{
        json_t *document = NULL;
        int r = reload(d, &document);

        (void)args;
        control_answer(d->control, c, r < 0 ? EXIT_CRITICAL : 0, NULL, document);
}

/* ---- live ---- */

void answer_status(struct daemon *d, struct control_client *c, const json_t *args)
{
        (void)args;
        control_answer(d->control, c, 0, NULL, live_status(d));
}

void answer_health(struct daemon *d, struct control_client *c, const json_t *args)
{
        int exit = 0;
        json_t *document = live_health(d, &exit);

        (void)args;
        document = document ? document : json_object();
        json_object_set_new(document, "schema", json_string("vigil.health/1"));
        control_answer(d->control, c, exit, NULL, document);
}

void answer_jobs(struct daemon *d, struct control_client *c, const json_t *args)
{
        const char *id = text_arg(args, "id");
        json_t *document = jobs_document(d, id);
        char unknown[NAME_SHOWN + 100];

        if (id && json_array_size(json_object_get(document, "jobs")) == 0) {
                json_decref(document);
                snprintf(unknown, sizeof(unknown), "no such id: no job %.*s runs; vigil jobs lists those that do",
                         NAME_SHOWN, id);
                control_answer(d->control, c, EXIT_UNAVAILABLE, unknown, NULL);
                return;
        }
        control_answer(d->control, c, 0, NULL, document);
}
