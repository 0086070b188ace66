#include "incident/incident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "incident/cause.h"
#include "incident/id.h"
#include "incident/loop.h"

struct incidents {
        char boot_id[40];
        enum severity (*severity)(void *userdata, const char *code, enum severity given);
        void *userdata;
        struct incident **list; /* each the beginning of a struct incident_known; oldest first */
        size_t n;
        size_t room;
        uint64_t loop_ns; /* 0: each death by itself */
};

/* The texts are the incident's own, though its readers may not change them. */
static void free_text(const char *text)
{
        free((char *)text);
}

static void known_free(struct incident_known *k)
{
        if (!k)
                return;
        free_text(k->i.code);
        free_text(k->i.database);
        free_text(k->i.path);
        for (size_t n = 0; n < k->i.ndatabases; n++) {
                free(k->i.databases[n].name);
                free(k->i.databases[n].path);
        }
        for (size_t n = 0; n < TRUST_REASONS; n++)
                free(k->reason[n]);
        free(k);
}

struct incidents *incidents_new(const char *boot_id,
                                enum severity (*severity)(void *userdata, const char *code, enum severity given),
                                void *userdata)
{
        struct incidents *s = calloc(1, sizeof(*s));

        if (!s)
                return NULL;
        snprintf(s->boot_id, sizeof(s->boot_id), "%s", boot_id);
        s->loop_ns = INCIDENT_LOOP_NS;
        s->severity = severity;
        s->userdata = userdata;
        return s;
}

void incidents_free(struct incidents *s)
{
        if (!s)
                return;
        for (size_t n = 0; n < s->n; n++)
                known_free((struct incident_known *)s->list[n]);
        free(s->list);
        free(s);
}

void incidents_loop(struct incidents *s, uint64_t ns)
{
        s->loop_ns = ns;
}

bool incidents_may_return(const struct incidents *s, const struct incident *i, uint64_t now_ns)
{
        return s->loop_ns && loop_may_return((const struct incident_known *)i, s->loop_ns, now_ns);
}

/* One more fits. Made before anything else of a new incident, so that nothing can fail behind it. */
static bool make_room(struct incidents *s)
{
        if (s->n < s->room)
                return true;
        size_t room = s->room ? 2 * s->room : 16;
        struct incident **list = realloc(s->list, room * sizeof(struct incident *));
        if (!list)
                return false;
        s->list = list;
        s->room = room;
        return true;
}

/* Copies of two texts; NULL stays NULL. @return false: out of memory, nothing was made */
static bool copy_texts(const char *a, const char *b, char **ret_a, char **ret_b)
{
        _cleanup_free_ char *first = a ? strdup(a) : NULL;
        _cleanup_free_ char *second = b ? strdup(b) : NULL;

        if ((a && !first) || (b && !second))
                return false;
        *ret_a = TAKE_PTR(first);
        *ret_b = TAKE_PTR(second);
        return true;
}

/* @param ret  index of it; -1: there is none, or no place for it. @return false: out of memory */
static bool add_database(struct incident *i, const char *name, const char *path, int *ret)
{
        int found = cause_database(i, name);

        if (name && found < 0 && i->ndatabases == INCIDENT_MAX_DATABASES)
                i->more_databases = true;
        else if (name && found < 0) {
                struct incident_database *d = &i->databases[i->ndatabases];
                if (!copy_texts(name, path, &d->name, &d->path))
                        return false;
                found = (int)i->ndatabases++;
        }
        *ret = found;
        return true;
}

/* The incident is called after its worst finding. */
static bool call_after(struct incident *i, const struct incident_finding *f, enum severity severity)
{
        char *database, *path;
        _cleanup_free_ char *code = strdup(f->code);

        if (!code || !copy_texts(f->database, f->path, &database, &path))
                return false;
        free_text(i->code);
        free_text(i->database);
        free_text(i->path);
        i->code = TAKE_PTR(code);
        i->database = database;
        i->path = path;
        i->severity = severity;
        text_printable(i->summary, sizeof(i->summary), f->detail ? f->detail : f->code);
        return true;
}

static unsigned owes(const struct incident_code *code)
{
        /* What no table knows, nothing is known to end. */
        return 1u << (code ? code->ends : ENDS_BY_HAND);
}

/* That a check or a backup of an incident failed adds no silence to what it waits for: that action is due until it is done. Nor
 * does it draw to the incident what fails without it. */
static bool only_quiet(const struct incident_finding *f, const struct incident_code *code)
{
        return f->incident && code && code->ends == ENDS_WHEN_QUIET;
}

/* All that was told of it before is over: it is what comes now, and fires with that one's severity. What Vigil still owes it, and the
 * silence after a further death, are no damage. */
