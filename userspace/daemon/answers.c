/* answers.c - see answers.h. */
#include "daemon/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/answers_private.h"
#include "daemon/asked_name.h"
#include "daemon/response.h"

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

const char *text_arg(const json_t *args, const char *key)
{
        return json_string_value(json_object_get(args, key));
}

int64_t number_arg(const json_t *args, const char *key)
{
        return json_integer_value(json_object_get(args, key));
}

/* ---- choosing ---- */

static const struct {
        const char *command;
        answer_fn *fn;
        bool named; /* it may be about one database; nothing found would read as all being well with it */
} questions[] = {
        {"status", answer_status, false},
        {"health", answer_health, false},
        {"incidents", answer_incidents, true},
        {"incident", answer_incident, false},
        {"incident-ack", answer_acknowledge, false},
        {"incident-resolve", answer_resolve, false},
        {"certificates", answer_certificates, true},
        {"certificate", answer_certificate, false},
        {"summary", answer_summary, true},
        {"latency", answer_latency, true},
        {"jobs", answer_jobs, false},
        {"top", answer_top, true},
        {"events", answer_events, true},
        {"check", answer_check, false},
        {"backup-create", answer_backup, false},
        {"reload", answer_reload, false},
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
