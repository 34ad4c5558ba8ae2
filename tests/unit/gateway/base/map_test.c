/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "gateway/base/hash.h"
#include "gateway/base/map.h"

static int values[1000]; /* something to point at */

static void test_basics(void **state)
{
    (void)state;
    struct gw_map m;
    gw_map_init(&m);
    assert_null(gw_map_get(&m, GW_STR("a")));
    assert_null(gw_map_del(&m, GW_STR("a")));
    assert_null(gw_map_put(&m, GW_STR("a"), &values[1]));
    assert_ptr_equal(gw_map_put(&m, GW_STR("a"), &values[2]), &values[1]);
    assert_null(gw_map_put(&m, GW_STR_EMPTY, &values[3]));
    assert_null(gw_map_put(&m, GW_STR("a\0b"), &values[4]));
    assert_int_equal(m.count, 3);
    assert_ptr_equal(gw_map_get(&m, GW_STR("a")), &values[2]);
    assert_ptr_equal(gw_map_get(&m, GW_STR("")), &values[3]);
    assert_ptr_equal(gw_map_get(&m, GW_STR("a\0b")), &values[4]);
    assert_null(gw_map_get(&m, GW_STR("A")));
    assert_ptr_equal(gw_map_del(&m, GW_STR("a")), &values[2]);
    assert_null(gw_map_get(&m, GW_STR("a")));
    assert_ptr_equal(gw_map_get(&m, GW_STR("a\0b")), &values[4]);
    gw_map_release(&m);
    assert_int_equal(m.count, 0);
    assert_null(gw_map_get(&m, GW_STR("")));
}

static void test_keys_are_copied(void **state)
{
    (void)state;
    char key[] = "host";
    struct gw_map m;
    gw_map_init(&m);
    gw_map_put(&m, gw_str_z(key), &values[0]);
    key[0] = 'x';
    assert_ptr_equal(gw_map_get(&m, GW_STR("host")), &values[0]);
    gw_map_release(&m);
}

static struct gw_str name(char *out, size_t size, size_t i)
{
    return gw_str(out, (size_t)snprintf(out, size, "key-%zu", i));
}

/* Random puts and dels against an array that says what must be there: removal closes gaps in the
 * probe runs, the part of such tables that goes wrong. */
static void test_against_model(void **state)
{
    (void)state;
    void *model[200] = {NULL};
    struct gw_rng rng = {42};
    struct gw_map m;
    gw_map_init(&m);
    char text[32];
    size_t count = 0;
    for (int step = 0; step < 50000; step++) {
        size_t i = gw_rng_below(&rng, GW_COUNT(model));
        struct gw_str key = name(text, sizeof(text), i);
        if (gw_rng_below(&rng, 2)) {
            void *value = &values[gw_rng_below(&rng, GW_COUNT(values))];
            assert_ptr_equal(gw_map_put(&m, key, value), model[i]);
            count += model[i] == NULL;
            model[i] = value;
        } else {
            assert_ptr_equal(gw_map_del(&m, key), model[i]);
            count -= model[i] != NULL;
            model[i] = NULL;
        }
        assert_int_equal(m.count, count);
        assert_true(m.count * 3 <= m.cap * 2);
        size_t probe = gw_rng_below(&rng, GW_COUNT(model));
        assert_ptr_equal(gw_map_get(&m, name(text, sizeof(text), probe)), model[probe]);
    }
    for (size_t i = 0; i < GW_COUNT(model); i++)
        assert_ptr_equal(gw_map_get(&m, name(text, sizeof(text), i)), model[i]);
    gw_map_release(&m);
}

static void test_walk_sees_each_once(void **state)
{
    (void)state;
    struct gw_map m;
    gw_map_init(&m);
    size_t at = 0;
    struct gw_str key;
    void *value;
    assert_false(gw_map_next(&m, &at, &key, &value));
    char text[32];
    for (size_t i = 0; i < GW_COUNT(values); i++) {
        values[i] = 0;
        gw_map_put(&m, name(text, sizeof(text), i), &values[i]);
    }
    for (at = 0; gw_map_next(&m, &at, &key, &value);) {
        assert_true(gw_str_eq(key, name(text, sizeof(text), (size_t)((int *)value - values))));
        ++*(int *)value;
    }
    for (size_t i = 0; i < GW_COUNT(values); i++)
        assert_int_equal(values[i], 1);
    gw_map_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_basics),
        cmocka_unit_test(test_keys_are_copied),
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_walk_sees_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
