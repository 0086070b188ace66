/* memory.c - see memory.h. */
#include "daemon/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/memory_private.h"
#include "sensor/recording.h"

/* ---- life ---- */

struct memory *memory_new(const struct vigil_session *session, bool redact_argv)
{
        struct memory *m = calloc(1, sizeof(*m));

        if (!m)
                return NULL;
        m->session = *session;
        m->redact_argv = redact_argv;
        m->last = &m->first;
        m->probe = calloc(MEMORY_PROBES, sizeof(*m->probe));
        m->signal = calloc(MEMORY_SIGNALS, sizeof(*m->signal));
        m->oom = calloc(MEMORY_OOMS, sizeof(*m->oom));
        m->trouble = calloc(MEMORY_TROUBLES, sizeof(*m->trouble));
        m->recent.half[0] = malloc(MEMORY_RECENT / 2);
        m->recent.half[1] = malloc(MEMORY_RECENT / 2);
        if (!m->probe || !m->signal || !m->oom || !m->trouble || !m->recent.half[0] || !m->recent.half[1] ||
            people_init(&m->people) < 0) {
                memory_free(m);
                return NULL;
        }
        losses_note(&m->losses, 0, &(struct vigil_stats){0}, 0);
        return m;
}

void memory_death_free(struct death *d)
{
        for (size_t i = 0; d && i < VIGIL_USES; i++)
                free(d->part[i]);
        free(d);
}

void memory_free(struct memory *m)
{
        if (!m)
                return;
        while (m->first) {
                struct death *next = m->first->next;
                memory_death_free(m->first);
                m->first = next;
        }
        for (size_t i = 0; i < m->norphans; i++)
                free(m->orphan[i]);
        for (size_t i = 0; i < VIGIL_MAX_DBS; i++) {
                free(m->database[i]);
                free(m->told[i]);
        }
        removals_free(m);
        people_done(&m->people);
        gaps_done(&m->gaps);
        free(m->probe);
        free(m->signal);
        free(m->oom);
        free(m->trouble);
        free(m->recent.half[0]);
        free(m->recent.half[1]);
        free(m);
}

static void *copy_of(const void *p, size_t n)
{
        void *copy = malloc(n);

        return copy ? memcpy(copy, p, n) : NULL;
}

/* ---- databases, probes, signals ---- */

static bool is_canary(const struct memory *m, uint32_t db)
{
        return m->database[db] && m->database[db]->flags & VIGIL_DB_CANARY;
}

static int take_database(struct memory *m, const struct vigil_database *r)
{
        struct vigil_database *copy = copy_of(r, sizeof(*r));

        if (!copy)
                return -ENOMEM;
        free(m->database[r->db]);
        m->database[r->db] = copy;
        return 0;
}

void memory_ends(struct memory *m)
{
        m->ending = true;
}

void memory_forget_database(struct memory *m, uint32_t db)
{
        if (db >= VIGIL_MAX_DBS)
                return;
        free(m->database[db]);
        free(m->told[db]);
        removals_forget(m, db);
        m->database[db] = NULL;
        m->told[db] = NULL;
}

struct told *memory_told(struct memory *m, uint32_t db)
{
        if (!m->told[db])
                m->told[db] = calloc(1, sizeof(*m->told[db]));
        return m->told[db];
}

static void take_probe(struct memory *m, const struct vigil_probe *r)
{
        size_t i = 0;

        while (i < m->nprobes && strcmp(m->probe[i].name, r->name) != 0)
                i++;
        if (i == MEMORY_PROBES)
                return;
        m->probe[i] = *r;
        m->nprobes = i == m->nprobes ? i + 1 : m->nprobes;
}

/* ---- deaths ---- */

bool memory_death_is_whole(const struct death *d)
{
        for (size_t i = 0; i < d->proc.nuses; i++)
                if (d->proc.use[i].db && !d->part[i])
                        return false;
        return true;
}

/* Takes @part over when it belongs to @d and is still missing there. */
static bool death_takes(struct death *d, struct vigil_exit_db *part)
{
        if (!same_ident(&d->proc.id, &part->id))
                return false;
        for (size_t i = 0; i < d->proc.nuses; i++) {
                if (d->proc.use[i].db != part->use.db || d->part[i])
                        continue;
                d->part[i] = part;
                return true;
        }
        return false;
}

/* A death that had to be collected comes behind its parts. */
static void adopt_orphans(struct memory *m, struct death *d)
{
        for (size_t i = m->norphans; i-- > 0;)
                if (death_takes(d, m->orphan[i]))
                        m->orphan[i] = m->orphan[--m->norphans];
}

