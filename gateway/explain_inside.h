/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the parts of explain share. Internal to gateway/explain*. Thread: one at a time. Owns:
 * nothing. */
#include "gateway/explain.h"

/* Fills e->request, scheme and port from the question; a request that the parser refuses sets
 * e->refused. False, and `error`, when the question cannot be written as a request. */
GW_MUST bool explain_read_request(struct explain *e, const struct explain_question *q, char *error);
/* Phases, the merged settings and where each comes from. */
void explain_run_rules(struct explain *e);
void explain_release_rules(struct explain *e);
