/* care.c - see care.h. */
#include "model/care.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ID_SHOWN 12 /* of the 64 digits of a container's id, as docker ps shows it */

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
