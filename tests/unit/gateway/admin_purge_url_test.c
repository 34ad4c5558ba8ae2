/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/admin_purge_url.h"

/* Two zones; headers as one JSON object. Only checked, nothing is looked up. */
static enum purge_url_result check(const char *url, const char *headers)
{
    struct config_zone configs[2] = {{.name = GW_STR("example.test")},
                                     {.name = GW_STR("other.test")}};
    struct snapshot_zone zones[2] = {{.config = &configs[0]}, {.config = &configs[1]}};
    struct snapshot snapshot = {.zones = zones, .zone_count = 2};
    struct json_doc *doc = NULL;
    gw_map_init(&snapshot.hosts);
    gw_map_put(&snapshot.hosts, GW_STR("www.example.test"), &zones[0]);
    gw_map_put(&snapshot.hosts, GW_STR("www.other.test"), &zones[1]);
    if (headers) {
        const struct gw_source source = {"headers", gw_str_z(headers)};
        struct gw_diags diags;
        gw_diags_init(&diags);
        doc = json_parse(&source, &diags);
        gw_diags_release(&diags);
        assert_non_null(doc);
    }
    const struct purge_scope scope = {.snapshot = &snapshot, .zone = &zones[0]};
    enum purge_url_result result =
        purge_url(&scope, gw_str_z(url), doc ? json_root(doc) : NULL, true);
    json_doc_free(doc);
    gw_map_release(&snapshot.hosts);
    return result;
}

static void test_urls(void **state)
{
    static const struct {
        const char *url, *headers;
        enum purge_url_result want;
    } cases[] = {
        {"https://www.example.test/a.css?x=1", NULL, PURGE_URL_OK},
        {"http://WWW.Example.Test/", NULL, PURGE_URL_OK},
        {"http://www.example.test", NULL, PURGE_URL_OK},
        {"http://www.example.test:8443/a", NULL, PURGE_URL_OK},
        {"http://www.other.test/a", NULL, PURGE_URL_FOREIGN},
        {"http://nowhere.test/a", NULL, PURGE_URL_FOREIGN},
        {"/a.css", NULL, PURGE_URL_MALFORMED},
        {"www.example.test/a.css", NULL, PURGE_URL_MALFORMED},
        {"ftp://www.example.test/a", NULL, PURGE_URL_MALFORMED},
        {"http:///a", NULL, PURGE_URL_MALFORMED},
        {"", NULL, PURGE_URL_MALFORMED},
        {"http://www.example.test/",
         "{\"Origin\":\"https://a.test\",\"CF-Device-Type\":\"mobile\","
         "\"CF-IPCountry\":\"DE\"}",
         PURGE_URL_OK},
        {"http://www.example.test/", "{\"Origin\":1}", PURGE_URL_MALFORMED},
        {"http://www.example.test/", "{\"Bad Name\":\"x\"}", PURGE_URL_MALFORMED},
        {"http://www.example.test/", "{\"X\":\"a\\r\\nY: b\"}", PURGE_URL_MALFORMED},
        {"http://www.example.test/",
         "{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"f\":\"\",\"g\":\"\",\"h\":\"\","
         "\"i\":\"\","
         "\"j\":\"\",\"k\":\"\",\"l\":\"\",\"m\":\"\",\"n\":\"\",\"o\":\"\",\"p\":\"\",\"q\":\"\"}",
         PURGE_URL_MALFORMED}, /* one more than there may be */
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        enum purge_url_result got = check(cases[i].url, cases[i].headers);
        if (got != cases[i].want)
            fail_msg("%s with %s: %d", cases[i].url, cases[i].headers ? cases[i].headers : "none",
                     (int)got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_urls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
