/* SPDX-License-Identifier: Apache-2.0 */
/* The model against the figures of spec/limiter.md (c); model_test holds the simulation against the
 * same ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "limiter/model.h"

#define WINDOW_S 60

static struct model_traffic traffic_of(uint32_t edges, uint32_t isolates, double span_s)
{
    return (struct model_traffic){.rule = {15, WINDOW_S * 1000},
                                  .edges = edges,
                                  .places = edges * isolates,
                                  .span_s = span_s};
}

static const struct kv_settings kv_open = {.cache_ttl_ms = 60000,
                                           .write_limit = CONFIG_KV_OFF,
                                           .writes_per_second = 1,
                                           .negative_cache = true};

static struct model_store store_of(enum limiter_store store)
{
    return (struct model_store){.store = store, .kv = kv_open};
}

static void assert_near(const char *what, double got, double expect, double tolerance)
{
    if (fabs(got - expect) > tolerance)
        print_error("%s: got %.3f, expected %.3f\n", what, got, expect);
    assert_true(fabs(got - expect) <= tolerance);
}

static void row_1_a_strong_store(void **state)
{
    (void)state;
    const struct model_traffic t = traffic_of(4, 2, 30);
    struct model_store s = store_of(LIMITER_DURABLE_OBJECT);
    static const uint32_t calls[] = {1, 14, 15, 16, 40, 100000};
    for (size_t i = 0; i < GW_COUNT(calls); i++) {
        struct model_prediction p = model_predict(&t, &s, calls[i]);
        assert_int_equal(p.row, 1);
        assert_near("strong", p.expected, calls[i] < 15 ? calls[i] : 15, 0);
        assert_near("deviation", p.deviation, 0, 0);
    }
    s.requests_per_second = 100;
    assert_int_equal(model_predict(&t, &s, 5).row, 0);
}

/* Summed up in full, terms far from the mean included, these are the values. */
static void row_2_of_large_limits(void **state)
{
    (void)state;
    static const struct {
        uint32_t places, limit, calls;
        double expect;
    } cases[] = {{4, 15, 40, 39.8201},          {16, 60, 900, 877.2452},
                 {2, 15000, 30000, 29930.9017}, {64, 15000, 1000000, 959999.9997},
                 {64, 15000, 640, 640},         {64, 2, 3, 2.9998}};
    struct model_store s = store_of(LIMITER_MEMORY);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct model_traffic t = traffic_of(1, cases[i].places, 30);
        t.rule.limit = cases[i].limit;
        assert_near("large", model_predict(&t, &s, cases[i].calls).expected, cases[i].expect,
                    0.001);
    }
}

/* The spec's figures are for a random number of arrivals: the prediction for n, over all n. */
static void row_2_isolates_at_random(void **state)
{
    (void)state;
    static const struct {
        uint32_t isolates;
        double rate, expect;
    } cases[] = {{4, 1, 53.9}, {16, 5, 233.3}, {64, 20, 933.4}};
    struct model_store s = store_of(LIMITER_MEMORY);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct model_traffic t = traffic_of(1, cases[i].isolates, WINDOW_S);
        double mean = cases[i].rate * WINDOW_S, sum = 0;
        for (uint32_t n = 1; n < 2 * mean; n++)
            sum += exp(n * log(mean) - mean - lgamma(n + 1.0)) * model_predict(&t, &s, n).expected;
        assert_near("isolates", sum, cases[i].expect, 0.06);
    }
}

static void row_2_isolates_in_turn(void **state)
{
    (void)state;
    struct model_traffic t = traffic_of(2, 2, 0);
    struct model_store s = store_of(LIMITER_MEMORY);
    t.in_turn = true;
    assert_near("40", model_predict(&t, &s, 40).expected, 40, 0);
    assert_near("60", model_predict(&t, &s, 60).expected, 60, 0);
    assert_near("62", model_predict(&t, &s, 62).expected, 60, 0);
    assert_near("500", model_predict(&t, &s, 500).expected, 60, 0);
}

static void row_3_races_at_one_edge(void **state)
{
    (void)state;
    static const struct {
        uint64_t race_ms;
        double rate, expect;
    } cases[] = {{50, 20, 30}, {50, 100, 90}, {200, 20, 75}};
    const struct model_traffic t = traffic_of(1, 1, WINDOW_S);
    struct model_store s = store_of(LIMITER_KV);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        s.kv.write_ms = cases[i].race_ms;
        struct model_prediction p = model_predict(&t, &s, (uint32_t)(cases[i].rate * WINDOW_S));
        assert_int_equal(p.row, 3);
        assert_near("race", p.expected, cases[i].expect, 0.01);
    }
    const struct model_traffic burst = traffic_of(1, 1, 0);
    assert_near("all at once", model_predict(&burst, &s, 40).expected, 40, 0);
    s.kv.write_ms = 0;
    assert_near("nothing races", model_predict(&burst, &s, 40).expected, 15, 0);
}

