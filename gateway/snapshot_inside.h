/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What building and deriving a snapshot share. Internal to gateway/snapshot*. Thread: the one that
 * builds. */
#include "gateway/snapshot.h"

struct expr_options;

/* Origins and faults of all zones. */
void snapshot_build_origins(struct snapshot *s, struct gw_diags *diags);
void snapshot_release_origins(struct snapshot *s);
/* Certificates of listeners, and how origins are spoken to; after the origins. */
void snapshot_build_tls(struct snapshot *s, uint64_t wall_ms, struct gw_diags *diags);
void snapshot_release_tls(struct snapshot *s);
/* NULL after an error, which is in diags with its place in the document. */
struct expr *snapshot_compile(const struct config_expression *expression,
                              const struct json_doc *doc, const struct expr_options *options,
                              struct gw_diags *diags);
/* Points at the rulesets that the request path asks for. */
void snapshot_find_phases(struct snapshot_zone *zone);
/* Fills rule_labels and rate_labels. */
void snapshot_label_rules(struct snapshot_zone *zone, struct metrics *metrics);
