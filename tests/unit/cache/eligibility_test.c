/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/eligibility.h"

#include "tests/unit/cache/fixture.h"

static void dev_mode(struct fixture *f)
{
    f->zone.settings.development_mode = true;
    rule_cache_on(f);
}
static void level_basic(struct fixture *f)
{
    f->zone.settings.cache_level = CONFIG_CACHE_BASIC;
}
static void level_bypass(struct fixture *f)
{
    f->zone.settings.cache_level = CONFIG_CACHE_BYPASS;
}
static void level_bypass_with_rule(struct fixture *f)
{
    level_bypass(f);
    rule_cache_on(f);
}
static void port_8443(struct fixture *f)
{
    f->request.port = 8443;
}
static void port_8443_added(struct fixture *f)
{
    static const uint16_t ports[] = {2053, 8443};
    port_8443(f);
    f->rule.ports = ports;
    f->rule.port_count = 2;
    fixture_use(f, CACHE_SETTING_ADDITIONAL_CACHEABLE_PORTS);
}
static void port_local(struct fixture *f)
{
    f->request.port = 38211;
}
static void upgrade(struct fixture *f)
{
    f->request.upgrade = true;
    rule_cache_on(f);
}
static void rules_on_then_off(struct fixture *f)
{
    static struct cache_settings later;
    rule_cache_on(f);
    later = (struct cache_settings){.present = 1u << CACHE_SETTING_CACHE, .cache = false};
    cache_settings_merge(&f->merged, &later, 1);
}

static const struct {
    const char *vector; /* of section 11 */
    enum http_method method;
    const char *path, *query;
    void (*setup)(struct fixture *);
    bool eligible;
    enum cache_reason reason;
} cases[] = {
    {"1", METHOD_GET, "/a.css", "", NULL, true, CACHE_REASON_EXTENSION},
    {"2", METHOD_GET, "/index.html", "", NULL, false, CACHE_REASON_NOT_STATIC},
    {"4", METHOD_GET, "/api/x.json", "", NULL, false, CACHE_REASON_NOT_STATIC},
    {"5", METHOD_GET, "/robots.txt", "", NULL, true, CACHE_REASON_ROBOTS},
    {"5: only at the root", METHOD_GET, "/x/robots.txt", "", NULL, false, CACHE_REASON_NOT_STATIC},
    {"6", METHOD_GET, "/A.JPG", "", NULL, true, CACHE_REASON_EXTENSION},
    {"7", METHOD_GET, "/x.tar.gz", "y=.html", NULL, true, CACHE_REASON_EXTENSION},
    {"query is no path", METHOD_GET, "/p", "x=.css", NULL, false, CACHE_REASON_NOT_STATIC},
    {"10", METHOD_POST, "/a.css", "", NULL, false, CACHE_REASON_METHOD},
    {"11", METHOD_OPTIONS, "/a.css", "", NULL, false, CACHE_REASON_METHOD},
    {"13", METHOD_HEAD, "/a.css", "", NULL, true, CACHE_REASON_EXTENSION},
    {"14", METHOD_HEAD, "/p.html", "", NULL, false, CACHE_REASON_NOT_STATIC},
    {"22", METHOD_GET, "/a.css", "", dev_mode, false, CACHE_REASON_DEVELOPMENT_MODE},
    {"23", METHOD_GET, "/a.css", "x=1", level_basic, false, CACHE_REASON_LEVEL_BASIC},
    {"23", METHOD_GET, "/a.css", "", level_basic, true, CACHE_REASON_EXTENSION},
    {"25", METHOD_GET, "/a.css", "", port_8443, false, CACHE_REASON_PORT},
    {"25", METHOD_GET, "/a.css", "", port_8443_added, true, CACHE_REASON_EXTENSION},
    {"a local port", METHOD_GET, "/a.css", "", port_local, true, CACHE_REASON_EXTENSION},
    {"79", METHOD_GET, "/index.html", "", rule_cache_on, true, CACHE_REASON_RULE_ON},
    {"80", METHOD_POST, "/index.html", "", rule_cache_on, false, CACHE_REASON_METHOD},
    {"82", METHOD_GET, "/images/a.png", "", rules_on_then_off, false, CACHE_REASON_RULE_OFF},
    {"cache:false", METHOD_GET, "/a.css", "", rule_cache_off, false, CACHE_REASON_RULE_OFF},
    {"WebSocket", METHOD_GET, "/a.css", "", upgrade, false, CACHE_REASON_UPGRADE},
    {"level", METHOD_GET, "/a.css", "", level_bypass, false, CACHE_REASON_LEVEL_BYPASS},
    {"rule beats level", METHOD_GET, "/p", "", level_bypass_with_rule, true, CACHE_REASON_RULE_ON},
};

static void test_section_1_1(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct fixture f;
        fixture_init(&f);
        f.request.method = cases[i].method;
        f.request.path = gw_str_z(cases[i].path);
        f.request.query = gw_str_z(cases[i].query);
        if (cases[i].setup)
            cases[i].setup(&f);
        struct cache_eligibility e = cache_eligible(&f.request, &f.policy);
        if (e.eligible != cases[i].eligible || e.reason != cases[i].reason)
            fail_msg("vector %s: %.*s", cases[i].vector, GW_STR_ARG(cache_reason_text(e.reason)));
        assert_true(cache_reason_text(e.reason).len > 0);
        fixture_release(&f);
    }
}

static void test_all_extensions(void **state)
{
    (void)state;
    struct gw_str list = GW_STR(
        "7z avi avif apk bin bmp bz2 class css csv doc docx dmg ejs eot eps exe flac gif gz ico "
        "iso jar jpg jpeg js mid midi mkv mp3 mp4 ogg otf pdf pict pls png ppt pptx ps rar svg "
        "svgz swf tar tif tiff ttf webm webp woff woff2 xls xlsx zip zst");
    struct gw_str item;
    size_t count = 0;
    for (; gw_str_next(&list, ' ', &item); count++)
        assert_true(cache_extension_is_static(item));
    assert_int_equal(count, 56);
    const char *others[] = {"", "cs", "csss", "html", "json", "txt", "wasm", "woff3", "7", "php"};
    for (size_t i = 0; i < GW_COUNT(others); i++)
        assert_false(cache_extension_is_static(gw_str_z(others[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_section_1_1),
        cmocka_unit_test(test_all_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
