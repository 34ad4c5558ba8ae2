/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/rule_index.h"

#include "config/rules/anchors.h"
#include "tests/unit/config/rules/rules_request_fixture.h"

#define RULES_MAX 300

struct indexed {
    struct gw_arena arena;
    struct rule rules[RULES_MAX];
    size_t count;
    const struct rule_index *index;
};

static void add_rule(struct indexed *x, const char *text)
{
    struct expr_options options = {.plan = CONFIG_PLAN_ENTERPRISE};
    struct expr_error err;
    struct rule *rule = &x->rules[x->count];
    *rule = (struct rule){.enabled = true, .index = (uint16_t)x->count++};
    rule->expr = expr_compile(gw_str_z(text), &options, &err);
    if (!rule->expr)
        fail_msg("%s: %s", text, err.reason);
}

static void index_all(struct indexed *x)
{
    x->index = rule_index_new(x->rules, x->count, &x->arena);
}

static struct indexed *indexed_new(void)
{
    struct indexed *x = gw_zalloc(sizeof(*x));
    gw_arena_init(&x->arena, NULL, 0, 0);
    return x;
}

static void indexed_free(struct indexed *x)
{
    for (size_t i = 0; i < x->count; i++)
        expr_free((struct expr *)x->rules[i].expr);
    gw_arena_clear(&x->arena);
    free(x);
}

static bool is_candidate(const struct indexed *x, const struct rules_request *r, size_t rule)
{
    struct rule_set set;
    rule_index_find(x->index, r, &set);
    return set.words[rule / 64] >> (rule % 64) & 1;
}

static size_t count_candidates(const struct indexed *x, const struct rules_request *r)
{
    struct rule_set set;
    size_t sum = 0;
    rule_index_find(x->index, r, &set);
    for (size_t i = 0; i < RULE_SET_WORDS; i++)
        sum += (size_t)__builtin_popcountll(set.words[i]);
    return sum;
}

static void what_binds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t anchors; /* 0: does not bind */
        const char *first;
    } cases[] = {
        {"http.request.uri.path eq \"/a\"", 1, "/a"},
        {"starts_with(http.request.uri.path, \"/a/\")", 1, "/a/"},
        {"http.request.uri.path in {\"/b\" \"/a\"}", 2, NULL},
        {"http.host eq \"x.test\"", 1, "x.test"},
        /* Of parts that all hold, the longest beginning of the path. */
        {"http.host eq \"a-long-name.test\" and starts_with(http.request.uri.path, \"/a\")", 1,
         "/a"},
        {"starts_with(http.request.uri.path, \"/a\") and http.request.uri.path eq \"/abc\"", 1,
         "/abc"},
        {"http.host eq \"x.test\" and (http.request.uri.path eq \"/a\" or "
         "starts_with(http.request.uri.path, \"/b\"))",
         2, "/a"},
        {"http.request.uri.path eq \"/a\" or http.host eq \"x.test\"", 2, "/a"},
        /* One part that nothing binds is enough for anything to match. */
        {"http.request.uri.path eq \"/a\" or ssl", 0, NULL},
        {"not http.request.uri.path eq \"/a\"", 0, NULL},
        {"http.request.uri.path ne \"/a\"", 0, NULL},
        {"http.request.uri.path eq \"/a\" xor ssl", 0, NULL},
        {"ends_with(http.request.uri.path, \"/a\")", 0, NULL},
        {"http.request.uri.path contains \"/a\"", 0, NULL},
        {"lower(http.request.uri.path) eq \"/a\"", 0, NULL},
        {"starts_with(http.request.uri.path, \"\")", 0, NULL},
        {"http.request.uri.query eq \"\"", 0, NULL},
        {"http.request.uri.path.extension eq \"js\"", 0, NULL},
        {"any(http.request.headers[\"x\"][*] eq \"/a\")", 0, NULL},
        {"http.request.uri.path gt \"/a\"", 0, NULL},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct indexed *x = indexed_new();
        struct anchors anchors;
        add_rule(x, cases[i].text);
        anchors_of(x->rules[0].expr, &anchors);
        if (anchors.count != cases[i].anchors)
            fail_msg("%s: %zu anchors", cases[i].text, anchors.count);
        if (cases[i].first && !gw_str_eq(anchors.items[0].literal, gw_str_z(cases[i].first)))
            fail_msg("%s: %.*s", cases[i].text, GW_STR_ARG(anchors.items[0].literal));
        indexed_free(x);
    }
}

/* As many as a zone may have, and a request evaluates only those that begin as its path does. */
static void only_what_can_match_is_asked(void **state)
{
    (void)state;
    struct indexed *x = indexed_new();
    struct fixture f;
    char text[128];
    fixture_init(&f);
    for (size_t i = 0; i < RULES_MAX; i++) {
        snprintf(text, sizeof(text), "http.host eq \"%s\" and starts_with(%s, \"/area-%zu/\")",
                 "ci.hub-evolution.com", "http.request.uri.path", i);
        add_rule(x, text);
    }
    index_all(x);
    f.request.path = GW_STR("/area-29/x");
    assert_int_equal(count_candidates(x, &f.request), 1);
    assert_true(is_candidate(x, &f.request, 29));
    f.request.path = GW_STR("/area-29");
    assert_int_equal(count_candidates(x, &f.request), 0);
    f.request.path = GW_STR("/zzz");
    assert_int_equal(count_candidates(x, &f.request), 0);
    f.request.path = GW_STR_EMPTY;
    assert_int_equal(count_candidates(x, &f.request), 0);
    fixture_release(&f);
    indexed_free(x);
}

