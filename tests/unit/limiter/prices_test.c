/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/prices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool near(double got, double expect)
{
    return got > expect - 0.005 && got < expect + 0.005;
}

/* What a month of calls uses, a share of them limited (spec/product.md section 5.2). */
static struct price_usage kv_month(double calls, double limited)
{
    return (struct price_usage){
        {[PRICE_KV_READ] = calls, [PRICE_KV_WRITE] = calls * (1 - limited)}};
}

static struct price_usage object_month(const struct prices *p, double calls, double limited)
{
    return (struct price_usage){{[PRICE_DO_REQUEST] = calls,
                                 [PRICE_DO_GB_S] = calls * p->object_gb_s,
                                 [PRICE_DO_ROW_READ] = calls,
                                 [PRICE_DO_ROW_WRITTEN] = calls * (1 - limited)}};
}

static void months_cost_what_the_formulas_say(void **state)
{
    (void)state;
    static const struct {
        double calls, limited, kv, object;
    } rows[] = {{1e6, 0, 0, 0},
                {5e6, 0.02, 19.50, 0.60},
                {20e6, 0.05, 95.00, 2.85},
                {100e6, 0.05, 515.00, 59.85}};
    struct prices p = prices_built_in();
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        struct price_usage kv = kv_month(rows[i].calls, rows[i].limited);
        struct price_usage object = object_month(&p, rows[i].calls, rows[i].limited);
        assert_true(near(price_of_month(&p, &kv), rows[i].kv));
        assert_true(near(price_of_month(&p, &object), rows[i].object));
    }
}

/* A flood from ever-new addresses for a day: nothing of it is included any more. */
static void a_flood_costs_list_price(void **state)
{
    (void)state;
    struct prices p = prices_built_in();
    struct price_usage kv = kv_month(8.64e6, 0);
    assert_true(near(price_of(&p, &kv), 8.64 * 5.5));
    assert_true(near(price_of_month(&p, &kv), 38.20));
    struct price_usage object = object_month(&p, 8.64e6, 0);
    assert_true(near(price_of_month(&p, &object), 1.15));
}

static void the_list_says_its_date(void **state)
{
    (void)state;
    struct prices p = prices_built_in();
    assert_string_equal(p.date, "2026-10");
    for (unsigned i = 0; i < PRICE_UNITS; i++)
        assert_true(price_unit_name((enum price_unit)i) != NULL);
    assert_true(p.per_million[PRICE_BINDING_CALL] == 0);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "{", "{}", "{\"date\": \"2026-10\", \"units\": {}, \"object_gb_s_per_request\": 0}",
        "{\"date\": \"2026-10\", \"units\": {\"kv_reed\": {}}, \"object_gb_s_per_request\": 0}"};
    for (size_t i = 0; i < GW_COUNT(broken); i++) {
        struct prices p;
        struct gw_diags diags;
        gw_diags_init(&diags);
        const struct gw_source source = {"prices.json", gw_str_z(broken[i])};
        assert_false(prices_parse(&source, &p, &diags));
        assert_true(diags.errors > 0);
        gw_diags_release(&diags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_cost_what_the_formulas_say),
        cmocka_unit_test(a_flood_costs_list_price),
        cmocka_unit_test(the_list_says_its_date),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
