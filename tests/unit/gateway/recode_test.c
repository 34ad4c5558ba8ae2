/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/hash.h"
#include "gateway/recode.h"

#define MIB ((size_t)1 << 20)

/* All that a recoder gives for these pieces, taken in stretches of `room` bytes. */
static enum recode_state push(struct recoder *r, size_t room, struct gw_buf *all)
{
    char space[4096 + 1];
    enum recode_state state;
    do {
        struct gw_buf out = gw_buf_over(space, room + 1);
        state = recoder_take(r, &out);
        assert_true(out.len <= room && !out.overflow);
        gw_buf_add(all, gw_buf_str(&out));
    } while (state == RECODE_FULL);
    return state;
}

static enum recode_state recode(struct cache_recoding how, struct gw_str text, size_t piece,
                                struct gw_buf *all)
{
    struct recoder *r = recoder_new(how, false);
    enum recode_state state = RECODE_OK;
    for (size_t at = 0; at < text.len && state == RECODE_OK; at += piece) {
        recoder_put(r, gw_str_first(gw_str_from(text, at), piece));
        state = push(r, 1 + piece % 4096, all);
    }
    recoder_finish(r);
    if (state == RECODE_OK)
        state = push(r, 777, all);
    recoder_free(r);
    return state;
}

/* Half words, half noise. */
static void make_text(struct gw_buf *text, size_t len)
{
    struct gw_rng rng = {42};
    gw_buf_init(text, len);
    while (text->len < len)
        if (gw_rng_below(&rng, 2))
            gw_buf_add(text, gw_str_first(GW_STR("the quick brown fox "), len - text->len));
        else
            gw_buf_char(text, (char)gw_rng_next(&rng));
}

static const enum cache_coding codings[] = {CACHE_CODING_GZIP, CACHE_CODING_BROTLI};

static void test_round_trips(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 100, 16384, 300000}, pieces[] = {1, 1000, 65536};
    for (size_t i = 0; i < GW_COUNT(lengths) * GW_COUNT(pieces) * 4; i++) {
        size_t len = lengths[i % 5], piece = pieces[i / 5 % 3];
        enum cache_coding first = codings[i / 15 % 2], second = codings[i / 30 % 2];
        if (piece == 1 && len > 20000)
            continue;
        struct gw_buf text, coded, other, back;
        make_text(&text, len);
        gw_buf_init(&coded, MIB);
        gw_buf_init(&other, MIB);
        gw_buf_init(&back, MIB);
        struct cache_recoding encode = {CACHE_CODING_IDENTITY, first}, change = {first, second};
        struct cache_recoding decode = {second, CACHE_CODING_IDENTITY};
        assert_int_equal(recode(encode, gw_buf_str(&text), piece, &coded), RECODE_OK);
        assert_int_equal(recode(change, gw_buf_str(&coded), piece, &other), RECODE_OK);
        assert_int_equal(recode(decode, gw_buf_str(&other), piece, &back), RECODE_OK);
        assert_true(gw_str_eq(gw_buf_str(&text), gw_buf_str(&back)));
        gw_buf_release(&text);
        gw_buf_release(&coded);
        gw_buf_release(&other);
        gw_buf_release(&back);
    }
}

