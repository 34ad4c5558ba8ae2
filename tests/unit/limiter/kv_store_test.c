/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/kv_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FRA GW_STR("FRA")
#define AMS GW_STR("AMS")
#define KEY GW_STR("rl:ai:10.0.0.1:anonymous")

static const struct kv_settings unlimited = {.write_limit = CONFIG_KV_OFF, .writes_per_second = 1};

static void keep(struct kv_store *kv, struct gw_str edge, struct gw_str key, uint64_t due_ms,
                 uint32_t count)
{
    const struct kv_copy copy = {due_ms, {1000, count}};
    kv_copy_keep(kv, edge, key, &copy, kv_copy_epoch(kv), 0);
}

static void write(struct kv_store *kv, struct gw_str key, uint32_t count)
{
    const struct kv_write w = {kv_place(FRA), 5, {60005, count}, 65, 0};
    uint64_t next_ms;
    assert_true(kv_store_write(kv, key, &unlimited, &w, &next_ms));
}

static void copies_belong_to_an_edge_and_end(void **state)
{
    (void)state;
    struct kv_store *kv = kv_store_new();
    struct window found = {7, 7};
    assert_false(kv_copy_find(kv, FRA, KEY, 0, &found));
    keep(kv, FRA, KEY, 100, 3);
    assert_true(kv_copy_find(kv, FRA, KEY, 99, &found));
    assert_int_equal(found.count, 3);
    assert_false(kv_copy_find(kv, FRA, KEY, 100, &found));
    assert_false(kv_copy_find(kv, AMS, KEY, 99, &found));
    keep(kv, FRA, KEY, 200, 4);
    assert_true(kv_copy_find(kv, FRA, KEY, 199, &found));
    assert_int_equal(found.count, 4);
    const struct kv_copy no_such_key = {200, {0}}; /* a copy too */
    kv_copy_keep(kv, AMS, KEY, &no_such_key, kv_copy_epoch(kv), 0);
    assert_true(kv_copy_find(kv, AMS, KEY, 100, &found));
    assert_int_equal(found.reset_at_ms, 0);
    kv_store_free(kv);
}

static void a_forgotten_key_is_gone_at_all_edges(void **state)
{
    (void)state;
    struct kv_store *kv = kv_store_new();
    struct window found;
    write(kv, KEY, 1);
    for (char c = 'A'; c <= 'Z'; c++) {
        keep(kv, gw_str(&c, 1), KEY, 100, 1);
        keep(kv, gw_str(&c, 1), GW_STR("other"), 100, 2);
    }
    assert_true(kv_store_forget(kv, KEY));
    assert_false(kv_store_forget(kv, KEY));
    for (char c = 'A'; c <= 'Z'; c++) {
        assert_false(kv_copy_find(kv, gw_str(&c, 1), KEY, 0, &found));
        assert_true(kv_copy_find(kv, gw_str(&c, 1), GW_STR("other"), 0, &found));
    }
    assert_int_equal(kv_store_read(kv, KEY, kv_place(FRA), 5).count, 0);
    kv_store_free(kv);
}

/* An edge reads, elsewhere the key is reset, and only then the edge keeps what it has read. */
static void a_copy_of_what_was_forgotten_meanwhile_is_not_kept(void **state)
{
    (void)state;
    struct kv_store *kv = kv_store_new();
    struct window found;
    write(kv, KEY, 7);
    uint64_t epoch = kv_copy_epoch(kv);
    const struct kv_copy copy = {100, kv_store_read(kv, KEY, kv_place(FRA), 5)};
    assert_int_equal(copy.value.count, 7);
    assert_true(kv_store_forget(kv, KEY));
    kv_copy_keep(kv, FRA, KEY, &copy, epoch, 5);
    assert_false(kv_copy_find(kv, FRA, KEY, 6, &found));
    write(kv, KEY, 1);
    kv_copy_keep(kv, FRA, KEY, &copy, epoch, 6); /* however late */
    assert_false(kv_copy_find(kv, FRA, KEY, 6, &found));
    keep(kv, FRA, KEY, 100, 1);
    assert_true(kv_copy_find(kv, FRA, KEY, 6, &found));
    assert_int_equal(found.count, 1);
    kv_store_free(kv);
}

static bool add_up(void *ctx, struct gw_str key, const struct window *newest)
{
    assert_true(key.len > 0);
    *(uint32_t *)ctx += newest->count;
    return true;
}

static void keys_are_listed_and_counted(void **state)
{
    (void)state;
    struct kv_store *kv = kv_store_new();
    uint32_t sum = 0;
    for (char c = 'a'; c <= 'z'; c++)
        write(kv, gw_str(&c, 1), 2);
    write(kv, GW_STR("a"), 5);
    kv_store_visit(kv, add_up, &sum);
    assert_int_equal(sum, 25 * 2 + 5);
    uint64_t keys = 0, evictions = 0;
    kv_store_count(kv, &keys, &evictions);
    assert_int_equal(keys, 26);
    assert_int_equal(evictions, 0);
    kv_store_free(kv);
}

static void the_longest_names_fit(void **state)
{
    (void)state;
    static char text[2000];
    memset(text, 'x', sizeof(text));
    struct gw_str longest = gw_str(text, sizeof(text));
    struct kv_store *kv = kv_store_new();
    struct window found;
    keep(kv, longest, longest, 100, 9);
    assert_true(kv_copy_find(kv, longest, longest, 0, &found));
    keep(kv, GW_STR_EMPTY, KEY, 100, 8);
    assert_true(kv_copy_find(kv, GW_STR_EMPTY, KEY, 0, &found));
    kv_store_free(kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_belong_to_an_edge_and_end),
        cmocka_unit_test(a_forgotten_key_is_gone_at_all_edges),
        cmocka_unit_test(a_copy_of_what_was_forgotten_meanwhile_is_not_kept),
        cmocka_unit_test(keys_are_listed_and_counted),
        cmocka_unit_test(the_longest_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
