/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/hash.h"

/* CPython 3.11 and newer hash strings with SipHash-1-3; PYTHONHASHSEED=0 is the all-zero key. */
static void test_reference_values(void **state)
{
    (void)state;
    static const struct {
        struct gw_str text;
        uint64_t hash;
    } cases[] = {
        {GW_STR("a"), 0x407448d2b89b1813},
        {GW_STR("abc"), 0xc03bc3a0042630f2},
        {GW_STR("abcdefgh"), 0x3f7b849c0b8e35ea},
        {GW_STR("the quick brown fox"), 0x5a17575ad3449cba},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        assert_true(gw_siphash(cases[i].text, 0, 0) == cases[i].hash);
}

/* Every input bit and every key bit reaches the value: about half of its bits flip. */
static void test_avalanche(void **state)
{
    (void)state;
    char text[24] = "nearedge";
    uint64_t base = gw_siphash(gw_str(text, sizeof(text)), 1, 2);
    int flipped = 0;
    for (size_t bit = 0; bit < sizeof(text) * 8; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        uint64_t other = gw_siphash(gw_str(text, sizeof(text)), 1, 2);
        text[bit / 8] ^= (char)(1 << bit % 8);
        assert_true(other != base);
        flipped += __builtin_popcountll(other ^ base);
    }
    assert_in_range(flipped / (sizeof(text) * 8), 28, 36);
    for (int bit = 0; bit < 64; bit++) {
        assert_true(gw_siphash(gw_str(text, sizeof(text)), 1 ^ 1ULL << bit, 2) != base);
        assert_true(gw_siphash(gw_str(text, sizeof(text)), 1, 2 ^ 1ULL << bit) != base);
    }
}

/* Trailing zero bytes count, and so does the place in memory not. */
static void test_length_and_alignment(void **state)
{
    (void)state;
    char zeros[300] = {0};
    uint64_t seen[64];
    for (size_t n = 0; n < 64; n++) {
        seen[n] = gw_siphash(gw_str(zeros, n), 3, 4);
        assert_true(gw_siphash(gw_str(zeros + 1, n), 3, 4) == seen[n]);
        for (size_t k = 0; k < n; k++)
            assert_true(seen[k] != seen[n]);
    }
    assert_true(gw_siphash(GW_STR_EMPTY, 3, 4) == seen[0]);
}

static void test_process_key(void **state)
{
    (void)state;
    assert_true(gw_hash(GW_STR("a")) == gw_hash(GW_STR("a")));
    assert_true(gw_hash(GW_STR("a")) != gw_hash(GW_STR("b")));
    assert_true(gw_hash(GW_STR("a")) != gw_siphash(GW_STR("a"), 0, 0));
    struct gw_hash128 a = gw_hash128(GW_STR("a"));
    struct gw_hash128 again = gw_hash128(GW_STR("a")), b = gw_hash128(GW_STR("b"));
    assert_true(a.lo == again.lo && a.hi == again.hi);
    assert_true(a.lo != a.hi && a.lo != b.lo && a.hi != b.hi);
}

static void test_random(void **state)
{
    (void)state;
    unsigned char bytes[4096] = {0};
    gw_random(bytes, sizeof(bytes));
    int seen[256] = {0}, kinds = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        kinds += seen[bytes[i]]++ == 0;
    assert_true(kinds > 240);
}

static void test_secret_eq(void **state)
{
    (void)state;
    assert_true(gw_secret_eq(GW_STR("token"), GW_STR("token")));
    assert_true(gw_secret_eq(GW_STR_EMPTY, GW_STR("")));
    assert_false(gw_secret_eq(GW_STR("token"), GW_STR("tokeN")));
    assert_false(gw_secret_eq(GW_STR("token"), GW_STR("Token")));
    assert_false(gw_secret_eq(GW_STR("token"), GW_STR("toke")));
    assert_false(gw_secret_eq(GW_STR("token"), GW_STR_EMPTY));
}

static void test_rng(void **state)
{
    (void)state;
    struct gw_rng r = {0}, again = {0}, other = {1};
    assert_true(gw_rng_next(&r) == 0xe220a8397b1dcdaf); /* SplitMix64's first value for seed 0 */
    assert_true(gw_rng_next(&again) == 0xe220a8397b1dcdaf);
    assert_true(gw_rng_next(&other) != 0xe220a8397b1dcdaf);
    int count[10] = {0};
    for (int i = 0; i < 10000; i++)
        count[gw_rng_below(&r, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(count[i], 850, 1150);
    assert_true(gw_rng_below(&r, 1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_values),
        cmocka_unit_test(test_avalanche),
        cmocka_unit_test(test_length_and_alignment),
        cmocka_unit_test(test_process_key),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_secret_eq),
        cmocka_unit_test(test_rng),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
