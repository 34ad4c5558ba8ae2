/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/relate.h"

#include "tests/unit/config/rules/rules_request_fixture.h"

static struct expr *compile(const struct fixture *f, const char *text)
{
    struct expr_error err;
    struct expr *e = expr_compile(gw_str_z(text), &f->options, &err);
    if (!e)
        fail_msg("%s: %s", text, err.reason);
    return e;
}

enum { IMPLIES = 1, EXCLUDES = 2, NEITHER = 0 };

static int relation(const struct expr *a, const struct expr *b)
{
    struct relate r = {0};
    return relate_implies(&r, a->root, b->root) * IMPLIES +
           relate_excludes(&r, a->root, b->root) * EXCLUDES;
}

static void conditions_are_compared(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int expected;
    } cases[] = {
        {"ssl", "true", IMPLIES},
        {"ssl", "ssl", IMPLIES},
        {"ssl", "not ssl", EXCLUDES},
        {"http.host eq \"a\"", "http.host eq  \"a\"", IMPLIES},
        {"http.host eq \"a\"", "http.host eq \"b\"", EXCLUDES},
        {"http.host eq \"a\"", "http.host in {\"b\" \"a\"}", IMPLIES},
        {"http.host in {\"a\" \"b\"}", "http.host in {\"c\" \"b\" \"a\"}", IMPLIES},
        {"http.host in {\"a\" \"b\"}", "http.host in {\"b\" \"c\"}", NEITHER},
        {"http.host in {\"a\" \"b\"}", "http.host in {\"c\" \"d\"}", EXCLUDES},
        {"http.host eq \"a\"", "http.host ne \"b\"", IMPLIES},
        {"http.host ne \"a\"", "http.host ne \"b\"", NEITHER},
        {"http.host eq \"a\"", "http.host ne \"a\"", EXCLUDES},
        {"http.host eq \"a.b\"", "http.host matches \"^a[.]b$\"", IMPLIES},
        {"http.host eq \"a.c\"", "http.host matches \"^a[.]b$\"", EXCLUDES},
        {"http.host matches \"^a\"", "http.host matches \"^a\"", IMPLIES},
        {"http.host matches \"^a\"", "http.host matches \"^ab\"", NEITHER},
        {"starts_with(http.request.uri.path, \"/a/\")", "starts_with(http.request.uri.path, \"/\")",
         IMPLIES},
        {"starts_with(http.request.uri.path, \"/a\")",
         "starts_with(http.request.uri.path, \"/a/\")", NEITHER},
        {"starts_with(http.request.uri.path, \"/a\")", "starts_with(http.request.uri.path, \"/b\")",
         EXCLUDES},
        {"starts_with(http.request.uri.path, \"/a/\")", "http.request.uri.path contains \"a/\"",
         IMPLIES},
        {"starts_with(http.request.uri.path, \"/a\")", "http.request.uri.path eq \"/b\"", EXCLUDES},
        {"starts_with(http.request.uri.path, \"/a\")", "http.request.uri.path wildcard \"/A*\"",
         IMPLIES},
        {"starts_with(http.request.uri.path, \"/a\")",
         "http.request.uri.path strict wildcard \"/A*\"", NEITHER},
        {"http.request.uri.path strict wildcard \"/a/*.js\"",
         "starts_with(http.request.uri.path, \"/a\")", IMPLIES},
        {"http.request.uri.path wildcard \"/a/*\"", "starts_with(http.request.uri.path, \"/a\")",
         NEITHER},
        {"ends_with(http.request.uri.path, \".js\")", "ends_with(http.request.uri.path, \"s\")",
         IMPLIES},
        {"ends_with(http.request.uri.path, \".js\")", "ends_with(http.request.uri.path, \".css\")",
         EXCLUDES},
        {"http.request.uri.path contains \"abc\"", "http.request.uri.path contains \"b\"", IMPLIES},
        {"http.request.uri.path eq \"/a\"", "http.request.uri.query eq \"/a\"", NEITHER},
        {"ip.geoip.country eq \"DE\"", "ip.src.country in {\"DE\" \"FR\"}", IMPLIES},
        {"lower(http.host) eq \"a\"", "http.host eq \"a\"", NEITHER},
        {"cf.edge.server_port eq 443", "cf.edge.server_port gt 442", IMPLIES},
        {"cf.edge.server_port gt 9", "cf.edge.server_port ge 10", IMPLIES},
        {"cf.edge.server_port lt 10", "cf.edge.server_port in {0..20}", NEITHER},
        {"cf.edge.server_port in {1..3 8}", "cf.edge.server_port in {0..4 7..9}", IMPLIES},
        {"cf.edge.server_port le 10", "cf.edge.server_port gt 10", EXCLUDES},
        {"ip.src in {10.1.0.0/16}", "ip.src in {10.0.0.0/8}", IMPLIES},
        {"ip.src in {10.0.0.0/8}", "ip.src in {10.1.0.0/16}", NEITHER},
        {"ip.src in {10.0.0.0/8}", "ip.src in {::/0}", EXCLUDES},
        {"ip.src eq 10.0.0.1", "ip.src ne 10.0.0.2", IMPLIES},
        {"any(http.request.headers[\"x\"][*] eq \"a\")",
         "any(http.request.headers[\"x\"][*] in {\"a\" \"b\"})", IMPLIES},
        {"any(http.request.headers[\"x\"][*] eq \"a\")",
         "any(http.request.headers[\"x\"][*] eq \"b\")", NEITHER},
        {"any(http.request.headers[\"x\"][*] eq \"a\")",
         "all(http.request.headers[\"x\"][*] eq \"a\")", NEITHER},
        {"http.request.headers[\"x\"][0] ne \"a\"", "http.request.headers[\"x\"][0] ne \"a\"",
         IMPLIES},
        {"not http.request.headers[\"x\"][0] eq \"a\"", "http.request.headers[\"x\"][0] ne \"a\"",
         NEITHER}, /* absent: true and false */
        {"ssl and http.host eq \"a\"", "http.host eq \"a\"", IMPLIES},
        {"http.host eq \"a\"", "ssl and http.host eq \"a\"", NEITHER},
        {"http.host eq \"a\" and ssl", "ssl and http.host in {\"a\" \"b\"}", IMPLIES},
        {"ssl", "ssl or http.host eq \"a\"", IMPLIES},
        {"ssl or http.host eq \"a\"", "ssl", NEITHER},
        {"http.host eq \"a\" or http.host eq \"b\"", "http.host in {\"a\" \"b\"}", IMPLIES},
        {"http.host eq \"a\" or http.host eq \"b\"", "http.host in {\"c\" \"d\"}", EXCLUDES},
        {"not http.host in {\"a\" \"b\"}", "not http.host eq \"a\"", IMPLIES},
        {"http.host eq \"c\"", "not http.host in {\"a\" \"b\"}", IMPLIES},
        {"not ssl", "ssl and http.host eq \"a\"", EXCLUDES},
        {"ssl xor http.host eq \"a\"", "ssl xor http.host eq \"a\"", IMPLIES},
        {"ssl xor http.host eq \"a\"", "ssl", NEITHER},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct expr *a = compile(&f, cases[i].a), *b = compile(&f, cases[i].b);
        if (relation(a, b) != cases[i].expected)
            fail_msg("%s — %s: %d", cases[i].a, cases[i].b, relation(a, b));
        expr_free(a);
        expr_free(b);
    }
    fixture_release(&f);
}

