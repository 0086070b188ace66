/* answers_store.c - what is asked of the store, and what to say while it does not answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/answers.h"
#include "daemon/answers_private.h"
#include "daemon/cases.h"
#include "daemon/latencies_json.h"
#include "daemon/scribe.h"
#include "daemon/summary.h"
#include "daemon/top.h"

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

struct store *store_to_ask(struct daemon *d)
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

void refuse(struct daemon *d, struct control_client *c, const json_t *args, int r)
{
        bool behind = keeper_trouble(d->keeper) && keeper_waiting(d->keeper);
        const char *id = text_arg(args, "id");
        char unknown[NAME_SHOWN + 100];

        snprintf(unknown, sizeof(unknown), "no such id: %.*s%s", NAME_SHOWN, id ? id : "(none)",
                 behind ? "; the store cannot be written now, and may not have it yet: see vigil health"
                        : "; vigil incidents lists incidents, vigil certificates deaths");
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

void answer_incidents(struct daemon *d, struct control_client *c, const json_t *args)
{
        ask(d, c, args, store_incidents);
}

void answer_certificates(struct daemon *d, struct control_client *c, const json_t *args)
{
        ask(d, c, args, store_certificates);
}

void answer_incident(struct daemon *d, struct control_client *c, const json_t *args)
{
        if (text_arg(args, "id"))
                ask(d, c, args, store_incident);
        else
                refuse(d, c, args, -EINVAL);
}

void answer_certificate(struct daemon *d, struct control_client *c, const json_t *args)
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
                answer_incident(d, c, args);
        else if (!put_off(d, -EBUSY))
                control_answer(d->control, c, EXIT_UNAVAILABLE,
                               "the store cannot be written now: it is done, and will be stored as soon as it can",
                               NULL);
}

void answer_acknowledge(struct daemon *d, struct control_client *c, const json_t *args)
{
        set_status(d, c, args, case_acknowledge);
}

void answer_resolve(struct daemon *d, struct control_client *c, const json_t *args)
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

void answer_summary(struct daemon *d, struct control_client *c, const json_t *args)
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

void answer_latency(struct daemon *d, struct control_client *c, const json_t *args)
{
        json_t *document = latencies_document(d, text_arg(args, "database"),
                                              json_is_true(json_object_get(args, "why")));

        answer(d, c, args, document ? 0 : -ENOMEM, document);
}

void answer_top(struct daemon *d, struct control_client *c, const json_t *args)
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

void answer_events(struct daemon *d, struct control_client *c, const json_t *args)
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
