/* reach.c - a tree of files and a worker that tries them all. */
#include "reach.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static void touch(const char *path)
{
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
}

void place_make(struct place *p)
{
        strcpy(p->dir, "/tmp/vigil-reach-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(p->dir));
        ck_assert_int_eq(chdir(p->dir), 0);
        ck_assert_int_eq(mkdir("writable", 0700), 0);
        ck_assert_int_eq(mkdir("kept", 0700), 0);
        touch("readable");
        touch("secret");
        touch("kept/inside");
        snprintf(p->readable, sizeof(p->readable), "%s/readable", p->dir);
        p->kept = open("kept", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_gt(p->kept, 2);
}

bool place_remove(struct place *p)
{
        close(p->kept);
        bool left = unlink("writable/new") == 0;
        left = unlink("kept/new") == 0 && left;
        unlink("kept/inside");
        unlink("readable");
        unlink("secret");
        unlink("beside");
        rmdir("writable");
        rmdir("kept");
        ck_assert_int_eq(rmdir(p->dir), 0);
        return left;
}

int reach_try(int answer_fd, void *place)
{
        const struct place *p = place;
        const struct {
                const char *path;
                int at;
                int flags;
        } attempts[] = {
                /* granted */
                {"readable", AT_FDCWD, O_RDONLY},
                {"writable/new", AT_FDCWD, O_RDWR | O_CREAT},
                {"new", p->kept, O_RDWR | O_CREAT},
                {"inside", p->kept, O_RDONLY},
                /* not granted */
                {"readable", AT_FDCWD, O_RDWR},
                {"secret", AT_FDCWD, O_RDONLY},
                {"beside", AT_FDCWD, O_RDWR | O_CREAT},
                {"../secret", p->kept, O_RDONLY},
                {"../../../../../etc/passwd", p->kept, O_RDONLY},
                {"/etc/passwd", AT_FDCWD, O_RDONLY},
        };
        int reached = 0;
        for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
                _cleanup_close_ int file = openat(attempts[i].at, attempts[i].path, attempts[i].flags | O_CLOEXEC,
                                                  0600);
                reached |= file >= 0 ? 1 << i : 0;
        }
        dprintf(answer_fd, "{\"reached\":%d}\n", reached);
        return 0;
}
