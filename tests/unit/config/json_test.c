/* SPDX-License-Identifier: Apache-2.0 */
#include "config/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct json_doc *parse(const char *text, struct gw_diags *diags)
{
    gw_diags_init(diags);
    return json_parse(&(struct gw_source){"t.json", gw_str_z(text)}, diags);
}

/* For texts that must be fine. */
static struct json_doc *parse_good(const char *text)
{
    struct gw_diags diags;
    struct json_doc *doc = parse(text, &diags);
    if (!doc)
        gw_diags_print(&diags, stderr, false);
    assert_non_null(doc);
    assert_int_equal(diags.errors + diags.warnings, 0);
    gw_diags_release(&diags);
    return doc;
}

static void syntax_errors_say_where_and_what(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line, column;
        const char *part;
    } cases[] = {
        {"", 1, 1, "holds no value"},
        {" // nothing\n", 1, 1, "holds no value"},
        {"{\"a\": 1,\n \"b\": 2,\n}", 2, 8, "nothing behind it; remove it"},
        {"[1, 2,]", 1, 6, "nothing behind it"},
        {"{\n \"a\": 1\n \"b\": 2}", 2, 7, "expected \",\" or \"}\" behind this"},
        {"[1\n \"b\"]", 1, 2, "expected \",\" or \"]\" behind this"},
        {"[[1] [2]]", 1, 4, "expected \",\""},
        {"{\"a\": \"open\n}", 1, 7, "not closed; expected \" before the end of the line"},
        {"{\"a\": \"open", 1, 7, "not closed"},
        {"{'a': 1}", 1, 2, "not in single quotes"},
        {"{\"a\": 'x'}", 1, 7, "not in single quotes"},
        {"{\"a\": \xe2\x80\x9cx\xe2\x80\x9d}", 1, 7, "typographic"},
        {"{a: 1}", 1, 2, "expected a name in double quotes, not \"a\""},
        {"{\"a\" = 1}", 1, 6, "not \"=\""},
        {"{\"a\" 1}", 1, 6, "expected \":\" after the name"},
        {"{\"a\": yes}", 1, 7, "unknown word \"yes\""},
        {"{\"a\": True}", 1, 7, "lower case: true"},
        {"{\"a\": NaN}", 1, 7, "unknown word"},
        {"# x\n{}", 1, 1, "comments start with //"},
        {"{} {}", 1, 4, "nothing may follow the value that started in line 1"},
        {"{\n\"a\": [1, 2", 2, 6, "\"[\" is never closed"},
        {"{\n\"a\": {", 2, 6, "\"{\" is never closed"},
        {"{\"a\":", 1, 6, "ends too early; expected a value"},
        {"{/* never\n}", 1, 2, "comment is never closed"},
        {"[01]", 1, 2, "superfluous 0"},
        {"[0x10]", 1, 2, "superfluous 0"},
        {"[+1]", 1, 2, "no plus sign"},
        {"[.5]", 1, 2, "write 0.5"},
        {"[1.]", 1, 2, "after the decimal point"},
        {"[1e]", 1, 2, "in the exponent"},
        {"[-]", 1, 2, "after \"-\""},
        {"[256MiB]", 1, 2, "in quotes: \"256MiB\""},
        {"[1e999]", 1, 2, "too large"},
        {"[1111111111111111111111111111111111111111111111111111111111111111]", 1, 2, "characters"},
        {"[\"\\x\"]", 1, 3, "unknown escape"},
        {"[\"\\u12\"]", 1, 3, "four hexadecimal digits"},
        {"[\"a\\u0000b\"]", 1, 4, "\\u0000 cannot stand"},
        {"[\"\\ud800x\"]", 1, 3, "second half"},
        {"[\"\\udc00\"]", 1, 3, "without its first half"},
        {"[\"\xff\"]", 1, 3, "0xff is not UTF-8"},
        {"[\"\xc0\xaf\"]", 1, 3, "not UTF-8"},
        {"[\"\xed\xa0\x80\"]", 1, 3, "not UTF-8"},
        {"[\"a\tb\"]", 1, 4, "write it as \\t"},
        {"{\"a\": 1,\n \"b\": 2, \"a\": 3}", 2, 10, "\"a\" stands twice"},
        {"{\"a\\u0062\": 1, \"ab\": 2}", 1, 16, "\"ab\" stands twice"},
        {"[1; 2]", 1, 3, "not \";\""},
        {"]", 1, 1, "expected a value, not \"]\""},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct gw_diags diags;
        struct json_doc *doc = parse(cases[i].text, &diags);
        if (doc || diags.count != 1 || diags.items[0].line != cases[i].line ||
            diags.items[0].column != cases[i].column ||
            !strstr(diags.items[0].message, cases[i].part)) {
            gw_diags_print(&diags, stderr, false);
            fail_msg("%s", cases[i].text);
        }
        gw_diags_release(&diags);
    }
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    struct gw_diags diags;
    gw_diags_init(&diags);
    static const struct gw_str texts[] = {{"[1\0]", 4}, {"[\"a\0b\"]", 7}, {"{}\0", 3}};
    for (size_t i = 0; i < GW_COUNT(texts); i++) {
        assert_null(json_parse(&(struct gw_source){"t", texts[i]}, &diags));
        assert_int_equal(diags.errors, i + 1);
    }
    gw_diags_release(&diags);
}

