/* test_action.c - a helper that crashes, hangs, floods or lies costs one action; who starts when. */
#include "suite.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/action_answer.h"
#include "daemon/action_run.h"

/* ---- helpers of the worst kind; the reason of the request says which ---- */

static int misbehave(int fd, void *request)
{
        const char *how = ((const struct action_request *)request)->reason;
        if (strcmp(how, "crash") == 0)
                raise(SIGABRT);
        if (strcmp(how, "exit") == 0)
                return 3;
        if (strcmp(how, "rubbish") == 0)
                dprintf(fd, "ok\n");
        if (strcmp(how, "lie") == 0)
                dprintf(fd, "{\"lie\":true}\n");
        if (strcmp(how, "good") == 0)
                dprintf(fd, "{\"good\":true}\n");
        if (strcmp(how, "hang") == 0)
                for (;;)
                        pause();
        if (strcmp(how, "flood") == 0)
                for (;;)
                        dprintf(fd, "{\"x\":1}\n");
        return 0;
}

static const char *is_good(const struct action_request *r, const json_t *answer)
{
        (void)r;
        return json_is_true(json_object_get(answer, "good")) ? NULL : "it is not good";
}

static uint64_t soon(const struct action_request *r)
{
        return strcmp(r->reason, "hang") == 0 && r->urgent ? 50 : 60000;
}

#define BAD                                                                                                        \
        {                                                                                                          \
                "bad", misbehave, is_good, soon, 1000                                                              \
        }
static const struct action_job bad_jobs[ACTION_KINDS] = {[ACTION_LOOK] = BAD,
                                                         [ACTION_CHECK] = BAD,
                                                         [ACTION_BACKUP] = BAD,
                                                         [ACTION_EVIDENCE] = BAD,
                                                         [ACTION_PRUNE] = BAD};

/* ---- what became of them ---- */

static struct seen {
        unsigned n;
        char failure[128]; /* of the last one; "" when it answered */
        char order[64];    /* first letters of the databases, as they ended */
        bool answered;
} seen;

static void note(void *userdata, const struct action_request *r, void *tag, const json_t *answer,
                 const char *failure, uint64_t ms)
{
        (void)userdata;
        (void)ms;
        ck_assert_ptr_eq(tag, &seen);
        ck_assert_int_eq(answer == NULL, failure != NULL);
        seen.answered = answer != NULL;
        snprintf(seen.failure, sizeof(seen.failure), "%s", failure ? failure : "");
        if (seen.n < sizeof(seen.order) - 1)
                seen.order[seen.n] = r->database[0];
        seen.n++;
}

static struct action_request request(const char *database, const char *reason)
{
        return (struct action_request){
                .kind = ACTION_CHECK, .database = database, .path = "/none", .reason = reason, .urgent = true};
}

static void start(struct actions *a, struct action_request r)
{
        ck_assert_int_eq(actions_start(a, &r, &seen), 0);
}

/* As an event loop does, until @p n have ended. */
static void drive(struct actions *a, unsigned n)
{
        int wait = actions_turn(a);
        while (seen.n < n) {
                struct pollfd fd = {.fd = actions_fd(a), .events = POLLIN};
                poll(&fd, 1, wait);
                wait = actions_turn(a);
        }
}

