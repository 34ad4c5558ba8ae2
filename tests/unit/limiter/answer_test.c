/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define APP_HEAD                                                                                   \
    "Content-Type: application/json\r\n"                                                           \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "X-Frame-Options: DENY\r\n"                                                                    \
    "Referrer-Policy: strict-origin-when-cross-origin\r\n"                                         \
    "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n"                  \
    "Permissions-Policy: camera=(), microphone=(), geolocation=(), interest-cohort=()\r\n"

static void assert_text(struct gw_str got, const char *expect)
{
    if (!gw_str_eq(got, gw_str_z(expect)))
        print_error("got %.*s\n", GW_STR_ARG(got));
    assert_true(gw_str_eq(got, gw_str_z(expect)));
}

static void a_refusal_is_the_apps(void **state)
{
    (void)state;
    char scratch[LIMITER_ANSWER_SIZE];
    const struct limiter_verdict verdict = {.outcome = LIMITER_DENY, .retry_after_s = 60};
    struct limiter_answer answer = limiter_answer(NULL, &verdict, scratch);
    assert_int_equal(answer.status, 429);
    assert_text(answer.body, "{\"error\":\"Rate limit exceeded\",\"retryAfter\":60}");
    assert_text(answer.head, APP_HEAD "Retry-After: 60\r\n");
}

static void a_redirect_replaces_refusals_only(void **state)
{
    (void)state;
    char scratch[LIMITER_ANSWER_SIZE];
    const struct limiter_route route = {.redirect = GW_STR("/login"),
                                        .redirect_head = GW_STR("Location: /login\r\n")};
    struct limiter_verdict verdict = {.outcome = LIMITER_DENY, .retry_after_s = UINT32_MAX};
    struct limiter_answer answer = limiter_answer(&route, &verdict, scratch);
    assert_int_equal(answer.status, 302);
    assert_text(answer.head, "Location: /login\r\n");
    assert_int_equal(answer.body.len, 0);
    verdict = (struct limiter_verdict){.outcome = LIMITER_UNAVAILABLE, .retry_after_s = 1};
    answer = limiter_answer(&route, &verdict, scratch);
    assert_int_equal(answer.status, 503);
    assert_true(gw_str_ends(answer.head, GW_STR("Retry-After: 1\r\n")));
    assert_text(answer.body, "{\"error\":\"Rate limiter unavailable\",\"retryAfter\":1}");
}

static void a_fault_is_the_apps_500(void **state)
{
    (void)state;
    char scratch[LIMITER_ANSWER_SIZE];
    /* A redirect is for refusals; an error says what failed. */
    const struct limiter_route route = {.redirect_head = GW_STR("Location: /login\r\n")};
    struct limiter_verdict verdict = {.outcome = LIMITER_ERROR, .fault = LIMITER_KV_WRITE_LIMIT};
    struct limiter_answer answer = limiter_answer(&route, &verdict, scratch);
    assert_int_equal(answer.status, 500);
    assert_text(answer.body, "{\"success\":false,\"error\":{\"type\":\"server_error\","
                             "\"message\":\"KV PUT failed: 429 Too Many Requests\"}}");
    assert_text(answer.head, APP_HEAD);
}

static void faults_have_the_stores_words(void **state)
{
    (void)state;
    static const struct {
        enum limiter_fault fault;
        uint32_t value;
        const char *expect;
    } cases[] = {
        {LIMITER_NO_FAULT, 7, ""},
        {LIMITER_KV_WRITE_LIMIT, 0, "KV PUT failed: 429 Too Many Requests"},
        {LIMITER_KV_KEY_LENGTH, 513,
         "KV PUT failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512."},
        {LIMITER_KV_EXPIRATION, 59,
         "KV PUT failed: 400 Invalid expiration_ttl of 59. Expiration TTL must be at least 60."},
        {LIMITER_OBJECT_OVERLOADED, 0, "Durable Object is overloaded"},
        {LIMITER_OBJECT_QUEUE, 0, "Durable Object is overloaded. Too many requests queued."},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char out[LIMITER_FAULT_MAX];
        assert_text(limiter_fault_text(cases[i].fault, cases[i].value, out), cases[i].expect);
        assert_true(limiter_fault_text(cases[i].fault, UINT32_MAX, out).len <= sizeof(out));
    }
}

static void the_longest_answer_fits(void **state)
{
    (void)state;
    char scratch[LIMITER_ANSWER_SIZE];
    const struct limiter_verdict verdict = {.outcome = LIMITER_UNAVAILABLE,
                                            .retry_after_s = UINT32_MAX};
    struct limiter_answer answer = limiter_answer(NULL, &verdict, scratch);
    assert_true(answer.head.len + answer.body.len <= sizeof(scratch));
    assert_true(gw_str_ends(answer.body, GW_STR(":4294967295}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_the_apps),
        cmocka_unit_test(a_redirect_replaces_refusals_only),
        cmocka_unit_test(a_fault_is_the_apps_500),
        cmocka_unit_test(faults_have_the_stores_words),
        cmocka_unit_test(the_longest_answer_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
