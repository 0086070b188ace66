/* deferred.c - see deferred.h. */
#include "daemon/deferred.h"

#include <stdlib.h>
#include <string.h>

static void free_question(struct deferred_question *q)
{
        free(q->command);
        json_decref(q->args);
        *q = (struct deferred_question){0};
}

bool deferred_keep(struct deferred *d, const struct deferred_question *q, uint64_t now_ns)
{
        struct deferred_question *to = NULL;

        if (now_ns - q->since_ns > DEFERRED_NS)
                return false;
        for (size_t i = 0; i < CONTROL_CLIENTS && !to; i++)
                if (!d->list[i].client)
                        to = &d->list[i];
        char *command = to ? strdup(q->command) : NULL;
        if (!command)
                return false;
        *to = *q;
        to->command = command;
        to->again = true;
        json_incref(to->args);
        return true;
}

void deferred_forget(struct deferred *d, const struct control_client *c)
{
        for (size_t i = 0; i < CONTROL_CLIENTS; i++)
                if (d->list[i].client == c)
                        free_question(&d->list[i]);
}

bool deferred_any(const struct deferred *d)
{
        for (size_t i = 0; i < CONTROL_CLIENTS; i++)
                if (d->list[i].client)
                        return true;
        return false;
}

void deferred_again(struct deferred *d, void (*again)(void *userdata, const struct deferred_question *q),
                    void *userdata)
{
        struct deferred_question taken[CONTROL_CLIENTS];

        memcpy(taken, d->list, sizeof(taken));
        memset(d->list, 0, sizeof(d->list));
        for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
                if (!taken[i].client)
                        continue;
                again(userdata, &taken[i]);
                free_question(&taken[i]);
        }
}

void deferred_done(struct deferred *d)
{
        for (size_t i = 0; i < CONTROL_CLIENTS; i++)
                free_question(&d->list[i]);
}
