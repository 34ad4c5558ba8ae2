/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rule tests: what a zone's rules are expected to do, in a file that lies beside them.
 *
 *     {
 *       "config": "../nearedge.json",  // or "rules": FILE(s), "limiters": FILE, "plan": "free"
 *       "cases": [
 *         { "name": "a session bypasses the cache",
 *           "request": { "url": "https://ci.example.test/", "headers": { "Cookie": "session_id=1" }
 * }, "expect": { "rules": ["Bypass sessions"], "cache": "bypass" } } ] }
 *
 * Each request is explained (explain.h) and compared. A rule is named by its position from 1, its
 * ref, id or description. Members of "expect" are the table in rule_tests_expect.c.
 *
 * Owns: everything. Thread: one. Limits: RULE_TESTS_CASES_MAX cases; GW_DIAG_MAX failures are kept,
 * the rest is counted. */
#include "config/json.h"
#include "gateway/snapshot.h"

#define RULE_TESTS_CASES_MAX 10000

struct rule_tests_case {
    struct gw_str name;
    size_t first_failure, failures; /* in rule_tests.failures */
};

/* How often a rule matched over all cases. */
struct rule_tests_rule {
    struct gw_str zone;
    const struct rule *rule;
    size_t of; /* rules in its ruleset */
    size_t matches;
};

struct rule_tests {
    struct gw_arena arena;
    struct json_doc *doc;
    struct metrics *metrics;
    struct snapshot *snapshot;
    struct gw_diags failures; /* one for each expectation that did not hold */
    struct rule_tests_case *cases;
    size_t case_count, passed, failed;
    struct rule_tests_rule *rules; /* enabled cache rules of all zones */
    size_t rule_count, rules_matched;
};

/* An object with "cases"; anything else is no such file. */
bool rule_tests_fits(const struct json_doc *doc);

/* Runs all cases; takes the document. NULL when they could not be run: the reasons are in
 * `problems`, and *bad_config tells a wrong configuration from a wrong test file. */
GW_MUST struct rule_tests *rule_tests_run(struct json_doc *doc, struct gw_diags *problems,
                                          bool *bad_config);
void rule_tests_free(struct rule_tests *t);

/* The failures and what no case reached, for people. */
void rule_tests_print(const struct rule_tests *t, FILE *out, bool color);
/* {"file","passed","failed","cases":[…],"coverage":{…}} */
void rule_tests_json(const struct rule_tests *t, struct gw_buf *out);