START_TEST(whatever_a_helper_does_costs_one_action_and_has_its_words)
{
        static const struct {
                const char *how, *failure;
        } table[] = {
                {"good", ""},
                {"crash", "it died of SIGABRT"},
                {"exit", "it ended with status 3"},
                {"rubbish", "it gave no answer"},
                {"silent", "it gave no answer"},
                {"lie", "it lied: it is not good"},
                {"hang", "it hung and was killed after "},
                {"flood", "it flooded: it said more than 1000 bytes"},
                {"good", ""},
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                struct actions *a = actions_with(bad_jobs, 2, note, NULL);
                seen.n = 0;
                start(a, request("a", table[i].how));
                drive(a, 1);
                ck_assert_int_eq(strncmp(seen.failure, table[i].failure, strlen(table[i].failure)), 0);
                ck_assert_int_eq(seen.answered, !*table[i].failure);
                ck_assert_uint_eq(actions_running(a) + actions_waiting(a), 0);
                actions_free(a);
        }
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(what_fails_three_times_rests_and_the_others_go_on)
{
        struct actions *a = actions_with(bad_jobs, 1, note, NULL);
        for (unsigned i = 0; i < 3; i++) {
                start(a, request("a", "crash"));
                drive(a, i + 1);
        }
        struct action_request again = request("a", "good");
        ck_assert_int_eq(actions_start(a, &again, &seen), -EAGAIN);
        start(a, request("b", "good"));
        drive(a, 4);
        ck_assert(seen.answered);
        actions_free(a);
}
END_TEST

START_TEST(what_is_urgent_does_not_wait_for_what_has_time)
{
        struct actions *a = actions_with(bad_jobs, 1, note, NULL);
        struct action_request slow = request("s", "hang"), look = request("l", "good");
        slow.urgent = false;
        look.kind = ACTION_LOOK;
        start(a, slow);
        start(a, request("u", "good"));
        start(a, look);
        drive(a, 2);
        ck_assert_ptr_null(strchr(seen.order, 's'));
        ck_assert_uint_eq(actions_running(a), 1);
        actions_free(a);
        ck_assert_uint_eq(seen.n, 3);
        ck_assert_str_eq(seen.failure, "it was killed: Vigil ends");
}
END_TEST

START_TEST(no_more_run_at_a_time_than_there_are_places)
{
        struct actions *a = actions_with(bad_jobs, 2, note, NULL);
        static const char *const names[] = {"a", "b", "c", "d"};
        for (size_t i = 0; i < 4; i++) {
                struct action_request r = request(names[i], "hang");
                r.urgent = false;
                start(a, r);
        }
        actions_turn(a);
        ck_assert_uint_eq(actions_running(a), 2);
        ck_assert_uint_eq(actions_waiting(a), 2);
        actions_free(a);
        ck_assert_uint_eq(seen.n, 4);
        ck_assert_str_eq(seen.failure, "it was not begun: Vigil ends");
}
END_TEST

START_TEST(of_one_device_one_check_and_of_one_database_one_of_a_kind)
{
        static const struct {
                enum action_kind one, two;
                uint64_t device_one, device_two;
                const char *database; /* of the second; the first is of "a" */
                unsigned running;
        } table[] = {
                {ACTION_CHECK, ACTION_CHECK, 7, 7, "b", 1},   {ACTION_CHECK, ACTION_CHECK, 7, 8, "b", 2},
                {ACTION_CHECK, ACTION_CHECK, 0, 0, "b", 2},   {ACTION_CHECK, ACTION_CHECK, 0, 0, "a", 1},
                {ACTION_BACKUP, ACTION_BACKUP, 7, 7, "b", 2}, {ACTION_BACKUP, ACTION_BACKUP, 7, 7, "a", 1},
                {ACTION_CHECK, ACTION_BACKUP, 7, 7, "a", 2},
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                struct actions *a = actions_with(bad_jobs, 8, note, NULL);
                struct action_request one = request("a", "hang"), two = request(table[i].database, "hang");
                one.kind = table[i].one;
                one.device = table[i].device_one;
                one.urgent = false;
                two.kind = table[i].two;
                two.device = table[i].device_two;
                two.urgent = false;
                start(a, one);
                start(a, two);
                actions_turn(a);
                ck_assert_uint_eq(actions_running(a), table[i].running);
                actions_free(a);
        }
}
END_TEST

START_TEST(what_waits_is_bounded)
{
        struct actions *a = actions_with(bad_jobs, 1, note, NULL);
        for (unsigned i = 0; i < ACTIONS_MAX_WAITING; i++)
                start(a, request("a", "good"));
        struct action_request r = request("a", "good");
        ck_assert_int_eq(actions_start(a, &r, &seen), -ENOBUFS);
        actions_free(a);
        ck_assert_uint_eq(seen.n, ACTIONS_MAX_WAITING);
}
END_TEST

static void start_another(void *userdata, const struct action_request *r, void *tag, const json_t *answer,
                          const char *failure, uint64_t ms)
{
        struct actions **a = userdata;
        note(NULL, r, tag, answer, failure, ms);
        if (seen.n < 5)
                start(*a, request("a", "good"));
}

START_TEST(an_end_may_start_another_action)
{
        struct actions *a = NULL;
        a = actions_with(bad_jobs, 1, start_another, &a);
        start(a, request("a", "good"));
        drive(a, 5);
        actions_free(a);
}
END_TEST

/* ---- answers ---- */

START_TEST(a_look_survives_the_way_and_bad_ones_do_not)
{
        struct vigil_observed o = {
                .error = -5, .flags = VIGIL_OBS_MAIN, .wal_bytes = UINT64_MAX, .page_size = 4096};
        struct vigil_observed back;
        json_t *answer = action_observed_json(&o);
        ck_assert_int_eq(action_observed(answer, &back), 0);
        ck_assert_int_eq(back.error, -5);
        ck_assert_uint_eq(back.wal_bytes, UINT64_MAX);
        ck_assert_int_eq(back.hdr.type, VIGIL_OBSERVED);
        json_decref(answer);

        o.error = 5;
        answer = action_observed_json(&o);
        ck_assert_int_eq(action_observed(answer, &back), -EBADMSG);
        json_decref(answer);
        static const char *const wrong[] = {"{}", "{\"observed\":1}", "{\"observed\":\"00\"}"};
        for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
                answer = json_loads(wrong[i], 0, NULL);
                ck_assert_int_eq(action_observed(answer, &back), -EBADMSG);
                json_decref(answer);
        }
}
END_TEST

