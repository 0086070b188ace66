/* answers.c - see answers.h. */
#include "daemon/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/asked_name.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/deferred.h"
#include "daemon/followers.h"
#include "daemon/guard.h"
#include "daemon/jobs.h"
#include "daemon/latencies_json.h"
#include "daemon/live.h"
#include "daemon/reload.h"
#include "daemon/response.h"
#include "daemon/scribe.h"
#include "daemon/summary.h"
#include "daemon/top.h"
#include "serve/protocol.h"

#define EXIT_DEGRADED    1
#define EXIT_CRITICAL    2
#define EXIT_UNAVAILABLE 69
#define NAME_SHOWN       128 /* bytes of a name that is not known, in the error */
#define REASON_MAX       200 /* bytes of why somebody wants a backup */

struct answers {
        struct followers followers;
        struct deferred_question at_hand; /* borrowed; client NULL: none */
        struct deferred deferred;
        uint64_t again_ns; /* not before: many would stand each turn of the loop */
};

int answers_new(struct answers **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

void answers_free(struct answers *a)
{
        if (!a)
                return;
        followers_done(&a->followers);
        deferred_done(&a->deferred);
        free(a);
}

/* ---- arguments ---- */

static const char *text_arg(const json_t *args, const char *key)
{
        return json_string_value(json_object_get(args, key));
}

static int64_t number_arg(const json_t *args, const char *key)
{
        return json_integer_value(json_object_get(args, key));
}

static struct store_query query_of(const json_t *args)
{
        int64_t limit = number_arg(args, "limit");

        return (struct store_query){.since_ns = number_arg(args, "since_ns"),
                                    .status = text_arg(args, "status"),
                                    .database = text_arg(args, "database"),
                                    .id = text_arg(args, "id"),
                                    .limit = limit > 0 ? (size_t)limit : 0};
}

/* ---- answers out of the store ---- */

static struct store *store_to_ask(struct daemon *d)
{
        struct store *s = keeper_store(d->keeper);

        if (s)
                store_set_patience(s, DEFERRED_PATIENCE_MS);
        return s;
}

/* A commit takes as long as its disk does, and a shell its time: that is no trouble yet, and nobody's fault who asks. Of trouble
 * one of our own commits may be the end. */
static bool put_off(struct daemon *d, int r)
{
        struct answers *a = d->answers;
        bool commits = scribe_since(d->scribe, SCRIBE_STORE) && !keeper_silent_ns(d->keeper);

        return (keeper_will_answer(r) || r == -ENODEV) && (commits || !keeper_trouble(d->keeper)) &&
               a->at_hand.client && deferred_keep(&a->deferred, &a->at_hand, clock_boottime_ns());
}

static void refuse(struct daemon *d, struct control_client *c, const json_t *args, int r)
{
        bool behind = keeper_trouble(d->keeper) && keeper_waiting(d->keeper);
        const char *id = text_arg(args, "id");
        char unknown[NAME_SHOWN + 100];

        snprintf(unknown, sizeof(unknown), "no such id: %.*s%s", NAME_SHOWN, id ? id : "(none)",
                 behind ? "; the store cannot be written now, and may not have it yet: see vigil health" : "");
        const char *why = r == -ENOENT   ? unknown
                          : r == -EBUSY  ? "another process keeps vigil.db locked; try again"
                          : r == -EINVAL ? "the request makes no sense"
                          : r == -ENODEV && keeper_trouble(d->keeper)
                                  ? "the store does not answer: see vigil health"
                          : r == -ENODEV ? "vigil.db cannot be opened, or is busy; try again"
                                         : strerror(-r);
        control_answer(d->control, c, EXIT_UNAVAILABLE, why, NULL);
}

static void answer(struct daemon *d, struct control_client *c, const json_t *args, int r, json_t *document)
{
        const char *trouble = keeper_trouble(d->keeper);
        size_t waiting = keeper_waiting(d->keeper);
        char text[512];

        r = keeper_read_error(d->keeper, r);
        if (put_off(d, r))
                return;
        if (r < 0) {
                refuse(d, c, args, r);
                return;
        }
        /* What cannot be stored yet is missing from every answer of the store: that must not look like quiet. */
        snprintf(text, sizeof(text),
                 "the store cannot be written (%s): the newest is missing here, %zu bytes wait; see vigil health",
                 trouble ? trouble : "", waiting);
        bool behind = trouble && waiting;
        control_answer(d->control, c, behind ? EXIT_DEGRADED : 0, behind ? text : NULL, document);
}

typedef int (*question_fn)(struct store *s, const struct store_query *q, json_t **ret);

static void ask(struct daemon *d, struct control_client *c, const json_t *args, question_fn fn)
{
        const struct store_query q = query_of(args);
        json_t *document = NULL;
        struct store *s = store_to_ask(d);
        int r = s ? fn(s, &q, &document) : -ENODEV;

        answer(d, c, args, r, document);
}

static void incidents(struct daemon *d, struct control_client *c, const json_t *args)
{
        ask(d, c, args, store_incidents);
}

static void certificates(struct daemon *d, struct control_client *c, const json_t *args)
{
        ask(d, c, args, store_certificates);
}

static void one_incident(struct daemon *d, struct control_client *c, const json_t *args)
{
        if (text_arg(args, "id"))
                ask(d, c, args, store_incident);
        else
                refuse(d, c, args, -EINVAL);
}

static void one_certificate(struct daemon *d, struct control_client *c, const json_t *args)
{
        if (text_arg(args, "id"))
                ask(d, c, args, store_certificates);
        else
                refuse(d, c, args, -EINVAL);
}

static void set_status(struct daemon *d, struct control_client *c, const json_t *args,
                       int (*set)(struct daemon *, const char *, const char *))
{
        const char *id = text_arg(args, "id");

        if (id && !d->answers->at_hand.again) /* it may have fired again meanwhile, and he does not know */
                set(d, id, "operator");
        /* It is stored before he is told so, if that takes no longer than an answer may. */
        if (keeper_flush(d->keeper, DEFERRED_PATIENCE_MS))
                one_incident(d, c, args);
        else if (!put_off(d, -EBUSY))
                control_answer(d->control, c, EXIT_UNAVAILABLE,
                               "the store cannot be written now: it is done, and will be stored as soon as it can",
                               NULL);
}

static void acknowledge(struct daemon *d, struct control_client *c, const json_t *args)
{
        set_status(d, c, args, case_acknowledge);
}

static void resolve(struct daemon *d, struct control_client *c, const json_t *args)
{
        set_status(d, c, args, case_resolve);
}

/* ---- summary ---- */

static unsigned by_of(const json_t *args)
{
        static const struct {
                const char *name;
                unsigned by;
        } names[] = {
                {"db", STORE_BY_DB}, {"file", STORE_BY_FILE}, {"process", STORE_BY_PROCESS}, {"op", STORE_BY_OP}};
        json_t *one;
        size_t i;
        unsigned by = 0;

        json_array_foreach (json_object_get(args, "by"), i, one)
                for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
                        if (json_is_string(one) && strcmp(json_string_value(one), names[k].name) == 0)
                                by |= names[k].by;
        return by ? by : STORE_BY_DB | STORE_BY_FILE | STORE_BY_OP;
}

static void summary(struct daemon *d, struct control_client *c, const json_t *args)
{
        const struct store_query q = query_of(args);
        struct summary_rows live;
        json_t *document = NULL;
        int r = summary_live(d, &live);

        if (r == 0) {
                struct store *s = store_to_ask(d);
                r = s ? store_summary_rows(s, &q, by_of(args), live.row, live.n, &document) : -ENODEV;
                summary_rows_done(&live);
        }
        answer(d, c, args, r, document);
}

static void latency(struct daemon *d, struct control_client *c, const json_t *args)
{
        json_t *document = latencies_document(d, text_arg(args, "database"),
                                              json_is_true(json_object_get(args, "why")));

        answer(d, c, args, document ? 0 : -ENOMEM, document);
}

static void top(struct daemon *d, struct control_client *c, const json_t *args)
{
        json_t *document = NULL;
        int r = top_document(d, text_arg(args, "database"), &document);

        answer(d, c, args, r, document);
}

/* ---- events ---- */

struct page {
        json_t *list;
        int64_t seq;
};

static int on_event(void *userdata, int64_t seq, const char *line)
{
        struct page *p = userdata;
        json_t *event = json_loads(line, 0, NULL);

        p->seq = seq;
        return json_array_append_new(p->list, event ? event : json_object()) < 0 ? -ENOMEM : 0;
}

void answers_events(struct daemon *d)
{
        if (d->answers && followers_any(&d->answers->followers))
                followers_send(&d->answers->followers, d->control, store_to_ask(d));
}

static void events(struct daemon *d, struct control_client *c, const json_t *args)
{
        struct store_query q = query_of(args);
        struct page p = {.list = json_array(), .seq = number_arg(args, "after")};
        struct store *s = store_to_ask(d);

        if (json_is_true(json_object_get(args, "follow"))) {
                json_decref(p.list);
                if (control_stream(d->control, c) == 0)
                        followers_add(&d->answers->followers, d->control, s, c, &q, p.seq);
                return;
        }
        int r = s ? store_events(s, &q, p.seq, on_event, &p) : -ENODEV;
        if (r < 0)
                json_decref(p.list);
        answer(d, c, args, r,
               r < 0 ? NULL
                     : json_pack("{s:s, s:o, s:I}", "schema", "vigil.events/1", "events", p.list, "seq",
                                 (json_int_t)p.seq));
}

/* ---- what operators want done ---- */

static void act(struct daemon *d, struct control_client *c, const json_t *args, enum action_kind kind, int method)
{
        const char *name = text_arg(args, "database"), *reason = text_arg(args, "reason");
        struct guard *g = guards_by_name(d->guards, name);
        char unknown[NAME_SHOWN + 100];

        if (!g) {
                snprintf(unknown, sizeof(unknown),
                         "no such database: %.*s is not guarded; vigil status -v lists those that are", NAME_SHOWN,
                         name ? name : "(none)");
                control_answer(d->control, c, EXIT_UNAVAILABLE, unknown, NULL);
                return;
        }
        if (reason && strlen(reason) > REASON_MAX) {
                refuse(d, c, args, -EINVAL);
                return;
        }
        if (control_stream(d->control, c) < 0)
                return;
        if (!response_asked(d, g, kind, reason && *reason ? reason : "manual", method, c))
                control_end(d->control, c, EXIT_UNAVAILABLE, "out of memory");
        keeper_turn(d->keeper); /* once the intent is stored it may begin */
}

static void check(struct daemon *d, struct control_client *c, const json_t *args)
{
        static const char *const names[] = {"quick", "full", NULL};
        static const int methods[] = {CONFIG_CHECK_QUICK, CONFIG_CHECK_FULL};
        const char *wanted = text_arg(args, "method");
        struct guard *g = guards_by_name(d->guards, text_arg(args, "database"));
        int method = g && g->of->check.method == CONFIG_CHECK_NONE ? CONFIG_CHECK_QUICK : -1;

        for (size_t i = 0; wanted && names[i]; i++)
                if (strcmp(names[i], wanted) == 0)
                        method = methods[i];
        act(d, c, args, ACTION_CHECK, method);
}

static void make_backup(struct daemon *d, struct control_client *c, const json_t *args)
{
        act(d, c, args, ACTION_BACKUP, -1);
}

static void reload_now(struct daemon *d, struct control_client *c, const json_t *args)
{
        json_t *document = NULL;
        int r = reload(d, &document);

        (void)args;
        control_answer(d->control, c, r < 0 ? EXIT_CRITICAL : 0, NULL, document);
}

/* ---- live ---- */

static void status(struct daemon *d, struct control_client *c, const json_t *args)
{
        (void)args;
        control_answer(d->control, c, 0, NULL, live_status(d));
}

static void health(struct daemon *d, struct control_client *c, const json_t *args)
{
        int exit = 0;
        json_t *document = live_health(d, &exit);

        (void)args;
        document = document ? document : json_object();
        json_object_set_new(document, "schema", json_string("vigil.health/1"));
        control_answer(d->control, c, exit, NULL, document);
}

static void jobs(struct daemon *d, struct control_client *c, const json_t *args)
{
        const char *id = text_arg(args, "id");
        json_t *document = jobs_document(d, id);
        char unknown[NAME_SHOWN + 100];

        if (id && json_array_size(json_object_get(document, "jobs")) == 0) {
                json_decref(document);
                snprintf(unknown, sizeof(unknown), "no such id: no job %.*s runs; vigil jobs lists those that do",
                         NAME_SHOWN, id);
                control_answer(d->control, c, EXIT_UNAVAILABLE, unknown, NULL);
                return;
        }
        control_answer(d->control, c, 0, NULL, document);
}

/* ---- choosing ---- */

static const struct {
        const char *command;
        void (*fn)(struct daemon *d, struct control_client *c, const json_t *args);
        bool named; /* it may be about one database; nothing found would read as all being well with it */
} questions[] = {
        {"status", status, false},
        {"health", health, false},
        {"incidents", incidents, true},
        {"incident", one_incident, false},
        {"incident-ack", acknowledge, false},
        {"incident-resolve", resolve, false},
        {"certificates", certificates, true},
        {"certificate", one_certificate, false},
        {"summary", summary, true},
        {"latency", latency, true},
        {"jobs", jobs, false},
        {"top", top, true},
        {"events", events, true},
        {"check", check, false},
        {"backup-create", make_backup, false},
        {"reload", reload_now, false},
};

/* Answers, if the database that is asked about is none. */
static bool refused_name(struct daemon *d, const struct deferred_question *q)
{
        const char *name = text_arg(q->args, "database");
        char why[ASKED_NAME_WHY];

        if (!name || asked_name_known(d, store_to_ask(d), name, why))
                return false;
        control_answer(d->control, q->client, EXIT_UNAVAILABLE, why, NULL);
        return true;
}

static void put(void *userdata, const struct deferred_question *q)
{
        struct daemon *d = userdata;

        for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
                if (strcmp(questions[i].command, q->command) != 0)
                        continue;
                if (questions[i].named && refused_name(d, q))
                        return;
                d->answers->at_hand = *q;
                questions[i].fn(d, q->client, q->args);
                d->answers->at_hand.client = NULL;
                return;
        }
        control_answer(d->control, q->client, EXIT_UNAVAILABLE,
                       "this daemon does not know that command; is it an older version?", NULL);
}

