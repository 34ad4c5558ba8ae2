/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct limiter_policy *parse(const char *text, struct gw_diags *diags)
{
    gw_diags_init(diags);
    return limiter_policy_parse(&(struct gw_source){"limiters.json", gw_str_z(text)}, diags);
}

static struct limiter_policy *parse_good(const char *text)
{
    struct gw_diags diags;
    struct limiter_policy *policy = parse(text, &diags);
    if (!policy || diags.warnings)
        gw_diags_print(&diags, stderr, false);
    assert_non_null(policy);
    assert_int_equal(diags.warnings, 0);
    gw_diags_release(&diags);
    return policy;
}

static void assert_name(const struct limiter_policy *policy, enum http_method method,
                        const char *path, const char *name)
{
    const struct limiter_route *route = limiter_policy_match(policy, method, gw_str_z(path));
    if (!name) {
        assert_null(route);
        return;
    }
    assert_non_null(route);
    assert_true(
        gw_str_eq(route->limiter ? route->limiter->name : GW_STR("exempt"), gw_str_z(name)));
}

static void the_first_route_that_fits_wins(void **state)
{
    (void)state;
    struct limiter_policy *policy = parse_good(
        "{ // comments are welcome\n"
        "\"limiters\": [{\"name\": \"aiGenerate\", \"limit\": 15, \"window_ms\": 60000,"
        "  \"store\": \"durable_object\", \"key\": \"${ip}:${user}\", \"mode\": \"enforce\"},"
        " {\"name\": \"api\", \"limit\": 30, \"window_ms\": 60000, \"store\": \"memory\"}],"
        "\"routes\": [{\"methods\": [\"POST\"], \"path\": \"/api/ai-image/generate\","
        "   \"limiter\": \"aiGenerate\", \"csrf\": true},"
        " {\"path\": \"/api/health\", \"limiter\": null},"
        " {\"methods\": [\"GET\", \"POST\"], \"path\": \"/api/user/logout\","
        "   \"limiter\": \"api\", \"origin_check\": false,"
        "   \"redirect\": \"/login?error=rate_limit\"},"
        " {\"path\": \"/api/*\", \"limiter\": \"api\"}]}");
    assert_name(policy, METHOD_POST, "/api/ai-image/generate", "aiGenerate");
    assert_name(policy, METHOD_GET, "/api/ai-image/generate", "api");
    assert_name(policy, METHOD_OTHER, "/api/health", "exempt");
    assert_name(policy, METHOD_OTHER, "/api/other", "api");
    assert_name(policy, METHOD_GET, "/static/app.js", NULL);

    const struct limiter_route *ai =
        limiter_policy_match(policy, METHOD_POST, GW_STR("/api/ai-image/generate"));
    assert_true(ai->csrf && ai->origin_check && ai->redirect.len == 0);
    const struct limiter_route *logout =
        limiter_policy_match(policy, METHOD_GET, GW_STR("/api/user/logout"));
    assert_true(!logout->csrf && !logout->origin_check);
    assert_true(gw_str_eq(logout->redirect_head, GW_STR("Location: /login?error=rate_limit\r\n")));

    size_t count;
    assert_ptr_equal(limiter_policy_limiters(policy, &count),
                     limiter_policy_find(policy, GW_STR("aiGenerate")));
    assert_int_equal(count, 2);
    const struct limiter *api = limiter_policy_find(policy, GW_STR("api"));
    assert_int_equal(api->rule.limit, 30);
    assert_int_equal(api->store, LIMITER_MEMORY);
    assert_int_equal(api->mode, LIMITER_ENFORCE);
    assert_int_equal(api->kv.cache_ttl_s, -1);
    assert_null(limiter_policy_find(policy, GW_STR("none")));
    limiter_policy_routes(policy, &count);
    assert_int_equal(count, 4);
    limiter_policy_unref(limiter_policy_ref(policy));
    limiter_policy_unref(policy);
}

#define ONE "{\"name\":\"api\",\"limit\":5,\"window_ms\":1000}"

