/* recognised.c - what an incident is recognised by, as it is stored: without it a later run would take what belongs to it for new,
 * and would not know of which of its findings it was told that they are over. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "incident/cause.h"

/* [boot id, death_ns, topics, deaths, programs], each of these an array of arrays: nobody else is to read it. */
enum part { BOOT_ID, DEATH_NS, TOPICS, DEATHS, PROGRAMS };

/* ---- stored ---- */

/* null: about none; false: its name could not be stored. */
static json_t *database_json(const struct incident *i, int database)
{
        const char *name = database >= 0 ? i->databases[database].name : NULL;

        return name ? text_json(name, strlen(name)) : database == TOPIC_UNNAMED ? json_false() : json_null();
}

static json_t *topics_json(const struct incident_known *k)
{
        json_t *topics = json_array();

        for (size_t n = 0; n < k->ntopics; n++) {
                const struct incident_topic *t = &k->topic[n];
                if (t->code)
                        json_array_append_new(topics, json_pack("[s, o, b]", t->code->code,
                                                                database_json(&k->i, t->database), t->over));
        }
        return topics;
}

static json_t *deaths_json(const struct incident_known *k)
{
        json_t *deaths = json_array();

        for (size_t n = 0; n < k->ncauses; n++) {
                const struct incident_cause *c = &k->cause[n];
                json_array_append_new(deaths, json_pack("[I, I, I, I, I, I]", (json_int_t)c->died.tgid,
                                                        (json_int_t)c->died.start_ns, (json_int_t)c->sender.tgid,
                                                        (json_int_t)c->sender.start_ns, (json_int_t)c->cgroup_id,
                                                        (json_int_t)c->pidns_ino));
        }
        return deaths;
}

static json_t *programs_json(const struct incident_known *k)
{
        json_t *programs = json_array();

        for (size_t n = 0; n < k->nprograms; n++) {
                const struct incident_program *p = &k->program[n];
                json_array_append_new(programs, json_pack("[o, I, I, I, I]", database_json(&k->i, p->database),
                                                          (json_int_t)p->key, (json_int_t)p->last_ns,
                                                          (json_int_t)p->first_at_ns, (json_int_t)p->deaths));
        }
        return programs;
}

json_t *incident_recognised(const struct incident *i, const char *boot_id)
{
        const struct incident_known *k = (const struct incident_known *)i;

        return json_pack("[s, I, o, o, o]", boot_id, (json_int_t)k->death_ns, topics_json(k), deaths_json(k),
                         programs_json(k));
}

/* ---- read back ---- */

/* A name that could not be stored as it is is nobody's: nothing is drawn to such a topic, and nobody can say that it is over. */
static int database_of(const struct incident *i, const json_t *name)
{
        int database = cause_database(i, json_string_value(name));

        return json_is_null(name) ? -1 : database >= 0 ? database : TOPIC_UNNAMED;
}

static void take_topics(struct incident_known *k, const json_t *topics)
{
        const json_t *t;
        bool first = true;
        size_t n;

        json_array_foreach (topics, n, t) {
                const char *name = json_string_value(json_array_get(t, 0));
                const struct incident_code *code = name ? incident_code(name) : NULL;
                if (!code || k->ntopics == INCIDENT_MAX_CAUSES)
                        continue;
                if (first)
                        k->ntopics = 0; /* the first code was only a guess */
                first = false;
                k->topic[k->ntopics++] = (struct incident_topic){
                        .database = database_of(&k->i, json_array_get(t, 1)),
                        .code = code,
                        .over = json_is_true(json_array_get(t, 2)),
                        .restored = true};
        }
}

static uint64_t number_at(const json_t *array, size_t n)
{
        return (uint64_t)json_integer_value(json_array_get(array, n));
}

static void take_deaths(struct incident_known *k, const json_t *deaths)
{
        const json_t *c;
        size_t n;

        json_array_foreach (deaths, n, c)
                if (k->ncauses < INCIDENT_MAX_CAUSES)
                        k->cause[k->ncauses++] = (struct incident_cause){
                                .died = {.tgid = (uint32_t)number_at(c, 0), .start_ns = number_at(c, 1)},
                                .sender = {.tgid = (uint32_t)number_at(c, 2), .start_ns = number_at(c, 3)},
                                .cgroup_id = number_at(c, 4),
                                .pidns_ino = number_at(c, 5)};
}

static void take_programs(struct incident_known *k, const json_t *programs, bool this_boot)
{
        const json_t *p;
        size_t n;

        if (json_array_size(programs))
                k->nprograms = 0; /* the one that died most often is among them */
        json_array_foreach (programs, n, p) {
                int database = database_of(&k->i, json_array_get(p, 0));
                if (database < 0 || k->nprograms == INCIDENT_MAX_PROGRAMS)
                        continue;
                k->program[k->nprograms++] = (struct incident_program){.database = database,
                                                                       .key = number_at(p, 1),
                                                                       .last_ns = this_boot ? number_at(p, 2) : 0,
                                                                       .first_at_ns = (int64_t)number_at(p, 3),
                                                                       .deaths = (unsigned)number_at(p, 4)};
        }
}

void incident_recognise(struct incident *i, const json_t *stored, const char *boot_id)
{
        struct incident_known *k = (struct incident_known *)i;
        const char *of = json_string_value(json_array_get(stored, BOOT_ID));
        bool this_boot = of && strcmp(of, boot_id) == 0;

        if (!of)
                return;
        take_topics(k, json_array_get(stored, TOPICS));
        take_programs(k, json_array_get(stored, PROGRAMS), this_boot);
        k->death_ns = this_boot ? number_at(stored, DEATH_NS) : 0;
        if (this_boot)
                take_deaths(k, json_array_get(stored, DEATHS));
}
