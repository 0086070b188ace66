#include "respond/space.h"

#include <errno.h>
#include <sys/statvfs.h>

int space_check(int fd, uint64_t need, struct space *ret)
{
        struct statvfs fs;

        if (fstatvfs(fd, &fs) < 0)
                return -errno;
        struct space s = {.need = need};
        if (fs.f_blocks == 0) {
                s.free = UINT64_MAX;
        } else {
                s.free = (uint64_t)fs.f_bavail * fs.f_frsize;
                s.reserve = (uint64_t)fs.f_blocks * fs.f_frsize / 10;
        }
        *ret = s;
        return s.free < s.reserve || s.free - s.reserve < need ? -ENOSPC : 0;
}

uint64_t space_for_copy(uint64_t bytes)
{
        uint64_t with_room;

        return __builtin_add_overflow(bytes, bytes / 5, &with_room) ? UINT64_MAX : with_room;
}
