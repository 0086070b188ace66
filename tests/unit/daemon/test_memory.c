/* test_memory.c - what is kept, for how long, and that it does not grow. */
#include "daemon/memory.h"

#include <errno.h>
#include <string.h>

#include "daemon/memory_private.h"
#include "stream.h"
#include "suite.h"

static struct memory *fresh(bool redact_argv)
{
        struct vigil_session session = {.mode = VIGIL_MODE_ATTACH};
        struct memory *m = memory_new(&session, redact_argv);
        ck_assert_ptr_nonnull(m);
        return m;
}

/* What the last record of the stream means to @m, which has taken the others. */
static int take_all(struct memory *m, const struct stream *s)
{
        int news = -1;
        uint32_t db;
        for (size_t at = 0; at < s->n;) {
                const struct vigil_hdr *h = (const void *)(s->bytes + at);
                news = memory_take(m, h, &db);
                at += h->size;
        }
        return news;
}

static struct vigil_process process(uint32_t pid, uint64_t ns)
{
        struct vigil_process r = {.hdr = {.magic = VIGIL_MAGIC,
                                          .version = VIGIL_ABI_VERSION,
                                          .type = VIGIL_PROCESS,
                                          .size = sizeof(r),
                                          .cpu = VIGIL_CPU_USER,
                                          .ns = ns},
                                  .id = ident(pid, "app"),
                                  .argv_len = 12,
                                  .argv = "app\0--secret"};
        strcpy(r.exe, "/usr/bin/app");
        return r;
}

struct seen {
        size_t n;
        struct vigil_process last;
};

static int on_person(const struct vigil_hdr *r, void *userdata)
{
        struct seen *seen = userdata;
        if (r->type == VIGIL_PROCESS)
                seen->last = *(const struct vigil_process *)(const void *)r;
        seen->n++;
        return 0;
}

static struct seen told_of(const struct memory *m, uint32_t pid)
{
        struct seen seen = {0};
        struct vigil_ident id = ident(pid, "app");
        ck_assert_int_eq(people_tell(&m->people, &id, on_person, &seen), 0);
        return seen;
}

START_TEST(a_process_is_known_by_program_arguments_and_cgroup)
{
        struct memory *m = fresh(false);
        struct vigil_process r = process(100, SECOND);
        struct vigil_cgroup c = {.cgroup_id = 7, .path = "/system.slice/app.service"};
        uint32_t db;
        r.cgroup_id = 7;
        c.hdr = r.hdr;
        c.hdr.type = VIGIL_CGROUP;
        c.hdr.size = sizeof(c);
        ck_assert_int_eq(memory_take(m, &c.hdr, &db), MEMORY_NOTHING);
        ck_assert_int_eq(memory_take(m, &r.hdr, &db), MEMORY_NOTHING);
        struct seen seen = told_of(m, 100);
        ck_assert_uint_eq(seen.n, 2);
        ck_assert_str_eq(seen.last.exe, "/usr/bin/app");
        ck_assert_uint_eq(seen.last.argv_len, 12);
        ck_assert_mem_eq(seen.last.argv, "app\0--secret", 12);
        memory_free(m);
}
END_TEST

START_TEST(redacted_arguments_are_kept_nowhere)
{
        struct memory *m = fresh(true);
        struct vigil_process r = process(100, SECOND);
        uint32_t db;
        memory_take(m, &r.hdr, &db);
        ck_assert_uint_eq(told_of(m, 100).last.argv_len, 0);
        ck_assert_str_eq(told_of(m, 100).last.exe, "/usr/bin/app");
        memory_free(m);
}
END_TEST

START_TEST(processes_that_come_and_go_do_not_fill_it)
{
        struct memory *m = fresh(false);
        uint32_t db;
        for (uint32_t pid = 1; pid <= 20000; pid++) {
                struct vigil_process r = process(pid, pid * 1000);
                ck_assert_int_eq(memory_take(m, &r.hdr, &db), MEMORY_NOTHING);
                if (pid > 5)
                        people_died(&m->people, &r.id, pid * 1000 + 1);
        }
        ck_assert_uint_eq(memory_use(m).processes, MEMORY_PROCESSES);
        ck_assert_uint_eq(told_of(m, 3).n, 1); /* who lives is kept */
        ck_assert_uint_eq(told_of(m, 20000).n, 1);
        ck_assert_uint_eq(told_of(m, 100).n, 0);
        memory_age(m, 20001 * 1000 + MEMORY_KEPT_NS);
        ck_assert_uint_eq(memory_use(m).processes, 5);
        memory_free(m);
}
END_TEST

START_TEST(a_process_that_is_told_of_after_its_death_is_forgotten_too)
{
        struct memory *m = fresh(false);
        struct stream s = {.now = 100 * SECOND};
        struct actor a = actor(100, "app");
        stream_database(&s, 1, APP_DB, VIGIL_DB_ASKED);
        struct vigil_process late = process(100, 100 * SECOND);
        uint32_t db;
        stream_act(&s, &a, VIGIL_EXIT);
        take_all(m, &s);
        memory_take(m, &late.hdr, &db);
        ck_assert_uint_eq(memory_use(m).processes, 2);
        memory_age(m, 200 * SECOND);
        ck_assert_uint_eq(memory_use(m).processes, 0);
        stream_done(&s, NULL);
        memory_free(m);
}
END_TEST

