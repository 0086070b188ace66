/* loop.c - see loop.h. */
#include "incident/loop.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool by_hand(const struct incident *i)
{
        return i->resolved_by && (strcmp(i->resolved_by, "operator") == 0 || strcmp(i->resolved_by, "shell") == 0);
}

static struct incident_program *find(struct incident_known *k, uint64_t program, int database)
{
        for (size_t n = 0; n < k->nprograms; n++)
                if (k->program[n].key == program && k->program[n].database == database)
                        return &k->program[n];
        return NULL;
}

bool loop_same(const struct incident_known *k, const struct incident_finding *f, uint64_t window_ns)
{
        int database = cause_database(&k->i, f->database);
        const struct incident_program *p = f->cause.program && database >= 0
                                                   ? find((struct incident_known *)k, f->cause.program, database)
                                                   : NULL;

        if (!p || !p->last_ns || by_hand(&k->i))
                return false;
        return f->ns <= p->last_ns || f->ns - p->last_ns <= window_ns;
}

static void count(struct incident *i, const struct incident_program *p, int64_t at_ns)
{
        if (p->deaths < i->deaths)
                return;
        i->deaths = p->deaths;
        i->deaths_first_ns = p->first_at_ns;
        i->deaths_last_ns = at_ns;
        i->program = p->key;
}

void loop_note(struct incident_known *k, const struct incident_finding *f, int database)
{
        struct incident_program *p = find(k, f->cause.program, database);

        if (!f->cause.program || database < 0)
                return;
        if (!p) {
                if (k->nprograms == INCIDENT_MAX_PROGRAMS)
                        return;
                p = &k->program[k->nprograms++];
                *p = (struct incident_program){.key = f->cause.program,
                                               .database = database,
                                               .last_ns = f->ns,
                                               .first_at_ns = f->at_ns,
                                               .deaths = 1};
                count(&k->i, p, f->at_ns);
                return;
        }
        if (f->ns <= p->last_ns)
                return;
        if (f->cause.died.start_ns > p->last_ns || f->ns - p->last_ns > INCIDENT_WINDOW_NS)
                p->deaths++;
        p->last_ns = f->ns;
        count(&k->i, p, f->at_ns);
}

bool loop_may_return(const struct incident_known *k, uint64_t window_ns, uint64_t now_ns)
{
        if (k->i.status != INCIDENT_RESOLVED || by_hand(&k->i))
                return false;
        for (size_t n = 0; n < k->nprograms; n++)
                if (k->program[n].last_ns &&
                    (now_ns <= k->program[n].last_ns || now_ns - k->program[n].last_ns <= window_ns))
                        return true;
        return false;
}

void loop_summary(struct incident *i, const char *detail)
{
        char text[DETECT_DETAIL_LEN], took[TEXT_DURATION_LEN];
        int64_t ns = i->deaths_last_ns - i->deaths_first_ns;

        text_duration(took, ns > 0 ? (uint64_t)ns : 0);
        snprintf(text, sizeof(text), "died %u times in %s; at last: %s", i->deaths, took, detail);
        text_printable(i->summary, sizeof(i->summary), text);
}
