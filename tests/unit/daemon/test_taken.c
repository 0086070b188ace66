/* test_taken.c - what the earlier daemon has stored, and comes again out of the ring. */
#include "daemon/taken.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cases_fixture.h"
#include "daemon/cases.h"
#include "daemon/scribe.h"
#include "suite.h"

#define TAKEN_NS 1000u

static struct daemon *d;

/* A daemon that has taken over at TAKEN_NS, with one death and one finding in its store. */
static void begin(void)
{
        d = cases_begin();
        d->taken = true;
        d->taken_ns = TAKEN_NS;
        const struct incident *i = case_raise(d, "unclean-death", cases_guard(), "it died", NULL);
        ck_assert_ptr_nonnull(i);
        keeper_certificate(d->keeper, "c-stored", "app", NULL, "unclean", 1, json_object(), false);
        keeper_finding(d->keeper, "f-stored", "app", i->id, "unclean-death", "P1", 1, json_object());
        ck_assert(keeper_flush(d->keeper, 20000));
        ck_assert_uint_eq(keeper_waiting(d->keeper), 0);
}

static int is_told(const char *id, const char *certificate, uint64_t ns)
{
        struct certificate c = {0};
        struct finding f = {.certificate = certificate ? &c : NULL};

        strcpy(f.id, id);
        strcpy(c.id, certificate ? certificate : "");
        return taken_is_told(d, &f, ns);
}

START_TEST(a_finding_is_known_by_itself_or_by_its_death)
{
        begin();
        ck_assert_int_eq(is_told("f-stored", NULL, TAKEN_NS - 1), 1);
        ck_assert_int_eq(is_told("f-stored", "c-new", TAKEN_NS - 1), 1);
        ck_assert_int_eq(is_told("f-counted", "c-stored", TAKEN_NS - 1), 1);
        ck_assert_int_eq(is_told("f-counted", "c-new", TAKEN_NS - 1), 0);
        ck_assert_int_eq(is_told("f-counted", NULL, TAKEN_NS - 1), 0);
        cases_end(d);
}
END_TEST

START_TEST(what_came_after_the_take_over_or_without_one_is_new)
{
        begin();
        ck_assert_int_eq(is_told("f-stored", "c-stored", TAKEN_NS), 0);
        d->taken = false;
        ck_assert_int_eq(is_told("f-stored", "c-stored", TAKEN_NS - 1), 0);
        cases_end(d);
}
END_TEST

static char db[64], locked[64], go[64];

/* A commit that takes until the file `go` is there. */
static int commit_slowly(int answer_fd, void *arg)
{
        sqlite3 *s;

        (void)arg;
        if (sqlite3_open(db, &s) != SQLITE_OK || sqlite3_exec(s, "begin exclusive", NULL, NULL, NULL) != SQLITE_OK)
                return 1;
        close(open(locked, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        for (int i = 0; i < 2000 && access(go, F_OK) < 0; i++)
                usleep(10000);
        sqlite3_close(s);
        return scribe_tell(answer_fd, 0);
}

static void on_done(void *userdata, int error, const json_t *answer)
{
        (void)answer;
        *(int *)userdata = error;
}

START_TEST(during_a_slow_commit_nobody_waits_and_it_is_known_afterwards)
{
        int error = 1;

        begin();
        snprintf(db, sizeof(db), "%s/vigil.db", cases_directory());
        snprintf(locked, sizeof(locked), "%s/locked", cases_directory());
        snprintf(go, sizeof(go), "%s/go", cases_directory());
        ck_assert_int_eq(scribe_start(d->scribe, SCRIBE_STORE, commit_slowly, NULL, on_done, &error), 0);
        for (int i = 0; i < 2000 && access(locked, F_OK) < 0; i++)
                usleep(10000);
        ck_assert_int_eq(is_told("f-stored", NULL, TAKEN_NS - 1), -EAGAIN);
        ck_assert_int_eq(is_told("f-stored", NULL, TAKEN_NS), 0);
        ck_assert_int_eq(error, 1); /* it has not been waited for */
        close(open(go, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        ck_assert(scribe_wait(d->scribe, SCRIBE_STORE, 20000));
        ck_assert_int_eq(is_told("f-stored", NULL, TAKEN_NS - 1), 1);
        ck_assert_int_eq(is_told("f-counted", NULL, TAKEN_NS - 1), 0);
        cases_end(d);
}
END_TEST

SUITE("taken", a_finding_is_known_by_itself_or_by_its_death, what_came_after_the_take_over_or_without_one_is_new,
      during_a_slow_commit_nobody_waits_and_it_is_known_afterwards)
