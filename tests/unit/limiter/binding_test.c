/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/binding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct binding_ask ask_of(const char *machine, uint64_t now_ms)
{
    return (struct binding_ask){GW_STR("edge"), gw_str_z(machine), {3, 10000}, now_ms};
}

static bool take(struct binding *b, const char *machine, uint64_t now_ms, struct window *after)
{
    const struct binding_ask ask = ask_of(machine, now_ms);
    return binding_take(b, &ask, after);
}

static void one_machine_counts_exactly(void **state)
{
    (void)state;
    struct binding *b = binding_new();
    struct window w, counter = {0};
    for (uint32_t i = 1; i <= 3; i++) {
        assert_true(take(b, "m", 100, &w));
        assert_int_equal(w.count, i);
        assert_int_equal(w.reset_at_ms, 10100);
        if (i == 2) { /* told in between: what was counted moves, the sum stays */
            const struct binding_ask ask = ask_of("m", 100);
            assert_int_equal(window_take(&counter, ask.rule, 1, 100), 1);
            binding_told(b, &ask, &counter);
        }
    }
    assert_false(take(b, "m", 10099, &w));
    assert_int_equal(w.count, 3);
    assert_true(take(b, "m", 10100, &w));
    assert_int_equal(w.count, 1);
    binding_free(b);
}

static void machines_know_what_was_told(void **state)
{
    (void)state;
    struct binding *b = binding_new();
    struct window w, counter = {0};
    for (int i = 0; i < 3; i++) {
        assert_true(take(b, "m1", 0, &w));
        assert_true(take(b, "m2", 0, &w));
    }
    assert_false(take(b, "m1", 0, &w));
    assert_true(take(b, "m3", 0, &w)); /* nobody has told it anything */
    for (int i = 0; i < 3; i++) {
        const struct binding_ask ask = ask_of("m1", 0);
        assert_int_equal(window_take(&counter, ask.rule, 1, 0), 1);
        binding_told(b, &ask, &counter);
    }
    assert_false(take(b, "m3", 250, &w));
    assert_int_equal(w.count, 4); /* three told, one of its own */
    assert_false(take(b, "m4", 250, &w));
    binding_forget(b, GW_STR("another edge"));
    assert_false(take(b, "m4", 250, &w));
    binding_forget(b, GW_STR("edge"));
    assert_true(take(b, "m4", 250, &w));
    binding_free(b);
}

/* Two workers may bring what the counter said in the wrong order. */
static void what_was_told_never_goes_back(void **state)
{
    (void)state;
    struct binding *b = binding_new();
    struct window w;
    const struct binding_ask ask = ask_of("m1", 0);
    binding_told(b, &ask, &(struct window){10000, 3});
    binding_told(b, &ask, &(struct window){10000, 2});
    assert_false(take(b, "m2", 0, &w));
    binding_told(b, &ask, &(struct window){20000, 1});
    binding_told(b, &ask, &(struct window){10000, 3});
    assert_true(take(b, "m2", 10000, &w));
    assert_int_equal(w.count, 2);
    binding_free(b);
}

/* What is told late belongs to its own window, not to the one that has begun since. */
static void a_late_message_does_not_touch_the_next_window(void **state)
{
    (void)state;
    struct binding *b = binding_new();
    struct window w;
    assert_true(take(b, "m", 0, &w));
    assert_true(take(b, "m", 10000, &w));
    const struct binding_ask first = ask_of("m", 0);
    binding_told(b, &first, &(struct window){10000, 1});
    assert_true(take(b, "m", 10001, &w));
    assert_int_equal(w.count, 2);
    binding_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_machine_counts_exactly),
        cmocka_unit_test(machines_know_what_was_told),
        cmocka_unit_test(what_was_told_never_goes_back),
        cmocka_unit_test(a_late_message_does_not_touch_the_next_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
