/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The admin listener's table of routes, and what its handlers share. Internal to gateway/admin*.
 *
 * Three audiences, three forms of an error, told apart by path: Cloudflare's envelope under
 * /client/v4 (spec/api-v4.md section 1), the app's own form under /api/admin/ (spec/limiter.md a5),
 * the house's elsewhere. Thread: worker 0's. */
#include "config/json.h"
#include "gateway/admin.h"

struct admin_route {
    enum http_method method; /* GET stands for HEAD too */
    const char *path;        /* ":name" is one segment, not empty */
    bool open;               /* needs no token: probes have none */
    enum admin_result (*handle)(struct admin_call *call);
};

/* Ends with a NULL path. */
extern const struct admin_route admin_routes[];

/* NULL when there is none; *allowed then holds the methods (1 << enum http_method) the path has, 0
 * when it is unknown. */
const struct admin_route *admin_route_find(enum http_method method, struct gw_str path,
                                           uint32_t *allowed);
/* The n-th segment of a path ("/a/b": 0 is "a"), raw; empty behind the end. */
struct gw_str admin_path_segment(struct gw_str path, unsigned n);

/* A refusal for any audience. */
struct admin_refusal {
    unsigned status;
    unsigned code;    /* Cloudflare's; 0: it has none */
    const char *type; /* the app's word */
    const char *message;
};
void admin_refuse(struct admin_call *call, const struct admin_refusal *refusal);
bool admin_is_api_v4(struct gw_str path);
/* One more entry for an envelope's list of errors. */
void admin_v4_error(struct gw_buf *out, unsigned code, const char *message);
/* {"result":null,"success":false,"errors":[…]} around one error; the message is printf's. */
void admin_v4_fail(struct admin_call *call, unsigned status, unsigned code, const char *fmt, ...)
    GW_PRINTF(4, 5);
/* 404 with the real API's errors: 7003, and 7000 too when the path is no route at all. */
void admin_v4_unroutable(struct admin_call *call, bool no_such_route);

/* The body as a JSON object; NULL when it is none (also an empty one). The caller frees it. */
GW_MUST struct json_doc *admin_body(const struct admin_call *call);
/* A parameter of the query, decoded, in the exchange's arena; false when absent or undecodable. */
GW_MUST bool admin_query(const struct admin_call *call, struct gw_str name, struct gw_str *out);
const struct snapshot *admin_snapshot(const struct admin_call *call);
/* What limiter_state_list wants to know of a limiter. */
struct limiter_state_item admin_limits_item(const struct limiter *limiter);

enum admin_result admin_livez(struct admin_call *call);
enum admin_result admin_readyz(struct admin_call *call);
enum admin_result admin_metrics(struct admin_call *call);
enum admin_result admin_clock_get(struct admin_call *call);
enum admin_result admin_clock_advance(struct admin_call *call);
enum admin_result admin_limits_state(struct admin_call *call);
enum admin_result admin_limits_reset(struct admin_call *call);
enum admin_result admin_compare_get(struct admin_call *call);
enum admin_result admin_compare_clear(struct admin_call *call);
/* Appends the verdicts of comparing limiters in Prometheus text format. */
void admin_compare_metrics(struct admin_call *call);
enum admin_result admin_rate_list(struct admin_call *call);
enum admin_result admin_rate_clear(struct admin_call *call);
enum admin_result admin_cache_stats(struct admin_call *call);
enum admin_result admin_cache_objects(struct admin_call *call);
enum admin_result admin_purge_cache(struct admin_call *call);
enum admin_result admin_invalidate_cache(struct admin_call *call);

enum admin_result api_token_verify(struct admin_call *call);
enum admin_result api_accounts_list(struct admin_call *call);
enum admin_result api_account_get(struct admin_call *call);
enum admin_result api_zones_list(struct admin_call *call);
enum admin_result api_zone_get(struct admin_call *call);
enum admin_result api_settings_list(struct admin_call *call);
enum admin_result api_settings_patch(struct admin_call *call);
enum admin_result api_setting_get(struct admin_call *call);
enum admin_result api_setting_patch(struct admin_call *call);
/* Those of a ruleset serve its path by id and as the entry point of a phase. */
enum admin_result api_rulesets_list(struct admin_call *call);
enum admin_result api_ruleset_create(struct admin_call *call);
enum admin_result api_ruleset_get(struct admin_call *call);
enum admin_result api_ruleset_put(struct admin_call *call);
enum admin_result api_ruleset_delete(struct admin_call *call);
enum admin_result api_entrypoint_put(struct admin_call *call);
enum admin_result api_versions_list(struct admin_call *call);
enum admin_result api_version_get(struct admin_call *call);
enum admin_result api_version_delete(struct admin_call *call);
enum admin_result api_rule_post(struct admin_call *call);
enum admin_result api_rule_patch(struct admin_call *call);
enum admin_result api_rule_delete(struct admin_call *call);
enum admin_result admin_explain(struct admin_call *call);
enum admin_result admin_upstreams(struct admin_call *call);
enum admin_result admin_faults_get(struct admin_call *call);
enum admin_result admin_faults_put(struct admin_call *call);
enum admin_result admin_faults_delete(struct admin_call *call);
enum admin_result admin_fault_put(struct admin_call *call);
enum admin_result admin_fault_delete(struct admin_call *call);
enum admin_result admin_page(struct admin_call *call);
enum admin_result admin_page_file(struct admin_call *call);
enum admin_result admin_inspector(struct admin_call *call);
enum admin_result admin_events(struct admin_call *call);
enum admin_result admin_requests(struct admin_call *call);
enum admin_result admin_request(struct admin_call *call);
enum admin_result admin_har(struct admin_call *call);
enum admin_result admin_replay(struct admin_call *call);
enum admin_result api_what_if(struct admin_call *call);
