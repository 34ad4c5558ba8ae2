/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the edge would do with a request, and why: for the verb `explain`, POST /api/explain, the
 * trace API and rule tests.
 *
 * The request is written out and read by the session's own parser; then the functions that the
 * steps use are asked, in the steps' order (visit.h, ruleset_match, limiter_policy_match,
 * cache_eligible, cache_key_build, cache_store_peek). Nothing is counted, stored or sent. A walk
 * over each rule's expression (expr_trace) adds which part settled it.
 *
 * Owns: everything but the snapshot, which outlives it; the question is not needed any more.
 * Thread: one. Time: the question's. Limits: a head as visitors may send it; EXPLAIN_PARTS_MAX
 * parts of expressions, each with EXPLAIN_LEFT_MAX bytes of what stood on its left. */
#include "cache/eligibility.h"
#include "gateway/destination.h"
#include "gateway/explain_rules.h"
#include "gateway/visit.h"

#define EXPLAIN_ERROR_MAX 256

struct cache_store;

/* Copies a text that came with the request to `out`, as it may be shown. */
struct explain_veil {
    void (*show)(const void *ctx, struct gw_str text, struct gw_buf *out);
    const void *ctx;
};

struct explain_question {
    struct gw_str method; /* [GET] */
    struct gw_str url;    /* absolute */
    const struct headers *headers;
    struct gw_ip ip;            /* of the peer [127.0.0.1] */
    struct gw_str edge;         /* [the first listener's] */
    struct gw_str country;      /* [the edge's] upper case */
    struct rules_tls tls;       /* [none] */
    uint64_t now_ms, date_ms;   /* wall_ms and date_ms of base/clock.h */
    struct cache_store *store;  /* live: also look into the cache; NULL: do not */
    struct rate_counters *rate; /* likewise into the counters of rate limiting rules */
    struct explain_veil veil;   /* of explain_json; without `show`: all may be shown */
};

/* What a look-up would find. */
enum explain_found { EXPLAIN_NOT_ASKED, EXPLAIN_ABSENT, EXPLAIN_FRESH, EXPLAIN_STALE };
struct explain_lookup {
    enum explain_found found;
    bool serve_stale;  /* STALE: it answers at once and is refreshed behind the visitor's back */
    unsigned status;   /* of the stored response */
    uint64_t fresh_ms; /* FRESH: until this is over */
    uint64_t age_s;
};

struct explain_limit {
    const struct limiter_route *route; /* NULL: no route fits */
    const struct limiter *limiter;     /* NULL: none, or the route is exempt */
    struct gw_str key;
    bool counted;                /* live: what follows is known */
    uint64_t count, reset_at_ms; /* the latter a date */
};

struct explain {
    struct gw_arena arena;
    const struct snapshot *snapshot;
    struct gw_str url;
    struct h1_message request;
    unsigned refused; /* the status of a request that gets no further, or 0 */
    const char *refusal;
    struct gw_ip peer;
    bool trusted;
    size_t edge; /* index */
    uint32_t isolate;
    struct visit visit; /* without a zone: nothing below holds anything */

    struct explain_phase *phases; /* in the order in which the edge runs them */
    size_t phase_count, part_count;
    bool parts_cut;
    struct ruleset_result rules;
    struct rate_counters *rate;          /* the question's */
    struct explain_veil veil;            /* likewise */
    const struct explain_rule *refusing; /* rate limiting rule that ends it, by what is known */
    struct explain_setting settings[CACHE_SETTING_COUNT];
    size_t setting_count;
    struct destination destination;
    struct explain_limit limit;
    enum app_check check;      /* what the app would refuse … */
    bool check_behind_limiter; /* … after its limiter has counted */
    struct cache_request cache_request;
    struct cache_policy cache_policy;
    struct cache_eligibility eligibility;
    struct gw_buf key; /* overflow: too long, nothing is cached */
    struct explain_lookup lookup;
};

/* NULL when the question is none that a client could ask; `error` then says why. */
GW_MUST struct explain *explain_new(const struct snapshot *s, const struct explain_question *q,
                                    char error[EXPLAIN_ERROR_MAX]);
void explain_free(struct explain *e);
/* From a live listing of the limiter's counters. */
void explain_set_count(struct explain *e, uint64_t count, uint64_t reset_at_ms);

/* Among the parts of the simulated phase's merged settings; NULL: no rule set it. */
const struct explain_setting *explain_setting_of(const struct explain *e, struct gw_str name);
/* Whether the limiter would refuse the request by what is known of its counter. */
bool explain_is_limited(const struct explain *e);
