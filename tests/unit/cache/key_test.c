/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/key.h"

#include "cache/device.h"
#include "tests/unit/cache/fixture.h"

static struct cache_custom_key custom; /* zero before each case */
static struct gw_str names[4];

static struct cache_names list(const char *a, const char *b)
{
    names[0] = gw_str_z(a);
    names[1] = gw_str_z(b);
    return (struct cache_names){names, b ? 2 : 1};
}
static void use_custom(struct fixture *f)
{
    f->rule.key.custom = &custom;
    fixture_use(f, CACHE_SETTING_CACHE_KEY);
}
static void ignore_order(struct fixture *f)
{
    f->rule.key.ignore_query_order = true;
    fixture_use(f, CACHE_SETTING_CACHE_KEY);
}
static void zone_sorts(struct fixture *f)
{
    f->zone.settings.sort_query_string_for_cache = true;
}
static void exclude_utm(struct fixture *f)
{
    custom.query_mode = CACHE_QUERY_EXCLUDE;
    custom.query = list("utm", NULL);
    use_custom(f);
}
static void include_id(struct fixture *f)
{
    custom.query_mode = CACHE_QUERY_INCLUDE;
    custom.query = list("id", "q");
    use_custom(f);
}
static void exclude_all(struct fixture *f)
{
    custom.query_mode = CACHE_QUERY_NONE;
    use_custom(f);
}
static void presence_x_t(struct fixture *f)
{
    custom.header_presence = list("x-t", NULL);
    use_custom(f);
}
static void include_x_t(struct fixture *f)
{
    custom.header_include = list("x-t", NULL);
    use_custom(f);
}
static void contains_br(struct fixture *f)
{
    static struct cache_named_values contains;
    contains = (struct cache_named_values){GW_STR("accept-encoding"), list("br", NULL)};
    custom.header_contains = &contains;
    custom.header_contains_count = 1;
    use_custom(f);
}
static void cookie_t(struct fixture *f)
{
    custom.cookie_include = list("t", NULL);
    use_custom(f);
}
static void cookie_t_presence(struct fixture *f)
{
    custom.cookie_presence = list("t", NULL);
    use_custom(f);
}
static void without_origin(struct fixture *f)
{
    custom.exclude_origin = true;
    use_custom(f);
}
static void by_language(struct fixture *f)
{
    custom.user_lang = true;
    use_custom(f);
}
static void by_device(struct fixture *f)
{
    f->rule.key.by_device_type = true;
    fixture_use(f, CACHE_SETTING_CACHE_KEY);
}
static void simplified(struct fixture *f)
{
    f->zone.settings.cache_level = CONFIG_CACHE_SIMPLIFIED;
}

#define IPHONE  "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148"
#define DESKTOP "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0"
#define IPAD    "User-Agent: Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) Mobile/15E148"

