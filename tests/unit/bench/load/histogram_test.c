/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/load/histogram.h"
#include "gateway/base/hash.h"

static void test_values_come_back_within_a_thousandth(void **state)
{
    static const uint64_t values[] = {0,       1,        999,     2047,        2048,
                                      2049,    4095,     4096,    65535,       65536,
                                      1000000, 59999999, 1 << 30, 3600000000u, HISTOGRAM_MAX_US};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(values); i++) {
        struct histogram h;
        histogram_init(&h);
        histogram_add(&h, values[i], 1);
        histogram_add(&h, HISTOGRAM_MAX_US, 1); /* so that max does not clamp what is read */
        uint64_t back = histogram_at(&h, 50);
        assert_true(back >= values[i]);
        assert_true(back - values[i] <= values[i] / 1000);
        histogram_release(&h);
    }
}

static void test_percentiles_of_known_values(void **state)
{
    struct histogram h;
    (void)state;
    histogram_init(&h);
    assert_int_equal(histogram_at(&h, 50), 0);
    for (uint64_t us = 1; us <= 1000; us++)
        histogram_add(&h, us, 1);
    assert_int_equal(histogram_at(&h, 0), 1);
    assert_int_equal(histogram_at(&h, 50), 500);
    assert_int_equal(histogram_at(&h, 99), 990);
    assert_int_equal(histogram_at(&h, 99.9), 999);
    assert_int_equal(histogram_at(&h, 100), 1000);
    assert_int_equal(h.min_us, 1);
    assert_int_equal(h.max_us, 1000);
    assert_true(histogram_mean(&h) > 500.4 && histogram_mean(&h) < 500.6);
    histogram_clear(&h);
    assert_int_equal(h.total, 0);
    assert_int_equal(histogram_at(&h, 99), 0);
    histogram_release(&h);
}

/* Two halves merged are the whole, bucket by bucket. */
static void test_merge_is_as_if_one_had_held_all(void **state)
{
    struct histogram whole, a, b;
    struct gw_rng rng = {7};
    uint64_t us, count, us2, count2;
    size_t at = 0, at2 = 0;
    (void)state;
    histogram_init(&whole);
    histogram_init(&a);
    histogram_init(&b);
    for (int i = 0; i < 20000; i++) {
        uint64_t value = gw_rng_below(&rng, (uint64_t)1 << gw_rng_below(&rng, 33));
        histogram_add(&whole, value, 1);
        histogram_add(i % 3 ? &a : &b, value, 1);
    }
    histogram_merge(&a, &b);
    assert_int_equal(a.total, whole.total);
    assert_int_equal(a.min_us, whole.min_us);
    assert_int_equal(a.max_us, whole.max_us);
    while (histogram_next(&whole, &at, &us, &count)) {
        assert_true(histogram_next(&a, &at2, &us2, &count2));
        assert_int_equal(us, us2);
        assert_int_equal(count, count2);
    }
    assert_false(histogram_next(&a, &at2, &us2, &count2));
    histogram_release(&whole);
    histogram_release(&a);
    histogram_release(&b);
}

/* Against the exact answer from a sorted list. */
static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void test_percentiles_of_random_values(void **state)
{
    enum { N = 10000 };
    static uint64_t values[N];
    static const double percents[] = {1, 50, 90, 99, 99.9, 99.99};
    struct gw_rng rng = {3};
    struct histogram h;
    (void)state;
    histogram_init(&h);
    for (size_t i = 0; i < N; i++) {
        values[i] = 100 + gw_rng_below(&rng, 5000000);
        histogram_add(&h, values[i], 1);
    }
    qsort(values, N, sizeof(values[0]), by_value);
    for (size_t i = 0; i < GW_COUNT(percents); i++) {
        uint64_t exact = values[(size_t)(percents[i] / 100 * N + 0.5) - 1];
        uint64_t got = histogram_at(&h, percents[i]);
        assert_true(got >= exact && got - exact <= exact / 1000 + 1);
    }
    histogram_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_come_back_within_a_thousandth),
        cmocka_unit_test(test_percentiles_of_known_values),
        cmocka_unit_test(test_merge_is_as_if_one_had_held_all),
        cmocka_unit_test(test_percentiles_of_random_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
