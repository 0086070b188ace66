#include "respond/xattrs.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"

static int copy_one(int from, int to, const char *name, char *value)
{
        ssize_t n = fgetxattr(from, name, value, XATTR_SIZE_MAX);

        if (n < 0)
                return errno == ERANGE ? -E2BIG : errno == ENODATA ? 0 : -errno;
        return fsetxattr(to, name, value, (size_t)n, 0) < 0 ? -errno : 0;
}

int xattrs_copy(int from, int to)
{
        _cleanup_free_ char *names = malloc(XATTR_LIST_MAX), *value = malloc(XATTR_SIZE_MAX);
        int err = 0;

        if (!names || !value)
                return -ENOMEM;
        ssize_t n = flistxattr(from, names, XATTR_LIST_MAX);
        if (n < 0)
                return errno == ENOTSUP ? 0 : errno == ERANGE ? -E2BIG : -errno;
        for (const char *name = names; name < names + n; name += strlen(name) + 1) {
                int r = copy_one(from, to, name, value);
                if (r < 0 && err == 0)
                        err = r;
        }
        return err;
}