static const struct {
    const char *vector;
    void (*setup)(struct fixture *);
    const char *query_a, *headers_a, *query_b, *headers_b;
    bool same;
} pairs[] = {
    {"8", NULL, "x=1", "", "x=2", "", false},
    {"16", NULL, "", "User-Agent: A", "", "User-Agent: B", true},
    {"17", NULL, "", "Origin: https://x", "", "", false},
    {"17", NULL, "", "Origin: https://x", "", "Origin: https://x", true},
    {"19", NULL, "", "X-Forwarded-Scheme: https", "", "", true},
    {"19", NULL, "", "X-Forwarded-Scheme: nothttps", "", "", false},
    {"20", NULL, "", "Cache-Control: no-cache", "", "", true},
    {"76", NULL, "", "", "", "Authorization: Basic eA==", true},
    {"2.14", NULL, "", "X-Forwarded-Host: evil", "", "", false},
    {"2.14", NULL, "", "X-Original-URL: /admin", "", "", false},
    {"2.14: every line counts", NULL, "", "X-Host: a\nX-Host: b", "", "X-Host: a", false},
    {"17: every line counts", NULL, "", "Origin: https://x\nOrigin: https://y", "",
     "Origin: https://x", false},
    {"order matters", NULL, "b=1&a=2", "", "a=2&b=1", "", false},
    {"101", ignore_order, "b=1&a=2", "", "a=2&b=1", "", true},
    {"2.14: equal names by value", zone_sorts, "a=2&a=1", "", "a=1&a=2", "", true},
    {"sorting keeps what differs", zone_sorts, "a=2&a=1", "", "a=1&a=1", "", false},
    {"103", exclude_utm, "id=1&utm=a", "", "id=1&utm=b", "", true},
    {"103: the rest counts", exclude_utm, "id=1&utm=a", "", "id=2&utm=a", "", false},
    {"103: whole names", exclude_utm, "id=1&utmx=a", "", "id=1&utmx=b", "", false},
    {"104", exclude_all, "x=1", "", "y=2", "", true},
    {"104: as no query", exclude_all, "x=1", "", "", "", true},
    {"include", include_id, "id=1&z=1", "", "id=1&z=2", "", true},
    {"include", include_id, "id=1", "", "id=2", "", false},
    {"106", presence_x_t, "", "X-T: 1", "", "X-T: 2", true},
    {"106", presence_x_t, "", "X-T: 1", "", "", false},
    {"include a header", include_x_t, "", "X-T: 1", "", "X-T: 2", false},
    {"107", contains_br, "", "Accept-Encoding: gzip, br", "", "Accept-Encoding: br;q=1", true},
    {"107", contains_br, "", "Accept-Encoding: gzip, br", "", "Accept-Encoding: gzip", false},
    {"107: every line counts", contains_br, "", "Accept-Encoding: gzip\nAccept-Encoding: br", "",
     "Accept-Encoding: gzip", false},
    {"109", cookie_t, "", "Cookie: t=a", "", "Cookie: t=b", false},
    {"109", cookie_t, "", "Cookie: t=a", "", "Cookie: t=a; u=1", true},
    {"presence of a cookie", cookie_t_presence, "", "Cookie: t=a", "", "Cookie: t=b", true},
    {"presence of a cookie", cookie_t_presence, "", "Cookie: t=a", "", "Cookie: u=b", false},
    {"110", by_device, "", IPHONE, "", DESKTOP, false},
    {"110", by_device, "", IPHONE, "", IPAD, false},
    {"110", by_device, "", IPAD, "", DESKTOP, false},
    {"4.4", without_origin, "", "Origin: https://x", "", "", true},
    {"4.4", by_language, "", "Accept-Language: de-AT, fr", "", "Accept-Language: de", true},
    {"4.4", by_language, "", "Accept-Language: de", "", "Accept-Language: fr", false},
    {"2.14 simplified", simplified, "x=1", "", "x=2", "", true},
};

static struct gw_hash128 hash_of(struct fixture *f, const char *query, const char *headers)
{
    struct gw_buf key;
    gw_buf_init(&key, CACHE_KEY_MAX);
    f->request_headers = fixture_headers(&f->arena, headers);
    f->request.query = gw_str_z(query);
    cache_key_build(&f->request, &f->policy, &key);
    assert_false(key.overflow);
    struct gw_hash128 hash = cache_key_hash(&key);
    gw_buf_release(&key);
    return hash;
}

static bool equal(struct gw_hash128 a, struct gw_hash128 b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

static void test_who_shares_an_object(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(pairs); i++) {
        struct fixture f;
        fixture_init(&f);
        custom = (struct cache_custom_key){0};
        if (pairs[i].setup)
            pairs[i].setup(&f);
        struct gw_hash128 a = hash_of(&f, pairs[i].query_a, pairs[i].headers_a);
        struct gw_hash128 b = hash_of(&f, pairs[i].query_b, pairs[i].headers_b);
        if (equal(a, b) != pairs[i].same)
            fail_msg("vector %s, pair %zu", pairs[i].vector, i);
        fixture_release(&f);
    }
}

