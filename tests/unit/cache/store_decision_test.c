/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/store_decision.h"

#include "tests/unit/cache/fixture.h"

static void edge_ttl(struct fixture *f, enum cache_ttl_mode mode, uint64_t seconds)
{
    rule_cache_on(f);
    f->rule.edge_ttl.mode = mode;
    f->rule.edge_ttl.seconds = seconds;
    fixture_use(f, CACHE_SETTING_EDGE_TTL);
}
static void override_7200(struct fixture *f)
{
    edge_ttl(f, CACHE_TTL_OVERRIDE_ORIGIN, 7200);
}
static void override_0(struct fixture *f)
{
    edge_ttl(f, CACHE_TTL_OVERRIDE_ORIGIN, 0);
}
static void bypass_by_default(struct fixture *f)
{
    edge_ttl(f, CACHE_TTL_BYPASS_BY_DEFAULT, 0);
}
static void statuses(struct fixture *f, const struct cache_status_ttl *list, size_t count)
{
    edge_ttl(f, CACHE_TTL_RESPECT_ORIGIN, 0);
    f->rule.edge_ttl.statuses = list;
    f->rule.edge_ttl.status_count = count;
}
static void status_200_7200(struct fixture *f)
{
    static const struct cache_status_ttl list[] = {{200, 200, true, 7200}};
    statuses(f, list, 1);
}
static void status_5xx_never(struct fixture *f)
{
    static const struct cache_status_ttl list[] = {{500, 999, false, -1}};
    statuses(f, list, 1);
}
static void status_overlap(struct fixture *f)
{
    static const struct cache_status_ttl list[] = {
        {400, 499, false, 10}, {404, 410, false, 20}, {404, 404, true, 30}};
    statuses(f, list, 3);
}
static void status_0(struct fixture *f)
{
    static const struct cache_status_ttl list[] = {{200, 200, true, 0}};
    statuses(f, list, 1);
}
static void armor(struct fixture *f)
{
    f->rule.key.deception_armor = true;
    fixture_use(f, CACHE_SETTING_CACHE_KEY);
}
static void armor_and_override(struct fixture *f)
{
    override_7200(f);
    armor(f);
}
static void vary_bypass(struct fixture *f)
{
    static const struct cache_vary_header list[] = {
        {.name = GW_STR("accept"), .action = CACHE_VARY_NORMALIZE}};
    f->rule.vary.fallback = CACHE_VARY_BYPASS;
    f->rule.vary.headers = list;
    f->rule.vary.count = 1;
    fixture_use(f, CACHE_SETTING_VARY);
}
static void vary_bypass_and_override(struct fixture *f)
{
    override_7200(f);
    vary_bypass(f);
}
static void occ_off_cache_on(struct fixture *f)
{
    occ_off(f);
    rule_cache_on(f);
}
static void occ_by_rule(struct fixture *f)
{
    occ_off(f);
    f->rule.origin_cache_control = true;
    fixture_use(f, CACHE_SETTING_ORIGIN_CACHE_CONTROL);
}
static void occ_rule_on_free(struct fixture *f)
{
    f->rule.origin_cache_control = false;
    fixture_use(f, CACHE_SETTING_ORIGIN_CACHE_CONTROL);
}

#define AUTH      "Authorization: Basic eDp5"
#define COOKIE    "\nSet-Cookie: s=1"
#define UNLIMITED CACHE_SIE_UNLIMITED
#define NO        0, 0, 0
#define HTML      "Content-Type: text/html; charset=utf-8"

