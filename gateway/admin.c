/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admin.h"

#include "gateway/admin_route.h"
#include "gateway/api_write.h"
#include "gateway/exchange.h"
#include "gateway/replay.h"
#include "gateway/server.h"

#define V4         "/client/v4"
#define ZONE       V4 "/zones/:zone"
#define RULESETS   ZONE "/rulesets"
#define ENTRYPOINT RULESETS "/phases/:phase/entrypoint"

/* A few dozen rows are searched in order: nobody measures this listener, everybody reads the table.
 */
const struct admin_route admin_routes[] = {
    {METHOD_GET, "/", true, admin_page},
    {METHOD_GET, "/inspector/:file", true, admin_page_file},
    {METHOD_GET, "/livez", true, admin_livez},
    {METHOD_GET, "/readyz", true, admin_readyz},
    {METHOD_GET, "/metrics", false, admin_metrics},
    {METHOD_GET, "/api/clock", false, admin_clock_get},
    {METHOD_POST, "/api/clock/advance", false, admin_clock_advance},
    {METHOD_GET, "/api/admin/rate-limits/state", false, admin_limits_state},
    {METHOD_POST, "/api/admin/rate-limits/reset", false, admin_limits_reset},
    {METHOD_GET, "/api/admin/rate-limits/compare", false, admin_compare_get},
    {METHOD_DELETE, "/api/admin/rate-limits/compare", false, admin_compare_clear},
    {METHOD_GET, "/api/rate-rules", false, admin_rate_list},
    {METHOD_DELETE, "/api/rate-rules", false, admin_rate_clear},
    {METHOD_GET, "/api/cache/stats", false, admin_cache_stats},
    {METHOD_GET, "/api/cache/objects", false, admin_cache_objects},
    {METHOD_GET, "/api/inspector", false, admin_inspector},
    {METHOD_GET, "/api/events", false, admin_events},
    {METHOD_GET, "/api/requests", false, admin_requests},
    {METHOD_GET, "/api/requests.har", false, admin_har},
    {METHOD_GET, "/api/requests/:ray", false, admin_request},
    {METHOD_POST, "/api/requests/:ray/replay", false, admin_replay},
    {METHOD_POST, ZONE "/purge_cache", false, admin_purge_cache},
    {METHOD_POST, ZONE "/invalidate_cache", false, admin_invalidate_cache},
    {METHOD_POST, "/api/explain", false, admin_explain},
    {METHOD_GET, "/api/upstreams", false, admin_upstreams},
    {METHOD_GET, "/api/faults", false, admin_faults_get},
    {METHOD_PUT, "/api/faults", false, admin_faults_put},
    {METHOD_DELETE, "/api/faults", false, admin_faults_delete},
    {METHOD_PUT, "/api/faults/:name", false, admin_fault_put},
    {METHOD_DELETE, "/api/faults/:name", false, admin_fault_delete},
    {METHOD_POST, "/client/v4/accounts/:account/request-tracer/trace", false, admin_explain},
    {METHOD_GET, V4 "/user/tokens/verify", false, api_token_verify},
    {METHOD_GET, V4 "/accounts", false, api_accounts_list},
    {METHOD_GET, V4 "/accounts/:account", false, api_account_get},
    {METHOD_GET, V4 "/zones", false, api_zones_list},
    {METHOD_GET, ZONE, false, api_zone_get},
    {METHOD_GET, ZONE "/settings", false, api_settings_list},
    {METHOD_PATCH, ZONE "/settings", false, api_settings_patch},
    {METHOD_GET, ZONE "/settings/:setting", false, api_setting_get},
    {METHOD_PATCH, ZONE "/settings/:setting", false, api_setting_patch},
    {METHOD_GET, RULESETS, false, api_rulesets_list},
    {METHOD_POST, RULESETS, false, api_ruleset_create},
    {METHOD_GET, RULESETS "/:ruleset", false, api_ruleset_get},
    {METHOD_PUT, RULESETS "/:ruleset", false, api_ruleset_put},
    {METHOD_DELETE, RULESETS "/:ruleset", false, api_ruleset_delete},
    {METHOD_GET, RULESETS "/:ruleset/versions", false, api_versions_list},
    {METHOD_GET, RULESETS "/:ruleset/versions/:version", false, api_version_get},
    {METHOD_DELETE, RULESETS "/:ruleset/versions/:version", false, api_version_delete},
    {METHOD_POST, RULESETS "/:ruleset/rules", false, api_rule_post},
    {METHOD_PATCH, RULESETS "/:ruleset/rules/:rule", false, api_rule_patch},
    {METHOD_DELETE, RULESETS "/:ruleset/rules/:rule", false, api_rule_delete},
    {METHOD_GET, ENTRYPOINT, false, api_ruleset_get},
    {METHOD_PUT, ENTRYPOINT, false, api_entrypoint_put},
    {METHOD_POST, ENTRYPOINT "/what-if", false, api_what_if},
    {METHOD_GET, ENTRYPOINT "/versions", false, api_versions_list},
    {METHOD_GET, ENTRYPOINT "/versions/:version", false, api_version_get},
    {METHOD_OTHER, NULL, false, NULL},
};

