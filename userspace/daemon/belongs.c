/* belongs.c - see belongs.h. */
#include "daemon/belongs.h"

#include <string.h>

static bool part(const char *text, const char *wanted)
{
        return !wanted || strstr(text, wanted) != NULL;
}

static bool same(const char *text, const char *wanted)
{
        return !wanted || strcmp(text, wanted) == 0;
}

static bool program(const char *exe, const char *wanted)
{
        const char *slash = strrchr(exe, '/');

        return !wanted || strcmp(wanted[0] == '/' || !slash ? exe : slash + 1, wanted) == 0;
}

/* One of the components of the path. */
static bool component(const char *path, const char *wanted)
{
        size_t n = wanted ? strlen(wanted) : 0;

        if (!wanted)
                return true;
        for (const char *at = path; (at = strstr(at, wanted)); at++)
                if (at > path && at[-1] == '/' && (at[n] == '/' || at[n] == '\0'))
                        return true;
        return false;
}

/* "…/docker/ID", "…/docker-ID.scope", "…/kubepods/…/ID", "…/lxc/NAME": the id begins where a name could. */
static bool container(const char *path, const char *wanted)
{
        if (!wanted)
                return true;
        for (const char *at = path; (at = strstr(at, wanted)); at++)
                if (at > path && strchr("/-:.", at[-1]))
                        return true;
        return false;
}

unsigned belongs_parts(const struct config_match *rule)
{
        unsigned parts = 0;

        if (rule->uid != CONFIG_NO_UID)
                parts |= PROCINFO_UID;
        if (rule->exe)
                parts |= PROCINFO_PROGRAM;
        if (rule->systemd_unit || rule->cgroup || rule->container)
                parts |= PROCINFO_GROUP;
        return parts;
}

bool belongs(const struct config_match *rule, const struct procinfo *p)
{
        return part(p->cmdline, rule->cmdline) && same(p->stat.comm, rule->comm) && program(p->exe, rule->exe) &&
               component(p->cgroup, rule->systemd_unit) && part(p->cgroup, rule->cgroup) &&
               container(p->cgroup, rule->container) && (rule->uid == CONFIG_NO_UID || rule->uid == p->uid);
}