static void nesting_ends_at_a_hundred(void **state)
{
    (void)state;
    for (size_t depth = 99; depth <= 102; depth++) {
        char text[300] = {0};
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        struct gw_diags diags;
        struct json_doc *doc = parse(text, &diags);
        assert_int_equal(doc != NULL, depth <= 100);
        if (!doc)
            assert_non_null(strstr(diags.items[0].message, "nested deeper than 100"));
        json_doc_free(doc);
        gw_diags_release(&diags);
    }
}

static void values_are_counted_with_all_that_are_in_them(void **state)
{
    (void)state;
    const struct gw_source source = {"t", GW_STR("{\"a\": [1, [], {\"b\": null}]}")};
    for (size_t max = 0; max <= 7; max++) {
        struct gw_diags diags;
        gw_diags_init(&diags);
        struct json_doc *doc = json_parse_within(&source, max, &diags);
        assert_int_equal(doc != NULL, max >= 6);
        assert_int_equal(diags.errors, max < 6);
        json_doc_free(doc);
        gw_diags_release(&diags);
    }
}

static void repeated_keys_are_found_in_large_objects(void **state)
{
    (void)state;
    struct gw_buf text;
    gw_buf_init(&text, 1 << 16);
    gw_buf_char(&text, '{');
    for (unsigned i = 0; i < 500; i++)
        gw_buf_printf(&text, "\"key%u\": %u,\n", i == 400 ? 7 : i, i);
    gw_buf_add(&text, GW_STR("\"end\": 0}"));
    struct gw_diags diags;
    gw_diags_init(&diags);
    assert_null(json_parse(&(struct gw_source){"t", gw_buf_str(&text)}, &diags));
    assert_int_equal(diags.count, 1);
    assert_int_equal(diags.items[0].line, 401);
    gw_diags_release(&diags);
    gw_buf_release(&text);
}

static void values_are_read_with_their_types(void **state)
{
    (void)state;
    struct json_doc *doc =
        parse_good("\xef\xbb\xbf// head\n{ /* a */ \"s\": \"a\\u00e4\\n\", \"n\": "
                   "1.5, \"t\": true, \"f\": false, \"0\": null,"
                   " \"list\": [1, [], {}] } // tail");
    const struct json *root = json_root(doc);
    assert_int_equal(json_type(root), JSON_OBJECT);
    assert_int_equal(json_count(root), 6);
    assert_true(gw_str_eq(json_str(json_get(root, "s")), GW_STR("a\xc3\xa4\n")));
    assert_true(json_number(json_get(root, "n")) == 1.5);
    assert_true(json_bool(json_get(root, "t")));
    assert_false(json_bool(json_get(root, "f")));
    assert_int_equal(json_type(json_get(root, "0")), JSON_NULL);
    assert_null(json_get(root, "S"));
    assert_null(json_get(json_get(root, "list"), "s"));
    assert_int_equal(json_str(json_get(root, "n")).len, 0);
    const struct json *list = json_get(root, "list");
    assert_true(gw_str_eq(json_key(list), GW_STR("list")));
    assert_int_equal(json_key(json_first(list)).len, 0);
    assert_int_equal(json_type(json_next(json_first(list))), JSON_ARRAY);
    assert_string_equal(json_type_name(json_type(list)), "an array");
    json_doc_free(doc);
}

static void integers_are_exact_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-5", true, -5},
        {"1e3", true, 1000},
        {"1.0", true, 1},
        {"9007199254740991", true, 9007199254740991},
        {"9007199254740992", false, 0},
        {"9007199254740993", false, 0},
        {"1.5", false, 0},
        {"1e300", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct json_doc *doc = parse_good(cases[i].text);
        int64_t value = 0;
        assert_int_equal(json_int(json_root(doc), INT64_MIN, INT64_MAX, &value), cases[i].ok);
        assert_true(value == cases[i].value);
        assert_false(json_int(json_root(doc), 5000000000, 5000000001, &value));
        json_doc_free(doc);
    }
}