/* What was put can be read at the other end before more comes. */
static void test_flows(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(codings); i++) {
        struct recoder *encoder =
            recoder_new((struct cache_recoding){CACHE_CODING_IDENTITY, codings[i]}, true);
        struct recoder *decoder =
            recoder_new((struct cache_recoding){codings[i], CACHE_CODING_IDENTITY}, true);
        struct gw_buf coded, text;
        gw_buf_init(&coded, MIB);
        gw_buf_init(&text, MIB);
        for (size_t n = 1; n <= 20; n++) {
            recoder_put(encoder, GW_STR("event\n"));
            assert_int_equal(push(encoder, 7, &coded), RECODE_OK);
            recoder_put(decoder, gw_buf_str(&coded));
            gw_buf_clear(&coded);
            assert_int_equal(push(decoder, 100, &text), RECODE_OK);
            assert_int_equal(text.len, 6 * n);
        }
        assert_int_equal(push(encoder, 100, &coded), RECODE_OK);
        assert_true(coded.len < 10); /* nothing came: no stream of empty blocks */
        recoder_free(encoder);
        recoder_free(decoder);
        gw_buf_release(&coded);
        gw_buf_release(&text);
    }
}

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(codings); i++) {
        struct cache_recoding encode = {CACHE_CODING_IDENTITY, codings[i]};
        struct cache_recoding decode = {codings[i], CACHE_CODING_IDENTITY};
        struct gw_buf coded, out;
        gw_buf_init(&coded, MIB);
        gw_buf_init(&out, MIB);
        assert_int_equal(recode(encode, GW_STR("some text that is some text"), 100, &coded),
                         RECODE_OK);
        struct gw_str whole = gw_buf_str(&coded);
        assert_int_equal(recode(decode, gw_str_first(whole, whole.len - 1), 5, &out),
                         RECODE_BROKEN);
        gw_buf_clear(&out);
        assert_int_equal(recode(decode, GW_STR("\xff\xff plainly no coded text"), 5, &out),
                         RECODE_BROKEN);
        gw_buf_clear(&out);
        gw_buf_add(&coded, GW_STR("padding")); /* is left out */
        assert_int_equal(recode(decode, gw_buf_str(&coded), 5, &out), RECODE_OK);
        assert_int_equal(out.len, 27);
        gw_buf_release(&coded);
        gw_buf_release(&out);
    }
}

static void test_gzip_members(void **state)
{
    (void)state;
    struct cache_recoding encode = {CACHE_CODING_IDENTITY, CACHE_CODING_GZIP};
    struct cache_recoding decode = {CACHE_CODING_GZIP, CACHE_CODING_IDENTITY};
    struct gw_buf coded, out;
    gw_buf_init(&coded, MIB);
    gw_buf_init(&out, MIB);
    assert_int_equal(recode(encode, GW_STR("one "), 100, &coded), RECODE_OK);
    assert_int_equal(recode(encode, GW_STR("two"), 100, &coded), RECODE_OK);
    assert_int_equal(recode(decode, gw_buf_str(&coded), 3, &out), RECODE_OK);
    assert_true(gw_str_eq(gw_buf_str(&out), GW_STR("one two")));
    gw_buf_release(&coded);
    gw_buf_release(&out);
}

/* Ten megabytes of nothing in a few kilobytes come out a room at a time. */
static void test_bomb(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_COUNT(codings); i++) {
        struct cache_recoding encode = {CACHE_CODING_IDENTITY, codings[i]};
        struct recoder *r =
            recoder_new((struct cache_recoding){codings[i], CACHE_CODING_IDENTITY}, false);
        struct gw_buf text, coded;
        gw_buf_init(&text, 10 * MIB);
        memset(gw_buf_reserve(&text, 10 * MIB), 0, 10 * MIB);
        text.len = 10 * MIB;
        gw_buf_init(&coded, MIB);
        assert_int_equal(recode(encode, gw_buf_str(&text), 65536, &coded), RECODE_OK);
        recoder_put(r, gw_buf_str(&coded));
        size_t total = 0;
        enum recode_state answer = RECODE_FULL;
        while (answer == RECODE_FULL) {
            char space[4096];
            struct gw_buf out = gw_buf_over(space, sizeof(space));
            answer = recoder_take(r, &out);
            total += out.len;
        }
        assert_int_equal(answer, RECODE_OK);
        assert_int_equal(total, 10 * MIB);
        recoder_free(r);
        gw_buf_release(&text);
        gw_buf_release(&coded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_flows),
        cmocka_unit_test(test_broken),      cmocka_unit_test(test_gzip_members),
        cmocka_unit_test(test_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