/* With "ne" true on absent values nothing may be concluded about the value. */
static void an_absent_value_satisfies_ne_by_setting(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.options.missing_ne = true;
    struct expr *a = compile(&f, "http.request.headers[\"x\"][0] ne \"a\"");
    struct expr *b = compile(&f, "http.request.headers[\"x\"][0] ne \"a\" or ssl");
    struct expr *c = compile(&f, "not http.request.headers[\"x\"][0] eq \"a\"");
    assert_int_equal(relation(a, b), IMPLIES);
    assert_int_equal(relation(a, c), IMPLIES);
    expr_free(a);
    expr_free(b);
    expr_free(c);
    fixture_release(&f);
}

/* What is claimed must hold for every request there is; a pool of conditions and requests that
 * share few values finds what does not. */
static const char *const pool[] = {
    "ssl",
    "not ssl",
    "http.host eq \"a\"",
    "http.host ne \"a\"",
    "http.host in {\"a\" \"b\"}",
    "not http.host in {\"b\" \"ab\"}",
    "http.host contains \"a\"",
    "starts_with(http.host, \"a\")",
    "ends_with(http.host, \"b\")",
    "http.host matches \"^a\"",
    "http.host wildcard \"A*\"",
    "http.host strict wildcard \"a*\"",
    "http.host gt \"a\"",
    "ip.src.asnum lt 2",
    "ip.src.asnum ge 2",
    "ip.src.asnum in {1 3..4}",
    "ip.src.asnum & 1",
    "http.request.headers[\"x\"][0] eq \"a\"",
    "http.request.headers[\"x\"][0] ne \"a\"",
    "not http.request.headers[\"x\"][0] ne \"a\"",
    "any(http.request.headers[\"x\"][*] eq \"a\")",
    "all(http.request.headers[\"x\"][*] in {\"a\" \"b\"})",
    "any(not http.request.headers[\"x\"][*] eq \"a\")",
    "len(http.request.headers[\"x\"]) ge 1",
    "ssl and http.host eq \"a\"",
    "ssl or http.host eq \"a\"",
    "ssl xor http.host eq \"a\"",
    "(ssl and http.host eq \"a\") or (not ssl and http.host eq \"b\")",
    "not (ssl or http.host eq \"a\")",
    "http.host eq \"a\" and ip.src.asnum eq 1",
};

