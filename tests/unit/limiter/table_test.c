/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

static struct table_key key_of(char *out, uint64_t n)
{
    return table_key(gw_str(out, (size_t)snprintf(out, 32, "rl:x:%llu", (unsigned long long)n)));
}

static const struct window_rule rule = {3, 1000};

static void a_key_counts_for_itself(void **state)
{
    (void)state;
    struct table t;
    struct window w;
    char text[32];
    table_init(&t, 100);
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(table_take(&t, key_of(text, 1), rule, 1, 50, &w), 1);
        assert_int_equal(w.count, i);
        assert_int_equal(w.reset_at_ms, 1050);
    }
    assert_int_equal(table_take(&t, key_of(text, 1), rule, 1, 1049, &w), 0);
    assert_int_equal(table_take(&t, key_of(text, 2), rule, 1, 1049, &w), 1);
    assert_int_equal(table_take(&t, key_of(text, 1), rule, 5, 1050, &w), 3);
    assert_int_equal(w.reset_at_ms, 2050);
    assert_int_equal(t.count, 2);
    assert_true(table_del(&t, key_of(text, 1)));
    assert_false(table_del(&t, key_of(text, 1)));
    assert_null(table_find(&t, key_of(text, 1)));
    const struct window *found = table_find(&t, key_of(text, 2));
    assert_int_equal(found->count, 1);
    table_release(&t);
}

static void expired_keys_make_room(void **state)
{
    (void)state;
    struct table t;
    struct window w;
    char text[32];
    table_init(&t, 1000000);
    for (uint64_t i = 0; i < 5000; i++)
        assert_int_equal(table_take(&t, key_of(text, i), rule, 1, i, &w), 1);
    /* Every insertion drops up to two, so live keys alone remain: those of the last 1000 ms. */
    assert_in_range(t.count, 1000, 1001);
    assert_int_equal(t.evictions, 0);
    table_release(&t);
}

static void a_full_table_gives_up_what_resets_soonest(void **state)
{
    (void)state;
    struct table t;
    struct window w;
    char text[32];
    table_init(&t, 10);
    for (uint64_t i = 0; i < 10; i++) {
        struct window_rule r = {3, 1000 + (i * 7 % 10) * 100}; /* key 0 resets first, then 3, 6 */
        assert_int_equal(table_take(&t, key_of(text, i), r, 1, 0, &w), 1);
    }
    for (uint64_t i = 10; i < 13; i++)
        assert_int_equal(table_take(&t, key_of(text, i), (struct window_rule){3, 9999}, 1, 0, &w),
                         1);
    assert_int_equal(t.count, 10);
    assert_int_equal(t.evictions, 3);
    static const uint64_t gone[] = {0, 3, 6}, kept[] = {1, 2, 4, 5, 7, 8, 9, 10, 11, 12};
    for (size_t i = 0; i < GW_COUNT(gone); i++)
        assert_null(table_find(&t, key_of(text, gone[i])));
    for (size_t i = 0; i < GW_COUNT(kept); i++)
        assert_non_null(table_find(&t, key_of(text, kept[i])));
    table_release(&t);
}

static bool sum_counts(void *ctx, struct gw_str key, const void *record)
{
    (void)key;
    const struct window *w = record;
    *(uint64_t *)ctx += w->count;
    return true;
}

