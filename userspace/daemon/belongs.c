/* belongs.c - see belongs.h. */
#include "daemon/belongs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ID_SHOWN 12 /* of the 64 digits of a container's id, as docker ps shows it */

/* ---- the rule ---- */

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

/* ---- who cares for it ---- */

/* The container's id that begins at @at: digits of a hash, 64 or at least as many as are shown. */
static size_t id_length(const char *at)
{
        size_t n = 0;

        while (isxdigit((unsigned char)at[n]))
                n++;
        return n >= ID_SHOWN ? n : 0;
}

static bool in_container(const char *cgroup, char ret[CARE_LEN])
{
        static const struct {
                const char *before, *name;
        } kinds[] = {{"docker-", "docker"},
                     {"/docker/", "docker"},
                     {"libpod-", "podman"},
                     {"cri-containerd-", "kubernetes"},
                     {"crio-", "kubernetes"}};

        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                const char *at = strstr(cgroup, kinds[i].before);
                if (!at || !id_length(at + strlen(kinds[i].before)))
                        continue;
                snprintf(ret, CARE_LEN, "%s %.*s", kinds[i].name, ID_SHOWN, at + strlen(kinds[i].before));
                return true;
        }
        return false;
}

void care_of_cgroup(const char *cgroup, char ret[CARE_LEN])
{
        ret[0] = '\0';
        if (in_container(cgroup, ret))
                return;
        /* The innermost unit: services of a user stand below user@1000.service. */
        const char *end = NULL;
        for (const char *at = cgroup; (at = strstr(at, ".service")); at++)
                if (at[8] == '/' || at[8] == '\0')
                        end = at + 8;
        if (!end)
                return;
        const char *begin = end;
        while (begin > cgroup && begin[-1] != '/')
                begin--;
        snprintf(ret, CARE_LEN, "systemd %.*s", (int)(end - begin), begin);
}

const char *care_of_ancestor(const char *comm)
{
        return strncmp(comm, "PM2", 3) == 0 || strncmp(comm, "pm2", 3) == 0 ? "pm2" : "";
}
