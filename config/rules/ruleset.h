/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A ruleset of Cloudflare's API (spec/api-v4.md section 3): its rules compiled and their parameters
 * typed. Loads what GET answers (with or without the envelope), what Create and Update take, or a
 * bare {"rules": […]}, whose phase follows from the actions.
 *
 * Invariants: a ruleset that exists is valid for its plan and phase; rule ids and refs are unique.
 * Owns: everything, nothing points into the document afterwards. Thread: immutable; ref counts are
 * atomic. Limits: RULESET_RULES_MAX rules; the plan's count is checked below it. */
#include "config/json.h"
#include "config/rules/expr.h"
#include "config/rules/rate_limit.h"
#include "config/rules/response_action.h"
#include "config/rules/settings.h"

#define RULESET_RULES_MAX 300

struct ruleset;

/* One finding in the API's terms, for those who answer in JSON. */
struct ruleset_problem {
    int code;            /* Cloudflare's number; 0: none is known */
    const char *pointer; /* "/rules/0/expression" */
    const char *message;
};

struct ruleset_options {
    enum config_plan plan;
    const struct gw_str *hosts; /* of the zone, lower case; NULL: host literals are not checked */
    size_t host_count;
    bool any_host;
    bool missing_ne;
    const char *phase;               /* when the document names none; NULL: from the actions */
    const struct rules_lists *lists; /* outlives the ruleset */
    void (*on_problem)(void *ctx, const struct ruleset_problem *problem); /* errors; may be NULL */
    void *ctx;
};

/* NULL after any error; all of them are in diags, and warnings in any case. The caller holds the
 * one reference. */
GW_MUST struct ruleset *ruleset_load(const struct json_doc *doc,
                                     const struct ruleset_options *options, struct gw_diags *diags);
/* The same for a value inside a document (a request body's member). */
GW_MUST struct ruleset *ruleset_load_value(const struct json_doc *doc, const struct json *value,
                                           const struct ruleset_options *options,
                                           struct gw_diags *diags);
struct ruleset *ruleset_ref(struct ruleset *rs);
void ruleset_unref(struct ruleset *rs);

/* Members that the document does not have are empty. */
struct ruleset_info {
    struct gw_str id, name, description, kind, phase_name, version, last_updated;
    enum rules_phase phase;
};
const struct ruleset_info *ruleset_info(const struct ruleset *rs);

struct rule {
    struct gw_str id, ref, description, action, version, last_updated;
    struct gw_str expression; /* as written */
    struct gw_str json;       /* the whole rule as it stood, compact */
    bool enabled;
    uint16_t index;
    const struct expr *expr;
    const struct expr *counting;                  /* http_ratelimit: counting_expression, or NULL */
    const struct expr *value;                     /* set_cache_tags: gives the tags, or NULL */
    const struct cache_settings *settings;        /* set_cache_settings, or NULL */
    const struct cache_response_action *response; /* set_cache_control, set_cache_tags, or NULL */
    const struct rate_limit *rate;                /* http_ratelimit, or NULL */
};
size_t ruleset_count(const struct ruleset *rs);
const struct rule *ruleset_rule(const struct ruleset *rs, size_t index);

/* What a request gets: which rules matched, and what they set together. */
struct ruleset_result {
    struct cache_settings_merged settings;
    uint64_t matched[(RULESET_RULES_MAX + 63) / 64]; /* bit per rule index */
};
static inline bool ruleset_matched(const struct ruleset_result *result, size_t index)
{
    return result->matched[index / 64] >> (index % 64) & 1;
}
/* Evaluates all enabled rules in order. */
void ruleset_match(const struct ruleset *rs, struct rules_request *r,
                   struct ruleset_result *result);