static void disabled_rules_and_such_without_expression_are_never_asked(void **state)
{
    (void)state;
    struct indexed *x = indexed_new();
    struct fixture f;
    fixture_init(&f);
    add_rule(x, "true");
    add_rule(x, "http.host eq \"ci.hub-evolution.com\"");
    add_rule(x, "true");
    x->rules[0].enabled = x->rules[1].enabled = false;
    x->rules[x->count] = (struct rule){.enabled = true, .index = (uint16_t)x->count};
    x->count++;
    index_all(x);
    assert_int_equal(count_candidates(x, &f.request), 1);
    assert_true(is_candidate(x, &f.request, 2));
    fixture_release(&f);
    indexed_free(x);
}

/* A fifth text has no table, seventeen beginnings do not bind: both are asked always. */
static void what_does_not_fit_is_always_asked(void **state)
{
    (void)state;
    struct indexed *x = indexed_new();
    struct fixture f;
    fixture_init(&f);
    add_rule(x, "http.request.uri.path in {\"/1\" \"/2\" \"/3\" \"/4\" \"/5\" \"/6\" \"/7\" \"/8\" "
                "\"/9\" \"/a\" \"/b\" \"/c\" \"/d\" \"/e\" \"/f\" \"/g\" \"/h\"}");
    add_rule(x, "http.host eq \"other.test\"");
    add_rule(x, "http.request.method eq \"PUT\"");
    add_rule(x, "http.request.version eq \"HTTP/3\"");
    add_rule(x, "ip.src.country eq \"FR\"");
    add_rule(x, "cf.zone.name eq \"other.test\"");
    index_all(x);
    assert_int_equal(count_candidates(x, &f.request), 2);
    assert_true(is_candidate(x, &f.request, 0));
    assert_true(is_candidate(x, &f.request, 5));
    fixture_release(&f);
    indexed_free(x);
}

/* Every @ of the form is the piece. */
static void fill(char *out, size_t size, const char *form, const char *piece)
{
    size_t at = 0;
    for (; *form; form++) {
        if (*form != '@')
            out[at++] = *form;
        else
            at += (size_t)snprintf(out + at, size - at, "%s", piece);
    }
    out[at] = '\0';
}

/* Random rules over few letters, so that beginnings lie in one another, against every short path:
 * no rule that matches is left out. */
static void nothing_that_matches_is_left_out(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "starts_with(http.request.uri.path, \"/@\")",
        "http.request.uri.path eq \"/@\"",
        "http.request.uri.path in {\"/@\" \"/@a\" \"/b\"}",
        "starts_with(http.request.uri.path, \"/@\") or http.request.uri.path eq \"/@b\"",
        "http.host eq \"@\" or starts_with(http.request.uri.path, \"/@\")",
        "not starts_with(http.request.uri.path, \"/@\")",
    };
    struct fixture f;
    char text[256], piece[8], path[8];
    unsigned seed = 20261124;
    fixture_init(&f);
    for (int round = 0; round < 20; round++) {
        struct indexed *x = indexed_new();
        for (size_t i = 0; i < 100; i++) {
            size_t letters = (size_t)rand_r(&seed) % 5;
            for (size_t k = 0; k < letters; k++)
                piece[k] = "ab"[rand_r(&seed) % 2];
            piece[letters] = '\0';
            const char *form = forms[(size_t)rand_r(&seed) % GW_COUNT(forms)];
            fill(text, sizeof(text), form, piece);
            add_rule(x, text);
        }
        index_all(x);
        for (unsigned bits = 1; bits < 128; bits++) { /* "1…": the rest are letters */
            size_t length = 0, top = 31 - (size_t)__builtin_clz(bits);
            path[length++] = '/';
            for (size_t k = top; k-- > 0;)
                path[length++] = "ab"[bits >> k & 1];
            f.request.path = gw_str(path, length);
            f.request.host = gw_str(path + 1, length - 1);
            for (size_t i = 0; i < x->count; i++) {
                if (expr_eval(x->rules[i].expr, &f.request) && !is_candidate(x, &f.request, i))
                    fail_msg("%.*s: rule %zu, %.*s", GW_STR_ARG(f.request.path), i,
                             GW_STR_ARG(expr_text(x->rules[i].expr)));
            }
        }
        indexed_free(x);
    }
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_binds),
        cmocka_unit_test(only_what_can_match_is_asked),
        cmocka_unit_test(disabled_rules_and_such_without_expression_are_never_asked),
        cmocka_unit_test(what_does_not_fit_is_always_asked),
        cmocka_unit_test(nothing_that_matches_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
