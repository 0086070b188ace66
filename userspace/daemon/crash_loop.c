/* crash_loop.c - see crash_loop.h. */
#include "daemon/crash_loop.h"

#include <jansson.h>

#include "daemon/core.h"
#include "daemon/due.h"
#include "daemon/guard.h"
#include "daemon/response.h"

#define LOOP_BACKUP_NS 3600000000000
#define LOOP_CHECK_NS  60000000000

/* By the wall clock, as these times are stored: one that lies ahead of it was taken before it was set back, nobody knows when. */
static bool is_recent(int64_t then_ns, int64_t span_ns)
{
        int64_t age = daemon_now() - then_ns;

        return age >= 0 && age < span_ns;
}

bool crash_loop_spares(struct daemon *d, struct guard *g, struct incident *i)
{
        bool copied = g->backup_ns && is_recent(g->backup_ns, LOOP_BACKUP_NS) &&
                      json_is_true(json_object_get(json_object_get(i->tag, "backup"), "verified"));

        if (i->deaths < 2 || !(copied || response_wants(d, ACTION_BACKUP, g->name, i->id, NULL)))
                return false;
        if (g->of->check.method == CONFIG_CHECK_NONE)
                return true;
        if (is_recent(g->check_ended_ns, LOOP_CHECK_NS))
                due_add(d, i, ACTION_CHECK, g->name);
        else
                response_check(d, g, i, i->code);
        return true;
}
