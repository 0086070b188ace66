/* locks.c - the lock bytes of SQLite, by open file description locks. */
#include "engine/locks.h"

#include <errno.h>
#include <fcntl.h>

#define PENDING_BYTE 0x40000000
#define SHARED_FIRST (PENDING_BYTE + 2)
#define SHARED_SIZE  510
#define WAL_READ_0   123
#define WAL_LOCKS    120 /* write, checkpoint, recover, five read marks, and the dead man's switch */
#define WAL_DMS      128

/* Whether a lock of type @p type on the range would conflict: somebody has one. @return 1, 0 or -errno */
static int conflicts(int fd, short type, off_t start, off_t len)
{
        struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
        if (fcntl(fd, F_OFD_GETLK, &l) < 0)
                return -errno;
        return l.l_type != F_UNLCK;
}

static int set(int fd, short type, off_t start, off_t len)
{
        struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
        if (fcntl(fd, F_OFD_SETLK, &l) < 0)
                return errno == EACCES ? -EAGAIN : -errno;
        return 0;
}

int locks_wal_in_use(const struct engine_files *f)
{
        int shm = f->fd[VIGIL_ROLE_SHM];
        return shm < 0 ? 0 : conflicts(shm, F_WRLCK, WAL_DMS, 1);
}

int locks_in_use(const struct engine_files *f)
{
        int main = f->fd[VIGIL_ROLE_MAIN], shm = f->fd[VIGIL_ROLE_SHM];
        int r = main < 0 ? 0 : conflicts(main, F_WRLCK, PENDING_BYTE, 2 + SHARED_SIZE);
        if (r == 0 && shm >= 0)
                r = conflicts(shm, F_WRLCK, WAL_LOCKS, WAL_DMS - WAL_LOCKS + 1);
        return r;
}

int locks_pin(const struct engine_files *f)
{
        int main = f->fd[VIGIL_ROLE_MAIN], shm = f->fd[VIGIL_ROLE_SHM];
        /* PENDING says that somebody waits for EXCLUSIVE: no reader comes in between (sqlite.org/lockingv3.html). */
        int r = conflicts(main, F_RDLCK, PENDING_BYTE, 1);
        if (r != 0)
                return r < 0 ? r : -EAGAIN;
        r = set(main, F_RDLCK, SHARED_FIRST, SHARED_SIZE);
        if (r == 0)
                r = set(shm, F_RDLCK, WAL_READ_0, 1);
        if (r < 0)
                locks_unpin(f);
        return r;
}

void locks_unpin(const struct engine_files *f)
{
        set(f->fd[VIGIL_ROLE_SHM], F_UNLCK, WAL_READ_0, 1);
        set(f->fd[VIGIL_ROLE_MAIN], F_UNLCK, SHARED_FIRST, SHARED_SIZE);
}
