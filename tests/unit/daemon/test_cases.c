/* test_cases.c - what of an incident outlives the daemon. */
#include "daemon/cases.h"

#include <stdio.h>
#include <string.h>

#include "cases_fixture.h"
#include "daemon/work.h"
#include "suite.h"

static struct daemon *d;
static char id[DETECT_ID_LEN];

/* A finding about @p name, of the incident of this test if there is one. */
static struct incident *find_dead(const char *name)
{
        char its_name[32], path[64];
        struct guard g = {.name = its_name, .path = path};

        snprintf(its_name, sizeof(its_name), "%s", name);
        snprintf(path, sizeof(path), "/srv/%s.db", name);
        struct incident *i = case_raise_in(d, "unclean-death", &g, "it died", NULL, *id ? id : NULL);
        ck_assert_ptr_nonnull(i);
        strcpy(id, i->id);
        return i;
}

static struct incident *restart(void)
{
        cases_end(d);
        d = cases_begin();
        struct incident *i = incidents_find(d->incidents, id);
        ck_assert_ptr_nonnull(i);
        return i;
}

START_TEST(an_incident_of_several_databases_keeps_all_of_them)
{
        d = cases_begin();
        find_dead("a");
        find_dead("b");
        int64_t since = work_oldest_open(d, "b");
        ck_assert_int_ne(since, 0);
        struct incident *i = restart();
        ck_assert_uint_eq(i->ndatabases, 2);
        ck_assert_str_eq(i->databases[0].name, "a");
        ck_assert_str_eq(i->databases[0].path, "/srv/a.db");
        ck_assert_str_eq(i->databases[1].name, "b");
        ck_assert_int_eq(work_oldest_open(d, "b"), since);
        ck_assert_int_eq(work_oldest_open(d, "c"), 0);
        /* What is stored of it next is not less. */
        find_dead("a");
        i = restart();
        ck_assert_uint_eq(i->ndatabases, 2);
        cases_end(d);
}
END_TEST

START_TEST(of_an_incident_of_more_databases_than_are_listed_each_may_be_one)
{
        char name[16];

        d = cases_begin();
        for (unsigned n = 0; n <= INCIDENT_MAX_DATABASES; n++) {
                snprintf(name, sizeof(name), "db%u", n);
                find_dead(name);
        }
        struct incident *i = restart();
        ck_assert_uint_eq(i->ndatabases, INCIDENT_MAX_DATABASES);
        ck_assert(i->more_databases);
        ck_assert_int_ne(work_oldest_open(d, name), 0);
        cases_end(d);
}
END_TEST

START_TEST(a_name_that_cannot_be_stored_as_it_is_may_be_any)
{
        d = cases_begin();
        find_dead("a");
        find_dead("glob/\xff");
        struct incident *i = restart();
        ck_assert_uint_eq(i->ndatabases, 1);
        ck_assert_int_ne(work_oldest_open(d, "glob/\xff"), 0);
        cases_end(d);
}
END_TEST

SUITE("cases", an_incident_of_several_databases_keeps_all_of_them,
      of_an_incident_of_more_databases_than_are_listed_each_may_be_one,
      a_name_that_cannot_be_stored_as_it_is_may_be_any)