static const struct decision_case {
    const char *vector; /* of section 11, or what it shows */
    const char *request;
    int status;
    const char *response;
    void (*setup)(struct fixture *);
    bool store;
    enum cache_reason reason;
    uint32_t ttl_s, swr_s, sie_s;
    bool strips_cookie;
} cases[] = {
    {"1", "", 200, "", NULL, true, CACHE_REASON_DEFAULT_TTL, 7200, 0, UNLIMITED, false},
    {"26", "", 200, "Cache-Control: max-age=60", NULL, true, CACHE_REASON_MAX_AGE, 60, 0, UNLIMITED,
     false},
    {"28", "", 200, "Cache-Control: s-maxage=120, max-age=10", NULL, true, CACHE_REASON_S_MAXAGE,
     120, 0, 0, false},
    {"29", "", 200, "Cache-Control: no-store", NULL, false, CACHE_REASON_NO_STORE, NO, false},
    {"29 without OCC", "", 200, "Cache-Control: no-store, max-age=9", occ_off, false,
     CACHE_REASON_NO_STORE, NO, false},
    {"private", "", 200, "Cache-Control: private, max-age=60", NULL, false, CACHE_REASON_PRIVATE,
     NO, false},
    {"31", "", 200, "Cache-Control: private=\"X-Foo\", max-age=60\nX-Foo: 1", NULL, true,
     CACHE_REASON_MAX_AGE, 60, 0, UNLIMITED, false},
    {"32", "", 200, "Cache-Control: private=\"Set-Cookie\", max-age=60" COOKIE, NULL, true,
     CACHE_REASON_MAX_AGE, 60, 0, UNLIMITED, true},
    {"no-cache=set-cookie", "", 200, "Cache-Control: no-cache=\"set-cookie\", max-age=60" COOKIE,
     NULL, true, CACHE_REASON_MAX_AGE, 60, 0, UNLIMITED, true},
    {"34", "", 200, "Cache-Control: no-cache", NULL, true, CACHE_REASON_NO_CACHE, 0, 0, 0, false},
    {"no-cache beats max-age", "", 200, "Cache-Control: no-cache, max-age=60", NULL, true,
     CACHE_REASON_NO_CACHE, 0, 0, 0, false},
    {"no-cache without OCC", "", 200, "Cache-Control: no-cache", occ_off, false,
     CACHE_REASON_NO_CACHE, NO, false},
    {"OCC by rule", "", 200, "Cache-Control: no-cache", occ_by_rule, true, CACHE_REASON_NO_CACHE, 0,
     0, 0, false},
    {"OCC stays on below enterprise", "", 200, "Cache-Control: no-cache", occ_rule_on_free, true,
     CACHE_REASON_NO_CACHE, 0, 0, 0, false},
    {"35", "", 200, "Cache-Control: max-age=0\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT", NULL,
     true, CACHE_REASON_MAX_AGE, 0, 0, UNLIMITED, false},
    {"35 without OCC", "", 200, "Cache-Control: max-age=0", occ_off, false, CACHE_REASON_ZERO_TTL,
     NO, false},
    {"s-maxage=0 without OCC", "", 200, "Cache-Control: max-age=9, s-maxage=0", occ_off, false,
     CACHE_REASON_ZERO_TTL, NO, false},
    {"37", "", 200, "Cache-Control: public", NULL, true, CACHE_REASON_DEFAULT_TTL, 7200, 0,
     UNLIMITED, false},
    {"38", "", 500, "", NULL, false, CACHE_REASON_STATUS_UNCACHED, NO, false},
    {"39", "", 500, "Cache-Control: max-age=60", NULL, true, CACHE_REASON_MAX_AGE, 60, 0, UNLIMITED,
     false},
    {"40", "", 404, "", NULL, true, CACHE_REASON_DEFAULT_TTL, 180, 0, UNLIMITED, false},
    {"41", "", 301, "", NULL, true, CACHE_REASON_DEFAULT_TTL, 7200, 0, UNLIMITED, false},
    {"41", "", 302, "", NULL, true, CACHE_REASON_DEFAULT_TTL, 1200, 0, UNLIMITED, false},
    {"41", "", 303, "", NULL, true, CACHE_REASON_DEFAULT_TTL, 1200, 0, UNLIMITED, false},
    {"43", "", 410, "", NULL, true, CACHE_REASON_DEFAULT_TTL, 180, 0, UNLIMITED, false},
    {"44", "", 200, "Expires: Tue, 14 Nov 2023 22:15:00 GMT", NULL, true, CACHE_REASON_EXPIRES, 100,
     0, UNLIMITED, false},
    {"45", "", 200, "Expires: Tue, 14 Nov 2023 22:13:00 GMT\nETag: \"x\"", NULL, true,
     CACHE_REASON_EXPIRES, 0, 0, UNLIMITED, false},
    {"46", "", 200, "Expires: 0", NULL, true, CACHE_REASON_EXPIRES, 0, 0, UNLIMITED, false},
    {"46 without OCC", "", 200, "Expires: 0", occ_off, false, CACHE_REASON_ZERO_TTL, NO, false},
    {"two Expires", "", 200, "Expires: 0\nExpires: 0", NULL, true, CACHE_REASON_DEFAULT_TTL, 7200,
     0, UNLIMITED, false},
    {"47", "", 200, "Cache-Control: max-age=60\nExpires: Tue, 14 Nov 2023 22:13:00 GMT", NULL, true,
     CACHE_REASON_MAX_AGE, 60, 0, UNLIMITED, false},
    {"49", "", 200, "Cache-Control: max-age=abc", NULL, true, CACHE_REASON_DEFAULT_TTL, 7200, 0,
     UNLIMITED, false},
    {"49", "", 200, "Cache-Control: max-age=-5", NULL, true, CACHE_REASON_DEFAULT_TTL, 7200, 0,
     UNLIMITED, false},
    {"50", "", 200, "Cache-Control: max-age=60\nAge: 50", NULL, true, CACHE_REASON_MAX_AGE, 60, 0,
     UNLIMITED, false},
    {"52", "", 200, "Cache-Control: max-age=10, stale-if-error=60", NULL, true,
     CACHE_REASON_MAX_AGE, 10, 0, 60, false},
    {"53", "", 200, "Cache-Control: max-age=10, stale-if-error=0", NULL, true, CACHE_REASON_MAX_AGE,
     10, 0, 0, false},
    {"55", "", 200, "Cache-Control: max-age=10, stale-while-revalidate=30", NULL, true,
     CACHE_REASON_MAX_AGE, 10, 30, UNLIMITED, false},
    {"58", "", 200, "Cache-Control: max-age=10, must-revalidate, stale-while-revalidate=30", NULL,
     true, CACHE_REASON_MAX_AGE, 10, 0, 0, false},
    {"58 without OCC", "", 200,
     "Cache-Control: max-age=10, must-revalidate, stale-while-revalidate=30", occ_off, true,
     CACHE_REASON_MAX_AGE, 10, 30, UNLIMITED, false},
    {"proxy-revalidate", "", 200, "Cache-Control: max-age=10, proxy-revalidate, stale-if-error=5",
     NULL, true, CACHE_REASON_MAX_AGE, 10, 0, 0, false},
    {"60", "", 200, "Cache-Control: no-cache, stale-while-revalidate=30", NULL, true,
     CACHE_REASON_NO_CACHE, 0, 0, 0, false},
    {"61", "", 200, "Cache-Control: public, max-age=3600\nCDN-Cache-Control: no-store", NULL, false,
     CACHE_REASON_NO_STORE, NO, false},
    {"62", "", 200, "Cache-Control: no-store\nCDN-Cache-Control: max-age=60", NULL, true,
     CACHE_REASON_MAX_AGE, 60, 0, UNLIMITED, false},
    {"Cloudflare's own comes first", "", 200,
     "CDN-Cache-Control: max-age=60\nCloudflare-CDN-Cache-Control: max-age=7", NULL, true,
     CACHE_REASON_MAX_AGE, 7, 0, UNLIMITED, false},
    {"RFC 9213: an empty field is passed over", "", 200,
     "Cache-Control: max-age=60\nCDN-Cache-Control:\nCloudflare-CDN-Cache-Control:", NULL, true,
     CACHE_REASON_MAX_AGE, 60, 0, UNLIMITED, false},
    {"64", "", 200, "CDN-Cache-Control: no-cache\nETag: \"x\"", NULL, true, CACHE_REASON_NO_CACHE,
     0, 0, 0, false},
    {"64 without OCC", "", 200, "CDN-Cache-Control: no-cache", occ_off, true, CACHE_REASON_NO_CACHE,
     0, 0, UNLIMITED, false},
    {"65", "", 200, "CDN-Cache-Control: max-age=60\nExpires: 0", NULL, true, CACHE_REASON_MAX_AGE,
     60, 0, UNLIMITED, false},
    {"66", "", 200, "Cache-Control: max-age=60\nSurrogate-Control:", NULL, true,
     CACHE_REASON_DEFAULT_TTL, 7200, 0, UNLIMITED, false},
    {"67", "", 200, "Cache-Control: max-age=60" COOKIE, NULL, false, CACHE_REASON_SET_COOKIE, NO,
     false},
    {"68", "", 200, "Cache-Control: max-age=60" COOKIE, occ_off, true, CACHE_REASON_MAX_AGE, 60, 0,
     UNLIMITED, true},
    {"2.4: cache:true without OCC", "", 200, "Cache-Control: max-age=60" COOKIE, occ_off_cache_on,
     false, CACHE_REASON_SET_COOKIE, NO, false},
    {"70", "", 200, "Cache-Control: no-store" COOKIE, override_7200, true, CACHE_REASON_EDGE_TTL,
     7200, 0, UNLIMITED, true},
    {"71", "", 200, "X: 1" COOKIE, status_200_7200, true, CACHE_REASON_STATUS_TTL, 7200, 0,
     UNLIMITED, true},
    {"73", AUTH, 200, "Cache-Control: max-age=60", NULL, false, CACHE_REASON_AUTHORIZATION, NO,
     false},
    {"74", AUTH, 200, "Cache-Control: public, max-age=60", NULL, true, CACHE_REASON_MAX_AGE, 60, 0,
     UNLIMITED, false},
    {"74", AUTH, 200, "Cache-Control: s-maxage=60", NULL, true, CACHE_REASON_S_MAXAGE, 60, 0, 0,
     false},
    {"74", AUTH, 200, "Cache-Control: must-revalidate, max-age=60", NULL, true,
     CACHE_REASON_MAX_AGE, 60, 0, 0, false},
    {"77", AUTH, 200, "Cache-Control: max-age=60", occ_off, true, CACHE_REASON_MAX_AGE, 60, 0,
     UNLIMITED, false},
    {"78", AUTH, 200, "Cache-Control: max-age=60", override_7200, true, CACHE_REASON_EDGE_TTL, 7200,
     0, UNLIMITED, true},
    {"85", "", 200, "", bypass_by_default, false, CACHE_REASON_BYPASS_BY_DEFAULT, NO, false},
    {"86", "", 200, "Cache-Control: max-age=60", bypass_by_default, true, CACHE_REASON_MAX_AGE, 60,
     0, UNLIMITED, false},
    {"87", "", 200, "Expires: Tue, 14 Nov 2023 22:15:00 GMT", bypass_by_default, true,
     CACHE_REASON_EXPIRES, 100, 0, UNLIMITED, false},
    {"public is no TTL", "", 200, "Cache-Control: public", bypass_by_default, false,
     CACHE_REASON_BYPASS_BY_DEFAULT, NO, false},
    {"88", "", 200, "Cache-Control: private, no-store", override_7200, true, CACHE_REASON_EDGE_TTL,
     7200, 0, UNLIMITED, true},
    {"89", "", 200, "ETag: \"x\"", override_0, true, CACHE_REASON_EDGE_TTL, 0, 0, UNLIMITED, true},
    {"91", "", 503, "Cache-Control: max-age=60", status_5xx_never, false,
     CACHE_REASON_STATUS_NO_STORE, NO, false},
    {"4.3: exact code first", "", 404, "", status_overlap, true, CACHE_REASON_STATUS_TTL, 30, 0,
     UNLIMITED, true},
    {"4.3: then the first range", "", 410, "", status_overlap, true, CACHE_REASON_STATUS_TTL, 10, 0,
     UNLIMITED, true},
    {"4.3: others follow the origin", "", 200, "Cache-Control: max-age=5", status_overlap, true,
     CACHE_REASON_MAX_AGE, 5, 0, UNLIMITED, false},
    {"4.2: 0 means verify", "", 200, "Cache-Control: max-age=5", status_0, true,
     CACHE_REASON_STATUS_TTL, 0, 0, UNLIMITED, true},
    {"94", "", 500, "", override_7200, true, CACHE_REASON_EDGE_TTL, 7200, 0, UNLIMITED, true},
    {"95", "", 200, "Cache-Control: must-revalidate, max-age=5, stale-while-revalidate=30",
     override_7200, true, CACHE_REASON_EDGE_TTL, 7200, 30, UNLIMITED, true},
    {"112", "", 200, HTML, armor, false, CACHE_REASON_DECEPTION, NO, false},
    {"113", "", 200, HTML "\nCache-Control: max-age=60", armor, true, CACHE_REASON_MAX_AGE, 60, 0,
     UNLIMITED, false},
    {"2.12: a rule lifts it", "", 200, HTML, armor_and_override, true, CACHE_REASON_EDGE_TTL, 7200,
     0, UNLIMITED, true},
    {"2.12: octet-stream", "", 200, "Content-Type: application/octet-stream", armor, true,
     CACHE_REASON_DEFAULT_TTL, 7200, 0, UNLIMITED, false},
    {"2.12: webp", "", 200, "Content-Type: image/webp", armor, true, CACHE_REASON_DEFAULT_TTL, 7200,
     0, UNLIMITED, false},
    {"115", "", 200, "Cache-Control: max-age=60\nVary: Accept-Language", NULL, true,
     CACHE_REASON_MAX_AGE, 60, 0, UNLIMITED, false},
    {"116", "", 200, "Cache-Control: max-age=60\nVary: Accept\nVary: X, *", override_7200, false,
     CACHE_REASON_VARY_ALL, NO, false},
    {"a part", "", 206, "Cache-Control: max-age=60\nContent-Range: bytes 0-8/10", override_7200,
     false, CACHE_REASON_PARTIAL, NO, false},
    {"a part from the middle", "", 206, "Content-Range: bytes 1-9/10", NULL, false,
     CACHE_REASON_PARTIAL, NO, false},
    {"a part of the unknown", "", 206, "Content-Range: bytes 0-9/*", NULL, false,
     CACHE_REASON_PARTIAL, NO, false},
    {"several parts", "", 206, "Content-Type: Multipart/ByteRanges; boundary=x", NULL, false,
     CACHE_REASON_PARTIAL, NO, false},
    {"a part that is the whole", "", 206, "Content-Range: bytes 0-9/10", NULL, true,
     CACHE_REASON_DEFAULT_TTL, 7200, 0, UNLIMITED, false},
    {"119", "", 200, "Cache-Control: max-age=60\nVary: User-Agent", vary_bypass, false,
     CACHE_REASON_VARY_BYPASS, NO, false},
    {"119 and a rule", "", 200, "Vary: User-Agent", vary_bypass_and_override, false,
     CACHE_REASON_VARY_BYPASS, NO, false},
    {"119, another action", "", 200, "Cache-Control: max-age=60\nVary: Accept", vary_bypass, true,
     CACHE_REASON_MAX_AGE, 60, 0, UNLIMITED, false},
    {"157", "", 200, "Cache-Control: max-age=0, stale-while-revalidate=60", NULL, true,
     CACHE_REASON_MAX_AGE, 0, 60, UNLIMITED, false},
    {"2.9: a 304 nobody asked for", "", 304, "Cache-Control: max-age=60", override_7200, false,
     CACHE_REASON_STATUS_UNCACHED, NO, false},
    {"2.6: capped", "", 200, "Cache-Control: max-age=99999999999", NULL, true, CACHE_REASON_MAX_AGE,
     INT32_MAX, 0, UNLIMITED, false},
    {"2.6: fraction", "", 200, "Cache-Control: max-age=60.9", NULL, true, CACHE_REASON_MAX_AGE, 60,
     0, UNLIMITED, false},
};