static void on_request(void *userdata, struct control_client *c, const char *command, const json_t *args)
{
        const struct deferred_question q = {
                .client = c, .command = (char *)command, .args = (json_t *)args, .since_ns = clock_boottime_ns()};

        put(userdata, &q);
}

int answers_turn(struct daemon *d)
{
        struct answers *a = d->answers;
        uint64_t now = clock_boottime_ns();

        if (!followers_behind(&a->followers) && !deferred_any(&a->deferred))
                return -1;
        if (now >= a->again_ns) {
                deferred_again(&a->deferred, put, d);
                if (followers_behind(&a->followers))
                        followers_send(&a->followers, d->control, store_to_ask(d));
                a->again_ns = clock_boottime_ns() + DEFERRED_AGAIN_MS * 1000000ull;
        }
        return followers_behind(&a->followers) || deferred_any(&a->deferred) ? DEFERRED_AGAIN_MS : -1;
}

static void on_gone(void *userdata, struct control_client *c)
{
        struct daemon *d = userdata;

        response_left(d, c);
        deferred_forget(&d->answers->deferred, c);
        followers_forget(&d->answers->followers, c);
}

struct control_handler answers_handler(struct daemon *d)
{
        return (struct control_handler){.request = on_request, .gone = on_gone, .userdata = d};
}
