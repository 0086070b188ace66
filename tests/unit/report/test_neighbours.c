/* test_neighbours.c - who held the lock and who used the disk: the first of many, by name. */
#include "report/neighbours.h"

#include <stdio.h>
#include <string.h>

#include "suite.h"

#define DB   5
#define DISK 77

static const char *cgroup_of(uint64_t id, const void *userdata)
{
        static const char *const path[] = {NULL, "/", "/system.slice/batch.service", "/user.slice/session-3.scope"};

        (void)userdata;
        return id < sizeof(path) / sizeof(path[0]) ? path[id] : NULL;
}

static struct vigil_neighbour user(uint32_t pid, uint64_t bytes, uint64_t syncs)
{
        struct vigil_neighbour n = {
                .id = {.tgid = pid, .start_ns = 9}, .disk = DISK, .write_bytes = bytes, .syncs = syncs};

        snprintf(n.id.comm, sizeof(n.id.comm), "p%u", pid);
        return n;
}

START_TEST(the_largest_writers_and_the_most_frequent_syncers_are_told)
{
        struct vigil_neighbour list[20];
        char text[512];

        for (uint32_t i = 0; i < 19; i++)
                list[i] = user(i + 1, 1000 * i, i == 0 ? 500 : i);
        list[19] = user(99, 1 << 30, 1000);
        list[19].disk = DISK + 1; /* another disk is nobody's business */
        json_t *o = neighbours_json(list, 20, DB, DISK, "vda", cgroup_of, NULL);
        json_t *users = json_object_get(o, "users");
        ck_assert_uint_eq(json_array_size(users), 4); /* 19, 18, 17 by bytes; 1 by syncs, with 19 and 18 again */
        ck_assert_int_eq(json_integer_value(json_object_get(o, "others")), 15);
        neighbours_device_text(text, sizeof(text), o, 1);
        ck_assert_str_eq(text, "vda: p1 (pid 1) wrote 0 B, 500 syncs"); /* more than 18 KiB and 18 syncs */
        json_decref(o);
}
END_TEST

START_TEST(users_of_the_database_itself_are_no_neighbours_and_the_kernel_comes_last)
{
        struct vigil_neighbour list[] = {user(1, 9000, 9), user(0, 8192, 0), user(3, 1024, 1)};
        char text[512];

        list[0].uses[2] = DB;
        json_t *o = neighbours_json(list, 3, DB, DISK, "vda", cgroup_of, NULL);
        neighbours_device_text(text, sizeof(text), o, 9);
        ck_assert_str_eq(text, "vda: p3 (pid 3) wrote 1 KiB, 1 sync; kernel threads wrote 8 KiB, 0 syncs");
        ck_assert(json_is_true(json_object_get(json_array_get(json_object_get(o, "users"), 0), "uses_database")));
        json_decref(o);
}
END_TEST

START_TEST(who_only_reads_burdens_the_disk_too)
{
        struct vigil_neighbour list[] = {user(1, 4096, 1), user(2, 0, 0), user(3, 2048, 0)};
        char text[512];

        list[1].read_bytes = 3ull << 30;
        list[2].read_bytes = 1024;
        json_t *o = neighbours_json(list, 3, DB, DISK, "vda", cgroup_of, NULL);
        ck_assert_int_eq(json_integer_value(json_object_get(o, "others")), 0);
        neighbours_device_text(text, sizeof(text), o, 1);
        ck_assert_str_eq(text, "vda: p2 (pid 2) read 3 GiB");
        neighbours_device_text(text, sizeof(text), o, 9);
        ck_assert_str_eq(
                text,
                "vda: p2 (pid 2) read 3 GiB; p1 (pid 1) wrote 4 KiB, 1 sync; p3 (pid 3) wrote 2 KiB, 0 syncs");
        json_decref(o);
}
END_TEST

