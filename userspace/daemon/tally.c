/* tally.c - see tally.h: rows in an array, found through a hash with linear probing (FNV-1a). */
#include "daemon/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"

static size_t slot_of(const struct tally *t, const struct vigil_hist_key *key)
{
        uint64_t h = fnv_add(FNV_BEGIN, key, sizeof(*key));
        size_t at = (size_t)(h ^ h >> 32) & (t->slots - 1);
        while (t->slot[at] && memcmp(&t->row[t->slot[at] - 1].key, key, sizeof(*key)) != 0)
                at = (at + 1) & (t->slots - 1);
        return at;
}

/* Twice the room; at most half of the slots are ever taken. */
static bool grow(struct tally *t)
{
        size_t room = t->room ? 2 * t->room : 64;
        struct tally_row *row = room <= TALLY_MAX ? reallocarray(t->row, room, sizeof(*row)) : NULL;

        if (!row)
                return false;
        t->row = row;
        uint32_t *slot = calloc(2 * room, sizeof(*slot));
        if (!slot)
                return false;
        free(t->slot);
        t->slot = slot;
        t->slots = 2 * room;
        t->room = room;
        for (size_t i = 0; i < t->n; i++)
                t->slot[slot_of(t, &t->row[i].key)] = (uint32_t)i + 1;
        return true;
}

struct tally_row *tally_get(struct tally *t, const struct vigil_hist_key *key)
{
        struct tally_row *found = (struct tally_row *)tally_find(t, key);

        if (found)
                return found;
        if ((!t->row || t->n == t->room) && !grow(t))
                return NULL;
        struct tally_row *row = &t->row[t->n];
        *row = (struct tally_row){.key = *key};
        t->slot[slot_of(t, key)] = (uint32_t)++t->n;
        return row;
}

const struct tally_row *tally_find(const struct tally *t, const struct vigil_hist_key *key)
{
        uint32_t at = t->slots ? t->slot[slot_of(t, key)] : 0;

        return at ? &t->row[at - 1] : NULL;
}

void tally_done(struct tally *t)
{
        free(t->row);
        free(t->slot);
        *t = (struct tally){0};
}
