/* SPDX-License-Identifier: Apache-2.0 */
/* What a real Workers runtime answered for the same algorithm (spec/oracle.md), section by section,
 * by every store. The runtime's KV has neither write limit nor copies, and one edge. */
#include "limiter/answer.h"
#include "limiter/limiter.h"

#include "tests/unit/limiter/world_fixture.h"

#define LIMIT     15
#define WINDOW_MS 60000

static struct call calls[80];

static void open_runtime(struct world *w)
{
    world_open(w);
    w->settings.kv.write_limit = CONFIG_KV_OFF;
}

static struct limiter limiter_of(unsigned store)
{
    return (struct limiter){.name = GW_STR("ai"),
                            .rule = {LIMIT, WINDOW_MS},
                            .store = (enum limiter_store)store,
                            .kv = kv_by_configuration};
}

static const struct limiter_verdict *ask(struct world *w, const struct limiter *limiter,
                                         const char *key, uint32_t isolate)
{
    const struct limiter_place place = {GW_STR("FRA"), isolate};
    assert_true(world_ask(w, &calls[0], limiter, key, place));
    return &calls[0].verdict;
}

/* ---- section 1 ---- */

static void twenty_in_a_row(void **state)
{
    (void)state;
    for (unsigned store = 0; store < LIMITER_STORES; store++) {
        struct world w;
        open_runtime(&w);
        struct limiter limiter = limiter_of(store);
        uint64_t reset_ms = world_now(&w) + WINDOW_MS;
        for (uint32_t i = 1; i <= 20; i++) {
            const struct limiter_verdict *v = ask(&w, &limiter, "10.0.0.1:anonymous", 0);
            assert_int_equal(v->outcome, i <= LIMIT ? LIMITER_ADMIT : LIMITER_DENY);
            assert_int_equal(v->count, i <= LIMIT ? i : LIMIT);
            assert_int_equal(v->retry_after_s, i <= LIMIT ? 0 : 60);
            assert_true(v->reset_at_ms == reset_ms);
        }
        world_close(&w);
    }
}

/* ---- section 3 ---- */

static void boundaries_with_an_injected_clock(void **state)
{
    (void)state;
    static const struct {
        uint64_t at_ms;
        uint32_t retry_after, count;
        uint64_t reset_ms;
    } steps[] = {{0, 60, 15, 60000},     {1, 60, 15, 60000},    {999, 60, 15, 60000},
                 {1000, 59, 15, 60000},  {1001, 59, 15, 60000}, {58999, 2, 15, 60000},
                 {59000, 1, 15, 60000},  {59001, 1, 15, 60000}, {59999, 1, 15, 60000},
                 {60000, 0, 1, 120000},  {60000, 0, 2, 120000}, {60001, 0, 3, 120000},
                 {119999, 0, 4, 120000}, {120000, 0, 1, 180000}};
    for (unsigned store = 0; store < LIMITER_STORES; store++) {
        struct world w;
        open_runtime(&w);
        struct limiter limiter = limiter_of(store);
        uint64_t start_ms = world_now(&w);
        for (int i = 0; i < LIMIT; i++)
            ask(&w, &limiter, "k", 0);
        for (size_t i = 0; i < GW_COUNT(steps); i++) {
            world_advance(&w, start_ms + steps[i].at_ms - world_now(&w));
            const struct limiter_verdict *v = ask(&w, &limiter, "k", 0);
            assert_int_equal(v->outcome, steps[i].retry_after ? LIMITER_DENY : LIMITER_ADMIT);
            assert_int_equal(v->retry_after_s, steps[i].retry_after);
            assert_int_equal(v->count, steps[i].count);
            assert_true(v->reset_at_ms == start_ms + steps[i].reset_ms);
        }
        world_close(&w);
    }
}

/* A window of 2 s, polled each millisecond: the last denial stands at resetAt - 1, the first
 * admission at resetAt, with a count of 1 and a whole new window. (No binding counts over 2 s.) */
static void a_window_rolls_over_by_itself(void **state)
{
    (void)state;
    static const unsigned stores[] = {LIMITER_DURABLE_OBJECT, LIMITER_MEMORY, LIMITER_KV};
    for (size_t s = 0; s < GW_COUNT(stores); s++) {
        struct world w;
        open_runtime(&w);
        struct limiter limiter = limiter_of(stores[s]);
        limiter.rule.window_ms = 2000;
        for (int i = 0; i < LIMIT; i++)
            ask(&w, &limiter, "k", 0);
        for (int ms = 0; ms < 2000; ms++) {
            const struct limiter_verdict *v = ask(&w, &limiter, "k", 0);
            assert_int_equal(v->outcome, LIMITER_DENY);
            assert_int_equal(v->retry_after_s, (2000 - ms + 999) / 1000);
            world_advance(&w, 1);
        }
        const struct limiter_verdict *v = ask(&w, &limiter, "k", 0);
        assert_int_equal(v->outcome, LIMITER_ADMIT);
        assert_int_equal(v->count, 1);
        assert_true(v->reset_at_ms == world_now(&w) + 2000);
        world_close(&w);
    }
}