/* Vector 154 (scheme towards the origin), and what else stands beside the URL. */
static void test_place_and_scheme(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct gw_hash128 plain = hash_of(&f, "", "");
    f.request.origin_https = true;
    assert_false(equal(plain, hash_of(&f, "", "")));
    f.request.origin_https = false;
    f.request.edge = GW_STR("AMS");
    assert_false(equal(plain, hash_of(&f, "", "")));
    f.request.edge = GW_STR("FRA");
    f.request.host = GW_STR("www.example.com");
    assert_false(equal(plain, hash_of(&f, "", "")));
    f.request.host = GW_STR("example.com");
    f.request.port = 443;
    assert_true(equal(plain, hash_of(&f, "", "")));
    f.request.port = 8443;
    assert_false(equal(plain, hash_of(&f, "", "")));
    f.request.port = 80;
    f.request.method = METHOD_HEAD; /* vector 13: a HEAD is served from what a GET stored */
    assert_true(equal(plain, hash_of(&f, "", "")));
    fixture_release(&f);
}

static void test_text_of_a_key(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_buf key;
    fixture_init(&f);
    gw_buf_init(&key, CACHE_KEY_MAX);
    f.request_headers = fixture_headers(&f.arena, "X-T: 1\nOrigin: https://x");
    f.request.query = GW_STR("b=1&a=2");
    custom = (struct cache_custom_key){0};
    include_x_t(&f);
    ignore_order(&f);
    cache_key_build(&f.request, &f.policy, &key);
    const char *expected = "zone=0123456789abcdef0123456789abcdef\n"
                           "edge=FRA\n"
                           "url=http://example.com/a.css?a=2&b=1\n"
                           "Origin=https://x\n"
                           "header:x-t=1\n";
    assert_true(gw_str_eq(gw_buf_str(&key), gw_str_z(expected)));
    gw_buf_release(&key);
    fixture_release(&f);
}

/* More parameters than the stack holds. */
static void test_long_queries(void **state)
{
    (void)state;
    struct gw_buf query, out;
    gw_buf_init(&query, 1 << 16);
    gw_buf_init(&out, 1 << 16);
    for (unsigned i = 0; i < 1000; i++)
        gw_buf_printf(&query, "%sp%03u=x", i ? "&" : "", 999 - i);
    cache_key_query(gw_buf_str(&query), true, NULL, &out);
    assert_int_equal(out.len, query.len);
    assert_true(gw_str_starts(gw_buf_str(&out), GW_STR("p000=x&p001=x&")));
    assert_true(gw_str_ends(gw_buf_str(&out), GW_STR("&p999=x")));
    gw_buf_release(&query);
    gw_buf_release(&out);
}

static void test_devices(void **state)
{
    (void)state;
    static const struct {
        const char *agent;
        enum cache_device device;
    } agents[] = {
        {IPHONE, CACHE_DEVICE_MOBILE},
        {IPAD, CACHE_DEVICE_TABLET},
        {DESKTOP, CACHE_DEVICE_DESKTOP},
        {"", CACHE_DEVICE_DESKTOP},
        {"Mozilla/5.0 (Linux; Android 13; Pixel 7) Chrome/116.0 Mobile Safari/537.36",
         CACHE_DEVICE_MOBILE},
        {"Mozilla/5.0 (Linux; Android 13; SM-X906C) Chrome/116.0 Safari/537.36",
         CACHE_DEVICE_TABLET},
        {"Opera/9.80 (Windows  CE)", CACHE_DEVICE_MOBILE},
        {"WindowsCE", CACHE_DEVICE_DESKTOP},
        {"Mozilla/5.0 (BB10; Touch) Version/10 Mobile", CACHE_DEVICE_TABLET},
        {"Mozilla/5.0 BB10 Touch Mobile", CACHE_DEVICE_MOBILE},
        {"bbc reader", CACHE_DEVICE_DESKTOP},
        {"Silk/1.0", CACHE_DEVICE_TABLET},
        {"KAIOS/2.5", CACHE_DEVICE_MOBILE},
        {"android mobile", CACHE_DEVICE_TABLET}, /* the pattern wants something in between */
    };
    for (size_t i = 0; i < GW_COUNT(agents); i++)
        if (cache_device_of(gw_str_z(agents[i].agent)) != agents[i].device)
            fail_msg("%s", agents[i].agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_shares_an_object),
        cmocka_unit_test(test_place_and_scheme),
        cmocka_unit_test(test_text_of_a_key),
        cmocka_unit_test(test_long_queries),
        cmocka_unit_test(test_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
