/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of PUT …/rulesets/phases/:phase/entrypoint, twice: byte 0 picks the phase; what is behind
 * a NUL is the second body, which finds what the first one left. Each is refused with entries that
 * point into it, or answered with the ruleset, whose rules can be sent again and stay who they
 * are. */
#include "tests/fuzz/fuzz_gateway_snapshot.h"

#include "gateway/api_rulesets.h"
#include "tests/fuzz/check.h"

static const char *const paths[] = {
    "/client/v4/zones/z/rulesets/phases/http_request_cache_settings/entrypoint",
    "/client/v4/zones/z/rulesets/phases/http_response_cache_settings/entrypoint",
    "/client/v4/zones/z/rulesets/phases/http_ratelimit/entrypoint",
    "/client/v4/zones/z/rulesets/phases/http_request_transform/entrypoint",
};

/* The call is the writer's alone, as on the main thread. False: refused. */
static bool put(struct snapshot_zone *zone, const char *path, struct gw_str body,
                struct gw_buf *rules)
{
    struct gw_source source = {"body", body};
    struct gw_diags diags;
    struct api_write w = {.snapshot = fuzz_snapshot(),
                          .zone = zone,
                          .now = {.wall_ms = 1700000000000, .date_ms = 1700000000000}};
    gw_diags_init(&diags);
    gw_arena_init(&w.arena, NULL, 0, 0);
    admin_call_init(&w.call);
    api_problems_init(&w.problems);
    w.call.path = gw_str_z(path);
    w.body = json_parse(&source, &diags);
    bool object = w.body && json_type(json_root(w.body)) == JSON_OBJECT;
    bool done = object && api_replace_entrypoint(&w);
    if (object && !done)
        CHECK(w.call.status >= 400 && w.problems.count > 0);
    if (object) {
        struct gw_source answer = {"answer", gw_buf_str(&w.call.out)};
        struct json_doc *doc = json_parse(&answer, &diags);
        CHECK(doc);
        const struct json *sent = json_get(json_get(json_root(doc), "result"), "rules");
        CHECK(json_bool(json_get(json_root(doc), "success")) == done && (!done || sent));
        if (done)
            json_write(sent, rules);
        json_doc_free(doc);
    }
    if (done) {
        api_rulesets_unref(zone->documents);
        zone->documents = w.change.documents;
        ruleset_unref(w.change.compiled);
    }
    json_doc_free(w.body);
    api_problems_release(&w.problems);
    admin_call_release(&w.call);
    gw_arena_clear(&w.arena);
    gw_diags_release(&diags);
    return done;
}

static void put_and_repeat(struct snapshot_zone *zone, const char *path, struct gw_str body)
{
    struct gw_buf rules, again, same;
    gw_buf_init(&rules, 1 << 24);
    gw_buf_init(&again, 1 << 24);
    gw_buf_init(&same, 1 << 24);
    if (put(zone, path, body, &rules)) {
        gw_buf_printf(&again, "{\"rules\":%.*s}", GW_STR_ARG(gw_buf_str(&rules)));
        /* An answer also holds what only the server says of a rule; those members are taken. */
        CHECK(put(zone, path, gw_buf_str(&again), &same));
        CHECK(gw_str_eq(gw_buf_str(&rules), gw_buf_str(&same)));
    }
    gw_buf_release(&rules);
    gw_buf_release(&again);
    gw_buf_release(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 16384)
        return 0;
    struct snapshot_zone zone = fuzz_snapshot()->zones[0];
    const char *path = paths[data[0] % GW_COUNT(paths)];
    struct gw_str rest = gw_str((const char *)data + 1, size - 1), body;
    zone.documents = api_rulesets_new();
    for (int i = 0; i < 2 && gw_str_next(&rest, '\0', &body); i++)
        put_and_repeat(&zone, path, body);
    api_rulesets_unref(zone.documents);
    return 0;
}
