/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/conditional.h"

#include "tests/unit/cache/store_fixture.h"

#define DATE   "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER  "Mon, 07 Nov 1994 08:49:37 GMT"
#define BEFORE "Sat, 05 Nov 1994 08:49:37 GMT"

static const struct {
    const char *vector, *request;
    enum cache_answer expected;
    size_t count; /* of ranges */
} cases[] = {
    {"plain", "", CACHE_ANSWER_FULL, 0},
    {"121", "If-None-Match: \"other\"\nIf-Modified-Since: " DATE, CACHE_ANSWER_FULL, 0},
    {"122", "If-None-Match: \"x\"", CACHE_ANSWER_NOT_MODIFIED, 0},
    {"weak", "If-None-Match: \"a\", W/\"x\"", CACHE_ANSWER_NOT_MODIFIED, 0},
    {"star", "If-None-Match: *", CACHE_ANSWER_NOT_MODIFIED, 0},
    {"since", "If-Modified-Since: " DATE, CACHE_ANSWER_NOT_MODIFIED, 0},
    {"since later", "If-Modified-Since: " LATER, CACHE_ANSWER_NOT_MODIFIED, 0},
    {"since before", "If-Modified-Since: " BEFORE, CACHE_ANSWER_FULL, 0},
    {"since nonsense", "If-Modified-Since: yesterday", CACHE_ANSWER_FULL, 0},
    {"since in RFC 850 form", "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT",
     CACHE_ANSWER_NOT_MODIFIED, 0},
    {"since in RFC 850 form, this century", "If-Modified-Since: Sunday, 06-Nov-22 08:49:37 GMT",
     CACHE_ANSWER_NOT_MODIFIED, 0},
    {"since over two lines", "If-Modified-Since: " DATE "\nIf-Modified-Since: " DATE,
     CACHE_ANSWER_FULL, 0},
    {"124", "Range: bytes=0-9", CACHE_ANSWER_RANGE, 1},
    {"125", "Range: bytes=100-", CACHE_ANSWER_UNSATISFIABLE, 0},
    {"125", "Range: bytes=-0", CACHE_ANSWER_UNSATISFIABLE, 0},
    {"127", "Range: bytes=0-1,4-5", CACHE_ANSWER_RANGE, 2},
    {"one of two is left", "Range: bytes=0-1,400-500", CACHE_ANSWER_RANGE, 1},
    {"overlap", "Range: bytes=0-5,4-9", CACHE_ANSWER_FULL, 0},
    {"unit", "Range: lines=0-5", CACHE_ANSWER_FULL, 0},
    {"128", "Range: bytes=0-9\nIf-Range: \"y\"", CACHE_ANSWER_FULL, 0},
    {"If-Range", "Range: bytes=0-9\nIf-Range: \"x\"", CACHE_ANSWER_RANGE, 1},
    {"If-Range by date", "Range: bytes=0-9\nIf-Range: " DATE, CACHE_ANSWER_RANGE, 1},
    {"2.10: conditions first", "Range: bytes=0-9\nIf-None-Match: \"x\"", CACHE_ANSWER_NOT_MODIFIED,
     0},
    {"2.10: not evaluated", "If-Match: \"other\"", CACHE_ANSWER_FULL, 0},
};

static struct cache_object *make(struct world *w, int64_t body_len, uint16_t status)
{
    struct gw_buf text;
    struct cache_place place = place_named(w, "/a");
    struct cache_object_parts parts =
        parts_with("ETag: \"x\"\nContent-Type: text/css\nLast-Modified: " DATE, body_len,
                   (struct cache_lifetime){60, 0, 0}, &text);
    parts.status = status;
    struct cache_object *o = cache_object_new(&place, 0, &parts);
    gw_buf_release(&text);
    return o;
}

static void test_answers(void **state)
{
    (void)state;
    struct world w;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 0);
    world_init(&w, MIB);
    struct cache_object *o = make(&w, 100, 200);
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct cache_range_plan plan = {0};
        struct headers request = fixture_headers(&arena, cases[i].request);
        if (cache_answer(o, &request, &arena, &plan) != cases[i].expected ||
            plan.count != cases[i].count)
            fail_msg("vector %s", cases[i].vector);
    }
    cache_object_unref(o);
    world_release(&w);
    gw_arena_clear(&arena);
}

/* Only a stored 200 is conditional (2.10); ranges need the length (2.11). */
static void test_what_cannot_be_cut(void **state)
{
    (void)state;
    struct world w;
    struct gw_arena arena;
    struct cache_range_plan plan;
    gw_arena_init(&arena, NULL, 0, 0);
    world_init(&w, MIB);
    struct headers request = fixture_headers(&arena, "Range: bytes=0-9\nIf-None-Match: \"x\"");
    struct cache_object *o = make(&w, 100, 404);
    assert_int_equal(cache_answer(o, &request, &arena, &plan), CACHE_ANSWER_FULL);
    cache_object_unref(o);
    o = make(&w, -1, 200);
    assert_int_equal(cache_answer(o, &request, &arena, &plan), CACHE_ANSWER_NOT_MODIFIED);
    request = fixture_headers(&arena, "Range: bytes=0-9");
    assert_int_equal(cache_answer(o, &request, &arena, &plan), CACHE_ANSWER_FULL);
    cache_object_unref(o);
    world_release(&w);
    gw_arena_clear(&arena);
}

static void test_range_bodies(void **state)
{
    (void)state;
    struct world w;
    struct gw_arena arena;
    struct gw_buf out;
    struct cache_range_plan plan;
    gw_arena_init(&arena, NULL, 0, 0);
    gw_buf_init(&out, 10000);
    world_init(&w, MIB);
    struct cache_object *o = make(&w, 100, 200);
    struct headers request = fixture_headers(&arena, "Range: bytes=90-");
    assert_int_equal(cache_answer(o, &request, &arena, &plan), CACHE_ANSWER_RANGE);
    cache_range_fields(&plan, &out);
    assert_true(gw_str_eq(gw_buf_str(&out), GW_STR("Content-Range: bytes 90-99/100\r\n"
                                                   "Content-Length: 10\r\n")));
    request = fixture_headers(&arena, "Range: bytes=0-1,4-5");
    assert_int_equal(cache_answer(o, &request, &arena, &plan), CACHE_ANSWER_RANGE);
    gw_buf_clear(&out);
    for (size_t i = 0; i <= plan.count; i++)
        cache_range_part(&plan, i, &out);
    assert_int_equal(plan.body_len, out.len + 2 + 2);
    struct gw_str boundary = gw_str(plan.boundary, CACHE_BOUNDARY_LEN);
    struct gw_buf expected;
    gw_buf_init(&expected, 10000);
    gw_buf_printf(&expected,
                  "\r\n--%.*s\r\nContent-Type: text/css\r\nContent-Range: bytes 0-1/100\r\n\r\n"
                  "\r\n--%.*s\r\nContent-Type: text/css\r\nContent-Range: bytes 4-5/100\r\n\r\n"
                  "\r\n--%.*s--\r\n",
                  GW_STR_ARG(boundary), GW_STR_ARG(boundary), GW_STR_ARG(boundary));
    assert_true(gw_str_eq(gw_buf_str(&out), gw_buf_str(&expected)));
    gw_buf_release(&expected);
    gw_buf_release(&out);
    cache_object_unref(o);
    world_release(&w);
    gw_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_what_cannot_be_cut),
        cmocka_unit_test(test_range_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