/* ---- routes ---- */

/* Compared as sent, segment by segment: an escaped slash in an identifier must not become a border
 * (spec/api-v4.md section 1, "paths"), and no route needs an escape. */
static bool path_fits(struct gw_str pattern, struct gw_str path)
{
    struct gw_str want, have;
    while (gw_str_next(&pattern, '/', &want)) {
        if (!gw_str_next(&path, '/', &have))
            return false;
        bool parameter = want.len > 0 && want.ptr[0] == ':';
        if (parameter ? have.len == 0 : !gw_str_eq(want, have))
            return false;
    }
    return !path.ptr;
}

const struct admin_route *admin_route_find(enum http_method method, struct gw_str path,
                                           uint32_t *allowed)
{
    if (method == METHOD_HEAD)
        method = METHOD_GET;
    *allowed = 0;
    /* Goes on behind a fitting path: another row may have the same path and this method. */
    for (const struct admin_route *r = admin_routes; r->path; r++) {
        if (!path_fits(gw_str_z(r->path), path))
            continue;
        if (r->method == method)
            return r;
        *allowed |= 1u << r->method;
    }
    return NULL;
}

struct gw_str admin_path_segment(struct gw_str path, unsigned n)
{
    struct gw_str segment = GW_STR_EMPTY;
    path = gw_str_from(path, 1);
    do
        if (!gw_str_next(&path, '/', &segment))
            return GW_STR_EMPTY;
    while (n-- > 0);
    return segment;
}

/* ---- errors ---- */

bool admin_is_api_v4(struct gw_str path)
{
    return gw_str_starts(path, GW_STR("/client/v4/")) || gw_str_eq(path, GW_STR("/client/v4"));
}

void admin_fail(struct admin_call *call, unsigned status, const char *fmt, ...)
{
    struct gw_buf message;
    va_list args;
    gw_buf_init(&message, 1024);
    va_start(args, fmt);
    gw_buf_vprintf(&message, fmt, args);
    va_end(args);
    call->status = status;
    gw_buf_clear(&call->out); /* a handler may have begun an answer before it failed */
    gw_buf_add(&call->out, GW_STR("{\"error\":{\"message\":"));
    gw_buf_json(&call->out, gw_buf_str(&message));
    gw_buf_add(&call->out, GW_STR("}}\n"));
    gw_buf_release(&message);
}

/* Some of the real API's errors have no code; clients then see none rather than 0. */
void admin_v4_error(struct gw_buf *out, unsigned code, const char *message)
{
    gw_buf_char(out, '{');
    if (code) {
        gw_buf_add(out, GW_STR("\"code\":"));
        gw_buf_u64(out, code);
        gw_buf_char(out, ',');
    }
    gw_buf_add(out, GW_STR("\"message\":"));
    gw_buf_json(out, gw_str_z(message));
    gw_buf_char(out, '}');
}

#define V4_ERROR_OPEN  GW_STR("{\"result\":null,\"success\":false,\"errors\":[")
#define V4_ERROR_CLOSE GW_STR("],\"messages\":[]}\n")

