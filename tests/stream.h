/* stream.h - synthetic streams for tests: the records a run would have given, made by hand. Nothing here was recorded. */
#pragma once

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detect.h"
#include "sensor/recording.h"

#define APP_DB   "/srv/app.db"
#define SECOND   1000000000ull
#define PAGE     4096u
#define START_NS (10 * SECOND)

/** Bytes of a stream, and the clocks that number them. */
struct stream {
        unsigned char *bytes;
        size_t n;
        uint64_t seq; /* of cpu 0 */
        uint64_t now;
        struct vigil_stats stats; /* what stream_close() will say; change it before */
};

/** One process and what it did to database 1. */
struct actor {
        uint32_t pid;
        const char *comm;
        int exit_code;  /* as wait(2) has it */
        uint32_t flags; /* enum vigil_proc_flag */
        uint32_t uses_lost;
        uint32_t nsignals;
        struct vigil_sig signal[VIGIL_SIGNALS];
        struct vigil_use use;
        struct vigil_db db;
        bool no_snapshot;
};

static inline void stream_put(struct stream *s, void *record, uint16_t type, size_t size, bool user)
{
        struct vigil_hdr *h = record;
        *h = (struct vigil_hdr){.magic = VIGIL_MAGIC,
                                .version = VIGIL_ABI_VERSION,
                                .type = type,
                                .size = (uint32_t)size,
                                .cpu = user ? VIGIL_CPU_USER : 0,
                                .seq = user ? 0 : s->seq++,
                                .ns = s->now += 1000};
        s->bytes = realloc(s->bytes, s->n + size);
        memcpy(s->bytes + s->n, record, size);
        s->n += size;
}

static inline struct vigil_ident ident(uint32_t pid, const char *comm)
{
        struct vigil_ident id = {.tgid = pid, .start_ns = START_NS + pid};
        strncpy(id.comm, comm, sizeof(id.comm) - 1);
        return id;
}

static inline void stream_database(struct stream *s, uint32_t id, const char *path, uint32_t flags)
{
        struct vigil_database r = {.db = id, .flags = flags, .ino = 100 + id};
        strncpy(r.path, path, sizeof(r.path) - 1);
        stream_put(s, &r, VIGIL_DATABASE, sizeof(r), false);
}

/** A session with database 1 asked for by --db, and the counters of a run that lost nothing. */
static inline void stream_open(struct stream *s)
{
        *s = (struct stream){.now = 100 * SECOND};
        struct vigil_session r = {.boot_id = "0f3c8a1e-0000-4000-8000-000000000001",
                                  .host = "test",
                                  .kernel = "6.18.44",
                                  .vigil = "0.1.0",
                                  .tier = "tracepoint",
                                  .realtime_offset_ns = 1790000000LL * (int64_t)SECOND,
                                  .argv_len = 10,
                                  .mode = VIGIL_MODE_EXEC,
                                  .argv = "app\0--fast"};
        stream_put(s, &r, VIGIL_SESSION, sizeof(r), true);
        struct vigil_probe p = {.attached = 1, .seen = 2, .name = "raw_tp/mark_victim"};
        stream_put(s, &p, VIGIL_PROBE, sizeof(p), true);
        stream_database(s, 1, APP_DB, VIGIL_DB_ASKED);
        s->stats.canary = 1;
}

static inline void stream_close(struct stream *s)
{
        struct vigil_end e = {.id = ident(4242, "app"), .status = 0};
        stream_put(s, &s->stats, VIGIL_STATS, sizeof(s->stats), true);
        stream_put(s, &e, VIGIL_END, sizeof(e), true);
}

/** A process of which nothing bad can be said: it opened the database and closed it. Change what the test is about. */
static inline struct actor actor(uint32_t pid, const char *comm)
{
        struct actor a = {.pid = pid, .comm = comm};
        a.use = (struct vigil_use){.db = 1,
                                   .flags = VIGIL_USE_OPENED | VIGIL_USE_LOCKED | VIGIL_USE_WROTE,
                                   .first_ns = START_NS + pid + 10,
                                   .last_ns = START_NS + pid + 20};
        a.db = (struct vigil_db){.id = 1, .page_size = PAGE};
        a.db.file[VIGIL_ROLE_MAIN] = (struct vigil_ledger){
                .ino = 101, .written = PAGE, .durable = PAGE, .size = PAGE, .flags = VIGIL_LEDGER_SIZED};
        return a;
}

