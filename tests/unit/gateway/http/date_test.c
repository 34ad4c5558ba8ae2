/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/http/date.h"

#define NOW 1760000000 /* 9 October 2025 */

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t s; /* -1: refused */
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"sun, 06 nov 1994 08:49:37 gmt", 784111777},
        {"SUNDAY, 06-NOV-94 08:49:37 GMT", 784111777},
        {"Sun Nov 16 08:49:37 1994", 784975777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        /* The name of the day is not checked against the date. */
        {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},
        /* Two digits: at most 50 years ahead of 2025. */
        {"Tuesday, 01-Jan-75 00:00:00 GMT", 3313526400},
        {"Thursday, 01-Jan-76 00:00:00 GMT", 189302400},
        {"", -1},
        {"0", -1},
        {"-1", -1},
        {"Sun, 06 Nov 1994 08:49:37", -1},
        {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
        {"Sun, 06 Nov 1994 08:49:37 +0000", -1},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 24:00:00 GMT", -1},
        {"Sun, 06 Nov 1994 08:60:00 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:61 GMT", -1},
        {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 31 Nov 1994 08:49:37 GMT", -1},
        {"Mon, 29 Feb 2023 00:00:00 GMT", -1},
        {"Mon, 29 Feb 1900 00:00:00 GMT", -1},
        {"Sun, 06 Foo 1994 08:49:37 GMT", -1},
        {"Foo, 06 Nov 1994 08:49:37 GMT", -1},
        {" Sun, 06 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
        {"Sun, 06 Nov 0000 08:49:37 GMT", -1},
        {"Foday, 06-Nov-94 08:49:37 GMT", -1},
        {"Sunday, 06-Nov-1994 08:49:37 GMT", -1},
        {"Sun Nov 6 08:49:37 1994", -1},
        {"Sun Nov  6 08:49:37 94", -1},
        {"Sun Nov  6 08:49:37 1994 GMT", -1},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(rows); i++) {
        int64_t s = -1;
        bool ok = date_parse(gw_str_z(rows[i].text), NOW, &s);
        if (s != rows[i].s)
            fprintf(stderr, "%s: %lld\n", rows[i].text, (long long)s);
        assert_int_equal(s, rows[i].s);
        assert_int_equal(ok, rows[i].s != -1);
    }
}

/* Writing and reading are inverse, over all centuries. */
static void test_round_trip(void **state)
{
    (void)state;
    for (int64_t s = -62135596800; s <= 253402300799; s += 86400 * 97 + 3607) {
        char text[DATE_HTTP_LEN];
        int64_t back = 0;
        date_format(s, text);
        assert_true(date_parse(gw_str(text, sizeof(text)), NOW, &back));
        assert_int_equal(back, s);
    }
}

static void test_format(void **state)
{
    char http[DATE_HTTP_LEN], iso[DATE_ISO_LEN];
    (void)state;
    date_format(784111777, http);
    assert_memory_equal(http, "Sun, 06 Nov 1994 08:49:37 GMT", sizeof(http));
    date_format(951782400, http);
    assert_memory_equal(http, "Tue, 29 Feb 2000 00:00:00 GMT", sizeof(http));
    date_format(-1, http);
    assert_memory_equal(http, "Wed, 31 Dec 1969 23:59:59 GMT", sizeof(http));
    date_format(INT64_MAX, http);
    assert_memory_equal(http, "Fri, 31 Dec 9999 23:59:59 GMT", sizeof(http));
    date_format(INT64_MIN, http);
    assert_memory_equal(http, "Mon, 01 Jan 0001 00:00:00 GMT", sizeof(http));
    date_format_iso(784111777042, iso);
    assert_memory_equal(iso, "1994-11-06T08:49:37.042Z", sizeof(iso));
    date_format_iso(-1, iso);
    assert_memory_equal(iso, "1969-12-31T23:59:59.999Z", sizeof(iso));
    date_format_iso(INT64_MAX, iso);
    assert_memory_equal(iso, "9999-12-31T23:59:59.999Z", sizeof(iso));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
