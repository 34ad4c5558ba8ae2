/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The step PASS takes an upstream request over from a fetch whose answer may not be stored. Thread:
 * the worker's. */
#include "gateway/exchange.h"

/* The exchange waits in FETCH and leads the fill; `answer` is the head that has just come and lives
 * as long as the request; x->answer_fields are its fields already. */
void step_pass_adopt(struct exchange *x, struct upstream_request *upstream,
                     const struct h1_message *answer);
