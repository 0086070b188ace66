/* test_proctext.c - procfs as it is, and as a program's name can make it look. */
#include <errno.h>

#include "sensor/proctext.h"
#include "suite.h"

START_TEST(a_name_with_blanks_and_brackets_hides_nothing)
{
        struct proc_stat st;

        ck_assert_int_eq(proctext_stat("42 (a) R (b) S 7 42 42 0 -1 4194304 104 0 0 0 250 50 0 0 20 0 11 0 76923 "
                                       "3133440 424",
                                       &st),
                         0);
        ck_assert_str_eq(st.comm, "a) R (b");
        ck_assert_int_eq(st.state, 'S');
        ck_assert_uint_eq(st.ppid, 7);
        ck_assert_uint_eq(st.cpu_ticks, 300);
        ck_assert_uint_eq(st.threads, 11);
        ck_assert_uint_eq(st.start_ticks, 76923);
}
END_TEST

START_TEST(half_a_line_is_none)
{
        struct proc_stat st;
        uint64_t a, b;

        ck_assert_int_eq(proctext_stat("", &st), -EBADMSG);
        ck_assert_int_eq(proctext_stat("42 (a", &st), -EBADMSG);
        ck_assert_int_eq(proctext_stat(")42 (", &st), -EBADMSG);
        ck_assert_int_eq(proctext_stat("42 (a) S 7 42", &st), -EBADMSG);
        ck_assert_int_eq(proctext_schedstat("17", &a, &b), -EBADMSG);
}
END_TEST

START_TEST(a_number_is_found_by_its_whole_key)
{
        const char *text = "nr_throttled 3\nthrottled_usec 1250\nvoluntary_ctxt_switches:\t17\n";
        uint64_t n = 0;

        ck_assert(proctext_number(text, "throttled_usec", &n));
        ck_assert_uint_eq(n, 1250);
        ck_assert(proctext_number(text, "voluntary_ctxt_switches:", &n));
        ck_assert_uint_eq(n, 17);
        ck_assert(!proctext_number(text, "throttled", &n));
        ck_assert(!proctext_number("", "throttled", &n));
}
END_TEST

START_TEST(each_hierarchy_has_its_path)
{
        const char *text = "5:memory:/m\n4:cpu,cpuacct:/c/d\n3:cpuset:/s\n1:name=systemd:/x:y\n0::/u/v\n";
        char path[32];

        ck_assert(proctext_cgroup(text, NULL, path, sizeof(path)));
        ck_assert_str_eq(path, "/u/v");
        ck_assert(proctext_cgroup(text, "cpu", path, sizeof(path)));
        ck_assert_str_eq(path, "/c/d");
        ck_assert(proctext_cgroup(text, "cpuset", path, sizeof(path)));
        ck_assert_str_eq(path, "/s");
        ck_assert(proctext_cgroup(text, "name=systemd", path, sizeof(path)));
        ck_assert_str_eq(path, "/x:y");
        ck_assert(!proctext_cgroup(text, "freezer", path, sizeof(path)));
        ck_assert(!proctext_cgroup(text, "cpu", path, 4)); /* it does not fit */
}
END_TEST

SUITE("proctext", a_name_with_blanks_and_brackets_hides_nothing, half_a_line_is_none,
      a_number_is_found_by_its_whole_key, each_hierarchy_has_its_path)
