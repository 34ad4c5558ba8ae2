/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/freshness.h"

#include "tests/unit/cache/store_fixture.h"

static struct cache_object *object_with(struct world *w, const char *fields,
                                        struct cache_lifetime life)
{
    struct gw_buf text;
    struct cache_place place = place_named(w, "/a");
    struct cache_object_parts parts = parts_with(fields, 0, life, &text);
    struct cache_object *o = cache_object_new(&place, 0, &parts);
    gw_buf_release(&text);
    return o;
}

static void no_swr(struct fixture *f)
{
    f->rule.disable_stale_while_updating = true;
    fixture_use(f, CACHE_SETTING_SERVE_STALE);
}
static void always_online(struct fixture *f)
{
    f->zone.settings.always_online = true;
}

#define UNLIMITED  CACHE_SIE_UNLIMITED
#define S(seconds) ((uint64_t)(seconds)*1000)

static const struct {
    const char *vector;
    struct cache_lifetime life;
    void (*setup)(struct fixture *);
    uint64_t after_ms;
    enum cache_freshness expected;
} ages[] = {
    {"26", {60, 0, UNLIMITED}, NULL, 0, CACHE_FRESH},
    {"26", {60, 0, UNLIMITED}, NULL, S(30), CACHE_FRESH},
    {"26: at age = TTL", {60, 0, UNLIMITED}, NULL, S(60), CACHE_FRESH},
    {"26", {60, 0, UNLIMITED}, NULL, S(61), CACHE_STALE_VERIFY},
    {"40", {180, 0, UNLIMITED}, NULL, S(179), CACHE_FRESH},
    {"40", {180, 0, UNLIMITED}, NULL, S(181), CACHE_STALE_VERIFY},
    {"35: TTL 0 in the same instant", {0, 0, UNLIMITED}, NULL, 0, CACHE_STALE_VERIFY},
    {"55", {10, 30, UNLIMITED}, NULL, S(11), CACHE_STALE_SERVE},
    {"55: last moment", {10, 30, UNLIMITED}, NULL, S(40), CACHE_STALE_SERVE},
    {"56", {10, 30, UNLIMITED}, NULL, S(45), CACHE_STALE_VERIFY},
    {"59", {10, 30, UNLIMITED}, no_swr, S(11), CACHE_STALE_VERIFY},
    {"2.9.4", {10, 30, UNLIMITED}, always_online, S(11), CACHE_STALE_VERIFY},
    {"157", {0, 60, UNLIMITED}, NULL, 0, CACHE_STALE_SERVE},
};

static void test_ages(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, MIB);
    for (size_t i = 0; i < GW_COUNT(ages); i++) {
        struct fixture f;
        fixture_init(&f);
        if (ages[i].setup)
            ages[i].setup(&f);
        struct cache_object *o = object_with(&w, "", ages[i].life);
        if (cache_freshness(o, &f.policy, NOW_MS + ages[i].after_ms) != ages[i].expected)
            fail_msg("vector %s, case %zu", ages[i].vector, i);
        cache_object_unref(o);
        fixture_release(&f);
    }
    world_release(&w);
}

static const struct {
    const char *vector;
    uint32_t sie_s;
    void (*setup)(struct fixture *);
    enum cache_failure failure;
    uint64_t after_ms;
    bool expected;
} failures[] = {
    {"52", 60, NULL, CACHE_FAILED_SERVER_ERROR, S(11), true},
    {"52", 60, NULL, CACHE_FAILED_SERVER_ERROR, S(80), false},
    {"53", UNLIMITED, NULL, CACHE_FAILED_TO_REACH, S(11), true},
    {"53: for ever", UNLIMITED, NULL, CACHE_FAILED_SERVER_ERROR, S(1000000), true},
    {"53", 0, NULL, CACHE_FAILED_TO_REACH, S(11), false},
    {"2.9.4", 0, always_online, CACHE_FAILED_TO_REACH, S(11), true},
    {"2.9.4", UNLIMITED, always_online, CACHE_FAILED_SERVER_ERROR, S(11), false},
};

static void test_failures(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, MIB);
    for (size_t i = 0; i < GW_COUNT(failures); i++) {
        struct fixture f;
        fixture_init(&f);
        if (failures[i].setup)
            failures[i].setup(&f);
        struct cache_object *o =
            object_with(&w, "", (struct cache_lifetime){10, 0, failures[i].sie_s});
        if (cache_may_serve_stale(o, &f.policy, failures[i].failure,
                                  NOW_MS + failures[i].after_ms) != failures[i].expected)
            fail_msg("vector %s, case %zu", failures[i].vector, i);
        cache_object_unref(o);
        fixture_release(&f);
    }
    world_release(&w);
}

/* Vectors 139, 140, 158: windows start at the invalidation. */
static void test_invalidation(void **state)
{
    (void)state;
    struct world w;
    struct fixture f;
    world_init(&w, MIB);
    fixture_init(&f);
    struct cache_object *o = object_with(&w, "", (struct cache_lifetime){60, 20, 30});
    cache_object_invalidate(o, NOW_MS + S(40));
    assert_int_equal(cache_freshness(o, &f.policy, NOW_MS + S(40)), CACHE_STALE_SERVE);
    assert_int_equal(cache_freshness(o, &f.policy, NOW_MS + S(60)), CACHE_STALE_VERIFY);
    assert_true(cache_may_serve_stale(o, &f.policy, CACHE_FAILED_SERVER_ERROR, NOW_MS + S(45)));
    assert_false(cache_may_serve_stale(o, &f.policy, CACHE_FAILED_SERVER_ERROR, NOW_MS + S(70)));
    cache_object_invalidate(o, NOW_MS + S(69)); /* stale already: nothing is prolonged */
    assert_false(cache_may_serve_stale(o, &f.policy, CACHE_FAILED_SERVER_ERROR, NOW_MS + S(70)));
    cache_object_unref(o);
    fixture_release(&f);
    world_release(&w);
}