START_TEST(it_says_what_a_record_means)
{
        struct memory *m = fresh(false);
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        ck_assert_int_eq(take_all(m, &s), MEMORY_NOTHING);
        s.n = 0;
        struct vigil_op open = {.id = ident(100, "app"),
                                .e = {.db = 1, .role = VIGIL_ROLE_MAIN, .op = VIGIL_OP_OPEN}};
        stream_put(&s, &open, VIGIL_OPEN, sizeof(open), false);
        ck_assert_int_eq(take_all(m, &s), MEMORY_IN_USE);
        s.n = 0;
        struct vigil_op full = {.id = ident(100, "app"), .e = {.db = 1, .op = VIGIL_OP_WRITE, .result = -ENOSPC}};
        stream_put(&s, &full, VIGIL_OP, sizeof(full), false);
        ck_assert_int_eq(take_all(m, &s), MEMORY_TROUBLE);
        s.n = 0;
        struct vigil_pathop gone = {.id = ident(100, "app"), .db = 1, .op = VIGIL_OP_UNLINK};
        stream_put(&s, &gone, VIGIL_PATHOP, sizeof(gone), false);
        ck_assert_int_eq(take_all(m, &s), MEMORY_NOTHING);
        s.n = 0;
        stream_act(&s, &a, VIGIL_EXIT);
        ck_assert_int_eq(take_all(m, &s), MEMORY_DEATH_PART);
        ck_assert_uint_eq(memory_use(m).waiting, 1);
        stream_done(&s, NULL);
        memory_free(m);
}
END_TEST

START_TEST(the_canary_is_not_spoken_of)
{
        struct memory *m = fresh(false);
        struct stream s = {.now = 100 * SECOND};
        struct actor a = actor(100, "vigil");
        a.flags = VIGIL_PROC_CANARY;
        stream_database(&s, 1, "/tmp/canary.db", VIGIL_DB_CANARY);
        stream_act(&s, &a, VIGIL_EXIT);
        ck_assert_int_eq(take_all(m, &s), MEMORY_NOTHING);
        ck_assert_uint_eq(memory_use(m).waiting, 0);
        stream_done(&s, NULL);
        memory_free(m);
}
END_TEST

START_TEST(a_record_that_is_none_is_left_out)
{
        struct memory *m = fresh(false);
        struct vigil_process r = process(100, SECOND);
        uint32_t db;
        r.argv_len = VIGIL_ARGV_MAX + 1;
        ck_assert_int_eq(memory_take(m, &r.hdr, &db), MEMORY_NOTHING);
        ck_assert_uint_eq(memory_use(m).processes, 0);
        memory_free(m);
}
END_TEST

START_TEST(what_happens_all_the_time_takes_no_more_room)
{
        struct memory *m = fresh(false);
        struct stream s = {.now = 100 * SECOND};
        uint32_t db;
        stream_database(&s, 1, APP_DB, VIGIL_DB_ASKED);
        take_all(m, &s);
        for (size_t i = 0; i < 50000; i++) {
                struct vigil_op r = {.hdr = {.magic = VIGIL_MAGIC,
                                             .version = VIGIL_ABI_VERSION,
                                             .type = i % 2 ? VIGIL_OPEN : VIGIL_OP,
                                             .size = sizeof(r),
                                             .cpu = VIGIL_CPU_USER,
                                             .ns = i + 1},
                                     .id = ident(100, "app"),
                                     .e = {.db = 1, .op = VIGIL_OP_WRITE, .result = i % 2 ? 0 : -EIO}};
                memory_take(m, &r.hdr, &db);
        }
        ck_assert_uint_le(memory_use(m).bytes, MEMORY_RECENT + sizeof(struct vigil_database));
        ck_assert_uint_eq(memory_use(m).dropped, 25000 - MEMORY_TROUBLES);
        stream_done(&s, NULL);
        memory_free(m);
}
END_TEST

START_TEST(a_flood_of_deaths_is_bounded_and_told_as_a_loss)
{
        struct memory *m = fresh(false);
        struct vigil_stats now = {.hdr.ns = 300 * SECOND};
        for (uint32_t pid = 1; pid <= MEMORY_DEATHS + 10; pid++) {
                struct stream s = {.now = 100 * SECOND, .seq = 10 * pid};
                struct actor a = actor(pid, "app");
                a.no_snapshot = true;
                stream_act(&s, &a, VIGIL_EXIT);
                for (struct vigil_hdr *h = (void *)s.bytes; (unsigned char *)h < s.bytes + s.n;
                     h = (void *)((unsigned char *)h + h->size))
                        h->cpu = VIGIL_CPU_USER;
                take_all(m, &s);
                stream_done(&s, NULL);
        }
        ck_assert_uint_eq(memory_use(m).waiting, MEMORY_DEATHS);
        ck_assert_uint_eq(memory_use(m).dropped, 10);
        memory_statistics(m, &now);
        ck_assert_uint_eq(losses_since(&m->losses, 0).gaps, 10);
        memory_free(m);
}
END_TEST

SUITE("memory", a_process_is_known_by_program_arguments_and_cgroup, redacted_arguments_are_kept_nowhere,
      processes_that_come_and_go_do_not_fill_it, a_process_that_is_told_of_after_its_death_is_forgotten_too,
      it_says_what_a_record_means, the_canary_is_not_spoken_of, a_record_that_is_none_is_left_out,
      what_happens_all_the_time_takes_no_more_room, a_flood_of_deaths_is_bounded_and_told_as_a_loss)
