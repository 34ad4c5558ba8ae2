/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/quality.h"

static void test_qualities(void **state)
{
    (void)state;
    static const struct {
        const char *parameters;
        unsigned thousandths;
    } cases[] = {
        {"", 1000},          {";", 1000},          {";q=1", 1000},          {";q=1.000", 1000},
        {";q=0", 0},         {";q=0.", 0},         {";q=0.0", 0},           {";q=0.5", 500},
        {";q=0.05", 50},     {";q=0.001", 1},      {";q=0.0009", 0},        {";q=0.999", 999},
        {";q=0.99999", 999}, {" ; Q=0.7 ", 700},   {";level=1;q=0.4", 400}, {";q=0.3;q=0.9", 300},
        {";q=1;q=0", 1000},  {";q=", 1000},        {";q=x", 1000},          {";q=-1", 1000},
        {";q=2", 1000},      {";quality=0", 1000}, {"q=0.2", 200},          {";q=0.5x", 500},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        if (quality_read(gw_str_z(cases[i].parameters)) != cases[i].thousandths)
            fail_msg("\"%s\": %u", cases[i].parameters,
                     quality_read(gw_str_z(cases[i].parameters)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_qualities)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