/** Died of @p sig, sent by kill(2) from a shell with an ancestor. */
static inline void killed(struct actor *a, int sig)
{
        a->exit_code = sig;
        a->nsignals = 1;
        a->signal[0] = (struct vigil_sig){.sig = sig,
                                          .flags = VIGIL_SIG_GROUP,
                                          .sender_tgid = 77,
                                          .sender_start_ns = 5 * SECOND,
                                          .sender_comm = "bash",
                                          .ancestors = 1,
                                          .ancestor = {{.tgid = 1, .comm = "systemd"}}};
}

/** The identity, the death and the state of its database; @p type is VIGIL_EXIT, VIGIL_EXEC or VIGIL_LIVE. */
static inline void stream_act(struct stream *s, const struct actor *a, uint16_t type)
{
        struct vigil_process who = {.id = ident(a->pid, a->comm), .uid = 1000, .argv_len = 6, .argv = "app\0-x"};
        strcpy(who.exe, "/usr/bin/app");
        stream_put(s, &who, VIGIL_PROCESS, sizeof(who), false);

        struct vigil_proc *p = calloc(1, sizeof(*p));
        p->id = ident(a->pid, a->comm);
        p->uid = 1000;
        p->flags = a->flags;
        p->exit_code = a->exit_code;
        p->uses_lost = a->uses_lost;
        p->nsignals = a->nsignals;
        memcpy(p->signal, a->signal, sizeof(p->signal));
        p->nuses = 1;
        p->use[0] = a->use;
        p->nops = 2;
        p->op[0] = (struct vigil_opent){.ns = s->now, .db = 1, .role = VIGIL_ROLE_MAIN, .op = VIGIL_OP_WRITE};
        p->op[1] = (struct vigil_opent){.ns = s->now, .db = 1, .role = VIGIL_ROLE_WAL, .op = VIGIL_OP_SYNC};
        stream_put(s, p, type, sizeof(*p), false);
        free(p);
        if (a->no_snapshot || type == VIGIL_LIVE)
                return;
        struct vigil_exit_db e = {.id = ident(a->pid, a->comm), .use = a->use, .db = a->db};
        stream_put(s, &e, VIGIL_EXIT_DB, sizeof(e), false);
}

/** What the files looked like after the death of @p a; NULL: at the end of the stream. */
static inline void stream_observed(struct stream *s, const struct actor *a, struct vigil_observed o)
{
        if (a)
                o.id = ident(a->pid, a->comm);
        o.db = o.db ? o.db : 1;
        stream_put(s, &o, VIGIL_OBSERVED, sizeof(o), true);
}

/** Every record of the stream into a model, through the checks of a reader. */
static inline struct model *stream_model(const struct stream *s)
{
        struct model *m = model_new();
        for (size_t at = 0; at < s->n;) {
                char why[RECORDING_ERROR_LEN] = "";
                struct vigil_hdr *h = malloc(s->n - at);
                memcpy(h, s->bytes + at, s->n - at);
                int r = record_validate(h, s->n - at, why);
                ck_assert_msg(r == 0, "byte %zu: %s", at, why);
                ck_assert_int_eq(model_feed(m, h), 0);
                at += h->size;
                free(h);
        }
        ck_assert_int_eq(model_finish(m), 0);
        return m;
}

static inline struct detection *stream_judge(const struct stream *s)
{
        struct detection *d = NULL;
        ck_assert_int_eq(detect_run(stream_model(s), &d), 0);
        return d;
}

static inline void stream_done(struct stream *s, struct detection *d)
{
        const struct model *m = d ? detection_model(d) : NULL;
        detection_free(d);
        model_free((struct model *)m);
        free(s->bytes);
        *s = (struct stream){0};
}

/** "a,b" of the reasons of a certificate. */
static inline const char *reasons_of(const struct certificate *c)
{
        static char text[512];
        text[0] = '\0';
        for (size_t i = 0; i < c->nreasons; i++) {
                strcat(text, i ? "," : "");
                strcat(text, c->reason[i]);
        }
        return text;
}

/** "P1 unclean-death,…" of the findings of database 0. */
static inline const char *findings_of(const struct detection *d)
{
        static char text[1024];
        text[0] = '\0';
        for (size_t i = 0; i < detection_n_findings(d); i++) {
                strcat(text, i ? "," : "");
                strcat(text, severity_name(detection_finding(d, i)->severity));
                strcat(text, " ");
                strcat(text, detection_finding(d, i)->code);
        }
        return text;
}

/** The one certificate of the stream says this, and these are its findings. */
static inline void expect(const struct detection *d, const char *verdict, const char *reasons, const char *findings)
{
        ck_assert_uint_eq(detection_n_certificates(d), 1);
        const struct certificate *c = detection_certificate(d, 0);
        ck_assert_str_eq(verdict_name(c->verdict), verdict);
        ck_assert_str_eq(reasons_of(c), reasons);
        ck_assert_str_eq(findings_of(d), findings);
}
