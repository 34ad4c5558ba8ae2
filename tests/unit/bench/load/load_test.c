/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/load/load.h"
#include "bench/load/request.h"

static char folder[] = "/tmp/nearedge-plan-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/scenario.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    remove(path);
    return remove(folder);
}

static struct load_plan *load(const char *text, struct gw_diags *diags, const char *only)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    const struct load_options options = {
        .file = path, .only = only, .target = "http://127.0.0.1:1"};
    return load_prepare(&options, diags);
}

/* ---- mistakes: all of them at once, each where it stands ---- */

static void test_mistakes(void **state)
{
    static const char text[] =
        "{ // a comment\n"
        "  \"requets\": {},\n"
        "  \"seed\": -1,\n"
        "  \"identities\": {\"count\": 300, \"addresses\": \"203.0.113.0/24\"},\n"
        "  \"requests\": {\"a\": {\"path\": \"nowhere\", \"method\": \"get\"},\n"
        "               \"b\": {\"path\": \"/\", \"headers\": {\"X\": \"${wat}\"}}},\n"
        "  \"phases\": [\n"
        "    {\"rate\": \"50\", \"duration\": \"1s\", \"mix\": \"c\"},\n"
        "    {\"rate\": {\"burst\": 5}, \"expect\": [\"429 >=\"]}],\n"
        "  \"expect\": [\"p99 < 5\"]\n"
        "}\n";
    static const struct {
        unsigned line;
        const char *says;
    } expected[] = {{2, "did you mean \"requests\""},
                    {3, "whole number"},
                    {4, "254 addresses"},
                    {5, "begins with \"/\""},
                    {5, "capitals"},
                    {6, "unknown variable"},
                    {8, "a rate such as"},
                    {8, "no request \"c\""},
                    {9, "a number is missing"},
                    {10, "no time"}};
    struct gw_diags diags;
    (void)state;
    gw_diags_init(&diags);
    assert_null(load(text, &diags, NULL));
    for (size_t i = 0; i < GW_COUNT(expected); i++) {
        size_t at = 0;
        while (at < diags.count && !(diags.items[at].line == expected[i].line &&
                                     strstr(diags.items[at].message, expected[i].says)))
            at++;
        if (at == diags.count) {
            gw_diags_print(&diags, stderr, false);
            fail_msg("line %u: nothing says \"%s\"", expected[i].line, expected[i].says);
        }
    }
    assert_int_equal(diags.errors, GW_COUNT(expected));
    gw_diags_release(&diags);
}

/* ---- the bytes of a request ---- */

static size_t render(const struct load_plan *plan, size_t number, char *out, size_t size)
{
    struct gw_rng rng = {1};
    struct template_values values = {
        .n = 3, .identity = 1, .ip = GW_STR("198.18.0.2"), .rng = &rng};
    struct gw_buf bytes = gw_buf_over(out, size), body;
    gw_buf_init(&body, 65536);
    load_request_compile(plan, &plan->requests[number]);
    load_request_render(&plan->requests[number], 0, &values, &bytes, &body);
    out[bytes.len] = 0;
    gw_buf_release(&body);
    return bytes.len;
}

