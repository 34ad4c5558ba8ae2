/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a ruleset file says, it is loaded, or refused with an error for every finding that an
 * API client would get. */
#include <assert.h>

#include "config/rules/ruleset.h"
#include "gateway/http/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_problem(void *ctx, const struct ruleset_problem *problem)
{
    size_t *count = ctx;
    assert(problem->message[0]);
    assert(problem->pointer[0] == '/' || problem->pointer[0] == '\0');
    ++*count;
}

static void match(const struct ruleset *rs)
{
    struct gw_arena arena;
    struct headers headers;
    struct rules_request r;
    struct ruleset_result result;
    gw_arena_init(&arena, NULL, 0, 8 << 20);
    headers_init(&headers, &arena, 1);
    rules_request_init(&r, &arena);
    r.method = GW_STR("GET");
    r.host = GW_STR("ci.hub-evolution.com");
    r.path = GW_STR("/");
    r.headers = &headers;
    ruleset_match(rs, &r, &result);
    for (size_t i = 0; i < CACHE_SETTING_COUNT; i++) {
        const struct cache_settings *s =
            cache_settings_get(&result.settings, (enum cache_setting)i);
        assert(!s || cache_settings_has(s, (enum cache_setting)i));
    }
    gw_arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_source source = {"fuzz", gw_str((const char *)data, size)};
    struct gw_diags diags;
    gw_diags_init(&diags);
    if (size > 16384) /* places are looked for from the start each time */
        return 0;
    struct json_doc *doc = json_parse(&source, &diags);
    for (int plan = CONFIG_PLAN_FREE; doc && plan <= CONFIG_PLAN_ENTERPRISE; plan += 3) {
        size_t problems = 0, before = diags.errors;
        struct gw_str host = GW_STR("ci.hub-evolution.com");
        struct ruleset_options options = {.plan = (enum config_plan)plan,
                                          .hosts = &host,
                                          .host_count = 1,
                                          .on_problem = on_problem,
                                          .ctx = &problems};
        struct ruleset *rs = ruleset_load(doc, &options, &diags);
        assert((rs == NULL) == (problems > 0));
        assert(diags.errors - before == problems);
        if (rs)
            match(rs);
        ruleset_unref(rs);
    }
    json_doc_free(doc);
    gw_diags_release(&diags);
    return 0;
}
