/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/explain_question.h"

/* Reads `text`; `out` gets "METHOD URL CC EDGE | Name: value …", or the error. */
static bool read(const char *text, enum explain_form form, struct gw_buf *out)
{
    const struct gw_source source = {"question", gw_str_z(text)};
    struct explain_asked asked = {.wrong = NULL};
    struct gw_arena arena;
    struct gw_diags diags;
    gw_arena_init(&arena, NULL, 0, 0);
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    assert_non_null(doc);
    bool good = explain_question_read(&asked, json_root(doc), form, &arena);
    const struct explain_question *q = &asked.question;
    if (!good)
        gw_buf_add(out, gw_str_z(asked.error));
    else
        gw_buf_printf(out, "%.*s %.*s %.*s %.*s |", GW_STR_ARG(q->method), GW_STR_ARG(q->url),
                      GW_STR_ARG(q->country), GW_STR_ARG(q->edge));
    for (size_t i = 0; good && i < q->headers->count; i++)
        gw_buf_printf(out, " %.*s: %.*s", GW_STR_ARG(q->headers->items[i].name),
                      GW_STR_ARG(q->headers->items[i].value));
    assert_true(good || asked.wrong);
    json_doc_free(doc);
    gw_diags_release(&diags);
    gw_arena_clear(&arena);
    return good;
}

static void test_read(void **state)
{
    static const struct {
        enum explain_form form;
        const char *text;
        bool good;
        const char *want;
    } cases[] = {
        {EXPLAIN_FORM_OWN, "{\"url\":\"http://a/\"}", true, " http://a/   |"},
        {EXPLAIN_FORM_OWN,
         "{\"url\":\"u\",\"method\":\"PUT\",\"edge\":\"AMS\",\"country\":\"JP\",\"ip\":\"::1\"}",
         true, "PUT u JP AMS |"},
        {EXPLAIN_FORM_OWN, "{\"url\":\"u\",\"headers\":{\"A\":\"1\",\"B\":[\"2\",\"3\"]}}", true,
         " u   | A: 1 B: 2 B: 3"},
        {EXPLAIN_FORM_OWN, "{\"url\":\"u\",\"cookies\":{\"a\":\"1\",\"b\":\"2\"}}", true,
         " u   | Cookie: a=1; b=2"},
        {EXPLAIN_FORM_TRACE,
         "{\"url\":\"u\",\"method\":\"GET\",\"context\":{\"geoloc\":{\"iso_code\":\"JP\"}}}", true,
         "GET u JP  |"},
        {EXPLAIN_FORM_TRACE, "{\"url\":\"u\",\"method\":\"GET\",\"protocol\":\"HTTP/2\"}", true,
         "GET u   |"},
        {EXPLAIN_FORM_TRACE, "{\"url\":\"u\"}", false, "\"method\" is required"},
        {EXPLAIN_FORM_TRACE, "{\"url\":\"u\",\"method\":\"GET\",\"ip\":\"::1\"}", false,
         "invalid JSON: unknown field \"ip\""},
        {EXPLAIN_FORM_OWN, "{}", false, "\"url\" is required"},
        {EXPLAIN_FORM_OWN, "[]", false, "invalid JSON: an object is expected"},
        {EXPLAIN_FORM_OWN, "{\"url\":1}", false, "\"url\" must be a string"},
        {EXPLAIN_FORM_OWN, "{\"url\":\"u\",\"ip\":\"1.2.3\"}", false,
         "\"ip\" must be an IP address"},
        {EXPLAIN_FORM_OWN, "{\"url\":\"u\",\"tls_version\":\"TLSv1.3\",\"tls_cipher\":\"A\"}", true,
         " u   |"},
        {EXPLAIN_FORM_OWN, "{\"url\":\"u\",\"tls_version\":1.3}", false,
         "\"tls_version\" must be a string"},
        {EXPLAIN_FORM_TRACE, "{\"url\":\"u\",\"method\":\"GET\",\"tls_version\":\"\"}", false,
         "invalid JSON: unknown field \"tls_version\""},
        {EXPLAIN_FORM_OWN, "{\"url\":\"u\",\"headers\":{\"A\":1}}", false,
         "\"headers\" must be an object of strings or lists of strings"},
        {EXPLAIN_FORM_OWN, "{\"url\":\"u\",\"cookies\":[]}", false,
         "\"cookies\" must be an object of strings"},
        {EXPLAIN_FORM_OWN, "{\"url\":\"u\",\"heders\":{}}", false,
         "invalid JSON: unknown field \"heders\""},
    };
    (void)state;
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_buf got;
        gw_buf_init(&got, 4096);
        bool good = read(cases[i].text, cases[i].form, &got);
        if (good != cases[i].good || !gw_str_eq(gw_buf_str(&got), gw_str_z(cases[i].want)))
            fail_msg("%s: %.*s", cases[i].text, GW_STR_ARG(gw_buf_str(&got)));
        gw_buf_release(&got);
    }
}

/* More fields than a request may have. */
static void test_too_many(void **state)
{
    struct gw_buf text, got;
    (void)state;
    gw_buf_init(&text, 65536);
    gw_buf_init(&got, 4096);
    gw_buf_add(&text, GW_STR("{\"url\":\"u\",\"headers\":{\"A\":[\"\""));
    for (int i = 0; i < 300; i++)
        gw_buf_add(&text, GW_STR(",\"\""));
    gw_buf_add(&text, GW_STR("]}}"));
    gw_buf_char(&text, 0);
    assert_false(read(text.data, EXPLAIN_FORM_OWN, &got));
    gw_buf_release(&text);
    gw_buf_release(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read),
                                       cmocka_unit_test(test_too_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
