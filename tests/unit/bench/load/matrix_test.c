/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/matrix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct json_doc *parse(const char *text)
{
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&(struct gw_source){"answer", gw_str_z(text)}, &diags);
    gw_diags_release(&diags);
    assert_non_null(doc);
    return doc;
}

#define STORE(name, enforces, over, z)                                                             \
    "{\"store\":\"" name "\",\"enforces\":" enforces ",\"admitted\":15,\"refused\":25,"            \
    "\"errors\":0,\"pending\":0,\"overAdmitted\":" over                                            \
    ",\"firstRefusal\":{\"least\":16,\"mean\":17.5},"                                              \
    "\"mixedZone\":{\"most\":3,\"mean\":1},\"latencyMs\":{\"p50\":1,\"p99\":45,\"sum\":99},"       \
    "\"model\":{\"row\":4,\"says\":\"x\",\"expected\":14.5,\"deviation\":0.6,\"z\":" z "},"        \
    "\"operations\":{\"kv_read\":40,\"kv_write\":15},"                                             \
    "\"usd\":{\"confirmed\":true,\"perMillionCalls\":2.375,\"perMonth\":null}}"
#define ANSWER(requests, stores)                                                                   \
    "{\"success\":true,\"data\":{\"prices\":{\"date\":\"2026-10\"},\"limiters\":["                 \
    "{\"name\":\"ai<b>\",\"maxRequests\":15,\"windowMs\":60000,\"firstMs\":0,"                     \
    "\"requests\":" requests                                                                       \
    ",\"skipped\":2,\"windows\":1,\"exact\":15,\"edges\":2,\"isolates\":4,"                        \
    "\"inTurn\":false,\"stores\":[" stores "]}]}}"

static void text_is_a_table_in_columns(void **state)
{
    (void)state;
    struct json_doc *doc = parse(ANSWER("40", STORE("kv", "true", "0", "-0.83") "," STORE(
                                                  "durable_object", "false", "25", "null")));
    struct gw_buf out;
    gw_buf_init(&out, 65536);
    matrix_text(json_root(doc), false, &out);
    gw_buf_char(&out, '\0');
    assert_string_equal(
        out.data,
        "ai<b>: 15 in 60 s; 40 calls in 1 window at 2 edges, 4 isolates at random, since "
        "1970-01-01T00:00:00.000Z; exact: 15; 2 more were not compared\n"
        "STORE           ADMITTED  REFUSED  500s  OVER       FIRST 429  MIXED  ADDED p50/p99"
        "       MODEL        Z  $/1M CALLS  $/MONTH  OPERATIONS\n"
        "kv *                  15       25     0     0  16 (mean 17.5)      3        1/45 ms"
        "  14.5 ± 0.6     -0.8        2.38        -  40 KV reads, 15 writes\n"
        "durable_object        15       25     0   +25  16 (mean 17.5)      3        1/45 ms"
        "  14.5 ± 0.6  differs        2.38        -  40 KV reads, 15 writes\n"
        "* enforces. OVER against the exact count. List prices of 2026-10, a month of 30 days at "
        "the measured rate; ? no published price.\n");
    gw_buf_release(&out);
    json_doc_free(doc);
}

static void html_escapes_what_it_shows(void **state)
{
    (void)state;
    struct json_doc *doc = parse(ANSWER("40", STORE("kv", "true", "0", "0")));
    struct gw_buf out;
    gw_buf_init(&out, 65536);
    matrix_html(json_root(doc), &out);
    gw_buf_char(&out, '\0');
    assert_non_null(strstr(out.data, "<h2>Limiter matrix</h2>"));
    assert_non_null(strstr(out.data, "ai&lt;b&gt;: 15 in 60 s"));
    assert_null(strstr(out.data, "<b>"));
    assert_non_null(strstr(out.data, "<td>kv *</td><td>15</td>"));
    gw_buf_release(&out);
    json_doc_free(doc);
}

static void limiters_without_calls_are_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool all, shows;
    } cases[] = {{ANSWER("0", STORE("kv", "true", "0", "0")), false, false},
                 {ANSWER("0", STORE("kv", "true", "0", "0")), true, true},
                 {ANSWER("1", ""), false, true},
                 {"{\"success\":true,\"data\":{\"limiters\":[]}}", true, false},
                 {"{\"error\":{\"message\":\"no\"}}", true, false},
                 {"[1,{\"data\":7}]", true, false}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct json_doc *doc = parse(cases[i].text);
        struct gw_buf out;
        gw_buf_init(&out, 65536);
        matrix_text(json_root(doc), cases[i].all, &out);
        assert_int_equal(out.len > 0, cases[i].shows);
        assert_false(matrix_is_pending(json_root(doc)));
        gw_buf_release(&out);
        json_doc_free(doc);
    }
    struct gw_buf out;
    gw_buf_init(&out, 64);
    matrix_text(NULL, true, &out); /* a load test without an admin listener */
    matrix_html(NULL, &out);
    assert_int_equal(out.len, 0);
    gw_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_a_table_in_columns),
        cmocka_unit_test(html_escapes_what_it_shows),
        cmocka_unit_test(limiters_without_calls_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
