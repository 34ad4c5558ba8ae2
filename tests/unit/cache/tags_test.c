/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/tags.h"
#include "tests/unit/cache/store_fixture.h"

static void test_reading(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        const char *first;
    } cases[] = {
        {"", 0, ""},        {"a", 1, "a"},          {" a , b", 2, "a"}, {",,a,,", 1, "a"},
        {"a b, c", 1, "c"}, {"\xc3\xa4,b", 1, "b"}, {"a, A", 2, "a"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_str rest = gw_str_z(cases[i].text), tag = GW_STR_EMPTY;
        assert_int_equal(cache_tag_count(rest), cases[i].count);
        assert_int_equal(cache_tag_next(&rest, &tag), cases[i].count > 0);
        if (cases[i].count)
            assert_true(gw_str_eq(tag, gw_str_z(cases[i].first)));
    }
    struct gw_buf many;
    gw_buf_init(&many, 65536);
    for (int i = 0; i < 1200; i++)
        gw_buf_printf(&many, "t%d,", i);
    assert_int_equal(cache_tag_count(gw_buf_str(&many)), CACHE_TAGS_MAX);
    gw_buf_release(&many);
}

static size_t purge_tag(struct world *w, const char *tag, enum cache_purge_kind kind)
{
    const struct cache_match match = {.zone = GW_STR("zone"), .tag = gw_str_z(tag)};
    return cache_purge_match(w->store, &match, kind, NOW_MS);
}

/* Vectors of section 5.2: any case, whole tags, several of one object. */
static void test_purging(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 16 * MIB);
    store_whole(&w, "/1", "Cache-Tag: red, Blue", 10, 60);
    store_whole(&w, "/2", "Cache-Tag: blue\nCache-Tag: green,blue", 10, 60);
    store_whole(&w, "/3", "Cache-Tag: bluegreen", 10, 60);
    store_whole(&w, "/4", "", 10, 60);
    assert_int_equal(purge_tag(&w, "re", CACHE_PURGE_REMOVE), 0);
    assert_int_equal(purge_tag(&w, "RED", CACHE_PURGE_INVALIDATE), 1);
    assert_true(is_stored(&w, "/1"));
    assert_int_equal(purge_tag(&w, "blue", CACHE_PURGE_REMOVE), 2);
    assert_false(is_stored(&w, "/1") || is_stored(&w, "/2"));
    assert_true(is_stored(&w, "/3") && is_stored(&w, "/4"));
    assert_int_equal(purge_tag(&w, "green", CACHE_PURGE_REMOVE), 0);
    assert_int_equal(purge_tag(&w, "", CACHE_PURGE_REMOVE), 0);
    world_release(&w);
}

/* Replaced and evicted objects leave no links behind: the address sanitizer sees those that do. */
static void test_churn(void **state)
{
    (void)state;
    struct world w;
    char name[32], tags[64];
    world_init(&w, MIB);
    for (int i = 0; i < 4000; i++) {
        snprintf(name, sizeof(name), "/%d", i);
        snprintf(tags, sizeof(tags), "Cache-Tag: all, t%d, mod%d", i, i % 7);
        store_whole(&w, name, tags, 1000, 60);
    }
    assert_true(is_stored(&w, "/3999"));
    assert_int_equal(purge_tag(&w, "t3999", CACHE_PURGE_REMOVE), 1);
    assert_false(is_stored(&w, "/3999"));
    struct cache_stats stats;
    cache_store_stats(w.store, &stats);
    assert_true(stats.evicted > 1000);
    assert_int_equal(purge_tag(&w, "all", CACHE_PURGE_REMOVE), stats.objects);
    world_release(&w);
}

/* More of one shard than go under one lock. */
static void test_batches(void **state)
{
    (void)state;
    struct world w;
    char name[32];
    world_init(&w, 64 * MIB);
    for (uint64_t i = 0; i < 1000; i++) {
        struct cache_place place = place_named(&w, "/");
        struct cache_lookup found;
        snprintf(name, sizeof(name), "/%d", (int)i);
        place.target = gw_str_z(name);
        place.hash = (struct gw_hash128){i << 20, i};
        assert_int_equal(cache_store_begin(w.store, &place, NOW_MS, &found), CACHE_LEADER);
        head_of(found.fill, "Cache-Tag: t, u, t", 0, 60);
        assert_int_equal(cache_fill_finish(found.fill), 0);
        cache_fill_unref(found.fill);
    }
    assert_int_equal(purge_tag(&w, "t", CACHE_PURGE_REMOVE), 1000);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_purging),
        cmocka_unit_test(test_churn),
        cmocka_unit_test(test_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