#define CHECK_OF(result, errors)                                                                                   \
        "{\"result\":\"" result "\",\"method\":\"quick_check\",\"on\":\"snapshot\",\"errors\":" errors             \
        ",\"ms\":3,\"reason\":null}"
#define OK_CHECK CHECK_OF("ok", "[]")
#define BACKUP_OF(id, path, class, verified)                                                                       \
        "{\"id\":" id ",\"path\":" path                                                                            \
        ",\"class\":" class ",\"verified\":" verified ",\"bytes\":1,\"ms\":1,\"reason\":null,\"last_good\":null}"
#define GOOD_ID   "\"app-20261121T093127Z\""
#define GOOD_PATH "\"/b/app-20261121T093127Z.db\""
#define ANSWER(error, backup, check)                                                                               \
        "{\"error\":" error ",\"backup\":" backup ",\"entry\":null,\"beyond\":0,\"check\":" check "}"

#define JOBS_OF(rows, odd)                                                                                         \
        "{\"error\":0,\"reason\":\"\",\"method\":\"wal\",\"rows\":[" rows "],\"odd\":" odd                         \
        ",\"nodd\":0,\"more\":false,\"partial\":false,\"lasting\":true}"
#define ROOM(removed)   "{\"error\":0,\"bytes\":1,\"reason\":null,\"removed\":" removed "}"
#define FOUND(database) "{\"error\":0,\"document\":{\"cut\":0,\"databases\":[" database "]}}"

