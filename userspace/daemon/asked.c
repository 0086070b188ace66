/* asked.c - see asked.h. */
#include "daemon/asked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "daemon/core.h"
#include "daemon/guard.h"

/* of the Contract */
enum { EXIT_DONE_ = 0, EXIT_CRITICAL_ = 2, EXIT_UNAVAILABLE_ = 69, EXIT_NOPERM_ = 77 };

/* ---- lines ---- */

/* One line to all of them; takes the reference. */
static void say(const struct work *w, json_t *line)
{
        _cleanup_free_ char *text = line && w->nclients ? json_dumps(line, JSON_COMPACT) : NULL;

        json_decref(line);
        for (size_t i = 0; text && i < w->nclients; i++)
                (void)control_send(w->d->control, w->client[i], text,
                                   strlen(text)); /* who is too slow is told so */
}

bool asked_join(struct work *w, struct control_client *c)
{
        static const char waits[] = "{\"state\":\"waits\"}";

        if (w->nclients == CONTROL_FOLLOWERS)
                return false;
        w->client[w->nclients++] = c;
        (void)control_send(w->d->control, c, waits, sizeof(waits) - 1);
        return true;
}

void asked_begun(const struct work *w)
{
        say(w, json_pack("{s:s}", "state", "runs"));
}

void asked_progress(const struct work *w, uint64_t done, uint64_t total)
{
        say(w, json_pack("{s:I, s:I}", "done", (json_int_t)done, "total", (json_int_t)total));
}

void asked_left(struct work *w, const struct control_client *c)
{
        for (size_t i = 0; i < w->nclients; i++)
                if (w->client[i] == c)
                        w->client[i--] = w->client[--w->nclients];
}

/* ---- the end ---- */

static json_t *check_document(const struct work *w, const json_t *answer)
{
        const struct guard *g = guards_by_name(w->d->guards, w->database);
        json_t *o = json_pack("{s:s, s:s, s:s}", "schema", "vigil.check/1", "vigil", VIGIL_VERSION, "database",
                              w->database);

        if (o && g)
                text_json_set(o, "path", g->path, strlen(g->path));
        json_object_update(o, (json_t *)answer);
        return o;
}

static json_t *backup_document(const json_t *answer)
{
        json_t *entry = json_object_get(answer, "entry"), *list = json_array();

        if (json_is_object(entry))
                json_array_append(list, entry);
        return json_pack("{s:s, s:o, s:O}", "schema", "vigil.backups/1", "backups", list, "result",
                         json_object_get(answer, "backup"));
}

static int check_status(const json_t *answer)
{
        const char *result = json_string_value(json_object_get(answer, "result"));

        if (!result)
                return EXIT_UNAVAILABLE_;
        return strcmp(result, "ok") == 0        ? EXIT_DONE_
               : strcmp(result, "corrupt") == 0 ? EXIT_CRITICAL_
                                                : EXIT_UNAVAILABLE_;
}

static int backup_status(const json_t *answer)
{
        switch ((int)json_integer_value(json_object_get(answer, "error"))) {
        case 0:
                return EXIT_DONE_;
        case -EUCLEAN:
        case -EIO:
                return EXIT_CRITICAL_;
        case -EACCES:
                return EXIT_NOPERM_;
        default:
                return EXIT_UNAVAILABLE_;
        }
}

void asked_over(struct work *w, const json_t *answer, const char *why)
{
        bool check = w->kind == ACTION_CHECK;
        int status = !answer ? EXIT_UNAVAILABLE_ : check ? check_status(answer) : backup_status(answer);
        const char *error = answer ? NULL : why ? why : "it was not done";

        if (answer)
                say(w, json_pack("{s:o}", "document", check ? check_document(w, answer) : backup_document(answer)));
        for (size_t i = 0; i < w->nclients; i++)
                control_end(w->d->control, w->client[i], status, error);
        w->nclients = 0;
}
