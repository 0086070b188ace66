/* act.c - see act.h; daemon/asked.h has the lines. */
#include "cli/act.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/progress.h"
#include "serve/client.h"

struct acting {
        struct progress progress;
        json_t *document;
};

static int on_line(void *userdata, const char *text, size_t n)
{
        struct acting *a = userdata;
        json_t *line = json_loadb(text, n, 0, NULL);
        const json_t *done = json_object_get(line, "done"), *total = json_object_get(line, "total");
        const char *state = json_string_value(json_object_get(line, "state"));
        json_t *document = json_object_get(line, "document");

        if (state)
                a->progress.what = strcmp(state, "waits") == 0 ? "waiting for its turn" : "at work";
        if (json_is_integer(done) && json_is_integer(total))
                progress_update(&a->progress, (uint64_t)json_integer_value(done),
                                (uint64_t)json_integer_value(total));
        if (json_is_object(document) && !a->document)
                a->document = json_incref(document);
        json_decref(line);
        return 0;
}

int act(const struct asking *a, const char *command, json_t *args, json_t **ret)
{
        _cleanup_free_ char *error = NULL;
        struct acting it = {0};
        char words[ASK_WORDS];
        int status = CLI_INTERNAL;

        *ret = NULL;
        if (!args)
                return log_error_r(CLI_INTERNAL, "out of memory");
        progress_start(&it.progress, a->cli);
        it.progress.what = "waiting for its turn";
        int r = control_follow(a->state_dir, command, args, on_line, &it, &status, &error);
        progress_end(&it.progress);
        json_decref(args);
        if (r == -ENOENT || r == -ECONNREFUSED || r < 0) {
                json_decref(it.document);
                return r == -ENOENT || r == -ECONNREFUSED ? ASK_NO_DAEMON : ask_tell(a, r);
        }
        if (error || !it.document)
                log_error("%s: %s", ask_words(command, words),
                          error ? error : "the daemon answered without a document");
        *ret = it.document;
        return it.document || status != CLI_OK ? status : CLI_INTERNAL;
}
