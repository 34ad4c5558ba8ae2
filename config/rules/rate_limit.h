/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a rule of phase http_ratelimit says, typed (spec/limiter.md section b5): what it counts by,
 * how much is too much, and what happens then. Everything lies in the ruleset's arena, but the
 * compiled characteristics, which rate_limit_release frees. Thread: immutable.
 *
 * Limits: RATE_CHARACTERISTICS_MAX characteristics. */
#include "gateway/base/str.h"

#define RATE_CHARACTERISTICS_MAX 16
#define RATE_CONTENT_MAX         ((size_t)30 * 1024) /* bytes of a custom response */
#define RATE_SCORE_MAX           1000000

struct expr;
struct rule;

/* block and the challenges end the evaluation of the phase, log does not. */
enum rate_action { RATE_BLOCK, RATE_CHALLENGE, RATE_LOG };

/* When a request is counted. Without a counting expression all rules could count at once; those
 * that ask about the response or about the origin have to wait for it. */
enum rate_moment {
    RATE_AT_REQUEST,  /* before the rule judges it: the request over the threshold is refused */
    RATE_AT_ORIGIN,   /* requests_to_origin: when the origin is asked on its behalf */
    RATE_AT_RESPONSE, /* response fields or a score: with the head of the answer */
};

struct rate_characteristic {
    struct gw_str text;       /* as written */
    const struct expr *value; /* NULL: the client's address */
    bool secret;              /* a cookie, a credential: it is told apart by, and never shown */
};

struct rate_limit {
    enum rate_action action;
    enum rate_moment moment;
    bool to_origin;      /* requests_to_origin, also of a RATE_AT_RESPONSE */
    uint64_t limit;      /* requests, or the sum of scores, of one period; one more is too many */
    uint64_t period_ms;  /* at least 1 s */
    uint64_t timeout_ms; /* of the mitigation; 0: only what is over the limit is refused */
    struct gw_str score_header;  /* empty: requests are counted */
    const struct expr *counting; /* NULL: what the rule matches is counted; the rule owns it */
    const struct rate_characteristic *characteristics; /* without cf.colo.id, which all have */
    size_t characteristic_count;
    /* Names the rule's counters: equal for equal definitions, whatever their place, id, action and
     * response, so that counters outlive edits of other rules. Equal rules of one ruleset differ.
     */
    char name[17];       /* 16 hex digits, NUL */
    uint64_t definition; /* a hash of it */
    struct {
        uint16_t status;
        struct gw_str content, content_type; /* content empty: the edge's own page */
    } response;
};

/* NULL is fine. */
void rate_limit_release(const struct rate_limit *rate);
/* Fills the names of all rules of a ruleset that have a limit. */
void rate_limit_name_all(struct rule *rules, size_t count);
