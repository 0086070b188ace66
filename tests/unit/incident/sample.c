/* sample.c - see sample.h. */
#include "sample.h"

#include <stdio.h>

#include "suite.h"

struct incidents *set;

void make(void)
{
        set = incidents_new(BOOT, NULL, NULL);
        ck_assert_ptr_nonnull(set);
}

size_t count(void)
{
        struct incident *const *list;
        return incidents_list(set, &list);
}

struct incident_finding death(uint32_t tgid)
{
        static char ids[64][DETECT_ID_LEN];
        static unsigned made;
        char *id = ids[made++ % 64];
        snprintf(id, DETECT_ID_LEN, "f-%08x%08x", tgid, made);
        return (struct incident_finding){.id = id,
                                         .code = "unclean-death",
                                         .severity = SEVERITY_P1,
                                         .database = "a",
                                         .path = "/srv/a.db",
                                         .ns = 10 * S,
                                         .at_ns = 1000,
                                         .certificate = "c-1",
                                         .detail = "it died",
                                         .cause = {.died = {.tgid = tgid, .start_ns = tgid}}};
}

struct incident *add(struct incident_finding f, bool expect_new)
{
        bool fresh;
        struct incident *i = incidents_add(set, &f, &fresh);
        ck_assert_ptr_nonnull(i);
        ck_assert_int_eq(fresh, expect_new);
        return i;
}
