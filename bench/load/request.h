/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The bytes of a request: heads are compiled once for each group of identities, so that a request
 * without variables costs one copy. HTTP/1.1, one Cookie line, Content-Length always right.
 *
 * What is set twice: the request's own headers win over its group's, those over the plan's, and all
 * over the defaults. Thread: one. */
#include "bench/load/plan.h"

/* Compiles the heads; every text of the plan has been checked (see below). */
void load_request_compile(const struct load_plan *plan, struct load_request *r);
/* Appends a whole request. `body` is scratch for bodies that change. values->length is set. */
void load_request_render(const struct load_request *r, size_t group, struct template_values *values,
                         struct gw_buf *out, struct gw_buf *body);

/* Variables compile and nothing in it could end a header line or the request line early. False and
 * told otherwise. */
GW_MUST bool load_request_check_value(struct gw_str text, struct template_mistake *mistake);
GW_MUST bool load_request_check_path(struct gw_str text, struct template_mistake *mistake);
