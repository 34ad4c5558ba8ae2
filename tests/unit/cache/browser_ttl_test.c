/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/browser_ttl.h"

#include "tests/unit/cache/fixture.h"

static void zone_14400(struct fixture *f)
{
    f->zone.settings.browser_cache_ttl = 14400;
}
static void rule(struct fixture *f, enum cache_ttl_mode mode, uint64_t seconds)
{
    zone_14400(f); /* the rule beats it */
    f->rule.browser_ttl.mode = mode;
    f->rule.browser_ttl.seconds = seconds;
    fixture_use(f, CACHE_SETTING_BROWSER_TTL);
}
static void override_2(struct fixture *f)
{
    rule(f, CACHE_TTL_OVERRIDE_ORIGIN, 2);
}
static void override_120(struct fixture *f)
{
    rule(f, CACHE_TTL_OVERRIDE_ORIGIN, 120);
}
static void override_0(struct fixture *f)
{
    rule(f, CACHE_TTL_OVERRIDE_ORIGIN, 0);
}
static void respect(struct fixture *f)
{
    rule(f, CACHE_TTL_RESPECT_ORIGIN, 0);
}
static void bypass(struct fixture *f)
{
    rule(f, CACHE_TTL_BYPASS, 0);
}
static void zone_14400_occ_off(struct fixture *f)
{
    zone_14400(f);
    occ_off(f);
}

static const struct {
    const char *vector;
    void (*setup)(struct fixture *);
    enum cache_status status;
    const char *origin, *expected; /* NULL: kept */
} cases[] = {
    {"respect", NULL, CACHE_STATUS_HIT, "max-age=30", NULL},
    {"148", zone_14400, CACHE_STATUS_MISS, "max-age=30", "public, max-age=14400"},
    {"149", override_2, CACHE_STATUS_MISS, "max-age=30", "public, max-age=30"},
    {"151", zone_14400, CACHE_STATUS_DYNAMIC, "max-age=30", NULL},
    {"151", zone_14400, CACHE_STATUS_BYPASS, "max-age=30", NULL},
    {"152", zone_14400, CACHE_STATUS_MISS, "", "max-age=14400"},
    {"83", override_120, CACHE_STATUS_MISS, "max-age=5", "public, max-age=120"},
    {"62", zone_14400, CACHE_STATUS_HIT, "no-store", NULL},
    {"rule respects", respect, CACHE_STATUS_HIT, "max-age=30", NULL},
    {"9.12", override_0, CACHE_STATUS_HIT, "max-age=30", NULL},
    {"2.18 bypass", bypass, CACHE_STATUS_MISS, "max-age=30", "no-store"},
    {"2.18 bypass", bypass, CACHE_STATUS_HIT, "", "no-store"},
    {"others stay", zone_14400, CACHE_STATUS_HIT,
     "Public, max-age=30, immutable, community=\"a, b\"",
     "public, max-age=14400, immutable, community=\"a, b\""},
    {"longer stays", zone_14400, CACHE_STATUS_STALE, "max-age=86400", "public, max-age=86400"},
    {"s-maxage is no browser's", zone_14400, CACHE_STATUS_HIT, "s-maxage=600",
     "public, max-age=14400, s-maxage=600"},
    {"private with OCC", zone_14400, CACHE_STATUS_HIT, "private=\"X\", max-age=30",
     "max-age=14400, private=\"X\""},
    {"private without OCC", zone_14400_occ_off, CACHE_STATUS_HIT, "private, max-age=30",
     "public, max-age=14400"},
};

static void test_section_2_18(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct fixture f;
        struct gw_buf out;
        fixture_init(&f);
        gw_buf_init(&out, 1000);
        if (cases[i].setup)
            cases[i].setup(&f);
        enum cache_browser_ttl answer = cache_browser_control(
            cache_browser_of(&f.policy, cases[i].status), gw_str_z(cases[i].origin), &out);
        struct gw_str expected = gw_str_z(cases[i].expected);
        if ((answer == CACHE_BROWSER_REPLACE) != (cases[i].expected != NULL) ||
            !gw_str_eq(gw_buf_str(&out), expected))
            fail_msg("vector %s: \"%.*s\"", cases[i].vector, GW_STR_ARG(gw_buf_str(&out)));
        gw_buf_release(&out);
        fixture_release(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_section_2_18)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
