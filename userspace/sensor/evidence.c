/* evidence.c - see evidence.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "sensor/evidence_private.h"
#include "sensor/mounts.h"

int sensor_evidence(struct sensor *s, const struct vigil_ident *who, struct process_evidence *ret)
{
        struct process_evidence e = {.id = *who, .at_ns = clock_boottime_ns()};

        if (!who->tgid || !who->start_ns)
                return -EINVAL;
        evidence_kernel(s, &e);
        int r = evidence_proc(s, &e);
        if (r < 0 && r != -ESRCH)
                return r;
        if (r == -ESRCH)
                e = (struct process_evidence){.id = *who, .at_ns = e.at_ns, .gone = true};
        *ret = e;
        return 0;
}

/* ---- devices by name ---- */

/* What is mounted from @dev: file systems without a block device of their own (btrfs, overlayfs, tmpfs) have a number that
 * only mountinfo knows. */
static bool mounted_source(uint32_t dev, char *ret, size_t size)
{
        struct mounts m = {0};
        bool found = false;

        if (mounts_read(-1, &m) < 0)
                return false;
        for (size_t i = 0; i < m.n && !found; i++) {
                const char *name = m.item[i].source;
                if (m.item[i].dev != makedev(dev >> 20, dev & 0xfffff))
                        continue;
                if (strncmp(name, "/dev/", 5) == 0)
                        name += 5;
                else if (!*name || strcmp(name, "none") == 0)
                        name = m.item[i].type;
                snprintf(ret, size, "%s", name);
                found = true;
        }
        mounts_done(&m);
        return found;
}

void evidence_device_name(uint32_t dev, char *ret, size_t size)
{
        char path[64], link[256];

        ret[0] = 0;
        if (!dev)
                return;
        snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", dev >> 20, dev & 0xfffff);
        ssize_t n = readlink(path, link, sizeof(link) - 1);
        if (n > 0) {
                link[n] = 0;
                const char *slash = strrchr(link, '/');
                snprintf(ret, size, "%s", slash ? slash + 1 : link);
        } else if (!mounted_source(dev, ret, size)) {
                snprintf(ret, size, "%u:%u", dev >> 20, dev & 0xfffff);
        }
}
