/* followers.c - see followers.h. */
#include "daemon/followers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/keeper.h"

#define AT_ONCE 1000 /* events to one of them in one turn */

struct sending {
        struct control_server *control;
        struct follower *to;
        size_t n;
};

static int send_event(void *userdata, int64_t seq, const char *line)
{
        struct sending *s = userdata;

        s->n++;
        s->to->after = seq;
        return control_send(s->control, s->to->client, line, strlen(line));
}

static void catch_up(struct follower *f, struct control_server *control, struct store *s)
{
        const struct store_query q = {.since_ns = f->since_ns, .database = f->database, .limit = AT_ONCE};
        struct sending sending = {.control = control, .to = f};
        int r = s ? store_events(s, &q, f->after, send_event, &sending) : -ENODEV;

        f->behind = keeper_will_answer(r) || r == -ENODEV || (r == 0 && sending.n == AT_ONCE);
}

void followers_add(struct followers *f, struct control_server *control, struct store *s, struct control_client *c,
                   const struct store_query *q, int64_t after)
{
        for (size_t i = 0; i < CONTROL_FOLLOWERS; i++) {
                if (f->list[i].client)
                        continue;
                f->list[i] = (struct follower){.client = c,
                                               .after = after,
                                               .since_ns = q->since_ns,
                                               .database = q->database ? strdup(q->database) : NULL};
                catch_up(&f->list[i], control, s);
                return;
        }
}

void followers_send(struct followers *f, struct control_server *control, struct store *s)
{
        for (size_t i = 0; i < CONTROL_FOLLOWERS; i++)
                if (f->list[i].client)
                        catch_up(&f->list[i], control, s);
}

bool followers_any(const struct followers *f)
{
        for (size_t i = 0; i < CONTROL_FOLLOWERS; i++)
                if (f->list[i].client)
                        return true;
        return false;
}

bool followers_behind(const struct followers *f)
{
        for (size_t i = 0; i < CONTROL_FOLLOWERS; i++)
                if (f->list[i].behind)
                        return true;
        return false;
}

void followers_forget(struct followers *f, const struct control_client *c)
{
        for (size_t i = 0; i < CONTROL_FOLLOWERS; i++) {
                if (f->list[i].client != c)
                        continue;
                free(f->list[i].database);
                f->list[i] = (struct follower){0};
        }
}

void followers_done(struct followers *f)
{
        for (size_t i = 0; i < CONTROL_FOLLOWERS; i++)
                free(f->list[i].database);
        *f = (struct followers){0};
}
