/* feed_database.c - databases: what stood under which path, its newest state, and whether it is one at all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_private.h"

/* One entry per path, whatever happens to the file under it. Equal paths of other mount namespaces may be different files. */
static struct group *find_group(struct model *m, const struct vigil_database *r)
{
        for (size_t i = 0; i < m->ngroups; i++) {
                struct group *g = m->group[i];
                bool elsewhere = (g->pub.path_flags | r->path_flags) & VIGIL_PATH_OTHER_NS;
                if (strcmp(g->path, r->path) == 0 && (!elsewhere || (g->ino == r->ino && g->dev == r->dev)))
                        return g;
        }
        return NULL;
}

static struct group *add_group(struct model *m, const struct vigil_database *r)
{
        struct group *g = calloc(1, sizeof(*g));
        char *path = strdup(r->path);
        if (!g || !path) {
                free(g);
                free(path);
                return NULL;
        }
        *g = (struct group){.path = path, .ino = r->ino, .dev = r->dev};
        g->pub = (struct model_database){.path = path, .path_flags = r->path_flags};
        m->group[m->ngroups++] = g;
        return g;
}

int feed_database(struct model *m, const struct vigil_database *r)
{
        struct slot *s = &m->slot[r->db];
        struct group *g = s->database == SIZE_MAX ? find_group(m, r) : m->group[s->database];
        if (!g) {
                if (m->ngroups == VIGIL_MAX_DBS) {
                        m->full++;
                        return 0;
                }
                g = add_group(m, r);
                if (!g)
                        return -ENOMEM;
        }
        if (s->database == SIZE_MAX) {
                for (s->database = 0; m->group[s->database] != g;)
                        s->database++;
                g->pub.id = r->db;
        }
        g->pub.flags |= r->flags;
        g->pub.asked |= (r->flags & VIGIL_DB_ASKED) != 0;
        g->canary |= (r->flags & VIGIL_DB_CANARY) != 0;
        if (r->fs_magic)
                g->pub.fs_magic = r->fs_magic;
        return 0;
}

int slot_take_db(struct model *m, const struct vigil_db *db, uint64_t ns)
{
        struct slot *s = &m->slot[db->id];
        if (s->db && ns < s->db_ns)
                return 0;
        struct vigil_db *copy = model_copy(db, sizeof(*db));
        if (!copy)
                return -ENOMEM;
        free(s->db);
        s->db = copy;
        s->db_ns = ns;
        return 0;
}

/* An empty main file with companions is a database in its first transaction, or one that lost its content. */
static bool looks_like_sqlite(const struct vigil_observed *o)
{
        return o->flags & VIGIL_OBS_SQLITE ||
               (o->flags & VIGIL_OBS_EMPTY && o->flags & (VIGIL_OBS_JOURNAL | VIGIL_OBS_WAL));
}

int slot_take_observed(struct model *m, const struct vigil_observed *o)
{
        struct slot *s = &m->slot[o->db];
        if (!o->error) {
                s->looked |= (o->flags & VIGIL_OBS_MAIN) != 0;
                s->sqlite |= looks_like_sqlite(o);
        }
        if (s->observed && o->hdr.ns < s->observed->hdr.ns)
                return 0;
        struct vigil_observed *copy = model_copy(o, sizeof(*o));
        if (!copy)
                return -ENOMEM;
        free(s->observed);
        s->observed = copy;
        return 0;
}

/* A file that could never be looked at (gone too soon) is a database when it was used with companions as only one is. */
static bool used_like_sqlite(const struct slot *s)
{
        return s->db && (s->db->file[VIGIL_ROLE_WAL].writes || s->db->file[VIGIL_ROLE_JOURNAL].writes);
}

/* A log of the name `app-journal` is no database `app`: SQLite opens the main file before its companions. */
static bool had_main(const struct slot *s)
{
        return !s->db || s->db->file[VIGIL_ROLE_MAIN].ino;
}

void databases_settle(struct model *m)
{
        bool seen[VIGIL_MAX_DBS] = {false}, sqlite[VIGIL_MAX_DBS] = {false}, main[VIGIL_MAX_DBS] = {false};
        for (size_t id = 0; id < VIGIL_MAX_DBS; id++) {
                const struct slot *s = &m->slot[id];
                if (s->database == SIZE_MAX)
                        continue;
                seen[s->database] |= s->looked || s->observed;
                sqlite[s->database] |= s->sqlite || (!s->looked && had_main(s) && used_like_sqlite(s));
                main[s->database] |= had_main(s);
                if (s->db)
                        m->group[s->database]->pub.flags |= s->db->flags;
        }
        for (size_t i = 0; i < m->ngroups; i++) {
                struct group *g = m->group[i];
                const struct slot *s = &m->slot[g->pub.id];
                g->pub.ledger = s->db;
                g->pub.observed = s->observed;
                g->pub.shown = !g->canary && (g->pub.asked || sqlite[i] || (main[i] && !seen[i]));
        }
}