START_TEST(answers_are_held_against_what_they_can_be)
{
        static const struct {
                const char *answer;
                enum action_kind kind;
                bool good;
        } table[] = {
                {OK_CHECK, ACTION_CHECK, true},
                {CHECK_OF("corrupt", "[{\"page\":2,\"text\":\"x\"}]"), ACTION_CHECK, true},
                {CHECK_OF("corrupt", "[]"), ACTION_CHECK, false},
                {CHECK_OF("ok", "[{\"page\":2,\"text\":\"x\"}]"), ACTION_CHECK, false},
                {CHECK_OF("fine", "[]"), ACTION_CHECK, false},
                {CHECK_OF("ok", "null"), ACTION_CHECK, false},
                {CHECK_OF("corrupt", "[{\"page\":-2,\"text\":\"x\"}]"), ACTION_CHECK, false},
                {"{\"result\":\"ok\"}", ACTION_CHECK, false},
                {"{}", ACTION_CHECK, false},
                {ANSWER("0", BACKUP_OF(GOOD_ID, GOOD_PATH, "\"backup\"", "true"), OK_CHECK), ACTION_BACKUP, true},
                {ANSWER("-28", BACKUP_OF("null", "null", "null", "false"), "null"), ACTION_BACKUP, true},
                {ANSWER("-117",
                        BACKUP_OF("\"evidence/app-20261121T093127Z\"", "\"/b/evidence/app-20261121T093127Z\"",
                                  "\"evidence\"", "false"),
                        "null"),
                 ACTION_BACKUP, true},
                /* No check passed. */
                {ANSWER("0", BACKUP_OF(GOOD_ID, GOOD_PATH, "\"backup\"", "true"), "null"), ACTION_BACKUP, false},
                /* Another file than its id says, no id, none of our names. */
                {ANSWER("0", BACKUP_OF(GOOD_ID, "\"/etc/passwd\"", "\"backup\"", "true"), OK_CHECK), ACTION_BACKUP,
                 false},
                {ANSWER("0", BACKUP_OF("null", GOOD_PATH, "\"backup\"", "true"), OK_CHECK), ACTION_BACKUP, false},
                {ANSWER("0", BACKUP_OF("\"../x\"", "\"/b/../x.db\"", "\"backup\"", "true"), OK_CHECK),
                 ACTION_BACKUP, false},
                /* It failed and yet there is one; it did not and there is none. */
                {ANSWER("-5", BACKUP_OF(GOOD_ID, GOOD_PATH, "\"backup\"", "true"), OK_CHECK), ACTION_BACKUP, false},
                {ANSWER("0", BACKUP_OF("null", "null", "null", "false"), OK_CHECK), ACTION_BACKUP, false},
                {ANSWER("5", BACKUP_OF("null", "null", "null", "false"), "null"), ACTION_BACKUP, false},
                {ANSWER("0", "null", "null"), ACTION_BACKUP, false},
                {"{}", ACTION_BACKUP, false},
                {JOBS_OF("[\"a\",\"running\",1,2,0.5,null,7]", "[]"), ACTION_JOBS, true},
                {JOBS_OF("[\"a\",null,null,null,null,null,null]", "[\"row 3: it has no id\"]"), ACTION_JOBS, true},
                {JOBS_OF("[null,\"running\",1,2,0.5,null,7]", "[]"), ACTION_JOBS, false},
                {JOBS_OF("[\"a\",\"running\",-1,2,0.5,null,7]", "[]"), ACTION_JOBS, false},
                {JOBS_OF("[\"a\",\"running\",1,2,\"x\",null,7]", "[]"), ACTION_JOBS, false},
                {JOBS_OF("[\"a\",\"running\"]", "[]"), ACTION_JOBS, false},
                {JOBS_OF("{}", "[]"), ACTION_JOBS, false},
                {JOBS_OF("[\"a\",null,null,null,null,null,null]", "[1]"), ACTION_JOBS, false},
                {JOBS_OF("[\"a\",null,null,null,null,null,null],[\"b\",null,null,null,null,null,null]", "[]"),
                 ACTION_JOBS, false}, /* more than it was asked for */
                {"{}", ACTION_JOBS, false},
                {ROOM("[{\"id\":\"i-0123456789abcdef\",\"bytes\":7}]"), ACTION_ROOM, true},
                {ROOM("[]"), ACTION_ROOM, true},
                /* What nobody said it may remove; no id. */
                {ROOM("[{\"id\":\"i-0123456789abcdee\",\"bytes\":7}]"), ACTION_ROOM, false},
                {ROOM("[{\"id\":\"../x\",\"bytes\":7}]"), ACTION_ROOM, false},
                {ROOM("7"), ACTION_ROOM, false},
                {"{}", ACTION_ROOM, false},
                {FOUND("{\"path\":\"/a.db\",\"left_out\":null}"), ACTION_DISCOVER, true},
                {FOUND("{\"path\":null,\"left_out\":\"deleted\"}"), ACTION_DISCOVER, true},
                {"{\"error\":-12,\"document\":null}", ACTION_DISCOVER, true},
                /* To be guarded, and nowhere; not from / on; not what it is. */
                {FOUND("{\"path\":null,\"left_out\":null}"), ACTION_DISCOVER, false},
                {FOUND("{\"path\":\"a.db\",\"left_out\":null}"), ACTION_DISCOVER, false},
                {FOUND("{\"path\":7,\"left_out\":null}"), ACTION_DISCOVER, false},
                {FOUND("7"), ACTION_DISCOVER, false},
                {"{\"error\":0,\"document\":null}", ACTION_DISCOVER, false},
                {"{}", ACTION_DISCOVER, false},
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                json_t *answer = json_loads(table[i].answer, 0, NULL);
                struct action_request r = request("a", "x");
                r.jobs.max_rows = 1;
                r.candidates = "i-0123456789abcdef i-fedcba9876543210 ";
                ck_assert_ptr_nonnull(answer);
                const char *wrong = action_jobs[table[i].kind].wrong(&r, answer);
                ck_assert_msg((wrong == NULL) == table[i].good, "%s: %s", table[i].answer, wrong ? wrong : "taken");
                json_decref(answer);
        }
}
END_TEST

START_TEST(a_text_of_what_is_odd_is_bounded)
{
        char text[JOBS_ODD_BYTES + 2];
        struct action_request r = request("a", "x");

        r.jobs.max_rows = 1;
        for (size_t n = JOBS_ODD_BYTES; n <= JOBS_ODD_BYTES + 1; n++) {
                memset(text, 'x', n);
                text[n] = '\0';
                json_t *answer = json_pack("{s:i, s:s, s:s, s:[], s:[s], s:i, s:b, s:b, s:b}", "error", 0, "reason",
                                           "", "method", "wal", "rows", "odd", text, "nodd", 1, "more", 0,
                                           "partial", 0, "lasting", 0);
                ck_assert((action_jobs[ACTION_JOBS].wrong(&r, answer) == NULL) == (n == JOBS_ODD_BYTES));
                json_decref(answer);
        }
}
END_TEST

SUITE("action", whatever_a_helper_does_costs_one_action_and_has_its_words,
      what_fails_three_times_rests_and_the_others_go_on, what_is_urgent_does_not_wait_for_what_has_time,
      no_more_run_at_a_time_than_there_are_places, of_one_device_one_check_and_of_one_database_one_of_a_kind,
      what_waits_is_bounded, an_end_may_start_another_action, a_look_survives_the_way_and_bad_ones_do_not,
      answers_are_held_against_what_they_can_be, a_text_of_what_is_odd_is_bounded)
