/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/slab.h"

#include "gateway/base/hash.h"
#include "tests/unit/cache/fixture.h"

#define PIECES   4000
#define EXPECTED ((uint64_t)64 * 1024 * 1024)

static void test_sizes(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 3 * CACHE_SLAB_SPAN; size += 1 + size / 100) {
        size_t takes = cache_slab_size(size);
        assert_true(takes >= size);
        assert_int_equal(cache_slab_size(takes), takes);
        assert_int_equal(takes % 16, 0);
        if (size >= 512)
            assert_true(takes - size <= size / 8);
    }
}

/* Pieces of all sizes live beside one another: each keeps its bytes. */
static void test_pieces_do_not_overlap(void **state)
{
    (void)state;
    struct cache_slab *slab = cache_slab_new(EXPECTED);
    struct gw_rng rng = {5};
    unsigned char *pieces[PIECES] = {0};
    size_t sizes[PIECES];
    for (int round = 0; round < 5 * PIECES; round++) {
        size_t i = (size_t)gw_rng_below(&rng, PIECES);
        if (pieces[i]) {
            for (size_t at = 0; at < sizes[i]; at += 1 + sizes[i] / 7)
                assert_int_equal(pieces[i][at], (unsigned char)i);
            cache_slab_drop(slab, pieces[i], sizes[i]);
        }
        sizes[i] = (size_t)1 << gw_rng_below(&rng, 15);
        if (gw_rng_below(&rng, 50) == 0)
            sizes[i] = CACHE_SLAB_SPAN / 2 + (size_t)gw_rng_below(&rng, CACHE_SLAB_SPAN);
        pieces[i] = cache_slab_take(slab, sizes[i]);
        memset(pieces[i], (int)i & 0xff, sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        if (pieces[i])
            cache_slab_drop(slab, pieces[i], sizes[i]);
    while (cache_slab_trim(slab))
        continue;
    assert_int_equal(cache_slab_resident(slab), 0);
    cache_slab_free(slab);
}

/* What small pieces used, large ones can: the reason why this is not the heap. */
static void test_spans_change_their_use(void **state)
{
    (void)state;
    struct cache_slab *slab = cache_slab_new(EXPECTED);
    void **small = gw_alloc(PIECES * sizeof(*small));
    for (size_t i = 0; i < PIECES; i++)
        small[i] = cache_slab_take(slab, 1024);
    uint64_t resident = cache_slab_resident(slab);
    for (size_t i = 0; i < PIECES; i++)
        cache_slab_drop(slab, small[i], 1024);
    void *large[8];
    for (size_t i = 0; i < GW_COUNT(large); i++)
        large[i] = cache_slab_take(slab, CACHE_SLAB_SPAN);
    assert_int_equal(cache_slab_resident(slab), resident);
    for (size_t i = 0; i < GW_COUNT(large); i++)
        cache_slab_drop(slab, large[i], CACHE_SLAB_SPAN);
    free(small);
    cache_slab_free(slab);
}

/* With no address space left the heap helps out. */
static void test_region_used_up(void **state)
{
    (void)state;
    struct cache_slab *slab = cache_slab_new(0);
    void *pieces[500];
    for (size_t i = 0; i < GW_COUNT(pieces); i++) {
        pieces[i] = cache_slab_take(slab, CACHE_SLAB_SPAN);
        memset(pieces[i], 1, 4096);
    }
    for (size_t i = 0; i < GW_COUNT(pieces); i++)
        cache_slab_drop(slab, pieces[i], CACHE_SLAB_SPAN);
    assert_int_equal(cache_slab_resident(slab), 0);
    cache_slab_free(slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_pieces_do_not_overlap),
        cmocka_unit_test(test_spans_change_their_use),
        cmocka_unit_test(test_region_used_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
