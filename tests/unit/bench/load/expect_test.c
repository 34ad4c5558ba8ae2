/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/load/expect_judge.h"

static const struct gw_str requests[] = {{"generate", 8}, {"static", 6}};
static const struct gw_str phases[] = {{"warm", 4}, {"hot", 3}};
static const struct expect_names names = {requests, phases, 2, 2};

/* ---- mistakes ---- */

static void test_mistakes_say_where_and_what(void **state)
{
    static const struct {
        const char *text;
        size_t at;
        const char *says;
    } cases[] = {
        {"", 0, "cannot be empty"},
        {"429", 3, "comparison"},
        {"429 >=", 6, "a number is missing"},
        {"429 >= many", 7, "a number"},
        {"429 >= 1.5", 7, "whole"},
        {"429 >= 5 5", 9, "the end"},
        {"42 == 1", 0, "no status"},
        {"10xx == 1", 0, "no status"},
        {"hits == 1", 0, "did you mean \"HIT"},
        {"whatever == 1", 0, "no subject"},
        {"429 of generat == 1", 7, "did you mean \"generate\""},
        {"429 in 5", 8, "upper bound"},
        {"429 in 9..5", 11, "above the upper"},
        {"429 in 5..10%", 13, "same unit"},
        {"429 == 190 +- 2%", 16, "same unit"},
        {"429 >= 190 +- 2", 11, "goes with"},
        {"429 >= 5ms", 7, "unit"},
        {"rate 429 >= 5", 12, "no unit"},
        {"p99 < 50", 6, "no time"},
        {"p99 < fast", 6, "a time"},
        {"p101 < 5ms", 0, "no subject"},
        {"only", 4, "missing"},
        {"only 200,", 9, "missing"},
        {"first 429", 9, "after"},
        {"first 429 after 15%", 19, "unit"},
        {"retry-after", 11, "honest"},
        {"origin contacted", 7, "requests"},
        {"per 60: 200 <= 15", 4, "a time"},
        {"per 60s 200 <= 15", 8, "\":\""},
        {"each: 200 == 1", 4, "identity"},
        {"phase cold: 200 == 1", 6, "no \"cold\""},
        {"per 60s: p99 < 5ms", 18, "go with counts"},
        {"each identity: first 429 after 3", 32, "go with counts"},
        {"429 # 3", 4, "comparison"},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct expectation e;
        struct expect_mistake m = {0};
        bool fine = expect_parse(gw_str_z(cases[i].text), &names, &e, &m);
        if (fine || m.at != cases[i].at || !strstr(m.text, cases[i].says))
            print_error("%s: at %zu: %s\n", cases[i].text, m.at, m.text);
        assert_false(fine);
        assert_int_equal(m.at, cases[i].at);
        assert_non_null(strstr(m.text, cases[i].says));
        assert_true(m.width > 0);
    }
}

/* ---- verdicts ---- */

/* 40 requests of 4 identities in the first phase, 20 ms apart: the first 15 are answered 200 after
 * 1 ms each, of which 14 come from the cache, the others 429 by the limiter; then 5 unanswered ones
 * and one 503 in the second phase, of the other request, 100 ms after they were due and 10 ms after
 * they were sent. */
static void feed(struct expectation *e)
{
    for (uint32_t i = 0; i < 40; i++) {
        struct load_sample x = {
            .number = {i + 1, i + 1, i + 1, i + 1},
            .intended_us = i * 20000,
            .phase_us = i * 20000,
            .sent_us = i * 20000,
            .done_us = i * 20000 + 1000,
            .identity = i % 4,
            .status = i < 15 ? 200 : 429,
            .cache = i == 0   ? LOAD_CACHE_MISS
                     : i < 15 ? LOAD_CACHE_HIT
                              : LOAD_CACHE_NONE,
            .refusal = i < 15 ? LOAD_REFUSAL_NONE : LOAD_REFUSAL_LIMITER,
        };
        expect_take(e, &x);
    }
    for (uint32_t i = 0; i < 6; i++) {
        struct load_sample x = {
            .number = {41 + i, 1 + i, 1 + i, 1 + i},
            .intended_us = 1000000,
            .sent_us = 1090000,
            .done_us = 1100000,
            .phase = 1,
            .request = 1,
            .status = i == 5 ? 503 : 0,
            .error = i == 5 ? LOAD_ERROR_NONE : LOAD_ERROR_TIMEOUT,
        };
        expect_take(e, &x);
    }
}

