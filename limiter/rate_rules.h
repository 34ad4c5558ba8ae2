/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cloudflare's rate limiting rules, phase http_ratelimit, on a request (spec/limiter.md section
 * b5): in order, each matching rule counts and judges; block and challenges end the evaluation.
 *
 * Counters belong to a place (cf.colo.id) and are never shared between places, so they are kept in
 * the process with any backend. One counter has the key
 *
 *     <zone id>/<rule's name>@<EDGE>:<value>, <value> …     the values as rules_value_text shows
 *                                                           them: "", (missing) and "(missing)"
 *                                                           are three
 *
 * whose values, when longer than RATE_KEY_MAX allows, end in "~" and a hash of them all. Of a
 * cookie or a credential there is a hash alone: keys are shown to people.
 *
 * Thread: the counters any; a visit its own. Owns: the counters copies of the keys. Limits: `max`
 * counters, what ends first gives way; RATE_ACTS_MAX actions are named, more are only taken. Cost:
 * no allocation but for a new counter; one shard's lock at a time, for one counter. */
#include "config/rules/ruleset.h"
#include "limiter/rate_counter.h"

#define RATE_COUNTERS_MAX ((size_t)1 << 18)
#define RATE_KEY_MAX      512
#define RATE_RULES_MAX    128 /* plans allow 100 */
#define RATE_ACTS_MAX     8

struct rate_counters;
struct rate_counters *rate_counters_new(size_t max);
void rate_counters_free(struct rate_counters *counters);

/* One counter for people to see. */
struct rate_entry {
    struct gw_str zone, rule, edge, values; /* rule: its name (rate_limit.h) */
    struct rate_counter counter;
};
/* In no order, until `visit` says false; it runs under a shard's lock. */
void rate_counters_list(struct rate_counters *counters,
                        bool (*visit)(void *ctx, const struct rate_entry *entry), void *ctx);
/* How many were forgotten. */
size_t rate_counters_clear(struct rate_counters *counters);

/* One request at one place. All borrowed. */
struct rate_visit {
    struct rate_counters *counters;
    const struct ruleset *rules; /* of the phase */
    struct rules_request *facts;
    struct gw_str zone, edge; /* the zone's id, the place's name */
    struct gw_buf *key;       /* scratch */
    uint64_t now_ms;
};

struct rate_act {
    uint16_t rule;  /* index */
    uint8_t action; /* enum rate_action */
};

struct rate_verdict {
    uint64_t matched[RATE_RULES_MAX / 64]; /* bit per rule that was reached and matched */
    struct rate_act acts[RATE_ACTS_MAX];   /* in order; when refused the last one ended it */
    uint8_t act_count;
    bool refused;
    bool waits_for_origin, waits_for_response; /* some rule counts then */
    uint64_t until_ms;                         /* refused: see struct rate_reading */
};

/* Counts what is counted at once and judges. */
void rate_rules_request(const struct rate_visit *visit, struct rate_verdict *verdict);
/* The origin is asked on behalf of a request that was not refused: once. */
void rate_rules_origin(const struct rate_visit *visit, const struct rate_verdict *verdict);
/* Its answer, also one that the edge makes: once. The facts hold it (rules_request_response). */
void rate_rules_response(const struct rate_visit *visit, const struct rate_verdict *verdict,
                         bool asked_origin);

/* For explain: how a rule would take the request. */
struct rate_look {
    struct rate_reading now;  /* the counter as it stands; all zero without counters */
    struct rate_reading next; /* as the request would find it */
};
/* The values that the rule counts it under are appended to `values`. Changes nothing. */
struct rate_look rate_rules_look(const struct rate_visit *visit, const struct rule *rule,
                                 struct gw_buf *values);
