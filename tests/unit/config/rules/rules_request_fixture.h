/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A browser's request for the tests of this folder, and one call to compile and evaluate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rules/expr.h"
#include "gateway/http/headers.h"

struct fixture {
    struct gw_arena arena;
    struct headers headers, response_headers;
    struct rules_request request;
    struct expr_options options;
};

static inline void add(struct headers *h, struct gw_str name, struct gw_str value)
{
    assert_true(headers_add(h, name, value));
}

static inline void fixture_init(struct fixture *f)
{
    gw_arena_init(&f->arena, NULL, 0, 4 << 20);
    headers_init(&f->headers, &f->arena, 100);
    headers_init(&f->response_headers, &f->arena, 100);
    rules_request_init(&f->request, &f->arena);
    f->options = (struct expr_options){.plan = CONFIG_PLAN_ENTERPRISE};
    add(&f->headers, GW_STR("Host"), GW_STR("ci.hub-evolution.com"));
    add(&f->headers, GW_STR("Cookie"), GW_STR("theme=dark; a%20b=1; theme=light; empty="));
    add(&f->headers, GW_STR("X-Role"), GW_STR("user"));
    add(&f->headers, GW_STR("X-Role"), GW_STR("Admin"));
    f->request.method = GW_STR("GET");
    f->request.host = GW_STR("ci.hub-evolution.com");
    f->request.path = GW_STR("/de/Kurse/index.HTML");
    f->request.query = GW_STR("a=1&b=&a=2&c");
    f->request.raw_path = GW_STR("/de/Kurse/./index.HTML");
    f->request.https = true;
    f->request.headers = &f->headers;
    f->request.country = GW_STR("DE");
    f->request.asnum = 64500;
    f->request.edge_port = 443;
    f->request.wall_ms = 1767225600123;
    assert_true(gw_ip_parse(GW_STR("203.0.113.7"), &f->request.client_ip));
}

static inline void fixture_release(struct fixture *f)
{
    gw_arena_clear(&f->arena);
}

static inline bool fixture_eval(struct fixture *f, const char *text)
{
    struct expr_error err;
    struct expr *e = expr_compile(gw_str_z(text), &f->options, &err);
    if (!e)
        fail_msg("%s: %s", text, err.reason);
    bool value = expr_eval(e, &f->request);
    expr_free(e);
    return value;
}

struct truth {
    const char *text;
    bool value;
};
static inline void fixture_check(struct fixture *f, const struct truth *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fixture_eval(f, cases[i].text) != cases[i].value)
            fail_msg("%s is not %s", cases[i].text, cases[i].value ? "true" : "false");
    }
}
