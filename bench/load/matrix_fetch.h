/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Asks the gateway for its limiter matrix when a load test is over: one call to the admin listener
 * on a loop of its own. Thread: one; blocks as long as the listener may take (admin.h). */
#include "bench/load/admin.h"
#include "config/json.h"

/* NULL without an admin listener (NULL), without an answer, and from a gateway whose limiters
 * compare nothing: a report then has no matrix. The caller frees it. */
struct json_doc *matrix_fetch(const struct load_admin_at *admin);