START_TEST(who_held_the_lock_longest_is_named)
{
        struct vigil_neighbour list[] = {{.id = {.tgid = 4, .comm = "a"}, .db = DB, .waited_ns = 1000000},
                                         {.id = {.tgid = 5, .comm = "b"}, .db = DB, .waited_ns = 2000000000},
                                         {.id = {.tgid = 6, .comm = "c"}, .db = DB + 1, .waited_ns = 9000000000}};
        char text[128];

        json_t *o = neighbours_json(list, 3, DB, 0, NULL, cgroup_of, NULL);
        ck_assert_uint_eq(json_array_size(json_object_get(o, "lock_holders")), 2);
        ck_assert_uint_eq(json_array_size(json_object_get(o, "users")), 0);
        ck_assert(json_is_null(json_object_get(o, "device")));
        neighbours_holder_text(text, sizeof(text), o);
        ck_assert_str_eq(text, "b (pid 5) while others waited 2 s in all");
        json_decref(o);
}
END_TEST

START_TEST(the_unit_or_the_cgroup_stands_beside_the_name)
{
        struct vigil_neighbour list[] = {user(1, 4000, 0), user(2, 3000, 0), user(3, 2000, 0)};
        const json_t *u;
        char text[512];

        list[0].cgroup_id = 2;
        list[1].cgroup_id = 3;
        list[2].cgroup_id = 1; /* the root says nothing */
        json_t *o = neighbours_json(list, 3, DB, DISK, "vda", cgroup_of, NULL);
        neighbours_device_text(text, sizeof(text), o, 9);
        ck_assert_str_eq(text, "vda: p1 (pid 1, systemd batch.service) wrote 3.9 KiB, 0 syncs; p2 (pid 2, cgroup "
                               "session-3.scope) wrote 2.9 KiB, 0 syncs; p3 (pid 3) wrote 2 KiB, 0 syncs");
        u = json_array_get(json_object_get(o, "users"), 0);
        ck_assert_str_eq(json_string_value(json_object_get(u, "cgroup")), "/system.slice/batch.service");
        ck_assert_str_eq(json_string_value(json_object_get(u, "supervisor")), "systemd batch.service");
        u = json_array_get(json_object_get(o, "users"), 1);
        ck_assert(json_is_null(json_object_get(u, "supervisor")));
        json_decref(o);
}
END_TEST

START_TEST(a_cgroup_that_is_gone_or_was_not_known_is_not_told)
{
        struct vigil_neighbour list[] = {{.id = {.tgid = 4, .comm = "a"}, .db = DB, .waited_ns = 1000000000},
                                         {.id = {.tgid = 5, .comm = "b"}, .db = DB, .waited_ns = 1}};
        char text[128];

        list[0].cgroup_id = 77;
        json_t *o = neighbours_json(list, 2, DB, 0, NULL, cgroup_of, NULL);
        neighbours_holder_text(text, sizeof(text), o);
        ck_assert_str_eq(text, "a (pid 4) while others waited 1 s in all");
        for (size_t i = 0; i < 2; i++) {
                const json_t *h = json_array_get(json_object_get(o, "lock_holders"), i);
                ck_assert(json_is_null(json_object_get(h, "cgroup")));
                ck_assert(json_is_null(json_object_get(h, "supervisor")));
        }
        json_decref(o);
}
END_TEST

START_TEST(nobody_is_no_text)
{
        char text[64] = "x";
        json_t *o = neighbours_json(NULL, 0, DB, DISK, "vda", cgroup_of, NULL);

        neighbours_holder_text(text, sizeof(text), o);
        ck_assert_str_eq(text, "");
        neighbours_device_text(text, sizeof(text), o, 9);
        ck_assert_str_eq(text, "");
        json_decref(o);
}
END_TEST

SUITE("report-neighbours", the_largest_writers_and_the_most_frequent_syncers_are_told,
      users_of_the_database_itself_are_no_neighbours_and_the_kernel_comes_last, who_only_reads_burdens_the_disk_too,
      who_held_the_lock_longest_is_named, the_unit_or_the_cgroup_stands_beside_the_name,
      a_cgroup_that_is_gone_or_was_not_known_is_not_told, nobody_is_no_text)
