/* cause.c - which findings have one cause: deaths by who did it, where and when; all else by what it is about. */
#include "incident/cause.h"

#include <errno.h>
#include <string.h>

bool cause_is_death(const struct incident_finding *f)
{
        const struct incident_cause *c = &f->cause;

        return f->certificate || c->died.tgid || c->sender.tgid || c->cgroup_id || c->pidns_ino;
}

int cause_database(const struct incident *i, const char *name)
{
        for (size_t n = 0; name && n < i->ndatabases; n++)
                if (strcmp(i->databases[n].name, name) == 0)
                        return (int)n;
        return -1;
}

static bool same_process(const struct vigil_ident *a, const struct vigil_ident *b)
{
        return a->tgid && a->tgid == b->tgid && a->start_ns == b->start_ns;
}

/* Init stops whatever it is told to stop: that it did says nothing. */
static bool same_sender(const struct vigil_ident *a, const struct vigil_ident *b)
{
        return a->tgid != 1 && same_process(a, b);
}

static bool same_number(uint64_t a, uint64_t b)
{
        return a && a == b;
}

static bool within_window(uint64_t a, uint64_t b)
{
        return (a > b ? a - b : b - a) <= INCIDENT_WINDOW_NS;
}

static bool same_death(const struct incident_known *k, const struct incident_finding *f)
{
        const struct incident_cause *c = &f->cause;
        bool near = k->death_ns && within_window(k->death_ns, f->ns);

        for (size_t i = 0; i < k->ncauses; i++) {
                const struct incident_cause *o = &k->cause[i];
                if (same_process(&o->died, &c->died))
                        return true;
                if (near && (same_sender(&o->sender, &c->sender) || same_number(o->cgroup_id, c->cgroup_id) ||
                             same_number(o->pidns_ino, c->pidns_ino)))
                        return true;
        }
        /* Several of one database's users that go at once do not go by chance. */
        return near && cause_database(&k->i, f->database) >= 0;
}

static bool same_topic(const struct incident_known *k, const struct incident_finding *f,
                       const struct incident_code *code)
{
        int database = cause_database(&k->i, f->database);

        if (f->database && database < 0)
                return false;
        for (size_t i = 0; i < k->ntopics; i++) {
                const struct incident_topic *t = &k->topic[i];
                if (t->database == database && t->code && code &&
                    (t->code == code || (t->code->storage && code->storage)))
                        return true;
        }
        /* A code that no table knows is only ever its own incident's. */
        return !code && strcmp(k->i.code, f->code) == 0;
}

bool cause_same(const struct incident_known *k, const struct incident_finding *f, const struct incident_code *code)
{
        return cause_is_death(f) ? same_death(k, f) : same_topic(k, f, code);
}

static struct incident_topic *topic_of(struct incident_known *k, const struct incident_code *code, int database)
{
        for (size_t i = 0; i < k->ntopics; i++)
                if (k->topic[i].database == database && k->topic[i].code == code)
                        return &k->topic[i];
        return NULL;
}

void cause_note(struct incident_known *k, const struct incident_finding *f, const struct incident_code *code,
                int database)
{
        if (cause_is_death(f)) {
                if (k->death_ns < f->ns)
                        k->death_ns = f->ns;
                for (size_t i = 0; i < k->ncauses; i++)
                        if (same_process(&k->cause[i].died, &f->cause.died))
                                return;
                if (k->ncauses < INCIDENT_MAX_CAUSES)
                        k->cause[k->ncauses++] = f->cause;
                return;
        }
        struct incident_topic *t = topic_of(k, code, database);
        if (t) {
                k->i.goes_on = t->restored && !t->over && code && code->ends == ENDS_WHEN_OVER;
                t->over = t->restored = false;
        } else if (k->ntopics < INCIDENT_MAX_CAUSES && !same_topic(k, f, code)) {
                k->topic[k->ntopics++] = (struct incident_topic){.database = database, .code = code};
        }
}

bool incident_tells(struct incident *i, const char *code, const char *database)
{
        struct incident_known *k = (struct incident_known *)i;
        int index = cause_database(i, database);
        const struct incident_topic *t = database && index < 0 ? NULL : topic_of(k, incident_code(code), index);

        return t && !t->over;
}

int incident_over(struct incident *i, const char *code, const char *database)
{
        struct incident_known *k = (struct incident_known *)i;
        int index = cause_database(i, database);
        struct incident_topic *over = database && index < 0 ? NULL : topic_of(k, incident_code(code), index);

        if (!over || over->over)
                return -ENOENT;
        over->over = true;
        for (size_t n = 0; n < k->ntopics; n++)
                if (k->topic[n].code && k->topic[n].code->ends == ENDS_WHEN_OVER && !k->topic[n].over)
                        return 0;
        return 1;
}
