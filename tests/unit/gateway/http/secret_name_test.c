/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/secret_name.h"

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool secret;
    } cases[] = {
        {"Cookie", true},
        {"set-cookie", true},
        {"Authorization", true},
        {"Proxy-Authorization", true},
        {"X-CSRF-Token", true},
        {"X-Vault-Token", true},
        {"API_KEY", true},
        {"X-Auth-Key", true},
        {"CF-Access-Jwt-Assertion", true},
        {"http.request.cookies[\"sid\"]", true},
        {"http.request.headers[\"x-api-key\"]", true},
        {"", false},
        {"Key", false},
        {"Accept", false},
        {"WWW-Authenticate", false},
        {"X-Author", false},
        {"Keep-Alive", false},
        {"ip.src", false},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++)
        if (is_secret_name(gw_str_z(cases[i].name)) != cases[i].secret)
            fail_msg("%s", cases[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
