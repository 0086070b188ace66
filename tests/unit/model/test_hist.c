/* test_hist.c - quantiles out of log-linear buckets. */
#include "model/hist.h"

#include "suite.h"

/* The rule of the kernel side (bpf/hist.h), written down a second time. */
static void add(struct vigil_hist *h, uint64_t ns)
{
        unsigned i = 0;
        while (ns >= hist_bound(i) && i < VIGIL_HIST_BUCKETS - 1)
                i++;
        h->bucket[i]++;
        h->count++;
        if (ns > h->max_ns)
                h->max_ns = ns;
}

START_TEST(bounds_grow_by_quarters_of_an_octave)
{
        ck_assert_uint_eq(hist_bound(0), 1024);
        ck_assert_uint_eq(hist_bound(1), 1280);
        ck_assert_uint_eq(hist_bound(4), 2048);
        ck_assert_uint_eq(hist_bound(5), 2560);
        ck_assert_uint_eq(hist_bound(VIGIL_HIST_BUCKETS - 1), UINT64_MAX);
        for (unsigned i = 1; i < VIGIL_HIST_BUCKETS; i++)
                ck_assert_uint_gt(hist_bound(i), hist_bound(i - 1));
}
END_TEST

START_TEST(a_quantile_is_at_most_a_quarter_above_the_truth)
{
        struct vigil_hist h = {0};
        for (uint64_t i = 1; i <= 1000; i++)
                add(&h, i * 10000);
        uint64_t p50 = hist_quantile(&h, 500), p99 = hist_quantile(&h, 990);
        ck_assert_uint_ge(p50, 5000000);
        ck_assert_uint_le(p50, 5000000 * 5 / 4);
        ck_assert_uint_ge(p99, 9900000);
        ck_assert_uint_le(p99, 10000000);
}
END_TEST

START_TEST(no_quantile_is_above_the_maximum)
{
        struct vigil_hist h = {0};
        add(&h, 3000);
        ck_assert_uint_eq(hist_quantile(&h, 500), 3000);
        ck_assert_uint_eq(hist_quantile(&h, 990), 3000);
}
END_TEST

START_TEST(nothing_timed_has_no_quantile)
{
        struct vigil_hist h = {0};
        ck_assert_uint_eq(hist_quantile(&h, 500), 0);
}
END_TEST

START_TEST(sums_saturate)
{
        struct vigil_hist a = {.bucket = {UINT32_MAX}, .count = 1}, b = {.bucket = {5}, .count = 2, .max_ns = 9};
        hist_add(&a, &b);
        ck_assert_uint_eq(a.bucket[0], UINT32_MAX);
        ck_assert_uint_eq(a.count, 3);
        ck_assert_uint_eq(a.max_ns, 9);
}
END_TEST

START_TEST(a_difference_is_what_was_added_since)
{
        struct vigil_hist before = {0};
        add(&before, 900000000);
        add(&before, 3000);
        struct vigil_hist now = before;
        add(&now, 3000);
        add(&now, 5000);
        struct vigil_hist d = hist_since(&now, &before);
        ck_assert_uint_eq(d.count, 2);
        ck_assert_uint_lt(d.max_ns, 8000); /* the long one was before */
        ck_assert_uint_le(hist_quantile(&d, 1000), d.max_ns);
}
END_TEST

START_TEST(counts_that_fell_are_those_of_another_histogram)
{
        struct vigil_hist before = {0}, now = {0};
        add(&before, 3000);
        add(&before, 3000);
        add(&now, 9000);
        struct vigil_hist d = hist_since(&now, &before);
        ck_assert_uint_eq(d.count, 1);
        ck_assert_uint_eq(d.max_ns, 9000);
}
END_TEST

SUITE("hist", a_difference_is_what_was_added_since, counts_that_fell_are_those_of_another_histogram,
      bounds_grow_by_quarters_of_an_octave, a_quantile_is_at_most_a_quarter_above_the_truth,
      no_quantile_is_above_the_maximum, nothing_timed_has_no_quantile, sums_saturate)
