/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "gateway/base/err.h"

static void test_sentences(void **state)
{
    (void)state;
    assert_string_equal(gw_strerror(0), "success");
    assert_string_equal(gw_strerror(GW_ELIMIT), "a configured limit was exceeded");
    assert_string_equal(gw_strerror(-ECONNREFUSED), "Connection refused");
    assert_string_equal(gw_strerror(-3008), "unknown error"); /* libuv's own have no errno text */
    assert_string_equal(gw_strerror(ECONNREFUSED), "unknown error"); /* errors are negative */
}

static void test_numbers_are_clear_of_the_systems(void **state)
{
    (void)state;
    static const int errors[] = {
#define X(name, number, text) name,
        GW_ERRORS(X)
#undef X
    };
    for (size_t i = 0; i < GW_COUNT(errors); i++) {
        assert_int_equal(errors[i], -5000 - (int)i);
        assert_true(strlen(gw_strerror(errors[i])) > 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(gw_strerror(errors[i]), gw_strerror(errors[j]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_numbers_are_clear_of_the_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
