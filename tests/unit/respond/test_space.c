/* test_space.c - room for a copy, with a reserve. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fixture.h"
#include "respond/space.h"

static int check_here(uint64_t need, struct space *ret)
{
        write_file(place("x"), "x", 1);
        int fd = open(place("x"), O_RDONLY | O_CLOEXEC);
        int r = space_check(fd, need, ret);
        close(fd);
        return r;
}

START_TEST(a_byte_fits)
{
        struct space s;
        ck_assert_int_eq(check_here(1, &s), 0);
        ck_assert_uint_gt(s.reserve, 0);
}
END_TEST

START_TEST(the_reserve_is_not_for_copies)
{
        struct space s;
        ck_assert_int_eq(check_here(1, &s), 0);
        ck_assert_int_eq(check_here(s.free - s.reserve / 2, &s), -ENOSPC);
        ck_assert_int_eq(check_here(UINT64_MAX, &s), -ENOSPC);
}
END_TEST

START_TEST(a_lying_size_does_not_wrap_around)
{
        ck_assert_uint_eq(space_for_copy(1000), 1200);
        ck_assert_uint_eq(space_for_copy(UINT64_MAX), UINT64_MAX);
}
END_TEST

SUITE("space", a_byte_fits, the_reserve_is_not_for_copies, a_lying_size_does_not_wrap_around)