static void test_bytes_of_requests(void **state)
{
    static const char text[] =
        "{\"host\": \"www.example.test\", \"headers\": {\"X-All\": \"a\", \"accept\": "
        "\"text/html\"},\n"
        " \"identities\": {\"count\": 5, \"cookies\": {\"session_id\": \"s${identity}\"}},\n"
        " \"requests\": {\n"
        "   \"get\": {\"path\": \"/p?n=${n}\"},\n"
        "   \"json\": {\"path\": \"/j\", \"body\": {\"i\": \"${identity}\"}, \"cookies\": {\"b\": "
        "\"2\"}},\n"
        "   \"form\": {\"path\": \"/f\", \"multipart\": [{\"name\": \"q\", \"value\": \"x${n}\"},\n"
        "             {\"name\": \"image\", \"filename\": \"a.png\", \"type\": \"image/png\",\n"
        "              \"generate\": \"16B\"}]},\n"
        "   \"csrf\": {\"path\": \"/c\", \"method\": \"DELETE\", \"csrf\": true}},\n"
        " \"phases\": [{\"rate\": \"1/s\", \"duration\": \"1s\"}]}";
    struct gw_diags diags;
    char out[4096];
    (void)state;
    gw_diags_init(&diags);
    struct load_plan *plan = load(text, &diags, NULL);
    gw_diags_print(&diags, stderr, false);
    assert_non_null(plan);
    render(plan, 0, out, sizeof(out));
    assert_string_equal(out, "GET /p?n=3 HTTP/1.1\r\nHost: www.example.test\r\n"
                             "User-Agent: nearedge-load\r\naccept: text/html\r\n"
                             "CF-Connecting-IP: 198.18.0.2\r\nX-All: a\r\n"
                             "Cookie: session_id=s1\r\n\r\n");
    render(plan, 1, out, sizeof(out));
    assert_non_null(strstr(out, "POST /j HTTP/1.1\r\n"));
    assert_non_null(strstr(out, "Content-Type: application/json\r\n"));
    assert_non_null(
        strstr(out, "Cookie: session_id=s1; b=2\r\nContent-Length: 9\r\n\r\n{\"i\":\"1\"}"));
    size_t size = render(plan, 2, out, sizeof(out));
    const char *body = strstr(out, "\r\n\r\n") + 4, *length = strstr(out, "Content-Length: ");
    assert_non_null(strstr(body, "name=\"q\"\r\n\r\nx3\r\n--"));
    assert_non_null(
        strstr(body, "name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n"));
    assert_int_equal(strtoul(length + 16, NULL, 10), size - (size_t)(body - out));
    render(plan, 3, out, sizeof(out));
    assert_non_null(strstr(out, "Origin: http://www.example.test\r\n"));
    const char *token = strstr(out, "X-CSRF-Token: ") + 14,
               *cookie = strstr(out, "csrf_token=") + 11;
    assert_memory_equal(token, cookie, 32);
    load_plan_free(plan);
    gw_diags_release(&diags);
}

/* ---- choosing, and what the team's file becomes ---- */

static const char team[] =
    "{\"testEnvironments\": {\"development\": {\"baseUrl\": \"http://localhost:8787\", "
    "\"timeout\": 30000}},\n"
    " \"rateLimitTests\": {\"newsletter\": {\"endpoint\": \"/api/newsletter/subscribe\", "
    "\"method\": \"POST\",\n"
    "   \"limit\": 10, \"window\": \"1m\", \"requiresCsrf\": true, \"body\": {\"email\": "
    "\"a@b.c\"},\n"
    "   \"testScenarios\": [\n"
    "     {\"name\": \"Normal_Load\", \"requestsPerSecond\": 1, \"duration\": 60, "
    "\"expectedRateLimited\": 0},\n"
    "     {\"name\": \"Burst_Load\", \"requestsPerSecond\": 20, \"duration\": 10, "
    "\"expectedRateLimited\": 80}]}},\n"
    " \"performanceThresholds\": {\"maxAverageResponseTime\": 2000, \"maxErrorRate\": 0.05}}";

static bool has_note(const struct load_plan *plan, const char *says)
{
    for (size_t i = 0; i < plan->note_count; i++)
        if (gw_str_find(plan->notes[i], gw_str_z(says)) != GW_NPOS)
            return true;
    return false;
}