static void check(const struct decision_case *c, const struct cache_decision *d)
{
    enum cache_status status = c->store ? CACHE_STATUS_MISS : CACHE_STATUS_BYPASS;
    if (d->store != c->store || d->reason != c->reason)
        fail_msg("vector %s: store %d, %.*s", c->vector, d->store,
                 GW_STR_ARG(cache_reason_text(d->reason)));
    if (d->status != status || d->life.ttl_s != c->ttl_s || d->life.swr_s != c->swr_s ||
        d->life.sie_s != c->sie_s)
        fail_msg("vector %s: %.*s ttl %u swr %u sie %u", c->vector,
                 GW_STR_ARG(cache_status_name(d->status)), d->life.ttl_s, d->life.swr_s,
                 d->life.sie_s);
    if (d->strip_set_cookie != c->strips_cookie)
        fail_msg("vector %s: Set-Cookie", c->vector);
}

static void test_section_1_3(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const struct decision_case *c = &cases[i];
        struct fixture f;
        fixture_init(&f);
        f.request.path = GW_STR("/x.jpg");
        f.request_headers = fixture_headers(&f.arena, c->request);
        f.response_headers = fixture_headers(&f.arena, c->response);
        if (c->setup)
            c->setup(&f);
        struct cache_response response = {.status = (uint16_t)c->status,
                                          .headers = &f.response_headers};
        struct cache_decision d;
        cache_decide(&f.policy, &f.request, &response, false, NOW_MS, &d);
        check(c, &d);
        fixture_release(&f);
    }
}

