/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/upstream/prober.h"

static void test_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool ok;
        const char *why;
    } cases[] = {
        {"{\"status\":\"ok\"}", true, ""},
        {"{\"checks\":[],\"status\":\"degraded\",\"x\":{\"status\":\"down\"}}", true, ""},
        {"{\"status\":\"unhealthy\"}", false, "health status \"unhealthy\""},
        {"{\"status\":\"OK\"}", false, "health status \"OK\""},
        {"{\"status\":1}", false, "health answer without a \"status\""},
        {"{\"ok\":true}", false, "health answer without a \"status\""},
        {"[]", false, "health answer without a \"status\""},
        {"{\"status\":\"ok\"", false, "health answer without a \"status\""},
        {"", false, "health answer without a \"status\""},
        {"<html>", false, "health answer without a \"status\""},
    };
    struct gw_str words[] = {GW_STR("ok"), GW_STR("degraded")};
    const struct config_health health = {.json_status = words, .json_status_count = 2};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char why[96] = "";
        assert_int_equal(prober_body_ok(&health, gw_str_z(cases[i].body), why, sizeof(why)),
                         cases[i].ok);
        assert_string_equal(why, cases[i].why);
    }
}

static void test_body_does_not_matter_unless_asked_for(void **state)
{
    (void)state;
    const struct config_health health = {0};
    char why[96] = "";
    assert_true(prober_body_ok(&health, GW_STR("anything"), why, sizeof(why)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_body_does_not_matter_unless_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
