/* SPDX-License-Identifier: Apache-2.0 */
/* The configurations that come with the project load, and the example is complete. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config/json.h"

#define HUB      SOURCE_DIR "/config/hub-evolution/"
#define EXAMPLES SOURCE_DIR "/config/examples/"

static struct config *load_clean(const char *path)
{
    struct gw_diags d;
    gw_diags_init(&d);
    struct config *config = config_load(path, NULL, &d);
    if (!config || d.count)
        gw_diags_print(&d, stderr, false);
    assert_non_null(config);
    assert_int_equal(d.count, 0);
    gw_diags_release(&d);
    return config;
}

static struct json_doc *read_json(const char *path)
{
    struct gw_diags d;
    gw_diags_init(&d);
    struct json_doc *doc = json_read(path, path, &d);
    assert_non_null(doc);
    gw_diags_release(&d);
    return doc;
}

static void the_examples_load_without_a_word(void **state)
{
    (void)state;
    config_free(load_clean(EXAMPLES "minimal.json"));
    struct config *full = load_clean(EXAMPLES "full.json");
    assert_int_equal(full->edge_count, 2);
    assert_true(full->zones[0].any_host);
    assert_true(gw_str_eq(full->zones[0].rulesets[0], GW_STR(EXAMPLES "rulesets/cache.json")));
    config_free(full);
}

/* The value at `zones[].origin.url`, in whatever item of a list has one. */
static const struct json *find(const struct json *v, struct gw_str path)
{
    struct gw_str rest = path, part;
    if (!v || !gw_str_next(&rest, '.', &part))
        return v;
    char name[64];
    bool list = gw_str_ends(part, GW_STR("[]"));
    snprintf(name, sizeof(name), "%.*s", (int)(part.len - (list ? 2 : 0)), part.ptr);
    v = json_get(v, name);
    if (!list)
        return find(v, rest);
    const struct json *found = NULL;
    for (const struct json *item = json_first(v); item && !found; item = json_next(item))
        found = find(item, rest);
    return found;
}

/* The origin of a rule has the keys of any origin: they are shown once. */
static struct gw_str shown_as(struct gw_str path, struct gw_buf *space)
{
    static const struct gw_str again = GW_STR("zones[].origin_rules[].origin.");
    if (!gw_str_starts(path, again))
        return path;
    gw_buf_clear(space);
    gw_buf_add(space, GW_STR("zones[].origin."));
    gw_buf_add(space, gw_str_from(path, again.len));
    return gw_buf_str(space);
}

/* Keys of TLS that name files of their own, or belong to an https origin, stand in the example as
 * comments. */
static bool is_comment(struct gw_str path)
{
    return gw_str_find(path, GW_STR(".tls.")) != GW_NPOS ||
           gw_str_ends(path, GW_STR(".tls[].certificate")) ||
           gw_str_ends(path, GW_STR(".tls[].key"));
}

static void the_full_example_has_every_key(void **state)
{
    (void)state;
    struct json_doc *doc = read_json(EXAMPLES "full.json");
    struct gw_buf keys, space;
    gw_buf_init(&keys, 1 << 20);
    gw_buf_init(&space, 1024);
    config_describe(&keys);
    struct gw_str rest = gw_buf_str(&keys), line;
    size_t count = 0;
    while (gw_str_next(&rest, '\n', &line) && line.len) {
        struct gw_str path = shown_as(gw_str_first(line, gw_str_chr(line, ' ')), &space);
        if (!is_comment(path) && !find(json_root(doc), path))
            fail_msg("full.json does not show %.*s", GW_STR_ARG(path));
        count++;
    }
    assert_true(count > 70);
    gw_buf_release(&keys);
    gw_buf_release(&space);
    json_doc_free(doc);
}

static void the_team_configuration_is_what_was_asked_for(void **state)
{
    (void)state;
    struct config *c = load_clean(HUB "nearedge.json");
    assert_int_equal(c->zone_count, 1);
    const struct config_zone *z = &c->zones[0];
    assert_true(gw_str_eq(z->name, GW_STR("hub-evolution.com")));
    assert_int_equal(z->plan, CONFIG_PLAN_FREE);
    assert_int_equal(z->host_count, 2);
    assert_true(gw_str_eq(z->limiters, GW_STR(HUB "limiters.json")));
    assert_int_equal(c->edge_count, 2);
    assert_int_equal(c->edges[1].isolates, 2);
    assert_int_equal(c->trusted_proxy_count, 2);
    assert_true(c->admin.enabled);
    config_free(c);
}

static bool is_parameter(struct gw_str segment)
{
    return gw_str_starts(segment, GW_STR(":"));
}

/* Does the earlier pattern take a path that the later one names more exactly? */
static bool hides(struct gw_str earlier, struct gw_str later)
{
    struct gw_str a, b;
    bool wider = false;
    for (;;) {
        bool more_a = gw_str_next(&earlier, '/', &a), more_b = gw_str_next(&later, '/', &b);
        if (!more_a || !more_b)
            return more_a == more_b && wider;
        if (is_parameter(a) && !is_parameter(b))
            wider = true;
        else if (!gw_str_eq(a, b) && !(is_parameter(a) && is_parameter(b)))
            return false;
    }
}

static bool has_limiter(const struct json *limiters, struct gw_str name)
{
    for (const struct json *l = json_first(limiters); l; l = json_next(l))
        if (gw_str_eq(json_str(json_get(l, "name")), name))
            return true;
    return false;
}

static void the_team_has_23_limiters_and_225_routes(void **state)
{
    (void)state;
    struct json_doc *doc = read_json(HUB "limiters.json");
    const struct json *limiters = json_get(json_root(doc), "limiters");
    const struct json *routes = json_get(json_root(doc), "routes");
    assert_int_equal(json_count(limiters), 23);
    assert_int_equal(json_count(routes), 225);
    size_t redirects = 0, exempt = 0;
    for (const struct json *r = json_first(routes); r; r = json_next(r)) {
        const struct json *limiter = json_get(r, "limiter");
        struct gw_str path = json_str(json_get(r, "path"));
        assert_non_null(limiter);
        exempt += json_type(limiter) == JSON_NULL;
        if (json_type(limiter) == JSON_STRING)
            assert_true(has_limiter(limiters, json_str(limiter)));
        redirects += json_get(r, "redirect") != NULL;
        for (const struct json *e = json_first(routes); e != r; e = json_next(e))
            if (hides(json_str(json_get(e, "path")), path))
                fail_msg("%.*s is hidden by an earlier route", GW_STR_ARG(path));
    }
    assert_int_equal(exempt, 49);
    assert_int_equal(redirects, 4);
    json_doc_free(doc);
}

static void the_team_ruleset_has_its_four_rules(void **state)
{
    (void)state;
    struct json_doc *doc = read_json(HUB "rulesets/cache.json");
    assert_int_equal(json_count(json_get(json_root(doc), "rules")), 4);
    json_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_load_without_a_word),
        cmocka_unit_test(the_full_example_has_every_key),
        cmocka_unit_test(the_team_configuration_is_what_was_asked_for),
        cmocka_unit_test(the_team_has_23_limiters_and_225_routes),
        cmocka_unit_test(the_team_ruleset_has_its_four_rules),
    };
    return cmocka_run_group_tests_name("shipped", tests, NULL, NULL);
}