struct outcome {
    struct fixture f;
    struct cache_response response;
    struct cache_decision d;
};

static void decide(struct outcome *o, bool had_object)
{
    cache_decide(&o->f.policy, &o->f.request, &o->response, had_object, NOW_MS, &o->d);
}

static void outcome_init(struct outcome *o, int status, const char *headers)
{
    fixture_init(&o->f);
    o->f.response_headers = fixture_headers(&o->f.arena, headers);
    o->response =
        (struct cache_response){.status = (uint16_t)status, .headers = &o->f.response_headers};
}

static void test_expired_when_there_was_an_object(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, 200, "Cache-Control: max-age=60");
    decide(&o, true);
    assert_int_equal(o.d.status, CACHE_STATUS_EXPIRED);
    fixture_release(&o.f);
    outcome_init(&o, 200, "Cache-Control: no-store");
    decide(&o, true);
    assert_int_equal(o.d.status, CACHE_STATUS_BYPASS);
    fixture_release(&o.f);
}

/* Vector 144. */
static void test_edge_errors_are_never_stored(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, 521, "Cache-Control: max-age=60");
    override_7200(&o.f);
    o.response.edge_made = true;
    decide(&o, false);
    assert_false(o.d.store);
    assert_int_equal(o.d.status, CACHE_STATUS_NONE);
    fixture_release(&o.f);
}

