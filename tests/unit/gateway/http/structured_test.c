/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/structured.h"

static void test_dictionaries(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        "a",
        "max-age=60",
        " a ,\tb=1 ",
        "a=1.5, b=-3",
        "a=\"x, \\\" y\"",
        "a=?1;p;q=\"x\"; r=2",
        "*k_-.*=tok/en:x",
        "a=:aGk=:",
        "a=(1 \"b\" c);p",
        "a=()",
        "MaX-AgE=60",
        "a=123456789012345678",
    };
    static const char *const bad[] = {
        "a,",      ",a",     "a,,b",    "max-age =60", "max-age= 60", "max-age=",       "a b",
        "a, &&&&", "a='60'", "1a",      "a=\"x",       "a=\"\\x\"",   "a=1.",           "a=?2",
        "a;",      "a=(1",   "a=(1,2)", "a=:b",        "a=60s",       "a=\"\xc3\xa4\"", "=1",
    };
    for (size_t i = 0; i < GW_COUNT(good); i++)
        if (!structured_is_dictionary(gw_str_z(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < GW_COUNT(bad); i++)
        if (structured_is_dictionary(gw_str_z(bad[i])))
            fail_msg("taken: %s", bad[i]);
    assert_true(structured_is_member(GW_STR("private=\"a, b\"")));
    assert_false(structured_is_member(GW_STR("a, b")) || structured_is_member(GW_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dictionaries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