static void check_request(struct fixture *f, struct expr *const *exprs,
                          int relations[GW_COUNT(pool)][GW_COUNT(pool)])
{
    bool values[GW_COUNT(pool)];
    for (size_t i = 0; i < GW_COUNT(pool); i++)
        values[i] = expr_eval(exprs[i], &f->request);
    for (size_t i = 0; i < GW_COUNT(pool); i++)
        for (size_t k = 0; k < GW_COUNT(pool); k++) {
            if (relations[i][k] & IMPLIES && values[i] && !values[k])
                fail_msg("%s does not imply %s", pool[i], pool[k]);
            if (relations[i][k] & EXCLUDES && values[i] && values[k])
                fail_msg("%s does not exclude %s", pool[i], pool[k]);
        }
}

static void check_all_requests(bool missing_ne)
{
    static const char *const texts[] = {"", "a", "b", "ab", "A"};
    static const char *const headers[] = {NULL, "", "a", "b", "c"};
    static int relations[GW_COUNT(pool)][GW_COUNT(pool)];
    struct expr *exprs[GW_COUNT(pool)];
    struct fixture f;
    fixture_init(&f);
    f.options.missing_ne = missing_ne;
    for (size_t i = 0; i < GW_COUNT(pool); i++)
        exprs[i] = compile(&f, pool[i]);
    for (size_t i = 0; i < GW_COUNT(pool); i++)
        for (size_t k = 0; k < GW_COUNT(pool); k++)
            relations[i][k] = relation(exprs[i], exprs[k]);
    for (unsigned n = 0; n < 2 * 5 * 5 * 5 * 5; n++) {
        struct headers h;
        headers_init(&h, &f.arena, 10);
        for (unsigned i = 0, rest = n / 50; i < 2; i++, rest /= 5)
            if (headers[rest % 5])
                add(&h, GW_STR("x"), gw_str_z(headers[rest % 5]));
        rules_request_init(&f.request, &f.arena);
        f.request.https = n % 2;
        f.request.host = gw_str_z(texts[n / 2 % 5]);
        f.request.asnum = n / 10 % 5;
        f.request.headers = &h;
        check_request(&f, exprs, relations);
    }
    for (size_t i = 0; i < GW_COUNT(pool); i++)
        expr_free(exprs[i]);
    fixture_release(&f);
}

static void nothing_false_is_claimed(void **state)
{
    (void)state;
    check_all_requests(false);
    check_all_requests(true);
}

/* Taken apart from both sides in any order: C(80, 40) ways. It gives up and knows nothing. */
static void work_is_bounded(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_buf a, b;
    fixture_init(&f);
    gw_buf_init(&a, 4096);
    gw_buf_init(&b, 4096);
    for (int i = 0; i < 40; i++) {
        gw_buf_char(&a, '(');
        gw_buf_char(&b, '(');
    }
    gw_buf_add(&a, GW_STR("http.host eq \"a\""));
    gw_buf_add(&b, GW_STR("http.request.uri.path eq \"/b\""));
    for (int i = 0; i < 40; i++) {
        gw_buf_printf(&a, " %s http.host eq \"%d\")", i % 2 ? "and" : "or", i);
        gw_buf_printf(&b, " %s http.request.uri.path eq \"/%d\")", i % 2 ? "or" : "and", i);
    }
    gw_buf_char(&a, '\0');
    gw_buf_char(&b, '\0');
    struct expr *x = compile(&f, a.data), *y = compile(&f, b.data);
    struct relate r = {0};
    assert_false(relate_implies(&r, x->root, y->root));
    assert_true(r.steps >= RELATE_STEPS_MAX);
    expr_free(x);
    expr_free(y);
    gw_buf_release(&a);
    gw_buf_release(&b);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_compared),
        cmocka_unit_test(an_absent_value_satisfies_ne_by_setting),
        cmocka_unit_test(nothing_false_is_claimed),
        cmocka_unit_test(work_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