static void test_age(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, MIB);
    struct cache_object *o = object_with(&w, "", (struct cache_lifetime){60, 0, 0});
    assert_int_equal(cache_age_s(o, NOW_MS), 0);
    assert_int_equal(cache_age_s(o, NOW_MS + 59999), 59);
    assert_int_equal(cache_age_s(o, NOW_MS - 5000), 0); /* a clock that went back */
    cache_object_unref(o);
    world_release(&w);
}

static void test_validators(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *etag, *last_modified;
    } cases[] = {
        {"ETag: W/\"x\"\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT", "W/\"x\"",
         "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", "", "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"", "", ""}, /* 10.8: its own Last-Modified is for browsers only */
    };
    struct world w;
    world_init(&w, MIB);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct cache_object *o = object_with(&w, cases[i].fields, (struct cache_lifetime){0});
        struct cache_validators v = cache_validators(o);
        assert_true(gw_str_eq(v.if_none_match, gw_str_z(cases[i].etag)));
        assert_true(gw_str_eq(v.if_modified_since, gw_str_z(cases[i].last_modified)));
        cache_object_unref(o);
    }
    world_release(&w);
}

static bool has(const struct headers *h, const char *name, const char *value)
{
    size_t at = 0;
    const struct gw_str *found = headers_find_next(h, gw_str_z(name), &at);
    return found && gw_str_eq(*found, gw_str_z(value)) &&
           !headers_find_next(h, gw_str_z(name), &at);
}

static void test_merge_304(void **state)
{
    (void)state;
    struct world w;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 0);
    world_init(&w, MIB);
    struct cache_object *o = object_with(
        &w,
        "ETag: \"x\"\nCache-Control: max-age=5\nX-A: old\nX-B: kept\nCache-Tag: t\nServer: s\n"
        "Date: Tue, 14 Nov 2023 22:00:00 GMT\nCloudflare-CDN-Cache-Control: max-age=9",
        (struct cache_lifetime){0});
    struct headers fresh =
        fixture_headers(&arena, "Cache-Control: max-age=7\nX-A: new\nContent-Length: 3\n"
                                "Date: Tue, 14 Nov 2023 23:00:00 GMT\nSet-Cookie: s=1\n"
                                "Connection: X-B\nX-B: hop");
    struct headers merged;
    headers_init(&merged, &arena, 100);
    assert_true(cache_merge_304(o, &fresh, &merged));
    assert_true(has(&merged, "Cache-Control", "max-age=7"));
    assert_true(has(&merged, "Cloudflare-CDN-Cache-Control", "max-age=9"));
    assert_true(has(&merged, "Date", "Tue, 14 Nov 2023 23:00:00 GMT"));
    assert_true(has(&merged, "ETag", "\"x\""));
    assert_true(has(&merged, "X-A", "new"));
    assert_true(has(&merged, "X-B", "kept"));
    assert_true(has(&merged, "Cache-Tag", "t"));
    assert_true(has(&merged, "Server", "s"));
    assert_true(has(&merged, "Content-Length", "0"));
    assert_false(headers_has(&merged, HEADER_SET_COOKIE));
    headers_init(&merged, &arena, 3);
    assert_false(cache_merge_304(o, &fresh, &merged));
    cache_object_unref(o);
    world_release(&w);
    gw_arena_clear(&arena);
}

static void test_304_fits(void **state)
{
    (void)state;
    static const struct {
        const char *stored, *fresh;
        bool fits;
    } cases[] = {
        {"ETag: \"x\"", "ETag: \"x\"", true},    {"ETag: \"x\"", "ETag: \"y\"", false},
        {"ETag: W/\"x\"", "ETag: \"x\"", true},  {"ETag: \"x\"", "ETag: W/\"x\"", true},
        {"ETag: \"x\"", "ETag: W/\"y\"", false}, {"ETag: \"x\"", "X-A: 1", true},
        {"ETag: \"x\"", "ETag: without", true},  {"X-A: 1", "ETag: \"y\"", true},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct world w;
        struct gw_arena arena;
        gw_arena_init(&arena, NULL, 0, 0);
        world_init(&w, MIB);
        struct cache_object *o = object_with(&w, cases[i].stored, (struct cache_lifetime){0});
        struct headers fresh = fixture_headers(&arena, cases[i].fresh);
        if (cache_304_fits(o, &fresh) != cases[i].fits)
            fail_msg("%s and %s", cases[i].stored, cases[i].fresh);
        cache_object_unref(o);
        world_release(&w);
        gw_arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ages),         cmocka_unit_test(test_failures),
        cmocka_unit_test(test_invalidation), cmocka_unit_test(test_age),
        cmocka_unit_test(test_validators),   cmocka_unit_test(test_merge_304),
        cmocka_unit_test(test_304_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
