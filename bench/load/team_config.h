/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The team's own load-test-config.json, as it is, becomes a scenario.
 *
 *   rateLimitTests.NAME.testScenarios[]  a phase NAME/SCENARIO at a constant rate, as a visitor of
 *                                        its own, so that no window runs on into the next phase
 *   expectedRateLimited P                what their runner checks: at least 0.8 × P percent are 429
 *   stressTests                          burst, sustained and mixed phases
 *   performanceThresholds                mean, p95 and share of failures over all
 *
 * Each phase is told what its limit implies, so that an expectation nothing can fail is seen for
 * what it is (product.md section 0: 0 percent expected, and 50 of 60 refused passes). With `strict`
 * that is asserted too: so many 429, no more and no less. Thread: one. Owns: nothing. */
#include "config/json.h"

bool team_config_is(const struct json_doc *doc);
/* Appends the scenario's text. Mistakes are in diags with their places; false then. */
GW_MUST bool team_config_convert(const struct json_doc *doc, bool strict, struct gw_buf *out,
                                 struct gw_diags *diags);
