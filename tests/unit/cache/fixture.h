/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the cache tests share: a zone on the free plan without browser TTL, one rule that a test
 * fills in, and headers from text ("Name: value" lines). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/request.h"

#define NOW_MS ((uint64_t)1700000000 * 1000) /* Tue, 14 Nov 2023 22:13:20 GMT */

struct fixture {
    struct gw_arena arena;
    struct config_zone zone;
    struct cache_settings rule; /* fixture_use makes the merged view of it */
    struct cache_settings_merged merged;
    struct cache_policy policy;
    struct headers request_headers, response_headers;
    struct cache_request request;
};

static inline struct headers fixture_headers(struct gw_arena *arena, const char *text)
{
    struct headers h;
    struct gw_str rest = gw_str_z(text), line;
    headers_init(&h, arena, 100);
    while (rest.len && gw_str_next(&rest, '\n', &line)) {
        size_t colon = gw_str_chr(line, ':');
        assert_true(
            headers_add(&h, gw_str_first(line, colon), gw_str_trim(gw_str_from(line, colon + 1))));
    }
    return h;
}

static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    gw_arena_init(&f->arena, NULL, 0, 0);
    f->zone = (struct config_zone){.name = GW_STR("example.com"),
                                   .id = GW_STR("0123456789abcdef0123456789abcdef"),
                                   .plan = CONFIG_PLAN_FREE};
    f->zone.settings.origin_cache_control = true;
    f->policy = (struct cache_policy){
        .zone = &f->zone, .rules = &f->merged, .object_max = 512 * 1000 * 1000};
    f->request_headers = fixture_headers(&f->arena, "");
    f->response_headers = fixture_headers(&f->arena, "");
    f->request = (struct cache_request){.method = METHOD_GET,
                                        .edge = GW_STR("FRA"),
                                        .host = GW_STR("example.com"),
                                        .path = GW_STR("/a.css"),
                                        .port = 80,
                                        .headers = &f->request_headers};
}

static inline void fixture_release(struct fixture *f)
{
    gw_arena_clear(&f->arena);
}

static inline void fixture_use(struct fixture *f, enum cache_setting key)
{
    f->rule.present |= 1u << key;
    cache_settings_merge(&f->merged, &f->rule, 0);
}

/* Settings that many vectors name. */
static inline void rule_cache_on(struct fixture *f)
{
    f->rule.cache = true;
    fixture_use(f, CACHE_SETTING_CACHE);
}
static inline void rule_cache_off(struct fixture *f)
{
    f->rule.cache = false;
    fixture_use(f, CACHE_SETTING_CACHE);
}
static inline void occ_off(struct fixture *f)
{
    f->zone.plan = CONFIG_PLAN_ENTERPRISE;
    f->zone.settings.origin_cache_control = false;
}
