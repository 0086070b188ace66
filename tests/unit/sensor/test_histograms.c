/* test_histograms.c - programs whose names come and go find room, on the running kernel. Skipped where it lets nobody watch. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sensor/internal.h"
#include "suite.h"

static struct sensor *sensor;

/* As many as a program of each of these names would have left. */
static void fill(uint32_t first, uint32_t n)
{
        struct vigil_hist hist = {.count = 1};
        for (uint32_t i = first; i < first + n; i++) {
                struct vigil_hist_key key = {.db = 1, .role = VIGIL_ROLE_WAL, .op = VIGIL_OP_SYNC};
                uint32_t slot;
                snprintf(key.comm, sizeof(key.comm), "worker-%u", i);
                ck_assert_int_eq(
                        bpf_map_lookup_and_delete_elem(bpf_map__fd(sensor->skeleton->maps.free_hists), NULL, &slot),
                        0);
                ck_assert_int_eq(
                        bpf_map_update_elem(bpf_map__fd(sensor->skeleton->maps.hist_slots), &key, &slot, 0), 0);
                ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(sensor->skeleton->maps.hists), &slot, &hist, 0),
                                 0);
        }
}

static int count(const struct vigil_hdr *record, void *userdata)
{
        const struct vigil_hist_rec *r = (const void *)record;
        ck_assert_uint_eq(record->type, VIGIL_HIST);
        *(size_t *)userdata += r->hist.count;
        return 0;
}

static size_t delivered(void)
{
        size_t n = 0;
        ck_assert_int_eq(sensor_histograms(sensor, count, &n), 0);
        return n;
}

static void let_time_pass(void)
{
        for (size_t i = 0; i < VIGIL_HISTS; i++)
                sensor->hist_idle[i].since_ns = sensor->hist_idle[i].since_ns ? 1 : 0;
        sensor->hist_retired_ns = 1;
}

START_TEST(histograms_that_nobody_adds_to_make_room_when_it_is_needed)
{
        fill(0, VIGIL_HISTS / 2);
        ck_assert_uint_eq(delivered(), VIGIL_HISTS / 2);
        let_time_pass();
        ck_assert_uint_eq(delivered(), VIGIL_HISTS / 2);
        ck_assert_uint_eq(delivered(), VIGIL_HISTS / 2); /* there is room enough */

        uint64_t epoch = sensor->skeleton->bss->hist_epoch;
        fill(VIGIL_HISTS / 2, VIGIL_HISTS / 2); /* all there is */
        ck_assert_uint_eq(delivered(), VIGIL_HISTS);
        ck_assert_uint_gt(sensor->skeleton->bss->hist_epoch, epoch);
        ck_assert_uint_eq(delivered(), VIGIL_HISTS / 2); /* the new ones */
        let_time_pass();
        delivered();
        fill(VIGIL_HISTS, VIGIL_HISTS / 2); /* into the places of the old ones */
}
END_TEST

/* The sensor is loaded before Check forks for the test. */
int main(void)
{
        char why[SENSOR_WHY_LEN];
        int r = sensor_open(&(struct sensor_options){0}, &sensor, why);
        if (r < 0) {
                printf("skipped: %s\n", why);
                return r == -EPERM || r == -EOPNOTSUPP ? 77 : EXIT_FAILURE;
        }
        int status = suite_run(
                "histograms",
                (const TTest *const[]){histograms_that_nobody_adds_to_make_room_when_it_is_needed, NULL});
        sensor_close(sensor);
        return status;
}