static void test_too_large(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, 200, "Cache-Control: max-age=60");
    o.response.length_known = true;
    o.response.body_len = o.f.policy.object_max;
    decide(&o, false);
    assert_true(o.d.store);
    o.response.body_len++;
    decide(&o, false);
    assert_false(o.d.store);
    assert_int_equal(o.d.reason, CACHE_REASON_TOO_LARGE);
    fixture_release(&o.f);
}

/* Section 2.9: status_code_ttl for 304 if set, else the one for the stored status (vector 92). */
static void test_ttl_of_a_confirmed_object(void **state)
{
    (void)state;
    static const struct cache_status_ttl both[] = {{200, 200, true, 3600}, {304, 304, true, 5}};
    for (size_t count = 1; count <= 2; count++) {
        struct outcome o;
        outcome_init(&o, 200, "ETag: \"x\"");
        statuses(&o.f, both, count);
        o.response.revalidated = true;
        decide(&o, true);
        assert_true(o.d.store);
        assert_int_equal(o.d.life.ttl_s, count == 1 ? 3600 : 5);
        fixture_release(&o.f);
    }
}

static void test_fields_to_drop(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, 200, "Cache-Control: private=\"X-A, X-B\", no-cache=\"X-C\", max-age=60");
    decide(&o, false);
    assert_true(o.d.store);
    assert_int_equal(o.d.drop_count, 3);
    assert_true(gw_str_eq(o.d.drop[0], GW_STR("X-A")));
    assert_true(gw_str_eq(o.d.drop[2], GW_STR("X-C")));
    fixture_release(&o.f);
    outcome_init(&o, 200, "Cache-Control: private=\"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\"");
    decide(&o, false);
    assert_false(o.d.store);
    fixture_release(&o.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_section_1_3),
        cmocka_unit_test(test_expired_when_there_was_an_object),
        cmocka_unit_test(test_edge_errors_are_never_stored),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_ttl_of_a_confirmed_object),
        cmocka_unit_test(test_fields_to_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
