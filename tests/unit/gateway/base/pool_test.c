/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_blocks_hold_what_was_asked_for(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 47, 48, 49, 64, 300, 495, 496, 497, 5000};
    struct gw_pool p = {0};
    char *blocks[GW_COUNT(sizes)];
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < GW_COUNT(sizes); i++) {
            blocks[i] = gw_pool_alloc(&p, sizes[i]);
            assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
            memset(blocks[i], (int)i, sizes[i]);
        }
        for (size_t i = 0; i < GW_COUNT(sizes); i++) {
            for (size_t k = 0; k < sizes[i]; k++)
                assert_int_equal(blocks[i][k], i);
            gw_pool_free(blocks[i]);
        }
    }
    gw_pool_free(NULL);
    gw_pool_release(&p);
}

static void test_realloc_keeps_the_bytes(void **state)
{
    (void)state;
    struct gw_pool p = {0};
    char *block = gw_pool_realloc(&p, NULL, 10);
    memcpy(block, "0123456789", 10);
    for (size_t size = 10; size < 3000; size += 37) {
        block = gw_pool_realloc(&p, block, size);
        assert_memory_equal(block, "0123456789", 10);
        memset(block + 10, 'x', size - 10);
    }
    block = gw_pool_realloc(&p, block, 10);
    assert_memory_equal(block, "0123456789", 10);
    gw_pool_free(block);
    gw_pool_release(&p);
}

static void test_no_more_is_kept_than_promised(void **state)
{
    (void)state;
    struct gw_pool p = {0};
    void *blocks[2 * GW_POOL_KEPT];
    for (size_t i = 0; i < GW_COUNT(blocks); i++)
        blocks[i] = gw_pool_alloc(&p, 100);
    for (size_t i = 0; i < GW_COUNT(blocks); i++)
        gw_pool_free(blocks[i]);
    unsigned kept = 0;
    for (size_t i = 0; i < GW_COUNT(p.count); i++)
        kept += p.count[i];
#ifdef __SANITIZE_ADDRESS__
    assert_int_equal(kept, 0);
#else
    assert_int_equal(kept, GW_POOL_KEPT);
    void *again = gw_pool_alloc(&p, 70); /* of the same size by steps */
    assert_ptr_equal(again, blocks[GW_POOL_KEPT - 1]);
    gw_pool_free(again);
#endif
    gw_pool_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_hold_what_was_asked_for),
        cmocka_unit_test(test_realloc_keeps_the_bytes),
        cmocka_unit_test(test_no_more_is_kept_than_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