static int take_death(struct memory *m, const struct vigil_proc *r, uint32_t *ret_db)
{
        if (r->flags & VIGIL_PROC_CANARY)
                return MEMORY_NOTHING;
        people_died(&m->people, &r->id, r->hdr.ns);
        if (r->nuses == 0)
                return MEMORY_NOTHING;
        if (m->ndeaths == MEMORY_DEATHS) {
                m->deaths_dropped++;
                return MEMORY_NOTHING;
        }
        struct death *d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        d->proc = *r;
        adopt_orphans(m, d);
        *m->last = d;
        m->last = &d->next;
        m->ndeaths++;
        *ret_db = r->nuses == 1 ? r->use[0].db : 0;
        return MEMORY_DEATH;
}

static int take_part(struct memory *m, const struct vigil_exit_db *r, uint32_t *ret_db)
{
        struct death *youngest = NULL;

        if (is_canary(m, r->use.db))
                return MEMORY_NOTHING;
        removals_used(m, &r->use);
        struct vigil_exit_db *part = copy_of(r, sizeof(*r));
        if (!part)
                return -ENOMEM;
        *ret_db = r->use.db;
        /* An exec and the exit after it have one identity: the parts of the first came before the second. */
        for (struct death *d = m->first; d; d = d->next)
                if (same_ident(&d->proc.id, &r->id))
                        youngest = d;
        if (youngest && death_takes(youngest, part))
                return MEMORY_DEATH_PART;
        if (m->norphans == MEMORY_ORPHANS) {
                m->deaths_dropped++;
                free(part);
                return MEMORY_NOTHING;
        }
        m->orphan[m->norphans++] = part;
        return MEMORY_DEATH_PART;
}

/* Records of the ordinary ring are read behind those of the urgent one: whoever is told of may have died before. */
static int take_process(struct memory *m, const struct vigil_process *r)
{
        int err = people_take(&m->people, r, m->redact_argv);

        for (const struct death *d = m->first; err == 0 && d; d = d->next)
                if (same_ident(&d->proc.id, &r->id))
                        people_died(&m->people, &r->id, d->proc.hdr.ns);
        return err;
}

/* ---- troubles ---- */

/* The same as the model takes for one (model.c, feed_op). */
static bool is_trouble(const struct vigil_op *r)
{
        bool lock = r->e.op == VIGIL_OP_LOCK_RD || r->e.op == VIGIL_OP_LOCK_WR || r->e.op == VIGIL_OP_UNLOCK ||
                    r->e.op == VIGIL_OP_LOCK_WAIT;
        bool short_write = r->e.op == VIGIL_OP_WRITE && r->e.result >= 0 && (uint32_t)r->e.result < r->e.bytes;

        return (r->e.result < 0 && !lock) || short_write;
}

static int take_trouble(struct memory *m, const struct vigil_hdr *r, size_t size, uint32_t db, uint32_t *ret_db)
{
        if (is_canary(m, db) || !m->database[db])
                return MEMORY_NOTHING;
        *ret_db = db;
        if (m->ntroubles == MEMORY_TROUBLES) {
                m->troubles_dropped++;
                return MEMORY_TROUBLE;
        }
        struct trouble *t = &m->trouble[m->ntroubles++];
        memset(t, 0, sizeof(*t));
        memcpy(&t->hdr, r, size);
        t->db = db;
        return MEMORY_TROUBLE;
}

/* ---- what happened last ---- */

static void take_recent(struct memory *m, const struct vigil_hdr *r, uint32_t size)
{
        struct recent *c = &m->recent;

        if (c->used[c->newer] + size > MEMORY_RECENT / 2) {
                c->newer ^= 1;
                c->used[c->newer] = 0;
        }
        struct vigil_hdr *to = (void *)(c->half[c->newer] + c->used[c->newer]);
        memcpy(to, r, size);
        to->size = size; /* of a newer kind no more than what is known */
        c->used[c->newer] += size;
}

/* ---- dispatch ---- */

static int take_op(struct memory *m, const struct vigil_op *r, uint32_t *ret_db)
{
        if (r->hdr.type == VIGIL_OP && is_trouble(r))
                return take_trouble(m, &r->hdr, sizeof(*r), r->e.db, ret_db);
        if (is_canary(m, r->e.db))
                return MEMORY_NOTHING;
        take_recent(m, &r->hdr, sizeof(*r));
        *ret_db = r->e.db;
        int removal = removals_take(m, &r->hdr);
        return removal < 0                 ? removal
               : removal                   ? MEMORY_REMOVAL
               : r->hdr.type == VIGIL_OPEN ? MEMORY_IN_USE
                                           : MEMORY_NOTHING;
}

