/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void keys_go_and_come_back(void **state)
{
    (void)state;
    static const struct {
        enum limiter_store store;
        const char *expect;
    } cases[] = {
        {LIMITER_DURABLE_OBJECT, "rl:api:::1:anonymous"},
        {LIMITER_KV, "rl:api:::1:anonymous"},
        {LIMITER_BINDING, "rl:api@FRA.0:::1:anonymous"},
        {LIMITER_MEMORY, "rl:api@FRA.7:::1:anonymous"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct limiter limiter = {.name = GW_STR("api"), .store = cases[i].store};
        struct limiter_ask ask = {&limiter, GW_STR("::1:anonymous"), {GW_STR("FRA"), 7}, 0, NULL};
        char out[STORAGE_KEY_MAX];
        struct gw_str storage = storage_key(&ask, out), key;
        struct limiter_place place;
        assert_true(gw_str_eq(storage, gw_str_z(cases[i].expect)));
        assert_true(storage_key_split(storage, limiter.name, &place, &key));
        assert_true(gw_str_eq(key, ask.key));
        bool is_placed = store_is_placed(cases[i].store);
        assert_true(gw_str_eq(place.edge, is_placed ? GW_STR("FRA") : GW_STR_EMPTY));
        assert_int_equal(place.isolate, cases[i].store == LIMITER_MEMORY ? 7 : 0);
        /* The load of an object is no counter that an admin could list. */
        struct gw_str load = load_key(&ask, out);
        assert_false(storage_key_split(load, limiter.name, &place, &key));
    }
}

static void other_keys_are_not_ours(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "rl:",
                                        "rl:api",
                                        "rl:apis:x",
                                        "x:api:k",
                                        "rl:api@FRA:k",
                                        "rl:api@F.x:k",
                                        "rl:api@F.1",
                                        "rl:api@F.99999999999:k"};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct limiter_place place;
        struct gw_str key;
        assert_false(storage_key_split(gw_str_z(cases[i]), GW_STR("api"), &place, &key));
    }
}

static void the_longest_parts_fit(void **state)
{
    (void)state;
    static char long_text[600];
    memset(long_text, 'x', sizeof(long_text));
    struct gw_str text = gw_str(long_text, sizeof(long_text));
    struct limiter_place place = {text, UINT32_MAX};
    char out[STORAGE_KEY_MAX];
    assert_true(storage_key_of(text, &place, text, out).len <= sizeof(out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_go_and_come_back),
        cmocka_unit_test(other_keys_are_not_ours),
        cmocka_unit_test(the_longest_parts_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
