/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/variant.h"
#include "tests/unit/cache/store_fixture.h"

/* A zone with a `vary` rule, and requests that differ in X-A. */
struct varying {
    struct world world;
    struct fixture f;
};

static void varying_init(struct varying *v)
{
    world_init(&v->world, 16 * MIB);
    fixture_init(&v->f);
    v->f.rule.vary.fallback = CACHE_VARY_PASSTHROUGH;
    fixture_use(&v->f, CACHE_SETTING_VARY);
}

static void varying_release(struct varying *v)
{
    fixture_release(&v->f);
    world_release(&v->world);
}

static void ask_with(struct varying *v, const char *request)
{
    v->f.request_headers = fixture_headers(&v->f.arena, request);
}

static struct cache_place locate(struct varying *v, const char *name)
{
    struct cache_place place = place_named(&v->world, name);
    assert_true(cache_variant_locate(&v->f.policy, &v->f.request, &place));
    return place;
}

static bool has(struct varying *v, const char *name, const char *request)
{
    ask_with(v, request);
    struct cache_place place = locate(v, name);
    struct cache_object *o = cache_store_peek(v->world.store, &place);
    cache_object_unref(o);
    return o != NULL;
}

static struct cache_fill *begin(struct varying *v, const char *name, const char *request)
{
    struct cache_lookup found;
    ask_with(v, request);
    struct cache_place place = locate(v, name);
    assert_int_equal(cache_store_begin(v->world.store, &place, NOW_MS, &found), CACHE_LEADER);
    cache_object_unref(found.object);
    return found.fill;
}

static void answer(struct varying *v, struct cache_fill *fill, const char *response)
{
    v->f.response_headers = fixture_headers(&v->f.arena, response);
    assert_true(cache_variant_settle(fill, &v->f.policy, &v->f.request, &v->f.response_headers));
    head_of(fill, response, 10, 60);
    feed(fill, 0, 0, 10);
    assert_int_equal(cache_fill_finish(fill), 0);
    cache_fill_unref(fill);
}

static void store_variant(struct varying *v, const char *name, const char *request,
                          const char *response)
{
    answer(v, begin(v, name, request), response);
}

static void test_variants(void **state)
{
    (void)state;
    struct varying v;
    varying_init(&v);
    store_variant(&v, "/a", "X-A: 1", "Vary: x-a, X-B");
    assert_true(has(&v, "/a", "x-a: 1"));
    assert_false(has(&v, "/a", "X-A: 2"));
    assert_false(has(&v, "/a", "X-A: 1\nX-B: 1"));
    store_variant(&v, "/a", "X-A: 2", "Vary: X-B\nVary: X-A,x-a");
    assert_true(has(&v, "/a", "X-A: 1") && has(&v, "/a", "X-A: 2"));
    struct cache_stats stats;
    cache_store_stats(v.world.store, &stats);
    assert_int_equal(stats.objects, 2);             /* the marker is none */
    store_variant(&v, "/a", "X-C: 3", "Vary: X-C"); /* the last names count */
    assert_false(has(&v, "/a", "X-A: 1"));
    assert_true(has(&v, "/a", "X-C: 3\nX-A: 9"));
    /* Without the setting nobody sees a marker. */
    v.f.merged.present = 0;
    assert_false(has(&v, "/a", "X-C: 3"));
    varying_release(&v);
}

static void test_purge(void **state)
{
    (void)state;
    struct varying v;
    varying_init(&v);
    const char *const requests[] = {"X-A: 1", "X-A: 2", "X-A: 3"};
    for (size_t i = 0; i < 3; i++) {
        store_variant(&v, "/a", requests[i], "Vary: X-A\nCache-Tag: t");
        store_variant(&v, "/b", requests[i], "Vary: X-A");
    }
    struct cache_place key = place_named(&v.world, "/a");
    struct cache_fill *under_way = begin(&v, "/a", "X-A: 4");
    assert_true(cache_purge_key(v.world.store, &key, CACHE_PURGE_INVALIDATE, NOW_MS));
    assert_true(has(&v, "/a", "X-A: 1"));
    assert_true(cache_purge_key(v.world.store, &key, CACHE_PURGE_REMOVE, NOW_MS));
    ask_with(&v, "X-A: 4");
    answer(&v, under_way, "Vary: X-A"); /* doomed with the others */
    store_variant(&v, "/a", "X-A: 9", "Vary: X-A");
    for (size_t i = 0; i < 3; i++)
        assert_true(!has(&v, "/a", requests[i]) && has(&v, "/b", requests[i]));
    assert_false(has(&v, "/a", "X-A: 4"));
    assert_false(cache_purge_key(v.world.store, &(struct cache_place){.space = v.world.space},
                                 CACHE_PURGE_REMOVE, NOW_MS));
    varying_release(&v);
}

/* Requests that joined before anybody knew find their own place once the head is there. */
static void test_joined(void **state)
{
    (void)state;
    struct varying v;
    varying_init(&v);
    struct cache_fill *fill = begin(&v, "/a", "X-A: 1");
    struct cache_place joined = place_named(&v.world, "/a");
    struct cache_lookup found;
    assert_int_equal(cache_store_begin(v.world.store, &joined, NOW_MS, &found), CACHE_JOIN);
    v.f.response_headers = fixture_headers(&v.f.arena, "Vary: X-A");
    assert_true(cache_variant_settle(fill, &v.f.policy, &v.f.request, &v.f.response_headers));
    head_of(fill, "Vary: X-A", 10, 60);
    struct gw_hash128 hash = cache_fill_object(found.fill)->entry.hash;
    struct cache_place own = locate(&v, "/a");
    assert_true(own.hash.lo == hash.lo && own.hash.hi == hash.hi);
    ask_with(&v, "X-A: 2");
    assert_true(locate(&v, "/a").hash.lo != hash.lo);
    struct cache_lookup late; /* who comes now joins under the variant's place */
    assert_int_equal(cache_store_begin(v.world.store, &own, NOW_MS, &late), CACHE_JOIN);
    cache_fill_unref(late.fill);
    cache_fill_unref(found.fill);
    feed(fill, 0, 0, 10);
    assert_int_equal(cache_fill_finish(fill), 0);
    cache_fill_unref(fill);
    varying_release(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_purge),
        cmocka_unit_test(test_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
