/* test_belongs.c - rules of orchestrators on processes. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "daemon/belongs.h"

static struct procinfo node(void)
{
        struct procinfo p = {.stat = {.comm = "node"}, .uid = 1000};

        strcpy(p.cmdline, "node --max-old-space-size=4096 services/batch-orchestrator.js");
        strcpy(p.exe, "/usr/bin/node");
        strcpy(p.cgroup, "/system.slice/batch.service");
        return p;
}

static const struct config_match none = {.uid = CONFIG_NO_UID};

START_TEST(every_rule_that_is_given_must_match)
{
        const struct procinfo p = node();
        struct config_match m = none;

        m.cmdline = (char *)"batch-orchestrator";
        ck_assert(belongs(&m, &p));
        m.comm = (char *)"node";
        m.exe = (char *)"node";
        m.systemd_unit = (char *)"batch.service";
        m.cgroup = (char *)"system.slice";
        m.uid = 1000;
        ck_assert(belongs(&m, &p));
        m.uid = 0;
        ck_assert(!belongs(&m, &p));
}
END_TEST

START_TEST(what_is_only_a_part_does_not_match_where_the_whole_is_meant)
{
        const struct procinfo p = node();
        struct config_match m = none;

        m.comm = (char *)"nod";
        ck_assert(!belongs(&m, &p));
        m = none;
        m.exe = (char *)"/bin/node";
        ck_assert(!belongs(&m, &p));
        m.exe = (char *)"/usr/bin/node";
        ck_assert(belongs(&m, &p));
        m = none;
        m.systemd_unit = (char *)"atch.service";
        ck_assert(!belongs(&m, &p));
}
END_TEST

START_TEST(a_container_is_known_by_the_beginning_of_its_id)
{
        struct procinfo p = node();
        struct config_match m = none;

        strcpy(p.cgroup,
               "/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope");
        m.container = (char *)"0123456789ab";
        ck_assert(belongs(&m, &p));
        m.container = (char *)"123456789ab";
        ck_assert(!belongs(&m, &p));
        strcpy(p.cgroup, "/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        m.container = (char *)"01234567";
        ck_assert(belongs(&m, &p));
}
END_TEST

SUITE("belongs", every_rule_that_is_given_must_match, what_is_only_a_part_does_not_match_where_the_whole_is_meant,
      a_container_is_known_by_the_beginning_of_its_id)
