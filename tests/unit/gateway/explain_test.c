/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/explain_view.h"

#define CONFIG SOURCE_DIR "/config/hub-evolution/nearedge.json"
#define CI     "https://ci.hub-evolution.com"

/* The team's configuration as it is shipped. */
struct fixture {
    struct metrics *metrics;
    struct snapshot *snapshot;
};

static int set_up(void **state)
{
    const struct config_overrides overrides = {.lenient_secrets = true};
    struct fixture *f = gw_zalloc(sizeof(*f));
    struct gw_diags diags;
    gw_diags_init(&diags);
    f->metrics = metrics_new(1, GW_STR_EMPTY);
    struct config *config = config_load(CONFIG, &overrides, &diags);
    f->snapshot = config ? snapshot_build(config, f->metrics, &diags) : NULL;
    gw_diags_release(&diags);
    *state = f;
    return f->snapshot ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    snapshot_unref(f->snapshot);
    metrics_free(f->metrics);
    free(f);
    return 0;
}

static struct explain *ask(void **state, const char *method, const char *url)
{
    struct fixture *f = *state;
    char error[EXPLAIN_ERROR_MAX] = "";
    const struct explain_question q = {.method = gw_str_z(method),
                                       .url = gw_str_z(url),
                                       .now_ms = 1700000000000,
                                       .date_ms = 1700000000000};
    struct explain *e = explain_new(f->snapshot, &q, error);
    if (!e)
        fail_msg("%s: %s", url, error);
    return e;
}

static void assert_verdict(const struct explain *e, const char *want)
{
    struct gw_buf got;
    gw_buf_init(&got, 4096);
    explain_verdict(e, &got);
    if (gw_str_find(gw_buf_str(&got), gw_str_z(want)) == GW_NPOS)
        fail_msg("%.*s", GW_STR_ARG(gw_buf_str(&got)));
    gw_buf_release(&got);
}

static void test_verdicts(void **state)
{
    static const struct {
        const char *method, *url, *want;
        unsigned status;
    } cases[] = {
        {NULL, CI "/favicon.ico", "because the file extension is cached by default.", 0},
        {NULL, CI "/en/login", "because rule 2 \"Bypass login/dashboard/welcome pages\" says", 0},
        {"POST", CI "/api/ai-image/generate",
         "counts it against limiter \"aiGenerate\" (15 in 60 s), then passes it to the origin", 0},
        {NULL, "https://nowhere.test/", "answers 404: no zone has this host.", 404},
        {"TRACE", CI "/", "answers 405", 405},
        {"CONNECT", CI "/", "answers 405", 405},
        {"get", CI "/", "answers 400", 400},
        {NULL, "http://user@ci.hub-evolution.com/", "answers 400", 400},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct explain *e = ask(state, cases[i].method, cases[i].url);
        assert_verdict(e, cases[i].want);
        assert_int_equal(explain_status(e), cases[i].status);
        explain_free(e);
    }
}

static void test_bad_questions(void **state)
{
    static const char *const urls[] = {"", "/path", "ftp://x/", "ci.hub-evolution.com/", "http://"};
    struct fixture *f = *state;
    for (size_t i = 0; i < GW_COUNT(urls); i++) {
        char error[EXPLAIN_ERROR_MAX] = "";
        const struct explain_question q = {.url = gw_str_z(urls[i])};
        struct explain *e = explain_new(f->snapshot, &q, error);
        if (e && !e->refused)
            fail_msg("\"%s\" is a URL", urls[i]);
        assert_true(e || error[0]);
        explain_free(e);
    }
}

/* What a listing of the counters says decides about the 429. */
static void test_counts(void **state)
{
    static const struct {
        uint64_t count, reset_in_ms;
        bool limited;
    } cases[] = {{0, 0, false}, {14, 1000, false}, {15, 1000, true}, {15, 0, false}};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct explain *e = ask(state, "POST", CI "/api/ai-image/generate");
        assert_false(explain_is_limited(e));
        explain_set_count(e, cases[i].count, e->visit.wall_ms + cases[i].reset_in_ms);
        assert_int_equal(explain_is_limited(e), cases[i].limited);
        assert_int_equal(explain_status(e), cases[i].limited ? 429 : 0);
        explain_free(e);
    }
}

static void test_settings(void **state)
{
    struct explain *e = ask(state, NULL, CI "/api/x.png");
    const struct explain_setting *cache = explain_setting_of(e, GW_STR("cache"));
    assert_non_null(cache);
    assert_int_equal(cache->rule->rule->index, 2);
    assert_false(json_bool(cache->value));
    assert_null(explain_setting_of(e, GW_STR("edge_ttl")));
    assert_int_equal(e->phases[0].matched, 1);
    assert_false(e->eligibility.eligible);
    explain_free(e);
}

/* Every rule that was evaluated has parts, and at least one of them decided. */
static void test_parts(void **state)
{
    struct explain *e = ask(state, NULL, CI "/en/login");
    for (size_t i = 0; i < e->phases[0].rule_count; i++) {
        const struct explain_rule *r = &e->phases[0].rules[i];
        size_t decided = 0;
        for (size_t k = 0; k < r->part_count; k++)
            decided += r->parts[k].decided && r->parts[k].comparison;
        assert_true(r->evaluated && r->part_count > 0 && decided > 0);
        assert_int_equal(r->parts[0].value, r->matched);
    }
    explain_free(e);
}

/* A view that does not fit says so by its buffer and nothing else. */
static void test_small_buffer(void **state)
{
    struct explain *e = ask(state, NULL, CI "/en/login");
    struct gw_buf out;
    gw_buf_init(&out, 100);
    explain_json(e, &out);
    assert_true(out.overflow);
    gw_buf_clear(&out);
    explain_text(e, true, true, &out);
    assert_true(out.overflow);
    gw_buf_release(&out);
    explain_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts), cmocka_unit_test(test_bad_questions),
        cmocka_unit_test(test_counts),   cmocka_unit_test(test_settings),
        cmocka_unit_test(test_parts),    cmocka_unit_test(test_small_buffer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
