/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A scenario file (JSON with comments) becomes a plan. bench/load/examples/ shows every key at
 * work, bench/load/README.md lists them.
 *
 * Every mistake is told at once with its place. Thread: one. Owns: nothing; the plan copies. */
#include "bench/load/plan.h"
#include "config/json.h"

/* Fills a new plan; mistakes are in diags. `base` is the file that paths in it are relative to. */
void scenario_load(const struct json_doc *doc, const char *base, struct load_plan *plan,
                   struct gw_diags *diags);

/* Adds an expectation written outside of any file; false, and told, after a mistake. */
GW_MUST bool scenario_expect(struct load_plan *plan, struct gw_str text, struct gw_diags *diags);