static void test_the_teams_file(void **state)
{
    struct gw_diags diags;
    (void)state;
    gw_diags_init(&diags);
    struct load_plan *plan = load(team, &diags, NULL);
    gw_diags_print(&diags, stderr, false);
    assert_non_null(plan);
    assert_int_equal(plan->phase_count, 2);
    assert_int_equal((int)schedule_expected(&plan->phases[0].schedule), 60);
    assert_int_equal((int)schedule_expected(&plan->phases[1].schedule), 200);
    assert_int_equal(plan->phases[0].groups[0], 0);
    assert_int_equal(plan->phases[1].groups[0], 1);
    assert_int_equal(plan->timeout_us, 30000000);
    assert_int_equal(plan->expectation_count, 4);
    assert_true(gw_str_eq(plan->expectations[1].text, GW_STR("ratio 429 >= 64%")));
    assert_true(has_note(plan, "can never fail: [newsletter/Normal_Load] \"ratio 429 >= 0%\""));
    assert_true(has_note(plan, "imply 50 of 60 refused (83.3%): \"429 == 50\""));
    load_plan_free(plan);

    plan = load(team, &diags, "newsletter/Burst_Load");
    assert_int_equal(plan->phase_count, 1);
    assert_int_equal(plan->expectation_count, 3);
    assert_int_equal(plan->expectations[0].phase, 0);
    assert_false(has_note(plan, "can never fail"));
    load_plan_free(plan);

    assert_null(load(team, &diags, "newsleter"));
    assert_non_null(strstr(diags.items[0].message, "no phase"));
    gw_diags_release(&diags);
}

/* ---- where to ---- */

static void test_only_loopback_unless_allowed(void **state)
{
    static const struct {
        const char *url, *allow, *says; /* says NULL: fine */
    } cases[] = {{"http://127.0.0.1:8080/", NULL, NULL},
                 {"http://localhost/", NULL, NULL},
                 {"http://[::1]:80/", NULL, NULL},
                 {"http://127.9.9.9/", NULL, NULL},
                 {"http://example.com/", NULL, "--allow-host example.com"},
                 {"http://localhost.example.com/", NULL, "not loopback"},
                 {"http://example.com/", "example.org", "not loopback"},
                 {"http://example.com:8080/", "EXAMPLE.com", NULL},
                 {"http://128.0.0.1/", NULL, "not loopback"},
                 {"https://127.0.0.1/", NULL, NULL},
                 {"https://128.0.0.1/", NULL, "not loopback"},
                 {"http://a@127.0.0.1/", NULL, "byte"},
                 {"ftp://127.0.0.1/", NULL, "http://"},
                 {"http://127.0.0.1:0/", NULL, "port"},
                 {"http://:80/", NULL, "no host"}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct load_options options = {.url = cases[i].url, .rate = "1/s", .duration = "1s"};
        struct gw_diags diags;
        gw_diags_init(&diags);
        if (cases[i].allow)
            options.allow_hosts.items[options.allow_hosts.count++] = cases[i].allow;
        struct load_plan *plan = load_prepare(&options, &diags);
        assert_int_equal(plan != NULL, cases[i].says == NULL);
        if (cases[i].says)
            assert_non_null(strstr(diags.items[0].message, cases[i].says));
        load_plan_free(plan);
        gw_diags_release(&diags);
    }
}

static void test_tls(void **state)
{
    static const struct {
        const char *url, *cacert;
        bool insecure;
        uint16_t port; /* 0: refused */
    } cases[] = {
        {"http://127.0.0.1/", NULL, false, 80},        {"https://127.0.0.1/", NULL, false, 443},
        {"https://127.0.0.1:8443/", NULL, true, 8443}, {"https://[::1]/", "a.pem", false, 443},
        {"http://127.0.0.1/", NULL, true, 0},          {"http://127.0.0.1/", "a.pem", false, 0},
        {"https://127.0.0.1/", "a.pem", true, 0}};
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        const struct load_options options = {.url = cases[i].url,
                                             .rate = "1/s",
                                             .duration = "1s",
                                             .cacert = cases[i].cacert,
                                             .insecure = cases[i].insecure};
        struct gw_diags diags;
        gw_diags_init(&diags);
        struct load_plan *plan = load_prepare(&options, &diags);
        assert_int_equal(plan != NULL, cases[i].port != 0);
        if (plan) {
            bool tls = gw_str_starts(gw_str_z(cases[i].url), GW_STR("https"));
            assert_int_equal(plan->port, cases[i].port);
            assert_int_equal(plan->tls, tls);
            assert_int_equal(gw_str_starts(plan->origin, GW_STR("https://")), tls);
        }
        load_plan_free(plan);
        gw_diags_release(&diags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_bytes_of_requests),
        cmocka_unit_test(test_the_teams_file), cmocka_unit_test(test_only_loopback_unless_allowed),
        cmocka_unit_test(test_tls)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
