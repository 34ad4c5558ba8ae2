/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the parts of the rule tests share. Internal to gateway/rule_tests*. Thread: one. Owns:
 * nothing. */
#include "gateway/explain_view.h"
#include "gateway/rule_tests.h"

/* The snapshot to test; NULL after an error. */
struct snapshot *rule_tests_load(struct rule_tests *t, struct gw_diags *problems, bool *bad_config);

/* One case while it is judged. */
struct rule_tests_judge {
    struct rule_tests *t;
    struct gw_str name;
    const struct explain *e;
};
/* Adds a failure for each member of `expect` that does not hold. */
void rule_tests_expect(const struct rule_tests_judge *j, const struct json *expect);
