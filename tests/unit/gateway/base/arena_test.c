/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/arena.h"

static void test_first_block_is_used_first(void **state)
{
    (void)state;
    char first[256] __attribute__((aligned(16)));
    struct gw_arena a;
    gw_arena_init(&a, first, sizeof(first), 0);
    char *one = gw_arena_alloc(&a, 1), *two = gw_arena_alloc(&a, 240);
    assert_ptr_equal(one, first);
    assert_ptr_equal(two, first + 16);
    assert_int_equal(a.used, 0);
    char *three = gw_arena_alloc(&a, 1);
    assert_true(three < first || three >= first + sizeof(first));
    assert_true(a.used > 0);
    gw_arena_clear(&a);
    assert_int_equal(a.used, 0);
    assert_ptr_equal(gw_arena_alloc(&a, 1), first);
    gw_arena_clear(&a);
}

static void test_alignment(void **state)
{
    (void)state;
    char first[100];
    for (size_t shift = 0; shift < 16; shift++) {
        struct gw_arena a;
        gw_arena_init(&a, first + shift, sizeof(first) - shift, 0);
        for (size_t size = 1; size < 40; size += 7) {
            char *p = gw_arena_alloc(&a, size);
            assert_int_equal((uintptr_t)p % 16, 0);
            memset(p, 0x55, size);
        }
        gw_arena_clear(&a);
    }
    struct gw_arena tiny; /* smaller than what alignment takes away */
    gw_arena_init(&tiny, first + 1, 2, 0);
    memset(gw_arena_alloc(&tiny, 64), 1, 64);
    gw_arena_clear(&tiny);
}

static void test_ceiling(void **state)
{
    (void)state;
    struct gw_arena a;
    gw_arena_init(&a, NULL, 0, 16384);
    assert_null(gw_arena_alloc(&a, 16385));
    assert_null(gw_arena_alloc(&a, SIZE_MAX / 2));
    size_t got = 0;
    while (gw_arena_alloc(&a, 1000))
        got++;
    assert_in_range(got, 12, 16);
    assert_true(a.used <= 16384);
    assert_null(gw_arena_zalloc(&a, 8192));
    gw_arena_clear(&a);
    assert_non_null(gw_arena_alloc(&a, 16384));
    assert_int_equal(gw_arena_dup(&a, GW_STR("x")).len, 0);
    gw_arena_clear(&a);
}

static void test_copies(void **state)
{
    (void)state;
    char first[64];
    struct gw_arena a;
    gw_arena_init(&a, first, sizeof(first), 0);
    memset(first, 0x7f, sizeof(first));
    const char *zero = gw_arena_zalloc(&a, 20);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(zero[i], 0);
    assert_string_equal(gw_arena_dupz(&a, gw_str("abcdef", 3)), "abc");
    struct gw_str copy = gw_arena_dup(&a, GW_STR("a\0b"));
    assert_true(gw_str_eq(copy, GW_STR("a\0b")));
    assert_string_equal(gw_arena_dupz(&a, GW_STR_EMPTY), "");
    gw_arena_clear(&a);
}

/* Many sizes: no two live pieces overlap. */
static void test_pieces_are_disjoint(void **state)
{
    (void)state;
    struct gw_arena a;
    gw_arena_init(&a, NULL, 0, 0);
    unsigned char *pieces[300];
    for (size_t i = 0; i < 300; i++) {
        pieces[i] = gw_arena_alloc(&a, i * 37 % 9000 + 1);
        memset(pieces[i], (int)(i & 0xff), i * 37 % 9000 + 1);
    }
    for (size_t i = 0; i < 300; i++)
        for (size_t k = 0; k < i * 37 % 9000 + 1; k++)
            assert_int_equal(pieces[i][k], i & 0xff);
    gw_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_block_is_used_first),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_pieces_are_disjoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