static void row_4_edges_on_copies(void **state)
{
    (void)state;
    static const struct {
        uint32_t edges;
        double rate;
        uint64_t ttl_ms;
        double simulated, z;
    } cases[] = {{4, 5, 60000, 53, 1.5},
                 {2, 5, 60000, 30, 1.5},
                 {16, 20, 60000, 167, 1},
                 {16, 1, 1000, 15.8, 1}};
    struct model_store s = store_of(LIMITER_KV);
    s.kv.write_ms = 20;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const struct model_traffic t = traffic_of(cases[i].edges, 1, WINDOW_S);
        s.kv.cache_ttl_ms = cases[i].ttl_ms;
        struct model_prediction p = model_predict(&t, &s, (uint32_t)(cases[i].rate * WINDOW_S));
        double z;
        assert_true(model_z(cases[i].simulated, p.expected, p.deviation, &z));
        assert_near("edges", z, 0, cases[i].z);
    }
}

static void row_5_writes_that_travel(void **state)
{
    (void)state;
    const struct model_traffic t = traffic_of(4, 1, WINDOW_S);
    struct model_store s = store_of(LIMITER_KV);
    s.kv.cache_ttl_ms = 0; /* the push view has no copies */
    s.kv.propagation_ms = 1000;
    struct model_prediction p = model_predict(&t, &s, 60);
    assert_int_equal(p.row, 5);
    assert_near("late by 0.75 calls", p.expected, 15 * 1.75, 0.01);
    s.kv.propagation_ms = 100000;
    assert_near("at most every edge's own", model_predict(&t, &s, 6000).expected, 60, 0.01);
}

static void row_6_one_write_a_second(void **state)
{
    (void)state;
    static const struct {
        uint32_t edges, calls;
        double span_s, simulated, z;
    } cases[] = {{1, 1200, 60, 15, 0}, {16, 1200, 60, 59, 0.5}, {1, 20, 0, 1, 0},
                 {1, 20, 0.95, 1, 2},  {1, 20, 19.95, 15, 0},   {2, 40, 0, 1, 0}};
    struct model_store s = store_of(LIMITER_KV);
    s.kv.write_limit = CONFIG_KV_STRICT;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const struct model_traffic t = traffic_of(cases[i].edges, 1, cases[i].span_s);
        struct model_prediction p = model_predict(&t, &s, cases[i].calls);
        double z;
        assert_true(model_z(cases[i].simulated, p.expected, p.deviation, &z));
        assert_near("write limit", z, 0, cases[i].z);
    }
    s.kv.write_limit = CONFIG_KV_TOKEN_BUCKET;
    const struct model_traffic burst = traffic_of(1, 1, 0);
    assert_near("bucket", model_predict(&burst, &s, 40).expected, 10, 0);
}

static void row_7_the_binding(void **state)
{
    (void)state;
    struct model_store s = store_of(LIMITER_BINDING);
    const struct model_traffic alone = traffic_of(4, 1, WINDOW_S);
    assert_near("one machine", model_predict(&alone, &s, 4800).expected, 60, 0.01);
    const struct model_traffic many = traffic_of(2, 8, WINDOW_S);
    assert_near("eight machines", model_predict(&many, &s, 4800).expected,
                2 * (15 + 40 * 0.25 * 7 / 8), 0.1);
    struct model_traffic burst = traffic_of(2, 2, 0);
    burst.in_turn = true;
    assert_near("a burst", model_predict(&burst, &s, 40).expected, 40, 0);
    assert_near("a large burst", model_predict(&burst, &s, 100).expected, 60, 0);
}

static void windows_add_up(void **state)
{
    (void)state;
    struct model_traffic t = traffic_of(1, 1, 0);
    struct model_store s = store_of(LIMITER_DURABLE_OBJECT);
    uint64_t reached[STEPS] = {0};
    for (uint32_t n = 1; n <= 40; n++)
        reached[n] = n <= 5 ? 3 : 1; /* two windows of 5 calls, one of 40 */
    assert_near("sum", model_predict_windows(&t, &s, reached).expected, 5 + 5 + 15, 0);
    for (uint32_t n = 1; n <= 10; n++)
        reached[n] = 0; /* the tally was cleared in the middle of the large one */
    assert_near("the rest", model_predict_windows(&t, &s, reached).expected, 5, 0);
}

static void z_counts_deviations(void **state)
{
    (void)state;
    double z = 9;
    assert_true(model_z(16, 15.2, 0, &z) == false);
    assert_true(model_z(15, 15.2, 0, &z));
    assert_near("same", z, 0, 0);
    assert_true(model_z(20, 15, 2.5, &z));
    assert_near("above", z, 2, 0.001);
    assert_true(model_z(10, 15, 2.5, &z));
    assert_near("below", z, -2, 0.001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_1_a_strong_store),     cmocka_unit_test(row_2_isolates_at_random),
        cmocka_unit_test(row_2_of_large_limits),    cmocka_unit_test(row_2_isolates_in_turn),
        cmocka_unit_test(row_3_races_at_one_edge),  cmocka_unit_test(row_4_edges_on_copies),
        cmocka_unit_test(row_5_writes_that_travel), cmocka_unit_test(row_6_one_write_a_second),
        cmocka_unit_test(row_7_the_binding),        cmocka_unit_test(windows_add_up),
        cmocka_unit_test(z_counts_deviations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