/* ---- section 4 ---- */

static void keys_are_independent_in_every_store(void **state)
{
    (void)state;
    static const char *const keys[] = {"10.0.0.1:anonymous", "10.0.0.1:u1", "10.0.0.2:anonymous",
                                       "::1:anonymous"};
    for (unsigned store = 0; store < LIMITER_STORES; store++) {
        struct world w;
        open_runtime(&w);
        struct limiter limiter = limiter_of(store);
        unsigned admitted[GW_COUNT(keys)] = {0};
        for (size_t i = 0; i < 17 * GW_COUNT(keys); i++)
            admitted[i % GW_COUNT(keys)] +=
                ask(&w, &limiter, keys[i % GW_COUNT(keys)], 0)->outcome == LIMITER_ADMIT;
        for (size_t k = 0; k < GW_COUNT(keys); k++)
            assert_int_equal(admitted[k], LIMIT);
        world_close(&w);
    }
}

/* ---- sections 2 and 5 ---- */

/* Calls in turn at the isolates of one edge. At once: nothing that one writes is there before the
 * others have read. */
static void assert_admitted(unsigned store, size_t count, uint32_t isolates, bool at_once,
                            unsigned expect)
{
    struct world w;
    open_runtime(&w);
    w.settings.kv.write_ms = at_once ? 5 : 0;
    struct limiter limiter = limiter_of(store);
    unsigned admitted = 0, by_isolate[4] = {0};
    for (uint32_t i = 0; i < count; i++)
        world_ask(&w, &calls[i], &limiter, "k",
                  (struct limiter_place){GW_STR("FRA"), i % isolates});
    world_advance(&w, 1000);
    world_settle(&w);
    for (size_t i = 0; i < count; i++) {
        bool admits = calls[i].verdict.outcome == LIMITER_ADMIT;
        admitted += admits;
        by_isolate[i % isolates] += admits;
    }
    assert_int_equal(admitted, expect);
    for (uint32_t i = 0; i < isolates; i++) /* 15 are 4, 4, 4, 3 */
        assert_int_equal(by_isolate[i], expect / isolates + (i < expect % isolates));
    world_close(&w);
}

static void forty_at_once_on_a_cold_key(void **state)
{
    (void)state;
    assert_admitted(LIMITER_MEMORY, 40, 1, true, 15);
    assert_admitted(LIMITER_DURABLE_OBJECT, 40, 1, true, 15);
    assert_admitted(LIMITER_KV, 40, 1, true, 40);
    assert_admitted(LIMITER_BINDING, 40, 1, true, 15);
    assert_admitted(LIMITER_BINDING, 20, 1, false, 15);
}

static void eighty_over_four_isolates(void **state)
{
    (void)state;
    assert_admitted(LIMITER_MEMORY, 80, 4, false, 60);
    assert_admitted(LIMITER_KV, 80, 4, false, 15);
    assert_admitted(LIMITER_DURABLE_OBJECT, 80, 4, false, 15);
    assert_admitted(LIMITER_MEMORY, 80, 4, true, 60);
    assert_admitted(LIMITER_KV, 80, 4, true, 80);
    assert_admitted(LIMITER_DURABLE_OBJECT, 80, 4, true, 15);
}

/* ---- section 6 ---- */

/* The app's service helper does not clamp its TTL: from the third second on it asks for less than
 * KV takes, and fails with KV's own words (spec/limiter.md a6). */
static void a_ttl_below_a_minute_is_refused(void **state)
{
    (void)state;
    struct world w;
    open_runtime(&w);
    struct limiter limiter = limiter_of(LIMITER_KV);
    limiter.kv.clamp_ttl = 0;
    char space[LIMITER_FAULT_MAX];
    assert_int_equal(ask(&w, &limiter, "k", 0)->outcome, LIMITER_ADMIT);
    world_advance(&w, 2000);
    assert_int_equal(ask(&w, &limiter, "k", 0)->outcome, LIMITER_ADMIT);
    world_advance(&w, 1);
    assert_int_equal(ask(&w, &limiter, "k", 0)->outcome, LIMITER_ADMIT); /* 58 s up, and 2 */
    world_advance(&w, 999);
    const struct limiter_verdict *v = ask(&w, &limiter, "k", 0);
    assert_int_equal(v->outcome, LIMITER_ERROR);
    assert_true(gw_str_eq(limiter_fault_text(v->fault, v->fault_value, space),
                          GW_STR("KV PUT failed: 400 Invalid expiration_ttl of 59. Expiration TTL "
                                 "must be at least 60.")));
    limiter.kv.clamp_ttl = 1;
    assert_int_equal(ask(&w, &limiter, "k", 0)->outcome, LIMITER_ADMIT);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_in_a_row),
        cmocka_unit_test(boundaries_with_an_injected_clock),
        cmocka_unit_test(a_window_rolls_over_by_itself),
        cmocka_unit_test(keys_are_independent_in_every_store),
        cmocka_unit_test(forty_at_once_on_a_cold_key),
        cmocka_unit_test(eighty_over_four_isolates),
        cmocka_unit_test(a_ttl_below_a_minute_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
