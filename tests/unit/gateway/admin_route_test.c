/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/admin_route.h"

#define GET_BIT  (1u << METHOD_GET)
#define POST_BIT (1u << METHOD_POST)

static void test_find(void **state)
{
    static const struct {
        enum http_method method;
        const char *path;
        const char *want; /* the route's path, or NULL */
        uint32_t allowed;
    } cases[] = {
        {METHOD_GET, "/livez", "/livez", 0},
        {METHOD_HEAD, "/livez", "/livez", 0},
        {METHOD_POST, "/livez", NULL, GET_BIT},
        {METHOD_GET, "/livez/", NULL, 0},
        {METHOD_GET, "/Livez", NULL, 0},
        {METHOD_GET, "livez", NULL, 0},
        {METHOD_GET, "/", "/", 0},
        {METHOD_GET, "/inspector/app.js", "/inspector/:file", 0},
        {METHOD_GET, "/inspector/a/b", NULL, 0},
        {METHOD_GET, "", NULL, 0},
        {METHOD_GET, "/api/clock", "/api/clock", 0},
        {METHOD_GET, "/api/clock/advance", NULL, POST_BIT},
        {METHOD_OTHER, "/api/clock/advance", NULL, POST_BIT},
        {METHOD_POST, "/api/clock/advance", "/api/clock/advance", 0},
        {METHOD_POST, "/client/v4/zones/abc/purge_cache", "/client/v4/zones/:zone/purge_cache", 0},
        {METHOD_DELETE, "/client/v4/zones/abc/purge_cache", NULL, POST_BIT},
        {METHOD_POST, "/client/v4/zones//purge_cache", NULL, 0},
        {METHOD_POST, "/client/v4/zones/a/b/purge_cache", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        uint32_t allowed = 99;
        const struct admin_route *route =
            admin_route_find(cases[i].method, gw_str_z(cases[i].path), &allowed);
        if (cases[i].want) {
            assert_non_null(route);
            assert_string_equal(route->path, cases[i].want);
        } else if (route) {
            fail_msg("%s has a route", cases[i].path);
        } else {
            assert_int_equal(allowed, cases[i].allowed);
        }
    }
}

/* Everything but the probes and the files of the page needs a token. */
static void test_open(void **state)
{
    (void)state;
    for (const struct admin_route *r = admin_routes; r->path; r++) {
        static const char *const open[] = {"/livez", "/readyz", "/", "/inspector/:file"};
        bool is_open = false;
        for (size_t i = 0; i < GW_COUNT(open); i++)
            is_open |= strcmp(r->path, open[i]) == 0;
        assert_int_equal(r->open, is_open);
        assert_non_null(r->handle);
    }
}

static void test_segment(void **state)
{
    static const struct {
        const char *path;
        unsigned n;
        const char *want;
    } cases[] = {{"/a/b/c", 0, "a"}, {"/a/b/c", 2, "c"}, {"/a/b/c", 3, ""},
                 {"/a//c", 1, ""},   {"/", 0, ""},       {"", 0, ""}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        assert_true(gw_str_eq(admin_path_segment(gw_str_z(cases[i].path), cases[i].n),
                              gw_str_z(cases[i].want)));
}

static void assert_answer(struct admin_call *call, unsigned status, const char *body)
{
    assert_int_equal(call->status, status);
    struct gw_str got = gw_str_trim(gw_buf_str(&call->out));
    if (got.len && got.ptr[got.len - 1] == '\n')
        got.len--;
    if (!gw_str_eq(got, gw_str_z(body)))
        fail_msg("%.*s", GW_STR_ARG(got));
}

/* Each audience gets errors in its own form. */
static void test_forms(void **state)
{
    static const struct admin_refusal refusal = {403, 9109, "forbidden", "no \"way\""};
    static const struct {
        const char *path, *body;
    } cases[] = {
        {"/x", "{\"error\":{\"message\":\"no \\\"way\\\"\"}}"},
        {"/client/v4x", "{\"error\":{\"message\":\"no \\\"way\\\"\"}}"},
        {"/api/admin/x",
         "{\"success\":false,\"error\":{\"type\":\"forbidden\",\"message\":\"no \\\"way\\\"\"}}"},
        {"/client/v4/x",
         "{\"result\":null,\"success\":false,\"errors\":[{\"code\":9109,\"message\":"
         "\"no \\\"way\\\"\"}],\"messages\":[]}"},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct admin_call call;
        admin_call_init(&call);
        call.path = gw_str_z(cases[i].path);
        gw_buf_add(&call.out, GW_STR("a half-written answer"));
        admin_refuse(&call, &refusal);
        assert_answer(&call, 403, cases[i].body);
        admin_call_release(&call);
    }
}

static void test_dispatch_errors(void **state)
{
    static const struct {
        const char *method, *path;
        unsigned status;
        const char *lines, *body;
    } cases[] = {
        {"GET", "/nothing", 404, "", "{\"error\":{\"message\":\"Not found\"}}"},
        {"POST", "/livez", 405, "Allow: GET, HEAD\r\n",
         "{\"error\":{\"message\":\"Method not allowed\"}}"},
        {"GET", "/api/admin/rate-limits/reset", 405, "Allow: POST\r\n",
         "{\"success\":false,\"error\":{\"type\":\"method_not_allowed\",\"message\":"
         "\"Method not allowed\"}}"},
        {"DELETE", "/client/v4/zones/z/purge_cache", 405, "Allow: POST\r\n",
         "{\"result\":null,\"success\":false,\"errors\":[{\"code\":7001,\"message\":"
         "\"DELETE not supported for requested URI.\"}],\"messages\":[]}"},
        {"GET", "/client/v4/nope", 404, "",
         "{\"result\":null,\"success\":false,\"errors\":[{\"code\":7003,\"message\":"
         "\"Could not route to /client/v4/nope, perhaps your object identifier is invalid?\"},"
         "{\"code\":7000,\"message\":\"No route for that URI\"}],\"messages\":[]}"},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct h1_message request = {.method = gw_str_z(cases[i].method)};
        struct admin_call call;
        request.method_id = http_method_of(request.method);
        admin_call_init(&call);
        call.request = &request;
        call.path = gw_str_z(cases[i].path);
        assert_int_equal(admin_dispatch(&call), ADMIN_DONE);
        assert_answer(&call, cases[i].status, cases[i].body);
        assert_true(gw_str_eq(gw_buf_str(&call.lines), gw_str_z(cases[i].lines)));
        admin_call_release(&call);
    }
}

static void test_body(void **state)
{
    static const struct {
        const char *text;
        bool object;
    } cases[] = {{"{\"a\":1}", true}, {"{}", true}, {"", false},          {"[]", false},
                 {"1", false},        {"{", false}, {"{\"a\":1}x", false}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct admin_call call;
        admin_call_init(&call);
        gw_buf_add(&call.body, gw_str_z(cases[i].text));
        struct json_doc *doc = admin_body(&call);
        if ((doc != NULL) != cases[i].object)
            fail_msg("%s", cases[i].text);
        json_doc_free(doc);
        admin_call_release(&call);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find),
                                       cmocka_unit_test(test_open),
                                       cmocka_unit_test(test_segment),
                                       cmocka_unit_test(test_forms),
                                       cmocka_unit_test(test_dispatch_errors),
                                       cmocka_unit_test(test_body)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
