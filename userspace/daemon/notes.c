/* notes.c - what another memory must know to begin where this one ended: which errors have been told, when something was lost. */
#include <string.h>

#include "daemon/memory_private.h"

struct note_of_database {
        struct told told;
};

struct note_of_losses {
        uint64_t ns; /* 0: nothing was lost */
        struct vigil_stats at;
};

_Static_assert(sizeof(struct note_of_database) <= SENSOR_NOTE_BYTES, "a note has room");
_Static_assert(sizeof(struct note_of_losses) <= SENSOR_NOTE_BYTES, "a note has room");

void memory_begin_at(struct memory *m, uint64_t ns)
{
        m->begin_ns = ns;
}

static int note_losses(struct memory *m, int (*note)(unsigned id, const void *bytes, size_t n, void *userdata),
                       void *userdata)
{
        const struct losses *l = &m->losses;

        if (l->nmarks < 2 || l->mark[l->nmarks - 1].ns == m->noted_loss_ns)
                return 0;
        struct note_of_losses n = {.ns = l->mark[l->nmarks - 1].ns, .at = l->mark[l->nmarks - 1].at};
        int r = note(0, &n, sizeof(n), userdata);
        if (r == 0)
                m->noted_loss_ns = n.ns;
        return r;
}

int memory_notes(struct memory *m, int (*note)(unsigned id, const void *bytes, size_t n, void *userdata),
                 void *userdata)
{
        int r = note_losses(m, note, userdata);

        for (unsigned id = 1; r == 0 && m->told_changed && id < VIGIL_MAX_DBS; id++) {
                struct told *told = m->told[id];
                if (!told || !told->changed)
                        continue;
                told->changed = false;
                r = note(id, &(struct note_of_database){.told = *told}, sizeof(struct note_of_database), userdata);
                told->changed = r < 0;
        }
        m->told_changed = r < 0;
        return r;
}

static void remember_losses(struct memory *m, const struct note_of_losses *n)
{
        struct vigil_stats at = n->at;

        if (!n->ns)
                return;
        losses_note(&m->losses, n->ns, &at, 0);
        m->noted_loss_ns = n->ns;
}

static bool is_blank(const unsigned char *bytes, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (bytes[i])
                        return false;
        return true;
}

void memory_remember(struct memory *m, unsigned id, const void *note)
{
        struct note_of_database n;
        struct note_of_losses losses;

        if (id == 0) {
                memcpy(&losses, note, sizeof(losses));
                remember_losses(m, &losses);
                return;
        }
        memcpy(&n, note, sizeof(n));
        if (is_blank(note, sizeof(n)))
                return;
        struct told *told = memory_told(m, id);
        if (told)
                *told = n.told;
}
