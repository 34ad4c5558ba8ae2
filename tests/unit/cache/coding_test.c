/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/coding.h"
#include "tests/unit/cache/fixture.h"

enum { NONE = CACHE_CODING_IDENTITY, GZIP = CACHE_CODING_GZIP, BR = CACHE_CODING_BROTLI };

static struct cache_recoding choose(struct fixture *f, const char *response, const char *accept,
                                    uint64_t length)
{
    char line[256];
    snprintf(line, sizeof(line), "Accept-Encoding: %s", accept);
    f->request_headers = fixture_headers(&f->arena, accept ? line : "");
    f->response_headers = fixture_headers(&f->arena, response);
    struct cache_content content = cache_content_of(200, &f->response_headers);
    return cache_recoding_for(&content, length, &f->request_headers, &f->policy);
}

/* Section 2.10, the table; and vector 130. */
static void test_table(void **state)
{
    (void)state;
    static const struct {
        const char *accept, *origin;
        int strong, loose, enterprise;
    } rows[] = {
        {"gzip, br", "gzip", GZIP, BR, GZIP},   {"gzip, br", "br", BR, BR, BR},
        {"br", "gzip", NONE, BR, BR},           {"gzip", "br", NONE, GZIP, GZIP},
        {"gzip", "", NONE, GZIP, GZIP},         {"gzip, br", "", NONE, BR, GZIP},
        {NULL, "gzip", NONE, NONE, NONE},       {"zstd", "br", NONE, NONE, NONE},
        {"gzip;q=0, br", "gzip", NONE, BR, BR},
    };
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        char response[128];
        struct fixture f;
        fixture_init(&f);
        snprintf(response, sizeof(response), "Content-Type: text/html\n%s%s",
                 rows[i].origin[0] ? "Content-Encoding: " : "", rows[i].origin);
        int loose = choose(&f, response, rows[i].accept, 1000).to;
        f.zone.plan = CONFIG_PLAN_ENTERPRISE;
        int enterprise = choose(&f, response, rows[i].accept, 1000).to;
        f.rule.respect_strong_etags = true;
        fixture_use(&f, CACHE_SETTING_RESPECT_STRONG_ETAGS);
        int strong = choose(&f, response, rows[i].accept, 1000).to;
        if (loose != rows[i].loose || strong != rows[i].strong || enterprise != rows[i].enterprise)
            fail_msg("row %zu: %d %d %d", i, strong, loose, enterprise);
        fixture_release(&f);
    }
}

/* What stays as it came, and what is worth coding (section 7.3). */
static void test_limits(void **state)
{
    (void)state;
    static const struct {
        const char *response, *accept;
        uint64_t length;
        int to;
    } cases[] = {
        {"Content-Type: text/css", "gzip", 47, NONE},
        {"Content-Type: text/css", "gzip", 48, GZIP},
        {"Content-Type: text/css", "br", 49, NONE},
        {"Content-Type: text/css", "br", 50, BR},
        {"Content-Type: text/css", "br, gzip", 49, GZIP},
        {"Content-Type: text/css", "gzip", CACHE_LENGTH_UNKNOWN, GZIP},
        {"Content-Type: TEXT/CSS ; charset=utf-8", "gzip", 100, GZIP},
        {"Content-Type: text/cs", "gzip", 100, NONE},
        {"Content-Type: text/css2", "gzip", 100, NONE},
        {"Content-Type: image/png", "gzip", 100, NONE},
        {"Content-Type: image/svg+xml", "gzip", 100, GZIP},
        {"Content-Type: application/eot", "gzip", 100, GZIP},
        {"Content-Type: text/xml", "gzip", 100, GZIP},
        {"Content-Type: text/event-stream", "gzip", 100, NONE},
        {"", "gzip", 100, NONE},
        {"Content-Type: text/css\nCache-Control: no-transform", "gzip", 100, NONE},
        {"Content-Type: text/css\nCloudflare-CDN-Cache-Control: no-transform", "gzip", 100, NONE},
        {"Content-Type: text/css\nContent-Encoding: identity", "gzip", 100, GZIP},
        {"Content-Type: text/css", "br;q=0.5, gzip", 100, GZIP},
        {"Content-Type: text/css", "br;q=0.9, gzip;q=0.4", 100, BR},
        {"Content-Type: text/css", "*", 100, BR},
        {"Content-Type: text/css", "*, br;q=0", 100, GZIP},
        {"Content-Type: text/css", "gzip;q=0.000", 100, NONE},
        {"Content-Type: text/css", "gzip;q=0.001", 100, GZIP},
        {"Content-Type: text/css", "", 100, NONE},
        {"Content-Type: text/css", "x-gzip", 100, GZIP},
        {"Content-Type: image/png\nContent-Encoding: gzip", "br", 100, NONE},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        if ((int)choose(&f, cases[i].response, cases[i].accept, cases[i].length).to != cases[i].to)
            fail_msg("case %zu", i);
    fixture_release(&f);
}

static void test_untouched(void **state)
{
    (void)state;
    static const char *const responses[] = {
        "Content-Type: text/css\nContent-Encoding: deflate",
        "Content-Type: text/css\nContent-Encoding: gzip, br",
        "Content-Type: text/css\nContent-Encoding: gzip\nContent-Encoding: br",
        "Content-Type: text/css\nContent-Encoding: br\nCache-Control: max-age=1, no-transform",
        "Content-Type: text/event-stream\nContent-Encoding: br",
    };
    static const uint16_t statuses[] = {204, 206, 304, 101};
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < GW_COUNT(responses); i++)
        assert_false(cache_is_recoded(choose(&f, responses[i], NULL, 100)));
    f.response_headers =
        fixture_headers(&f.arena, "Content-Type: text/css\nContent-Encoding: gzip");
    for (size_t i = 0; i < GW_COUNT(statuses); i++)
        assert_true(cache_content_of(statuses[i], &f.response_headers).fixed);
    assert_true(cache_content_of(404, &f.response_headers).compressible);
    assert_false(cache_content_of(500, &f.response_headers).compressible);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
