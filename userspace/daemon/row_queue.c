/* row_queue.c - see row_queue.h. */
#include "daemon/row_queue.h"

#include "daemon/keeper_private.h"

static void give_up(struct row_queue *q, struct row **at)
{
        struct row *r = *at;

        *at = r->next;
        q->bytes -= r->bytes;
        q->given_up++;
        row_free(r);
}

static void make_room(struct row_queue *q, size_t limit, size_t held, size_t bytes)
{
        struct row **at = &q->first;

        for (size_t i = 0; i < held && *at; i++)
                at = &(*at)->next;

        while (*at && q->bytes + bytes > limit) {
                if ((*at)->spare)
                        give_up(q, at);
                else
                        at = &(*at)->next;
        }
        q->last = NULL;
        for (struct row *r = q->first; r; r = r->next)
                q->last = r;
}

struct row *row_queue_add(struct row_queue *q, struct row *r, size_t limit, size_t held)
{
        if (r && q->bytes + r->bytes > limit)
                make_room(q, limit, held, r->bytes);
        if (!r || (r->spare && q->bytes + r->bytes > limit)) {
                row_free(r);
                q->given_up++;
                return NULL;
        }
        *(q->last ? &q->last->next : &q->first) = r;
        q->last = r;
        q->bytes += r->bytes;
        return r;
}

struct row *row_queue_take(struct row_queue *q)
{
        struct row *r = q->first;

        if (!r)
                return NULL;
        q->first = r->next;
        if (!q->first)
                q->last = NULL;
        q->bytes -= r->bytes;
        return r;
}

size_t row_queue_count(const struct row_queue *q, size_t most)
{
        size_t n = 0, whole = 0;

        for (const struct row *r = q->first; r && n < most; r = r->next) {
                n++;
                if (!r->with_next || !r->next)
                        whole = n;
        }
        return whole ? whole : n;
}

void row_queue_forget(struct row_queue *q, const json_t *o)
{
        for (struct row *r = q->first; r; r = r->next)
                if (r->o == o)
                        r->stored = NULL;
}

void row_queue_done(struct row_queue *q)
{
        for (struct row *r = row_queue_take(q); r; r = row_queue_take(q))
                row_free(r);
}
