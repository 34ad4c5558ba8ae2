/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/kv_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/hash.h"

static const struct kv_settings unlimited = {.write_limit = CONFIG_KV_OFF, .writes_per_second = 1};

enum { FRA = 1, AMS = 2, WAW = 3 };

static bool put(struct kv_key *k, const struct kv_settings *s, uint64_t place, uint64_t at_ms,
                uint32_t count)
{
    const struct kv_write write = {place, at_ms, {at_ms + 60000, count}, 65, s->propagation_ms};
    uint64_t next_ms = 0;
    bool taken = kv_key_write(k, s, &write, &next_ms);
    assert_true(taken ? next_ms == at_ms : next_ms > at_ms);
    if (!taken) { /* it says when it would be, to the millisecond */
        struct kv_key later = *k;
        uint64_t ignored;
        struct kv_write early = write;
        early.at_ms = next_ms - 1;
        assert_false(kv_key_write(&later, s, &early, &ignored));
        early.at_ms = next_ms;
        assert_true(kv_key_write(&later, s, &early, &ignored));
    }
    return taken;
}

static uint32_t get(const struct kv_key *k, uint64_t place, uint64_t at_ms)
{
    return kv_key_read(k, place, at_ms).count;
}

static void the_last_write_wins(void **state)
{
    (void)state;
    struct kv_key k = {0};
    assert_int_equal(get(&k, FRA, 0), 0);
    assert_true(put(&k, &unlimited, FRA, 10, 5));
    assert_true(put(&k, &unlimited, AMS, 11, 2));
    assert_int_equal(get(&k, FRA, 11), 2);
    assert_int_equal(get(&k, WAW, 11), 2);
    assert_int_equal(kv_key_newest(&k).count, 2);
    assert_int_equal(k.due_ms, 11 + 65000);
}

static void a_write_reaches_other_places_later(void **state)
{
    (void)state;
    struct kv_settings s = unlimited;
    s.propagation_ms = 1000;
    struct kv_key k = {0};
    put(&k, &s, FRA, 0, 1);
    put(&k, &s, AMS, 500, 7);
    assert_int_equal(get(&k, FRA, 0), 1);
    assert_int_equal(get(&k, FRA, 999), 1); /* its own, not the newer one of AMS */
    assert_int_equal(get(&k, AMS, 500), 7);
    assert_int_equal(get(&k, WAW, 999), 0);
    assert_int_equal(get(&k, WAW, 1000), 1);
    assert_int_equal(get(&k, WAW, 1499), 1);
    assert_int_equal(get(&k, WAW, 1500), 7);
    assert_int_equal(get(&k, FRA, 1500), 7);
}

/* However fast somebody writes, versions stay few, nobody sees one early, and all go forward. */
static void fast_writers_do_not_hold_others_back(void **state)
{
    (void)state;
    struct kv_settings s = unlimited;
    s.propagation_ms = 800;
    struct kv_key k = {0};
    for (uint64_t ms = 0; ms < 5000; ms++) {
        put(&k, &s, FRA, ms, (uint32_t)ms + 1);
        assert_in_range(k.count, 1, KV_VERSIONS);
        uint32_t seen = get(&k, AMS, ms);
        assert_true(seen <= (ms < 800 ? 0 : ms - 800 + 1));
        if (ms >= 900)
            assert_true(seen + 900 >= ms); /* an eighth late at most */
        assert_int_equal(get(&k, FRA, ms), ms + 1);
    }
}

static uint32_t written(struct kv_settings s, uint64_t apart_ms, uint64_t duration_ms)
{
    struct kv_key k = {0};
    uint32_t n = 0;
    for (uint64_t ms = 1000; ms < 1000 + duration_ms; ms += apart_ms)
        n += put(&k, &s, FRA, ms, 1);
    return n;
}

