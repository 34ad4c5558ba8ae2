/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A flight's bytes: its request, as its identity, at its place. The same flight has the same bytes
 * whenever it is sent, since what is random in it depends on the seed and its number alone.
 *
 * Thread: one. */
#include "bench/load/lanes.h"
#include "bench/load/plan.h"

/* Appends to `out`; `scratch` is for bodies that change. */
enum http_method load_render(const struct load_plan *plan, const struct load_flight *flight,
                             struct gw_buf *out, struct gw_buf *scratch);