/* Random operations against a plain array: look-up, heap and deletion must agree with it. */
static void random_operations_agree_with_an_array(void **state)
{
    (void)state;
    enum { KEYS = 300 };
    static struct window model[KEYS];
    struct gw_rng rng = {5};
    struct table t;
    char text[32];
    table_init(&t, KEYS);
    uint64_t now = 1;
    for (int i = 0; i < 200000; i++) {
        uint64_t n = gw_rng_below(&rng, KEYS), what = gw_rng_below(&rng, 10);
        struct window_rule r = {1 + (uint32_t)gw_rng_below(&rng, 4), 1 + gw_rng_below(&rng, 90)};
        now += gw_rng_below(&rng, 2);
        struct window w;
        if (what < 7) {
            uint32_t expect = window_take(&model[n], r, 1, now);
            assert_int_equal(table_take(&t, key_of(text, n), r, 1, now, &w), expect);
            assert_int_equal(w.count, model[n].count);
            assert_int_equal(w.reset_at_ms, model[n].reset_at_ms);
        } else if (what < 8) {
            model[n] = (struct window){now + r.window_ms, r.limit};
            table_put(&t, key_of(text, n), &model[n], now);
        } else if (what < 9) {
            table_del(&t, key_of(text, n));
            model[n] = (struct window){0};
        } else {
            const struct window *found = table_find(&t, key_of(text, n));
            assert_true(found || model[n].reset_at_ms <= now);
        }
    }
    uint64_t live = 0, all = 0;
    for (size_t n = 0; n < KEYS; n++)
        live += model[n].reset_at_ms > now ? model[n].count : 0;
    table_visit(&t, sum_counts, &all);
    assert_true(all >= live);
    assert_int_equal(t.evictions, 0);
    table_clear(&t);
    assert_int_equal(t.count, 0);
    assert_null(table_find(&t, key_of(text, 1)));
    table_release(&t);
}

/* A record of another kind: only its first number means something to the table. */
static void records_end_when_they_say(void **state)
{
    (void)state;
    struct record {
        uint64_t due_ms;
        char text[24];
    };
    struct table t;
    char text[32];
    table_init_records(&t, 3, sizeof(struct record));
    for (uint64_t i = 0; i < 3; i++) {
        struct record *r = table_open(&t, key_of(text, i), 0);
        assert_int_equal(r->due_ms + (unsigned char)r->text[0], 0); /* zeroed */
        r->due_ms = 100 + i;
        snprintf(r->text, sizeof(r->text), "record %d", (int)i);
        table_settle(&t, r);
    }
    struct record *first = table_open(&t, key_of(text, 0), 0);
    assert_string_equal(first->text, "record 0");
    first->due_ms = 500; /* from the soonest to the last */
    table_settle(&t, first);
    table_put(&t, key_of(text, 3), &(struct record){200, "put"}, 50);
    assert_int_equal(t.evictions, 1);
    assert_null(table_find(&t, key_of(text, 1)));
    assert_non_null(table_find(&t, key_of(text, 0)));
    table_put(&t, key_of(text, 4), &(struct record){300, "put"}, 250);
    assert_null(table_find(&t, key_of(text, 2)));
    assert_null(table_find(&t, key_of(text, 3)));
    assert_int_equal(t.count, 2);
    assert_int_equal(t.evictions, 1);
    table_release(&t);
}

static bool is_divisible(void *ctx, struct gw_str key, const void *record)
{
    (void)key;
    return ((const struct window *)record)->count % *(const uint32_t *)ctx == 0;
}

static void what_matches_is_removed(void **state)
{
    (void)state;
    struct table t;
    char text[32];
    table_init(&t, 1000);
    uint32_t divisor = 1;
    table_del_where(&t, is_divisible, &divisor); /* nothing in it yet */
    for (divisor = 1; divisor <= 5; divisor++) {
        for (uint32_t n = 0; n < 1000; n++)
            table_put(&t, key_of(text, n), &(struct window){5000 - n, n}, 1);
        table_del_where(&t, is_divisible, &divisor);
        for (uint32_t n = 0; n < 1000; n++)
            assert_int_equal(table_find(&t, key_of(text, n)) == NULL, n % divisor == 0);
        assert_int_equal(t.count, 1000 - (999 / divisor + 1));
    }
    /* What is left is still in order: what ends soonest goes first. */
    for (uint32_t n = 0; t.count < t.max; n++)
        table_put(&t, key_of(text, 5000 + n), &(struct window){9000, 1}, 1);
    table_put(&t, key_of(text, 4000), &(struct window){9000, 1}, 1);
    assert_null(table_find(&t, key_of(text, 999)));
    assert_non_null(table_find(&t, key_of(text, 998)));
    table_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_counts_for_itself),
        cmocka_unit_test(expired_keys_make_room),
        cmocka_unit_test(a_full_table_gives_up_what_resets_soonest),
        cmocka_unit_test(random_operations_agree_with_an_array),
        cmocka_unit_test(records_end_when_they_say),
        cmocka_unit_test(what_matches_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