static void places_point_into_the_text(void **state)
{
    (void)state;
    const char *text =
        "// c \"x\": [\n{\"a\": [10, /* , */ {\"b\": \"v,}\"}, true],\n \"long\" : {\n "
        "\"z\" : -1.5e3// tail\n}, \"e\" : \"\"}";
    struct json_doc *doc = parse_good(text);
    const struct json *root = json_root(doc);
    const struct json *a = json_get(root, "a");
    const struct json *object = json_next(json_first(a));
    const struct {
        const struct json *v;
        const char *value, *key;
    } cases[] = {
        {json_first(a), "10", NULL},
        {object, "{\"b\": \"v,}\"}", NULL},
        {json_get(object, "b"), "\"v,}\"", "\"b\""},
        {json_next(object), "true", NULL},
        {a, "[10, /* , */ {\"b\": \"v,}\"}, true]", "\"a\""},
        {json_get(json_get(root, "long"), "z"), "-1.5e3", "\"z\""},
        {json_get(root, "long"), "{\n \"z\" : -1.5e3// tail\n}", "\"long\""},
        {json_get(root, "e"), "\"\"", "\"e\""},
        {root, strchr(text, '{'), NULL},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        size_t offset, width;
        json_place(doc, cases[i].v, &offset, &width);
        assert_true(gw_str_eq(gw_str(text + offset, width), gw_str_z(cases[i].value)));
        if (!cases[i].key)
            continue;
        json_key_place(doc, cases[i].v, &offset, &width);
        assert_true(gw_str_eq(gw_str(text + offset, width), gw_str_z(cases[i].key)));
    }
    json_doc_free(doc);
}

static void string_offsets_count_escapes(void **state)
{
    (void)state;
    /* Decoded: a " b U+00E4 (2 bytes) U+1F600 (4 bytes) z */
    struct json_doc *doc = parse_good("[\"a\\\"b\\u00e4\\ud83d\\ude00z\"]");
    const struct json *string = json_first(json_root(doc));
    assert_int_equal(json_str(string).len, 10);
    static const size_t expected[][2] = {{0, 2},  {1, 3},  {2, 5},  {3, 6},
                                         {5, 12}, {9, 24}, {10, 25}};
    for (size_t i = 0; i < GW_COUNT(expected); i++)
        assert_int_equal(json_string_offset(doc, string, expected[i][0]), expected[i][1]);
    assert_int_equal(json_string_offset(doc, string, 5), json_string_offset(doc, string, 7));
    assert_int_equal(json_string_offset(doc, string, 99), 25);
    json_doc_free(doc);
}

static void messages_mark_value_or_key(void **state)
{
    (void)state;
    struct json_doc *doc = parse_good("{\n  \"lisen\": {\n    \"a\": 1 },\n \"other\": 2 }");
    struct gw_diags diags;
    gw_diags_init(&diags);
    const struct json *first = json_first(json_root(doc));
    static const char *const known[] = {"listen", "admin", NULL};
    json_error(doc, first, &diags, "bad %s", "value");
    json_warn(doc, json_next(first), &diags, "hm");
    json_unknown_keys(doc, json_root(doc), known, &diags);
    assert_int_equal(diags.count, 4);
    assert_string_equal(diags.items[0].message, "bad value");
    assert_int_equal(diags.items[0].column, 12);
    assert_int_equal(diags.items[0].width, 1); /* up to the end of its first line */
    assert_int_equal(diags.items[1].severity, GW_DIAG_WARNING);
    assert_int_equal(diags.items[1].line, 4);
    assert_string_equal(diags.items[2].message, "unknown key \"lisen\"; did you mean \"listen\"?");
    assert_int_equal(diags.items[2].column, 3);
    assert_int_equal(diags.items[2].width, 7);
    assert_string_equal(diags.items[3].message, "unknown key \"other\"");
    gw_diags_release(&diags);
    json_doc_free(doc);
}

static void writing_is_compact_and_reads_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"b\":1,\"a\":[true,false,null,\"x\\\"\\\\y\"],\"o\":{}}",
        "[0.1,1.5,-2,1e+300,9007199254740991,[]]",
        "\"\"",
    };
    for (size_t i = 0; i < GW_COUNT(texts); i++) {
        struct json_doc *doc = parse_good(texts[i]);
        struct gw_buf out;
        gw_buf_init(&out, 4096);
        json_write(json_root(doc), &out);
        assert_true(gw_str_eq(gw_buf_str(&out), gw_str_z(texts[i])));
        gw_buf_release(&out);
        json_doc_free(doc);
    }
}

static void missing_files_are_messages(void **state)
{
    (void)state;
    struct gw_diags diags;
    gw_diags_init(&diags);
    assert_null(json_read("/nonexistent/x.json", "x.json", &diags));
    assert_null(json_read("/", "root", &diags));
    assert_int_equal(diags.errors, 2);
    assert_string_equal(diags.items[0].file, "x.json");
    assert_non_null(strstr(diags.items[0].message, "cannot read the file: "));
    gw_diags_release(&diags);
    json_doc_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_errors_say_where_and_what),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(nesting_ends_at_a_hundred),
        cmocka_unit_test(values_are_counted_with_all_that_are_in_them),
        cmocka_unit_test(repeated_keys_are_found_in_large_objects),
        cmocka_unit_test(values_are_read_with_their_types),
        cmocka_unit_test(integers_are_exact_or_refused),
        cmocka_unit_test(places_point_into_the_text),
        cmocka_unit_test(string_offsets_count_escapes),
        cmocka_unit_test(messages_mark_value_or_key),
        cmocka_unit_test(writing_is_compact_and_reads_back),
        cmocka_unit_test(missing_files_are_messages),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