static enum expect_outcome judge(const char *text, char *seen, size_t size)
{
    const struct expect_facts facts = {.seconds = 2,
                                       .origin_known = true,
                                       .origin_requests = 1,
                                       .honest = 1,
                                       .honest_text = "as it said"};
    struct expectation e;
    struct expect_mistake m;
    struct gw_buf out = gw_buf_over(seen, size);
    if (!expect_parse(gw_str_z(text), &names, &e, &m))
        fail_msg("%s: %s", text, m.text);
    expect_begin(&e, 4);
    feed(&e);
    enum expect_outcome outcome = expect_judge(&e, &facts, &out);
    seen[out.len] = 0;
    expect_release(&e);
    return outcome;
}

/* Each sentence that holds stands beside one that fails. */
static void test_each_kind_holds_and_fails(void **state)
{
    static const struct {
        const char *holds, *fails, *seen;
    } cases[] = {
        {"200 == 15", "200 == 14", "15 of 46"},
        {"200==15", "200==16", "15"},
        {"200 != 14", "200 != 15", "15"},
        {"429 >= 25", "429 >= 26", "25"},
        {"429 > 24", "429 > 25", "25"},
        {"429 <= 25", "429 <= 24", "25"},
        {"429 < 26", "429 < 25", "25"},
        {"429 in 20..30", "429 in 26..30", "25"},
        {"429 == 24 +- 1", "429 == 22 +- 2", "25"},
        {"429 = 26 ± 1", "429 = 27 ± 1", "25"},
        {"4xx == 25", "4xx == 0", "25"},
        {"HIT == 14", "HIT == 15", "14"},
        {"limited == 25", "limited == 0", "25"},
        {"errors == 5", "errors == 0", "5"},
        {"failed == 6", "failed == 5", "6"},
        {"answers == 41", "answers == 46", "41"},
        {"requests == 46", "requests == 41", "46"},
        {"503 of static == 1", "503 of generate == 1", "1 of 6"},
        {"phase hot: requests == 6", "phase warm: requests == 6", "6 of 6"},
        {"ratio 429 < 55%", "ratio 429 < 54%", "54.35%"},
        {"429 in 50%..60%", "429 in 60%..70%", "54.35%"},
        {"ratio 200 of generate >= 0.375", "ratio 200 of generate > 0.375", "37.5%"},
        {"rate 200 >= 7/s", "rate 200 >= 8/s", "7.5/s"},
        {"requests == 23/s", "requests == 24/s", "23/s"},
        {"p50 < 1.1ms", "p50 < 1ms", "1.00 ms"},
        {"max >= 100ms", "max > 100ms", "100 ms"},
        {"service max <= 10ms", "service max < 10ms", "10.0 ms"},
        {"p99 of generate <= 1ms", "p99 of static <= 1ms", "1.00 ms"},
        {"min == 1ms", "min > 1ms", "1.00 ms"},
        {"mean in 3ms..4ms", "mean < 3ms", "3.41 ms"},
        {"only 2xx,429,503,errors", "only 200,429", "0 other"},
        {"only 200,429 of generate", "only 200 of generate", "0 other"},
        {"first 429 after 15", "first 429 after 14", "after 15, as request 16"},
        {"first 429 after 14..16", "first 429 after 1..14", "after 15"},
        {"first 429 after >= 15", "first 429 after > 15", "after 15"},
        {"phase hot: first 503 after 5", "first 503 after 5", "after 5"},
        {"per 200ms: 200 <= 10", "per 200ms: 200 <= 9", "in each of 6 windows"},
        {"phase warm, per 400ms: requests == 20", "per 400ms: requests == 20", "in each of 2"},
        {"each identity: requests of generate == 10", "each identity: requests == 10",
         "in each of 4 identities"},
        {"each identity: 200 in 3..4", "each identity: 200 == 4", "in each of 4"},
        {"each identity, per 400ms: requests <= 11", "each identity, per 400ms: requests <= 4",
         "in each of"},
        {"retry-after honest", NULL, "as it said"},
        {"origin requests == 1", "origin requests == 2", "1 requests"},
        {"origin requests >= 1", "origin not contacted", "1 requests"},
    };
    char seen[256];
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        if (cases[i].fails && judge(cases[i].fails, seen, sizeof(seen)) != EXPECT_FAILED)
            fail_msg("%s did not fail: %s", cases[i].fails, seen);
        if (judge(cases[i].holds, seen, sizeof(seen)) != EXPECT_HELD)
            fail_msg("%s did not hold: %s", cases[i].holds, seen);
        if (!strstr(seen, cases[i].seen))
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].holds, seen, cases[i].seen);
    }
}