static int take_pathop(struct memory *m, const struct vigil_pathop *r, uint32_t *ret_db)
{
        if (is_canary(m, r->db))
                return MEMORY_NOTHING;
        take_recent(m, &r->hdr, sizeof(*r));
        *ret_db = r->db;
        int removal = removals_take(m, &r->hdr);
        return removal < 0 ? removal : removal ? MEMORY_REMOVAL : MEMORY_NOTHING;
}

static int take_known(struct memory *m, const struct vigil_hdr *h, uint32_t *ret_db)
{
        const void *r = h;

        switch (h->type) {
        case VIGIL_DATABASE:
                *ret_db = ((const struct vigil_database *)r)->db;
                return take_database(m, r);
        case VIGIL_PROCESS:
                return take_process(m, r);
        case VIGIL_CGROUP:
                return people_take_cgroup(&m->people, r);
        case VIGIL_OPEN:
        case VIGIL_OP:
                return take_op(m, r, ret_db);
        case VIGIL_PATHOP:
                return take_pathop(m, r, ret_db);
        case VIGIL_SIGNAL:
                m->signal[m->nsignals++ % MEMORY_SIGNALS] = *(const struct vigil_signal *)r;
                return MEMORY_NOTHING;
        case VIGIL_OOM:
                m->oom[m->nooms++ % MEMORY_OOMS] = *(const struct vigil_oom *)r;
                return MEMORY_NOTHING;
        case VIGIL_EXIT:
        case VIGIL_EXEC:
                return take_death(m, r, ret_db);
        case VIGIL_EXIT_DB:
                return take_part(m, r, ret_db);
        case VIGIL_WBERR:
                return take_trouble(m, h, sizeof(struct vigil_wberr), ((const struct vigil_wberr *)r)->db, ret_db);
        case VIGIL_PROBE:
                take_probe(m, r);
                return MEMORY_NOTHING;
        case VIGIL_STATS:
                memory_statistics(m, r);
                return MEMORY_NOTHING;
        default: /* what is only of use at the end of a stream */
                return MEMORY_NOTHING;
        }
}

int memory_take(struct memory *m, const struct vigil_hdr *record, uint32_t *ret_db)
{
        *ret_db = 0;
        if (record_validate(record, record->size, NULL) < 0)
                return MEMORY_NOTHING; /* the gap in the numbers tells of it */
        if (record->cpu != VIGIL_CPU_USER && record->ns >= m->begin_ns) {
                int fresh = gaps_note(&m->gaps, record);
                if (fresh <= 0)
                        return fresh;
        }
        return take_known(m, record, ret_db);
}

/* ---- losses, age, size ---- */

uint64_t memory_missing(const struct memory *m)
{
        uint64_t missing = gaps_missing(&m->gaps) + m->deaths_dropped;

        return missing > m->losses.now.gaps ? missing - m->losses.now.gaps : 0;
}

void memory_statistics(struct memory *m, const struct vigil_stats *now)
{
        losses_note(&m->losses, now->hdr.ns ? now->hdr.ns : clock_boottime_ns(), now,
                    gaps_missing(&m->gaps) + m->deaths_dropped);
}

void memory_age(struct memory *m, uint64_t now_ns)
{
        uint64_t before = now_ns > MEMORY_KEPT_NS ? now_ns - MEMORY_KEPT_NS : 0;

        people_age(&m->people, before);
        for (size_t i = m->norphans; i-- > 0;) {
                if (m->orphan[i]->hdr.ns >= before)
                        continue;
                free(m->orphan[i]);
                m->orphan[i] = m->orphan[--m->norphans];
        }
}

size_t memory_deaths(const struct memory *m)
{
        return m->ndeaths;
}

struct memory_use memory_use(const struct memory *m)
{
        struct memory_use u = {.processes = m->people.n,
                               .waiting = m->ndeaths,
                               .dropped = m->deaths_dropped + m->troubles_dropped + m->removals_dropped,
                               .bytes = m->people.text_bytes + m->recent.used[0] + m->recent.used[1] +
                                        m->ndeaths * sizeof(struct death) +
                                        m->norphans * sizeof(struct vigil_exit_db)};

        for (struct death *d = m->first; d; d = d->next)
                for (size_t i = 0; i < VIGIL_USES; i++)
                        u.bytes += d->part[i] ? sizeof(*d->part[i]) : 0;
        for (size_t i = 0; i < VIGIL_MAX_DBS; i++)
                u.bytes += m->database[i] ? sizeof(*m->database[i]) : 0;
        return u;
}
