/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The parts of a scenario, each read in a file of its own; all are of the type of read_field.read.
 * `field` is the plan. Order matters: phases name requests and groups, expectations name phases.
 * Private. Thread: one. */
#include "bench/load/read.h"

void scenario_requests(struct reader *r, const struct json *v, void *field);
void scenario_identities(struct reader *r, const struct json *v, void *field);
void scenario_phases(struct reader *r, const struct json *v, void *field);
/* Of a phase: struct load_phase, whose duration was read before; of a rate in it. */
void scenario_rate(struct reader *r, const struct json *v, struct load_phase *phase);
/* A list of sentences; phase EXPECT_NONE: of the run. */
void scenario_expectations(struct reader *r, const struct json *v, uint32_t phase);
/* One identity that is nobody in particular: the generator itself. */
void scenario_nobody(struct load_plan *plan);