static const struct {
    const char *text;
    unsigned line, column;
    const char *part;
} errors[] = {
    {"[]", 1, 1, "a limiters file is an object"},
    {"{}", 1, 1, "\"limiters\" is missing"},
    {"{\"limiters\":{}}", 1, 13, "must be an array, not an object"},
    {"{\"limiters\":[7]}", 1, 14, "limiters are objects, not a number"},
    {"{\"limiters\":[],\n\"rutes\":[]}", 2, 1, "did you mean \"routes\"?"},
    {"{\"limiters\":[{\"limit\":1,\"window_ms\":1}]}", 1, 14, "\"name\" is missing"},
    {"{\"limiters\":[{\"name\":\"a:b\",\"limit\":1,\"window_ms\":1}]}", 1, 22, "letters, digits"},
    {"{\"limiters\":[{\"name\":\"\",\"limit\":1,\"window_ms\":1}]}", 1, 22, "1 to 64"},
    {"{\"limiters\":[{\"name\":\"a\",\"window_ms\":1}]}", 1, 14, "\"limit\" is missing"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":0,\"window_ms\":1}]}", 1, 34,
     "whole number from 1 to"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1.5,\"window_ms\":1}]}", 1, 34, "whole number"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":2678400001}]}", 1, 48,
     "whole number"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\"windo_ms\":1}]}", 1, 50,
     "did you mean \"window_ms\"?"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\"store\":\"memry\"}]}", 1, 58,
     "did you mean \"memory\"?"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\"mode\":true}]}", 1, 57,
     "must be a string, not true or false"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\n\"key\":\"${ip}:${usr}\"}]}", 2,
     16, "did you mean ${user}?"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\"store\":\"kv\",\n"
     "\"kv\":{\"cache_ttl_s\":29}}]}",
     2, 21, "from 30 to"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":30000,\"store\":\"binding\"}]}", 1,
     48, "a binding counts over 10000 or 60000 ms"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\"store\":\"kv\",\n"
     "\"kv\":{\"clamp_ttl\":0}}]}",
     2, 19, "must be true or false"},
    {"{\"limiters\":[" ONE ",\n" ONE "]}", 2, 9, "there is a limiter \"api\" already"},
    {"{\"limiters\":[" ONE "],\n\"routes\":[{\"path\":\"/a\",\"limiter\":\"apj\"}]}", 2, 34,
     "there is no limiter \"apj\"; did you mean \"api\"?"},
    {"{\"limiters\":[" ONE "],\n\"routes\":[{\"path\":\"/a\"}]}", 2, 11, "\"limiter\" is missing"},
    {"{\"limiters\":[" ONE "],\n\"routes\":[{\"limiter\":\"api\"}]}", 2, 11, "\"path\" is missing"},
    {"{\"limiters\":[" ONE "],\n\"routes\":[{\"path\":\"/a/*/b\",\"limiter\":\"api\"}]}", 2, 23,
     "only at the end"},
    {"{\"limiters\":[" ONE "],\n\"routes\":[{\"methods\":[\"get\"],\"path\":\"/a\","
     "\"limiter\":\"api\"}]}",
     2, 23, "upper case"},
    {"{\"limiters\":[" ONE "],\n\"routes\":[{\"methods\":[],\"path\":\"/a\",\"limiter\":\"api\"}]}",
     2, 22, "no method is listed"},
    {"{\"limiters\":[" ONE "],\n\"routes\":[{\"path\":\"/a\",\"limiter\":\"api\","
     "\"redirect\":\"/x\\r\\nA: b\"}]}",
     2, 51, "without spaces"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\n\"compare\":\"kv\"}]}", 2, 11,
     "must be an array, not a string"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\n\"compare\":[]}]}", 2, 11,
     "leave \"compare\" out"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\n\"compare\":[\"memroy\"]}]}", 2,
     12, "did you mean \"memory\"?"},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\n\"compare\":[7]}]}", 2, 12,
     "unknown store in \"compare\""},
    {"{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":3600000,\n"
     "\"compare\":[\"kv\",\"binding\"]}]}",
     1, 48, "a binding counts over 10000 or 60000 ms"},
    {"{\"limiters\":[],\n\"allowed_origins\":[\"https://a.example\",\"https://a.example/\"]}", 2,
     40, "an origin is a scheme and a host"},
    {"{\"limiters\":[],\n\"allowed_origins\":[\"a.example\"]}", 2, 20, "an origin is a scheme"},
    {"{\"limiters\":[],\n\"allowed_origins\":[1]}", 2, 20, "an origin is a scheme"},
};

