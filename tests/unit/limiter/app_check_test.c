/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/app_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/arena.h"

static struct limiter_policy *policy_new(void)
{
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct limiter_policy *policy = limiter_policy_parse(
        &(struct gw_source){"limiters.json",
                            GW_STR("{\"limiters\": [], \"routes\": [],"
                                   " \"allowed_origins\": [\"https://partner.example\"]}")},
        &diags);
    gw_diags_release(&diags);
    assert_non_null(policy);
    return policy;
}

struct sent {
    const char *origin, *referer, *token, *cookie, *type;
};

static void fill(struct headers *h, struct gw_arena *arena, const struct sent *sent)
{
    gw_arena_init(arena, NULL, 0, 0);
    headers_init(h, arena, 8);
    const struct {
        const char *name, *value;
    } fields[] = {{"origin", sent->origin},
                  {"referer", sent->referer},
                  {"x-csrf-token", sent->token},
                  {"cookie", sent->cookie},
                  {"content-type", sent->type}};
    for (size_t i = 0; i < GW_COUNT(fields); i++)
        if (fields[i].value)
            assert_true(headers_add(h, gw_str_z(fields[i].name), gw_str_z(fields[i].value)));
}

static void routes_check_origin_and_token(void **state)
{
    (void)state;
    static const char own[] = "https://app.example";
    static const struct {
        struct sent sent;
        enum app_check open, checked, token; /* by route */
    } cases[] = {
        {{0}, APP_CHECK_PASSES, APP_CHECK_NO_ORIGIN, APP_CHECK_NO_ORIGIN},
        {{.origin = own}, APP_CHECK_PASSES, APP_CHECK_PASSES, APP_CHECK_TOKEN},
        {{.origin = "https://partner.example"},
         APP_CHECK_PASSES,
         APP_CHECK_PASSES,
         APP_CHECK_TOKEN},
        {{.origin = "https://app.example.evil"},
         APP_CHECK_PASSES,
         APP_CHECK_ORIGIN,
         APP_CHECK_ORIGIN},
        {{.origin = "https://evil.example", .referer = own},
         APP_CHECK_PASSES,
         APP_CHECK_ORIGIN,
         APP_CHECK_ORIGIN},
        {{.referer = "https://app.example/a?b"},
         APP_CHECK_PASSES,
         APP_CHECK_PASSES,
         APP_CHECK_TOKEN},
        {{.referer = "/a"}, APP_CHECK_PASSES, APP_CHECK_ORIGIN, APP_CHECK_ORIGIN},
        {{.origin = own, .token = "t", .cookie = "a=b; csrf_token=t"},
         APP_CHECK_PASSES,
         APP_CHECK_PASSES,
         APP_CHECK_PASSES},
        {{.origin = own, .token = "", .cookie = "csrf_token="},
         APP_CHECK_PASSES,
         APP_CHECK_PASSES,
         APP_CHECK_TOKEN},
    };
    struct limiter_policy *policy = policy_new();
    const struct limiter_route open = {0}, checked = {.origin_check = true},
                               token = {.origin_check = true, .csrf = true};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_arena arena;
        struct headers h;
        fill(&h, &arena, &cases[i].sent);
        struct app_request r = {METHOD_POST, &h, gw_str_z(own)};
        assert_int_equal(app_check_route(policy, &open, &r), cases[i].open);
        assert_int_equal(app_check_route(policy, &checked, &r), cases[i].checked);
        assert_int_equal(app_check_route(policy, &token, &r), cases[i].token);
        r.method = METHOD_GET;
        assert_int_equal(app_check_route(policy, &token, &r), APP_CHECK_PASSES);
        gw_arena_clear(&arena);
    }
    limiter_policy_unref(policy);
}

static void the_framework_checks_forms(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum app_check check;
    } cases[] = {{"application/json", APP_CHECK_PASSES},
                 {"multipart/form-data; boundary=x", APP_CHECK_FORM},
                 {"Text/Plain", APP_CHECK_FORM},
                 {"application/x-www-form-urlencoded", APP_CHECK_FORM},
                 {NULL, APP_CHECK_FORM}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_arena arena;
        struct headers h;
        fill(&h, &arena,
             &(struct sent){.type = cases[i].type, .origin = "https://partner.example"});
        struct app_request r = {METHOD_PUT, &h, GW_STR("https://app.example")};
        assert_int_equal(app_check_form(&r), cases[i].check);
        r.own_origin = GW_STR("https://partner.example");
        assert_int_equal(app_check_form(&r), APP_CHECK_PASSES);
        gw_arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(routes_check_origin_and_token),
                                       cmocka_unit_test(the_framework_checks_forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