static bool is_over(const struct incident *i)
{
        const unsigned aftermath = 1u << ENDS_WHEN_QUIET | 1u << ENDS_BY_ACTIONS;

        return i->status == INCIDENT_RESOLVED || (i->deaths > 1 && !(i->owed & ~aftermath));
}

static bool take(struct incidents *s, struct incident_known *k, const struct incident_finding *f,
                 const struct incident_code *code)
{
        struct incident *i = &k->i;
        enum severity severity = s->severity ? s->severity(s->userdata, f->code, f->severity) : f->severity;
        int database;

        if (!add_database(i, f->database, f->path, &database))
                return false;
        if ((!i->code || severity < i->severity || (cause_is_death(f) && is_over(i))) &&
            !call_after(i, f, severity))
                return false;
        i->nfindings++;
        i->ncertificates += f->certificate != NULL;
        if (!i->owed || !only_quiet(f, code)) {
                i->owed |= owes(code);
                cause_note(k, f, code, database);
        }
        if (cause_is_death(f) && s->loop_ns)
                loop_note(k, f, database);
        if (i->deaths > 1 && f->cause.program == i->program) {
                /* Each of its recoveries would end it, and the next death begin it. */
                i->owed |= 1u << ENDS_WHEN_QUIET;
                loop_summary(i, f->detail ? f->detail : f->code);
        }
        if (i->last_ns < f->ns)
                i->last_ns = f->ns;
        if (f->trust)
                trust_merge(&i->trust, f->trust);
        return true;
}

static bool is_open(const struct incidents *s, const char *id)
{
        for (size_t n = 0; n < s->n; n++)
                if (strcmp(s->list[n]->id, id) == 0)
                        return s->list[n]->status != INCIDENT_RESOLVED;
        return false;
}

/* Where @p f belongs; NULL: nowhere yet. @param id  what an incident that begins with it is called */
static struct incident_known *place(const struct incidents *s, const struct incident_finding *f,
                                    const struct incident_code *code, const char *id)
{
        struct incident_known *oldest = NULL, *alike = NULL;
        /* One that somebody has resolved meanwhile says nothing: there may be another of that cause. */
        const char *named = f->incident && is_open(s, f->incident) ? f->incident : NULL;
        size_t open = 0;

        for (size_t n = 0; n < s->n; n++) {
                struct incident_known *k = (struct incident_known *)s->list[n];
                if (strcmp(k->i.id, id) == 0)
                        return k;
                if (k->i.status == INCIDENT_RESOLVED)
                        continue;
                open++;
                if (named ? strcmp(k->i.id, named) == 0 : cause_same(k, f, code))
                        return k;
                if (!oldest)
                        oldest = k;
                if (!alike && strcmp(k->i.code, f->code) == 0 && cause_database(&k->i, f->database) >= 0)
                        alike = k;
        }
        if (open < INCIDENT_MAX_OPEN)
                return NULL;
        return alike ? alike : oldest;
}

/* The one that a program's earlier deaths have made, though it be over. NULL: none */
static struct incident_known *earlier(const struct incidents *s, const struct incident_finding *f)
{
        for (size_t n = s->n; s->loop_ns && cause_is_death(f) && n-- > 0;) {
                struct incident_known *k = (struct incident_known *)s->list[n];
                if (loop_same(k, f, s->loop_ns))
                        return k;
        }
        return NULL;
}

static void fire_again(struct incident *i)
{
        i->status = INCIDENT_FIRING;
        i->acknowledged_ns = i->resolved_ns = i->seen_ns = 0;
        i->resolved_by = i->proven_by = NULL;
}

static struct incident_known *begin(struct incidents *s, const struct incident_finding *f,
                                    const struct incident_code *code, const char *id)
{
        struct incident_known *k = make_room(s) ? calloc(1, sizeof(*k)) : NULL;

        if (!k)
                return NULL;
        snprintf(k->i.id, sizeof(k->i.id), "%s", id);
        k->i.started_ns = f->at_ns;
        if (!take(s, k, f, code)) {
                known_free(k);
                return NULL;
        }
        s->list[s->n++] = &k->i;
        return k;
}

struct incident *incidents_add(struct incidents *s, const struct incident_finding *f, bool *ret_new)
{
        const struct incident_code *code = incident_code(f->code);
        char id[DETECT_ID_LEN];
        struct incident_hash h;