static void test_failures_name_the_odd_one_out(void **state)
{
    char seen[256];
    (void)state;
    judge("only 200,429", seen, sizeof(seen));
    assert_string_equal(seen, "6 other: no answer, 503");
    judge("each identity: 200 == 4", seen, sizeof(seen));
    assert_string_equal(seen, "3 for identity 3 (1 of 4 differ)");
    judge("per 400ms: 200 <= 3", seen, sizeof(seen));
    assert_string_equal(seen, "15 in the window at 0 µs (1 of 3 differ)");
}

/* What nothing was seen of cannot hold. */
static void test_nothing_proves_nothing(void **state)
{
    static const char *const texts[] = {
        "p99 < 1s",          "ratio 429 < 10%",         "only 200",
        "first 429 after 0", "each identity: 200 == 0", "per 1s: 200 == 0",
        "retry-after honest"};
    static const struct expect_facts nothing = {.seconds = 2, .honest_text = "there was no 429"};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(texts); i++) {
        char space[256];
        struct gw_buf seen = gw_buf_over(space, sizeof(space));
        struct expectation e;
        struct expect_mistake m;
        assert_true(expect_parse(gw_str_z(texts[i]), &names, &e, &m));
        expect_begin(&e, 4);
        assert_int_equal(expect_judge(&e, &nothing, &seen), EXPECT_FAILED);
        expect_release(&e);
    }
    struct expectation e;
    struct expect_mistake m;
    char space[256];
    struct gw_buf seen = gw_buf_over(space, sizeof(space));
    assert_true(expect_parse(GW_STR("origin not contacted"), &names, &e, &m));
    expect_begin(&e, 1);
    assert_int_equal(expect_judge(&e, &nothing, &seen), EXPECT_UNKNOWN);
}

/* A window that the end cuts short is too full when it is, and never too empty. */
static void test_the_last_window(void **state)
{
    static const struct {
        const char *text;
        double seconds;
        enum expect_outcome outcome;
    } cases[] = {
        {"per 1s: requests >= 10", 1.5, EXPECT_HELD},
        {"per 1s: requests == 40", 1.0, EXPECT_HELD},
        {"per 1s: requests == 40", 0.9, EXPECT_FAILED}, /* no window is complete */
        {"per 1s: requests <= 40", 0.9, EXPECT_HELD},
        {"per 1s: requests <= 5", 0.9, EXPECT_FAILED},
        {"per 1s: requests >= 41", 2, EXPECT_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const struct expect_facts facts = {.seconds = cases[i].seconds};
        char space[256];
        struct gw_buf seen = gw_buf_over(space, sizeof(space));
        struct expectation e;
        struct expect_mistake m;
        assert_true(expect_parse(gw_str_z(cases[i].text), &names, &e, &m));
        expect_begin(&e, 4);
        feed(&e);
        assert_int_equal(expect_judge(&e, &facts, &seen), cases[i].outcome);
        expect_release(&e);
    }
}

static void test_what_can_never_fail(void **state)
{
    static const struct {
        const char *text;
        bool vacuous;
    } cases[] = {
        {"429 >= 0", true},        {"ratio 429 >= 0%", true},      {"ratio 429 <= 100%", true},
        {"429 in 0%..100%", true}, {"origin requests >= 0", true}, {"429 == 0", false},
        {"429 <= 100", false},     {"ratio 429 > 0%", false},      {"429 in 0..100", false},
        {"p99 >= 0ms", false},     {"first 429 after >= 0", false}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct expectation e;
        struct expect_mistake m;
        assert_true(expect_parse(gw_str_z(cases[i].text), &names, &e, &m));
        assert_int_equal(expect_is_vacuous(&e), cases[i].vacuous);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_say_where_and_what),
        cmocka_unit_test(test_each_kind_holds_and_fails),
        cmocka_unit_test(test_failures_name_the_odd_one_out),
        cmocka_unit_test(test_nothing_proves_nothing),
        cmocka_unit_test(test_the_last_window),
        cmocka_unit_test(test_what_can_never_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