static void writes_are_limited(void **state)
{
    (void)state;
    static const struct {
        enum config_kv_write_limit limit;
        uint32_t rate;
        uint64_t apart_ms, duration_ms;
        uint32_t expect;
    } cases[] = {
        {CONFIG_KV_STRICT, 1, 1, 1000, 1},         {CONFIG_KV_STRICT, 1, 1, 1001, 2},
        {CONFIG_KV_STRICT, 1, 1050, 20000, 20},    {CONFIG_KV_STRICT, 1, 999, 20000, 11},
        {CONFIG_KV_STRICT, 5, 1, 10000, 50},       {CONFIG_KV_TOKEN_BUCKET, 1, 1, 999, 10},
        {CONFIG_KV_TOKEN_BUCKET, 1, 1, 60000, 69}, {CONFIG_KV_TOKEN_BUCKET, 3, 1, 60000, 209},
        {CONFIG_KV_OFF, 1, 1, 1000, 1000},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct kv_settings s = {.write_limit = cases[i].limit, .writes_per_second = cases[i].rate};
        uint32_t n = written(s, cases[i].apart_ms, cases[i].duration_ms);
        if (n != cases[i].expect)
            print_error("case %zu: %u\n", i, n);
        assert_int_equal(n, cases[i].expect);
    }
}

static void a_refused_write_changes_nothing(void **state)
{
    (void)state;
    struct kv_settings s = {.write_limit = CONFIG_KV_STRICT, .writes_per_second = 1};
    struct kv_key k = {0};
    assert_true(put(&k, &s, FRA, 0, 1));
    struct kv_key before = k;
    assert_false(put(&k, &s, AMS, 999, 9));
    assert_memory_equal(&k, &before, sizeof(k));
    assert_true(put(&k, &s, AMS, 1000, 9));
}

static void delays_can_be_replayed(void **state)
{
    (void)state;
    struct kv_settings s = {.propagation_ms = 1000, .seed = 1}, other = s, none = s;
    other.seed = 2;
    none.propagation_ms = 0;
    uint64_t sum = 0, differ = 0;
    for (uint64_t ms = 0; ms < 1000; ms++) {
        uint64_t delay = kv_delay_ms(&s, GW_STR("k"), ms);
        assert_in_range(delay, 1000, 1500);
        assert_int_equal(delay, kv_delay_ms(&s, GW_STR("k"), ms));
        differ += delay != kv_delay_ms(&other, GW_STR("k"), ms);
        sum += delay;
        assert_int_equal(kv_delay_ms(&none, GW_STR("k"), ms), 0);
    }
    assert_in_range(sum, 1230000, 1270000);
    assert_true(differ > 900);
}

static void a_limiters_own_settings_come_first(void **state)
{
    (void)state;
    const struct config_limiter all = {.kv = {60, true, 1, 2, 3, CONFIG_KV_STRICT, 4, 5}};
    struct limiter limiter = {.kv = {-1, -1, -1, -1, -1, -1, -1, -1, 1}};
    struct kv_settings s = kv_settings_of(&all, &limiter);
    assert_true(s.cache_ttl_ms == 60000 && s.read_ms == 1 && s.write_ms == 2 &&
                s.propagation_ms == 3 && s.writes_per_second == 4 && s.seed == 5);
    assert_true(s.negative_cache && s.clamp_ttl && s.write_limit == CONFIG_KV_STRICT);
    limiter.kv = (struct limiter_kv){.cache_ttl_s = 30,
                                     .read_ms = 10,
                                     .write_ms = 20,
                                     .propagation_ms = 30,
                                     .writes_per_key_per_second = 40,
                                     .seed = 50,
                                     .negative_cache = 0,
                                     .write_limit = CONFIG_KV_OFF,
                                     .clamp_ttl = 0};
    s = kv_settings_of(&all, &limiter);
    assert_true(s.cache_ttl_ms == 30000 && s.read_ms == 10 && s.write_ms == 20 &&
                s.propagation_ms == 30 && s.writes_per_second == 40 && s.seed == 50);
    assert_true(!s.negative_cache && !s.clamp_ttl && s.write_limit == CONFIG_KV_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_write_wins),
        cmocka_unit_test(a_write_reaches_other_places_later),
        cmocka_unit_test(fast_writers_do_not_hold_others_back),
        cmocka_unit_test(writes_are_limited),
        cmocka_unit_test(a_refused_write_changes_nothing),
        cmocka_unit_test(delays_can_be_replayed),
        cmocka_unit_test(a_limiters_own_settings_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
