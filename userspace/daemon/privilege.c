/* privilege.c - see privilege.h; capabilities(7). */
#include "daemon/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>

#include "base/landlock.h"
#include "base/log.h"

static const struct privilege {
        int capability;
        const char *name;
        const char *why;
} privileges[] = {
        {CAP_BPF, "CAP_BPF", "reads and changes the maps; puts another database under watch"},
        {CAP_PERFMON, "CAP_PERFMON", "runs the programs that look at open files and accounts"},
        {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "sees program files and mount namespaces of other users' processes"},
        {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "reaches databases of other users; names cgroups"},
        {CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE",
         "helpers: finish and prune backups that belong to the databases' owners"},
        {CAP_CHOWN, "CAP_CHOWN", "helpers: a backup belongs to the owner of its database"},
        {CAP_FOWNER, "CAP_FOWNER", "helpers: its mode and attributes"},
        {CAP_SETUID, "CAP_SETUID", "helpers become the owner of the database"},
        {CAP_SETGID, "CAP_SETGID", "helpers become the owner's group"},
        {CAP_SYSLOG, "CAP_SYSLOG", "a helper keeps the kernel's lines about a failing device"},
        {CAP_KILL, "CAP_KILL", "ends a helper that became another user, at its deadline"},
};

static void say(bool kept, const struct privilege *p)
{
        log_debug("%s is %s: %s", p->name, kept ? "kept" : "not there", p->why);
}

int privilege_drop(void)
{
        const capng_type_t kept = (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET);

        if (capng_get_caps_process() < 0)
                return -EPERM;
        bool bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
        /* Only what is there can be kept: a unit may have taken more away. */
        bool have[CAP_LAST_CAP + 1] = {false};
        for (size_t i = 0; i < sizeof(privileges) / sizeof(privileges[0]); i++) {
                const struct privilege *p = &privileges[i];
                have[p->capability] = capng_have_capability(CAPNG_EFFECTIVE, (unsigned)p->capability);
                say(have[p->capability], p);
        }
        /* Without Landlock, helpers are confined in a mount namespace of their own instead (base/jail.h). */
        have[CAP_SYS_ADMIN] = landlock_version() == 0 && capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
        capng_clear(CAPNG_SELECT_ALL);
        for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
                if (have[c] && capng_update(CAPNG_ADD, kept, c) < 0)
                        return -EPERM;
        if (bounds && capng_apply(CAPNG_SELECT_BOUNDS) < 0)
                return -EPERM;
        return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}