static void errors_say_where_and_what(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(errors); i++) {
        struct gw_diags diags;
        assert_null(parse(errors[i].text, &diags));
        const struct gw_diag *first = &diags.items[0];
        if (diags.count != 1 || first->line != errors[i].line ||
            first->column != errors[i].column || !strstr(first->message, errors[i].part)) {
            print_error("%s\n", errors[i].text);
            gw_diags_print(&diags, stderr, false);
            fail();
        }
        gw_diags_release(&diags);
    }
}

static void limiters_may_compare_stores(void **state)
{
    (void)state;
    struct limiter_policy *policy =
        parse_good("{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":60000,\"compare\":"
                   "[\"memory\",\"kv\",\"durable_object\",\"binding\"],\"kv\":{\"read_ms\":5}}],"
                   "\"routes\":[{\"path\":\"/a\",\"limiter\":\"a\",\"limiter_first\":true}],"
                   "\"allowed_origins\":[\"https://a.example\",\"http://[::1]:8080\"]}");
    assert_int_equal(limiter_policy_find(policy, GW_STR("a"))->compare, 15);
    size_t count;
    assert_true(gw_str_eq(limiter_policy_origins(policy, &count)[1], GW_STR("http://[::1]:8080")));
    assert_int_equal(count, 2);
    assert_true(limiter_policy_routes(policy, &count)->limiter_first);
    limiter_policy_unref(policy);
}

static void all_errors_come_at_once(void **state)
{
    (void)state;
    struct gw_diags diags;
    assert_null(parse("{\"limiters\":[{\"name\":\"a\",\"limit\":0,\"window_ms\":0,\"x\":1}],"
                      "\"routes\":[{\"path\":\"a\",\"limiter\":\"b\"}]}",
                      &diags));
    assert_int_equal(diags.errors, 5);
    gw_diags_release(&diags);
    assert_null(limiter_policy_load("/nonexistent/limiters.json", "limiters.json", &diags));
    assert_int_equal(diags.errors, 1);
    gw_diags_release(&diags);
}

static void assert_warns(const char *text, size_t count, unsigned line, const char *part)
{
    struct gw_diags diags;
    struct limiter_policy *policy = parse(text, &diags);
    assert_non_null(policy);
    assert_int_equal(diags.warnings, count);
    if (count) {
        assert_int_equal(diags.items[0].line, line);
        assert_non_null(strstr(diags.items[0].message, part));
    }
    gw_diags_release(&diags);
    limiter_policy_unref(policy);
}

static void doubts_are_warnings(void **state)
{
    (void)state;
    assert_warns("{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\n\"store\":\"kv\","
                 "\"kv\":{\"negative_cache\":false,\"write_limit\":\"off\"}},"
                 "{\"name\":\"b\",\"limit\":1,\"window_ms\":10000,\"store\":\"binding\"}]}",
                 0, 0, "");
    assert_warns(
        "{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\n\"store\":\"memory\","
        "\"kv\":{\"read_ms\":5}}]}",
        1, 2, "\"kv\" has no effect: this limiter's store is \"memory\"");
    assert_warns("{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\"mode\":\"off\",\n"
                 "\"compare\":[\"kv\"]}]}",
                 1, 2, "nothing is compared");
    assert_warns("{\"limiters\":[{\"name\":\"a\",\"limit\":1,\"window_ms\":1,\n"
                 "\"compare\":[\"kv\",\"memory\",\"kv\"]}]}",
                 1, 2, "named already");
    assert_warns("{\"limiters\":[" ONE
                 "],\n\"routes\":[{\"path\":\"/api/*\",\"limiter\":\"api\"},\n"
                 "{\"path\":\"/api/x/:id\",\"limiter\":\"api\"}]}",
                 1, 3, "never reached: \"/api/*\" in line 2");
    assert_warns("{\"limiters\":[" ONE "],\"routes\":["
                 "{\"methods\":[\"GET\"],\"path\":\"/api/*\",\"limiter\":\"api\"},"
                 "{\"path\":\"/api/x\",\"limiter\":\"api\"}]}",
                 0, 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_route_that_fits_wins),
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(limiters_may_compare_stores),
        cmocka_unit_test(all_errors_come_at_once),
        cmocka_unit_test(doubts_are_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