void admin_v4_fail(struct admin_call *call, unsigned status, unsigned code, const char *fmt, ...)
{
    char message[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    call->status = status;
    gw_buf_clear(&call->out);
    gw_buf_add(&call->out, V4_ERROR_OPEN);
    admin_v4_error(&call->out, code, message);
    gw_buf_add(&call->out, V4_ERROR_CLOSE);
}

/* The app's form: {"success":false,"error":{"type":…,"message":…}}. */
static void refuse_as_app(struct admin_call *call, const struct admin_refusal *refusal)
{
    call->status = refusal->status;
    gw_buf_clear(&call->out);
    gw_buf_add(&call->out, GW_STR("{\"success\":false,\"error\":{\"type\":"));
    gw_buf_json(&call->out, gw_str_z(refusal->type));
    gw_buf_add(&call->out, GW_STR(",\"message\":"));
    gw_buf_json(&call->out, gw_str_z(refusal->message));
    gw_buf_add(&call->out, GW_STR("}}"));
}

void admin_refuse(struct admin_call *call, const struct admin_refusal *refusal)
{
    if (admin_is_api_v4(call->path))
        admin_v4_fail(call, refusal->status, refusal->code, "%s", refusal->message);
    else if (gw_str_starts(call->path, GW_STR("/api/admin/")))
        refuse_as_app(call, refusal);
    else
        admin_fail(call, refusal->status, "%s", refusal->message);
}

void admin_v4_unroutable(struct admin_call *call, bool no_such_route)
{
    char message[512];
    snprintf(message, sizeof(message),
             "Could not route to %.*s, perhaps your object identifier is invalid?",
             (int)gw_min_size(call->path.len, 400), call->path.ptr);
    call->status = 404;
    gw_buf_add(&call->out, V4_ERROR_OPEN);
    admin_v4_error(&call->out, 7003, message);
    if (no_such_route) {
        gw_buf_char(&call->out, ',');
        admin_v4_error(&call->out, 7000, "No route for that URI");
    }
    gw_buf_add(&call->out, V4_ERROR_CLOSE);
}

/* 405 names what the path can do (RFC 9110 section 15.5.6). */
static void refuse_method(struct admin_call *call, uint32_t allowed)
{
    static const struct admin_refusal refusal = {405, 0, "method_not_allowed",
                                                 "Method not allowed"};
    const char *separator = "Allow: ";
    if (admin_is_api_v4(call->path))
        admin_v4_fail(call, 405, 7001, "%.*s not supported for requested URI.",
                      (int)gw_min_size(call->request->method.len, 32), call->request->method.ptr);
    else
        admin_refuse(call, &refusal);
    if (allowed & 1u << METHOD_GET)
        allowed |= 1u << METHOD_HEAD;
    for (unsigned m = METHOD_GET; m < METHOD_COUNT; m++) {
        if (!(allowed >> m & 1))
            continue;
        gw_buf_add(&call->lines, gw_str_z(separator));
        gw_buf_add(&call->lines, http_method_name((enum http_method)m));
        separator = ", ";
    }
    gw_buf_add(&call->lines, GW_STR("\r\n"));
}

enum admin_result admin_dispatch(struct admin_call *call)
{
    static const struct admin_refusal unknown = {404, 0, "not_found", "Not found"};
    uint32_t allowed;
    const struct admin_route *route =
        admin_route_find(call->request->method_id, call->path, &allowed);
    if (route)
        return route->handle(call);
    if (allowed)
        refuse_method(call, allowed);
    else if (admin_is_api_v4(call->path))
        admin_v4_unroutable(call, true);
    else
        admin_refuse(call, &unknown);
    return ADMIN_DONE;
}

/* ---- what handlers share ---- */

const struct snapshot *admin_snapshot(const struct admin_call *call)
{
    return call->exchange->ws->snapshot;
}

/* Visitors of this loop wait meanwhile: time and memory go with the number of values. The parser's
 * messages speak of files and lines; the callers say what they expect instead. */
struct json_doc *admin_body(const struct admin_call *call)
{
    const struct gw_source source = {"request body", gw_buf_str(&call->body)};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse_within(&source, ADMIN_VALUES_MAX, &diags);
    gw_diags_release(&diags);
    if (doc && json_type(json_root(doc)) == JSON_OBJECT)
        return doc;
    json_doc_free(doc);
    return NULL;
}

bool admin_query(const struct admin_call *call, struct gw_str name, struct gw_str *out)
{
    struct gw_str rest = call->query, key, value;
    while (url_query_next(&rest, &key, &value))
        if (gw_str_eq(key, name))
            return url_decode(value, true, &call->exchange->arena, out);
    return false;
}

/* ---- life ---- */

void admin_call_init(struct admin_call *call)
{
    *call = (struct admin_call){.status = 200, .content_type = "application/json"};
    gw_buf_init(&call->body, ADMIN_BODY_MAX);
    gw_buf_init(&call->out, ADMIN_ANSWER_MAX);
    gw_buf_init(&call->lines, 1024);
}

/* Called once: after the answer has left, or when the client went away while a backend was asked.
 */
void admin_call_release(struct admin_call *call)
{
    if (call->stream)
        call->stream->release(call->stream);
    if (call->write)
        api_write_abandon(call);
    else if (call->replay)
        replay_abandon(call->replay);
    else if (call->waiting)
        limiter_state_cancel(&call->state);
    gw_buf_release(&call->body);
    gw_buf_release(&call->out);
    gw_buf_release(&call->lines);
}

void admin_finish(struct admin_call *call)
{
    call->waiting = false;
    exchange_resume(call->exchange);
}
