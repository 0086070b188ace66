/* people.c - see people.h. */
#include "daemon/people.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/memory_private.h"

#define ARGV_SHORT 128 /* bytes of argv when there is little room */

struct person {
        uint16_t next; /* index + 1, in its bucket or among the free */
        bool taken;
        bool argv_cut;
        uint32_t argv_len;
        uint64_t ns;
        uint64_t died_ns; /* 0: it lives */
        struct vigil_ident id;
        uint32_t ppid, uid, gid, flags;
        uint64_t cgroup_id, pidns_ino;
        char *text; /* exe, NUL, path of the cgroup, NUL, argv */
        size_t text_bytes;
};

int people_init(struct people *p)
{
        p->person = calloc(MEMORY_PROCESSES, sizeof(*p->person));
        if (!p->person)
                return -ENOMEM;
        for (size_t i = MEMORY_PROCESSES; i-- > 0;) {
                p->person[i].next = p->free;
                p->free = (uint16_t)(i + 1);
        }
        return 0;
}

void people_done(struct people *p)
{
        for (size_t i = 0; p->person && i < MEMORY_PROCESSES; i++)
                free(p->person[i].text);
        free(p->person);
        free(p->cgroup);
        *p = (struct people){0};
}

static uint16_t *bucket_of(struct people *p, uint32_t tgid)
{
        return &p->bucket[tgid % PEOPLE_BUCKETS];
}

static void forget(struct people *p, struct person *who)
{
        uint16_t self = (uint16_t)(who - p->person + 1), *link = bucket_of(p, who->id.tgid);

        while (*link != self)
                link = &p->person[*link - 1].next;
        *link = who->next;
        free(who->text);
        p->text_bytes -= who->text_bytes;
        p->dead -= who->died_ns != 0;
        *who = (struct person){.next = p->free};
        p->free = self;
        p->n--;
}

/* Who has been dead for longest; with nobody dead, who came first. */
static struct person *least_wanted(struct people *p)
{
        struct person *worst = &p->person[0];

        for (size_t i = 1; i < MEMORY_PROCESSES; i++) {
                struct person *who = &p->person[i];
                bool dead = who->died_ns,
                     worse = dead != (worst->died_ns != 0)
                                     ? dead
                                     : (dead ? who->died_ns < worst->died_ns : who->ns < worst->ns);
                if (worse)
                        worst = who;
        }
        return worst;
}

int people_take_cgroup(struct people *p, const struct vigil_cgroup *r)
{
        if (!p->cgroup)
                p->cgroup = malloc(sizeof(*p->cgroup));
        if (!p->cgroup)
                return -ENOMEM;
        *p->cgroup = *r;
        return 0;
}

/* Exe, cgroup and argv behind each other. */
static int take_text(const struct people *p, struct person *who, const struct vigil_process *r)
{
        const char *cgroup = p->cgroup && p->cgroup->cgroup_id == r->cgroup_id ? p->cgroup->path : "";
        size_t nexe = strlen(r->exe) + 1, ncgroup = strlen(cgroup) + 1;

        who->text_bytes = nexe + ncgroup + who->argv_len;
        who->text = malloc(who->text_bytes);
        if (!who->text)
                return -ENOMEM;
        memcpy(who->text, r->exe, nexe);
        memcpy(who->text + nexe, cgroup, ncgroup);
        memcpy(who->text + nexe + ncgroup, r->argv, who->argv_len);
        return 0;
}

int people_take(struct people *p, const struct vigil_process *r, bool redact_argv)
{
        struct person new = {.taken = true,
                             .argv_cut = r->argv_cut != 0,
                             .argv_len = redact_argv ? 0 : r->argv_len,
                             .ns = r->hdr.ns,
                             .id = r->id,
                             .ppid = r->ppid,
                             .uid = r->uid,
                             .gid = r->gid,
                             .flags = r->flags,
                             .cgroup_id = r->cgroup_id,
                             .pidns_ino = r->pidns_ino};

        if (p->text_bytes > MEMORY_TEXT && new.argv_len > ARGV_SHORT) {
                new.argv_len = ARGV_SHORT;
                new.argv_cut = true;
        }
        int err = take_text(p, &new, r);
        if (err < 0)
                return err;
        if (!p->free)
                forget(p, least_wanted(p));
        struct person *who = &p->person[p->free - 1];
        uint16_t self = p->free, *bucket = bucket_of(p, r->id.tgid);
        p->free = who->next;
        new.next = *bucket;
        *bucket = self;
        *who = new;
        p->n++;
        p->text_bytes += new.text_bytes;
        return 0;
}

void people_died(struct people *p, const struct vigil_ident *id, uint64_t ns)
{
        for (uint16_t i = *bucket_of(p, id->tgid); i; i = p->person[i - 1].next) {
                struct person *who = &p->person[i - 1];
                if (same_ident(&who->id, id) && who->ns <= ns && !who->died_ns) {
                        who->died_ns = ns;
                        p->dead++;
                }
        }
}

void people_age(struct people *p, uint64_t ns)
{
        for (size_t i = 0; p->dead && i < MEMORY_PROCESSES; i++)
                if (p->person[i].taken && p->person[i].died_ns && p->person[i].died_ns < ns)
                        forget(p, &p->person[i]);
}

static int tell(const struct person *who, sensor_fn fn, void *userdata)
{
        const char *cgroup = who->text + strlen(who->text) + 1;
        struct vigil_process r = {.hdr = {.type = VIGIL_PROCESS, .size = sizeof(r), .ns = who->ns},
                                  .id = who->id,
                                  .ppid = who->ppid,
                                  .uid = who->uid,
                                  .gid = who->gid,
                                  .flags = who->flags,
                                  .cgroup_id = who->cgroup_id,
                                  .pidns_ino = who->pidns_ino,
                                  .argv_len = who->argv_len,
                                  .argv_cut = who->argv_cut};
        int err = 0;

        strcpy(r.exe, who->text);
        memcpy(r.argv, cgroup + strlen(cgroup) + 1, who->argv_len);
        if (*cgroup) {
                struct vigil_cgroup c = {.hdr = {.type = VIGIL_CGROUP, .size = sizeof(c), .ns = who->ns},
                                         .cgroup_id = who->cgroup_id};
                strcpy(c.path, cgroup);
                err = fn(&c.hdr, userdata);
        }
        return err < 0 ? err : fn(&r.hdr, userdata);
}

int people_tell(const struct people *p, const struct vigil_ident *id, sensor_fn fn, void *userdata)
{
        int r = 0;

        for (uint16_t i = p->bucket[id->tgid % PEOPLE_BUCKETS]; r >= 0 && i; i = p->person[i - 1].next)
                if (same_ident(&p->person[i - 1].id, id))
                        r = tell(&p->person[i - 1], fn, userdata);
        return r < 0 ? r : 0;
}
