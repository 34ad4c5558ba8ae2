/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What building and deriving a snapshot share. Internal to gateway/snapshot*. Thread: the one that
 * builds. */
#include "gateway/snapshot.h"

/* Points at the rulesets that the request path asks for. */
void snapshot_find_phases(struct snapshot_zone *zone);
/* Fills rule_labels, which is NULL. */
void snapshot_label_rules(struct snapshot_zone *zone, struct metrics *metrics);