        incident_hash_begin(&h);
        incident_hash_text(&h, s->boot_id);
        incident_hash_text(&h, f->id);
        incident_hash_end(&h, 'i', id);
        struct incident_known *k = f->incident ? NULL : earlier(s, f);
        if (!k)
                k = place(s, f, code, id);
        bool fresh = !k;
        enum severity before = k ? k->i.severity : SEVERITY_P3;
        if (k)
                k->i.goes_on = false;
        if (k ? !take(s, k, f, code) : !(k = begin(s, f, code, id)))
                return NULL;
        k->i.returned = k->i.status == INCIDENT_RESOLVED;
        if (k->i.returned)
                fire_again(&k->i);
        k->i.goes_on = k->i.goes_on && k->i.severity >= before;
        k->i.reopened = k->i.severity < k->i.seen_severity && incident_fire(&k->i) == 0;
        *ret_new = fresh;
        return &k->i;
}

/* The first is that of its worst finding, and what it is recognised by. @return false: out of memory */
static bool restore_databases(struct incident *i, const struct incident *stored, int *ret_first)
{
        int index;

        if (!add_database(i, stored->database, stored->path, ret_first))
                return false;
        for (size_t n = 0; n < stored->ndatabases; n++)
                if (!add_database(i, stored->databases[n].name, stored->databases[n].path, &index))
                        return false;
        i->more_databases = i->more_databases || stored->more_databases;
        return true;
}

static bool restore_trust(struct incident_known *k, const struct trust *stored)
{
        k->i.trust = *stored;
        for (size_t n = 0; n < stored->nreasons; n++)
                if (!(k->i.trust.reason[n] = k->reason[n] = strdup(stored->reason[n])))
                        return false;
        return true;
}

/* What a stored incident is recognised by: its first database and its code. */
static bool restore_into(struct incident_known *k, const struct incident *stored, uint64_t death_ns)
{
        const struct incident_code *code = incident_code(stored->code);
        struct incident_finding f = {.id = "",
                                     .code = stored->code,
                                     .database = stored->database,
                                     .path = stored->path,
                                     .detail = stored->summary};
        int database;

        if (!call_after(&k->i, &f, stored->severity) || !restore_databases(&k->i, stored, &database) ||
            !restore_trust(k, &stored->trust))
                return false;
        k->topic[k->ntopics++] = (struct incident_topic){.database = database, .code = code, .restored = true};
        memcpy(k->i.id, stored->id, sizeof(k->i.id));
        k->i.status = stored->status;
        k->i.started_ns = stored->started_ns;
        k->i.acknowledged_ns = stored->acknowledged_ns;
        k->i.seen_ns = stored->status == INCIDENT_ACKNOWLEDGED ? stored->acknowledged_ns : 0;
        k->i.seen_severity = stored->severity;
        k->i.resolved_ns = stored->resolved_ns;
        k->i.nfindings = stored->nfindings;
        k->i.ncertificates = stored->ncertificates;
        k->i.resolved_by = stored->resolved_by;
        k->i.owed = stored->owed || stored->status == INCIDENT_RESOLVED ? stored->owed : owes(code);
        k->i.proven_by = stored->proven_by;
        k->i.deaths = stored->deaths;
        k->i.deaths_first_ns = stored->deaths_first_ns;
        k->i.deaths_last_ns = stored->deaths_last_ns;
        k->i.program = stored->program;
        k->death_ns = death_ns;
        if (stored->program && stored->deaths && database >= 0)
                k->program[k->nprograms++] = (struct incident_program){.key = stored->program,
                                                                       .database = database,
                                                                       .last_ns = death_ns,
                                                                       .first_at_ns = stored->deaths_first_ns,
                                                                       .deaths = stored->deaths};
        return true;
}

struct incident *incidents_restore(struct incidents *s, const struct incident *stored, uint64_t death_ns)
{
        struct incident_known *k = s->n < INCIDENT_MAX_OPEN && make_room(s) ? calloc(1, sizeof(*k)) : NULL;

        if (!k)
                return NULL;
        if (!restore_into(k, stored, death_ns)) {
                known_free(k);
                return NULL;
        }
        s->list[s->n++] = &k->i;
        return &k->i;
}

struct incident *incidents_find(struct incidents *s, const char *id)
{
        for (size_t n = 0; n < s->n; n++)
                if (strcmp(s->list[n]->id, id) == 0)
                        return s->list[n];
        return NULL;
}

size_t incidents_list(const struct incidents *s, struct incident *const **ret)
{
        *ret = s->list;
        return s->n;
}

void incidents_drop(struct incidents *s, struct incident *i)
{
        for (size_t n = 0; n < s->n; n++) {
                if (s->list[n] != i)
                        continue;
                s->n--;
                memmove(&s->list[n], &s->list[n + 1], (s->n - n) * sizeof(struct incident *));
                known_free((struct incident_known *)i);
                return;
        }
}
